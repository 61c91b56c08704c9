"""A history query as the full-text index takes it, and the same judgement for what isn't in the index yet."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from tui_mailer.storage.record import HistoryQuery, Submission
from tui_mailer.storage.row import account_tag, state_tag

TEXT_COLUMNS = "{subject sender recipients body}"


def match_expression(query: HistoryQuery, *, is_widened: bool = False) -> str | None:
    """Writes the FTS5 expression: every term quoted, ANDed; widened, the last word may be a word's beginning.

    None: there is nothing to match by, every row will do. A term without a letter or digit matches nothing.
    """
    terms = [_term(TEXT_COLUMNS, word) for word in query.words]
    if is_widened and can_widen(query):
        terms[-1] += "*"
    for column, wanted in (("sender", query.sender), ("recipients", query.to), ("subject", query.subject)):
        terms.extend(_term(column, one) for one in wanted)
    if query.account is not None:
        terms.append(_term("tags", account_tag(query.account)))
    if query.state is not None:
        terms.append(_term("tags", state_tag(query.state)))
    return " AND ".join(terms) or None


def can_widen(query: HistoryQuery) -> bool:
    """Says whether the last word could be one that is still being typed."""
    return bool(query.words) and len(tokens(query.words[-1])) == 1 and query.words[-1][-1:].isalnum()


def matches(query: HistoryQuery, submission: Submission, *, is_widened: bool = False) -> bool:
    """Says whether an ended submission that isn't in the history yet fits a query."""
    message = submission.message
    recipients = " ".join(str(one) for one in message.recipients())
    columns = (message.subject, str(message.sender), recipients, message.text or "" if submission.keep else "")
    texts = [tokens(one) for one in columns]
    words, last = query.words, ""
    if is_widened and can_widen(query):
        words, last = query.words[:-1], tokens(query.words[-1])[0]
    return (
        all(_holds(texts, word) for word in words)
        and (not last or any(one.startswith(last) for text in texts for one in text))
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


def _holds(texts: Iterable[list[str]], wanted: str) -> bool:
    phrase = tokens(wanted)
    size = len(phrase)
    return size > 0 and any(text[at : at + size] == phrase for text in texts for at in range(len(text) - size + 1))
