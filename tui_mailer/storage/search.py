"""A history query as the full-text index takes it, and the same judgement for what isn't in the index yet."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from tui_mailer.storage.record import HistoryQuery, Submission
from tui_mailer.storage.row import account_tag, state_tag
from tui_mailer.storage.segment import segmented

TEXT_COLUMNS = "{subject sender recipients body}"
INDEXED_PREFIX = 2
"""Letters up to which the index finds the beginning of a word as fast as a word."""
MOST_BEGINNINGS = 64
"""Words with one beginning that are looked for one by one; they are read as far as a page needs, not whole."""

Beginnings = Callable[[str, int], Sequence[str]]
"""``(beginning, limit)``: the words of the index that begin so."""


def match_expression(query: HistoryQuery, beginnings: Beginnings) -> str | None:
    """Writes the FTS5 expression: every term quoted, ANDed; the unfinished one also stands for longer words.

    None: there is nothing to match by, every row will do. A term without a letter or digit matches nothing.
    """
    terms: list[str] = []
    for name, column in _COLUMNS:
        wanted: tuple[str, ...] = getattr(query, name)
        terms.extend(_term(column, one) for one in wanted)
        if query.unfinished == name and can_widen(wanted):
            terms[-1] = _widened(column, wanted[-1], beginnings)
    if query.account is not None:
        tag = account_tag(query.account)
        is_begun = query.unfinished == "account"
        terms.append(_widened("tags", tag, beginnings) if is_begun else _term("tags", tag))
    if query.state is not None:
        terms.append(_term("tags", state_tag(query.state)))
    return " AND ".join(terms) or None


def can_widen(wanted: Sequence[str]) -> bool:
    """Says whether the last of some terms could end in a word that is still being typed."""
    return bool(wanted) and wanted[-1][-1:].isalnum() and bool(tokens(wanted[-1]))


def may_be_unfinished(query: HistoryQuery) -> HistoryQuery:
    """The query with its last word taken for one that may go on, if it is one word."""
    is_one = bool(query.words) and len(tokens(query.words[-1])) == 1
    return replace(query, unfinished="words") if is_one and can_widen(query.words) else query


def matches(query: HistoryQuery, submission: Submission) -> bool:
    """Says whether an ended submission that isn't in the history yet fits a query."""
    message = submission.message
    recipients = " ".join(str(one) for one in message.recipients())
    texts = {
        "sender": tokens(str(message.sender)),
        "to": tokens(recipients),
        "subject": tokens(message.subject),
        "body": tokens(message.text or "") if submission.keep else [],
    }
    for name, _column in _COLUMNS:
        wanted: tuple[str, ...] = getattr(query, name)
        places = texts.values() if name == "words" else [texts[name]]
        for at, term in enumerate(wanted):
            is_open = query.unfinished == name and at == len(wanted) - 1 and can_widen(wanted)
            if not _holds(places, term, is_open=is_open):
                return False
    is_open = query.unfinished == "account" and query.account is not None
    is_of_account = submission.account.startswith(query.account or "") if is_open else True
    return (
        is_of_account
        and (is_open or query.account in (None, submission.account))
        and query.state in (None, submission.state)
        and (query.before is None or submission.updated_at < query.before)
        and (query.after is None or submission.updated_at >= query.after)
    )


def tokens(text: str) -> list[str]:
    """Splits text as the index does: runs of letters, digits and private use, without case and diacritics."""
    bare = "".join(one for one in unicodedata.normalize("NFD", text) if not unicodedata.combining(one))
    return re.findall(r"[^\W_]+", segmented(unicodedata.normalize("NFC", bare).lower()) or "")


_COLUMNS = (("words", TEXT_COLUMNS), ("sender", "sender"), ("to", "recipients"), ("subject", "subject"))


def _term(column: str, text: str) -> str:
    return f"{column} : {_quoted(text)}"


def _widened(column: str, text: str, beginnings: Beginnings) -> str:
    """Takes the last word for a beginning: all words that begin so, or the index of beginnings where they are many."""
    *before, last = tokens(text)
    found: Sequence[str] = ()
    if len(last) > INDEXED_PREFIX:
        found = beginnings(last, MOST_BEGINNINGS + 1)
    if not found or len(found) > MOST_BEGINNINGS:
        return f"{_term(column, text)} *"
    phrases = (_quoted(" ".join([*before, one])) for one in found)
    return f"{column} : ({' OR '.join(phrases)})"


def _quoted(text: str) -> str:
    # Inside double quotes nothing has a meaning but the double quote; a control character has no place in a word.
    safe = "".join(" " if unicodedata.category(one) in ("Cc", "Cs") else one for one in segmented(text) or "")
    return f'"{safe.replace(chr(34), chr(34) * 2)}"'


def _holds(texts: Iterable[list[str]], wanted: str, *, is_open: bool) -> bool:
    phrase = tokens(wanted)
    size = len(phrase)
    if not size:
        return False
    *whole, last = phrase

    def is_at(text: list[str], at: int) -> bool:
        ends_right = text[at + size - 1].startswith(last) if is_open else text[at + size - 1] == last
        return ends_right and text[at : at + size - 1] == whole

    return any(is_at(text, at) for text in texts for at in range(len(text) - size + 1))
