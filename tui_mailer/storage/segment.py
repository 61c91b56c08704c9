"""Parts the scripts that write no spaces between words, so that any run of their characters is found by the index.

FTS5's tokenizer takes a whole Chinese or Japanese clause for one word. With a space around each character of these
scripts, in what is indexed and in what is looked for alike, a search for 議事録 is a phrase of three and finds it
anywhere. Text in other scripts stays as it is.
"""

from __future__ import annotations

import re

_UNSPACED = re.compile(
    "["
    "\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f\u1780-\u17ff"  # Burmese, Khmer
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"  # kana, iteration marks
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # ideographs
    "\uac00-\ud7a3"  # Hangul: particles are written onto the noun
    "\uff66-\uff9f"  # half-width kana
    "]"
)


def segmented(text: str | None) -> str | None:
    """Puts spaces around each character of an unspaced script; None stays None."""
    if text is None or text.isascii():
        return text
    return _UNSPACED.sub(r" \g<0> ", text)
