"""Contacts: people written to before, learnt from the history and found as one types."""

from __future__ import annotations

import re

from tui_mailer.domain.address import Address
from tui_mailer.domain.submission import RecipientStatus
from tui_mailer.storage.codec import from_json
from tui_mailer.storage.database import Database
from tui_mailer.storage.record import Submission
from tui_mailer.storage.statement import statements

MOST_READ = 5_000
"""Of a long history only so many of the newest messages are read."""
STEP = 100
"""Messages read at once: some milliseconds, so that nobody waits for it."""
MOST_FITTING = 500
"""Contacts looked at for one beginning; a single letter fits thousands."""
_WRONG = frozenset({RecipientStatus.REJECTED, RecipientStatus.BOUNCED})
_SEPARATOR = re.compile(r"[\s.,;:<>()\"'@_+-]+")


class Contacts:
    """In the history's database: what is purged there is forgotten here."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = statements("contact")

    def learn(self) -> bool:
        """Reads the next few messages that have ended; says whether there are more."""
        row = self._database.row(self._sql["learnt_up_to"], {})
        after = int(row["number"]) if row else -1
        old = self._database.row(self._sql["worth_learning_after"], {"most": MOST_READ})
        after = max(after, int(old["position"]) if old else -1)
        rows = self._database.rows(self._sql["list_unread"], {"after": after, "limit": STEP})
        if not rows:
            return False
        # A power cut costs nothing here: what isn't noted is read again.
        with self._database.transaction(is_durable=False):
            for one in rows:
                self._learn_from(from_json(Submission, one["submission"]), int(one["position"]))
            self._database.run(self._sql["note_learnt"], {"position": int(rows[-1]["position"])})
        return len(rows) == STEP

    def find(self, typed: str, *, limit: int = 50) -> list[str]:
        """People with a word in name or address that begins with each word typed, the last written to first."""
        words = [word for word in _SEPARATOR.split(typed.casefold()) if word]
        whole = typed.strip().casefold()
        if not whole:
            return []
        first = whole if "@" in whole else words[0] if words else whole
        bindings = {"first": first, "beyond": f"{first}\U0010ffff", "most": MOST_FITTING, "limit": MOST_FITTING}
        found = [row["address"] for row in self._database.rows(self._sql["find"], bindings)]
        if "@" in whole:
            return found[:limit]
        return [one for one in found if _fits(one, words)][:limit]

    def _learn_from(self, submission: Submission, position: int) -> None:
        refused = {one.address for one in submission.recipients if one.status in _WRONG}
        for address in submission.message.recipients():
            if address.addr_spec in refused:
                continue
            key = address.addr_spec.casefold()
            written = str(address).encode("utf-8", "replace").decode("utf-8")
            self._database.run(self._sql["keep"], {"key": key, "address": written, "position": position})
            self._database.run_many(
                self._sql["keep_word"], [{"word": word, "key": key} for word in sorted(_words(address))]
            )


def _words(address: Address) -> set[str]:
    name = address.display_name.encode("utf-8", "replace").decode("utf-8").casefold()
    local, domain = address.local_part.casefold(), address.domain.casefold()
    words = {word for text in (name, local) for word in _SEPARATOR.split(text) if word}
    return words | {local, domain, f"{local}@{domain}", address.unicode_domain.casefold()}


def _fits(address: str, words: list[str]) -> bool:
    have = [word for word in _SEPARATOR.split(address.casefold()) if word]
    return all(any(one.startswith(word) for one in have) or word in address.casefold() for word in words)
