"""A history query as the full-text index takes it, and the same judgement for what isn't in the index yet."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence

from tui_mailer.storage.record import HistoryQuery, Submission
from tui_mailer.storage.row import account_tag, state_tag

TEXT_COLUMNS = "{subject sender recipients body}"


def match_expression(query: HistoryQuery) -> str | None:
    """Writes the FTS5 expression: every term quoted, ANDed; the last plain word also as the beginning of a word.

    None: there is nothing to match by, every row will do. A term without a letter or digit matches nothing.
    """
    terms: list[str] = []
    for position, word in enumerate(query.words):
        is_last = position == len(query.words) - 1
        is_prefix = is_last and len(tokens(word)) == 1 and word[-1:].isalnum()
        terms.append(_term(TEXT_COLUMNS, word) + ("*" if is_prefix else ""))
    for column, wanted in (("sender", query.sender), ("recipients", query.to), ("subject", query.subject)):
        terms.extend(_term(column, one) for one in wanted)
    if query.account is not None:
        terms.append(_term("tags", account_tag(query.account)))
    if query.state is not None:
        terms.append(_term("tags", state_tag(query.state)))
    return " AND ".join(terms) or None


def matches(query: HistoryQuery, submission: Submission) -> bool:
    """Says whether an ended submission that isn't in the history yet fits a query."""
    message = submission.message
    recipients = " ".join(str(one) for one in message.recipients())
    columns = (message.subject, str(message.sender), recipients, message.text or "" if submission.keep else "")
    texts = [tokens(one) for one in columns]
    return (
        all(_holds(texts, word, is_prefix=is_last and word[-1:].isalnum()) for word, is_last in _marked(query.words))
        and all(_holds([tokens(str(message.sender))], one) for one in query.sender)
        and all(_holds([tokens(recipients)], one) for one in query.to)
        and all(_holds([tokens(message.subject)], one) for one in query.subject)
        and query.account in (None, submission.account)
        and query.state in (None, submission.state)
        and (query.before is None or submission.updated_at < query.before)
        and (query.after is None or submission.updated_at >= query.after)
    )


def tokens(text: str) -> list[str]:
    """Splits text as FTS5's unicode61 does: runs of letters, digits and private use, without case and diacritics."""
    bare = "".join(one for one in unicodedata.normalize("NFD", text) if not unicodedata.combining(one))
    return re.findall(r"[^\W_]+", bare.lower())


def _term(column: str, text: str) -> str:
    # Inside double quotes nothing has a meaning but the double quote; a control character has no place in a word.
    safe = "".join(" " if unicodedata.category(one) in ("Cc", "Cs") else one for one in text)
    return f'{column} : "{safe.replace(chr(34), chr(34) * 2)}"'


def _marked(words: Sequence[str]) -> Iterable[tuple[str, bool]]:
    return ((word, position == len(words) - 1) for position, word in enumerate(words))


def _holds(texts: Iterable[list[str]], wanted: str, *, is_prefix: bool = False) -> bool:
    phrase = tokens(wanted)
    if not phrase:
        return False
    if is_prefix and len(phrase) == 1:
        return any(one.startswith(phrase[0]) for text in texts for one in text)
    size = len(phrase)
    return any(text[at : at + size] == phrase for text in texts for at in range(len(text) - size + 1))
