"""Whom a merge would write to twice: rows that say the same, and people who had another text of it before."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tui_mailer.cli.merge_source import Row, Template, row_keys
from tui_mailer.domain.address import parse_address_list
from tui_mailer.domain.errors import InvalidAddress, InvalidMessage, NotFound
from tui_mailer.domain.submission import State

if TYPE_CHECKING:
    from tui_mailer.domain.draft import Draft
    from tui_mailer.services.mailer import Mailer

ADVICE = "--only-new leaves these rows out; --again sends them as well."
_LISTED = 3
"""Rows named in a sentence; the others are counted."""
_UNSENT = frozenset({State.FAILED, State.CANCELED})
"""Nobody has got it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A row to be sent."""

    row: Row
    draft: Draft
    key: str
    """Made from what the row says: a rerun finds by it what it has queued."""
    people: tuple[str, ...]
    """Whom the row adds to those that the template itself names."""
    marks: tuple[str, ...]
    """One for each of ``people`` in this merge, whatever its text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeats:
    """The rows that would write to somebody a second time."""

    equal: Sequence[tuple[Job, Job]] = field(default_factory=list[tuple[Job, Job]])
    """Each with the row above that is the same message to the same people."""
    changed: Sequence[Job] = field(default_factory=list[Job])
    """An earlier run of this merge has sent these people another text."""
    several: Sequence[str] = field(default_factory=list[str])
    """People whom rows of this table write different texts to."""

    def without(self, jobs: Sequence[Job]) -> list[Job]:
        """Leaves them out."""
        numbers = {job.row.number for job, _ in self.equal} | {job.row.number for job in self.changed}
        return [job for job in jobs if job.row.number not in numbers]

    def sentences(self) -> Iterator[str]:
        """Says which they are."""
        if self.equal:
            job, first = self.equal[0]
            others = f" (and {len(self.equal) - 1} more like it)" if len(self.equal) > 1 else ""
            yield (
                f"Row {job.row.number} is the same message to {_named(job)} as row {first.row.number}{others}: "
                "they would get it twice."
            )
        if self.changed:
            rows = ", ".join(f"row {job.row.number}: {_named(job)}" for job in self.changed[:_LISTED])
            more = f", and {len(self.changed) - _LISTED} more" if len(self.changed) > _LISTED else ""
            count = "1 row goes" if len(self.changed) == 1 else f"{len(self.changed)} rows go"
            yield (
                f"{count} to people whom an earlier run of this merge has written to with another text, or from "
                f"another account ({rows}{more})."
            )

    def refuse(self) -> None:
        """Raises `InvalidMessage` where there are any: a person must say what they want."""
        said = " ".join(self.sentences())
        if said:
            raise InvalidMessage(f"{said} Nothing was queued. {ADVICE}", field="data")

    def note(self) -> str:
        """Says who gets several messages with different texts, which may well be wanted; empty for nobody."""
        if not self.several:
            return ""
        count = "1 person gets" if len(self.several) == 1 else f"{len(self.several)} people get"
        more = ", ..." if len(self.several) > _LISTED else ""
        return f"{count} more than one message, each with another text ({', '.join(self.several[:_LISTED])}{more})."


def plan(template: Template, drafts: Sequence[tuple[Row, Draft]], *, account: str, run: str) -> list[Job]:
    """Gives each row its key and marks. ``run``: the name of this run; another name knows nothing of the others."""
    keys = row_keys(template, [row for row, _ in drafts], f"{account}\n{run}")
    fixed = set(_people(template.draft._replace(**{name: _fixed(template, name) for name in ("to", "cc", "bcc")})))
    jobs: list[Job] = []
    for (row, draft), key in zip(drafts, keys, strict=True):
        everybody = _people(draft)
        people = tuple(one for one in everybody if one not in fixed) or everybody
        marks = tuple(f"merge-to\n{run}\n{template.name}\n{one}" for one in people)
        jobs.append(Job(row=row, draft=draft, key=key, people=people, marks=marks))
    return jobs


def find_repeats(jobs: Sequence[Job], mailer: Mailer) -> Repeats:
    """Looks for rows that would write to somebody twice; what an earlier run has queued for a row isn't one."""
    outbox = mailer.store.outbox
    known = {job.key: outbox.find_key(job.key) for job in jobs}
    own = set(known.values())
    seen: dict[str, Job] = {}
    equal: list[tuple[Job, Job]] = []
    changed: list[Job] = []
    for job in jobs:
        first = seen.setdefault(_digest(job.draft), job)
        if known[job.key] is not None:
            continue
        if first is not job:
            equal.append((job, first))
            continue
        earlier = {outbox.find_key(mark) for mark in job.marks} - {None} - own
        if any(_has_reached(one, mailer) for one in earlier if one is not None):
            changed.append(job)
    texts = Counter(one for job in seen.values() for one in job.people)
    return Repeats(equal=equal, changed=changed, several=[one for one, times in texts.items() if times > 1])


def _has_reached(submission_id: str, mailer: Mailer) -> bool:
    """Says whether somebody has it or will get it; what was deleted from the history had been sent."""
    try:
        return mailer.show(submission_id).state not in _UNSENT
    except NotFound:
        return True


def _people(draft: Draft) -> tuple[str, ...]:
    """Whom a draft goes to: its addresses, or else the options that name them; a slip in one is sealing's to tell."""
    found: list[str] = []
    for field_name in ("to", "cc", "bcc"):
        with suppress(InvalidAddress):
            found += (one.addr_spec.casefold() for one in parse_address_list(getattr(draft, field_name), field="to"))
    return tuple(dict.fromkeys(found)) or ((json.dumps(dict(draft.options), sort_keys=True),) if draft.options else ())


def _fixed(template: Template, field_name: str) -> str:
    """The recipients that stand in the template itself, the same for every row."""
    return ",".join(one for one in getattr(template.draft, field_name).split(",") if "$" not in one)


def _named(job: Job) -> str:
    return ", ".join(job.people) or "the same people"


def _digest(draft: Draft) -> str:
    return hashlib.sha256(repr(draft).encode("utf-8", "surrogateescape")).hexdigest()
