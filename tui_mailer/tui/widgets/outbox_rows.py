"""The rows of the outbox: what needs a person first, then the newest; a fan-out group is one row until it is opened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace

from tui_mailer.domain.submission import State
from tui_mailer.storage.record import Submission
from tui_mailer.tui.widgets.mail_rows import MailRows
from tui_mailer.tui.widgets.row_list import Column, Row, where_cut
from tui_mailer.tui.words import STATE_WORD, Moment, say_recipients, say_subject, say_tries, say_why

_TONES = {
    State.HELD: "wait",
    State.DEFERRED: "wait",
    State.UNCERTAIN: "bad",
    State.SENDING: "good",
}
_WORST_FIRST = (
    State.UNCERTAIN,
    State.HELD,
    State.SENDING,
    State.DEFERRED,
    State.QUEUED,
    State.HANDED_OVER,
)
_SENTENCE = 3
"""The column of When, or why not."""
GROUP = "group:"
"""Before the group's ID in the key of its row."""


@dataclass(frozen=True, slots=True)
class Line:
    """What one row is about."""

    key: str
    members: tuple[Submission, ...]
    """One; of a group's own row, all that are open."""
    is_group: bool = False
    is_inside: bool = False
    """A member of an opened group, shown under it."""

    @property
    def one(self) -> Submission:
        """The submission; of a group, the one that most needs a look."""
        return min(self.members, key=lambda each: _WORST_FIRST.index(each.state))


class OutboxRows(MailRows):
    """Open submissions."""

    marks_rows = True

    def __init__(self) -> None:
        columns = (
            Column(title="State", width=11),
            Column(title="To", share=3),
            Column(title="Subject", share=4),
            Column(title="When, or why not", share=6),
            Column(title="Try", width=5),
        )
        super().__init__(columns, empty_text="", id="rows")
        self.submissions: list[Submission] = []
        self._lines: list[Line] = []
        self._opened: set[str] = set()
        self._moment: Moment | None = None
        self._shown: dict[int, Row] = {}

    def show(self, submissions: Sequence[Submission], moment: Moment) -> None:
        """Shows these, the cursor staying with its row."""
        self.submissions = list(submissions)
        self._moment = moment
        self.empty_text = "The outbox is empty: nothing waits."
        self._arrange()

    def toggle(self, key: str) -> None:
        """Opens or closes a group."""
        self._opened ^= {key}
        self._arrange()

    def tell_anew(self, moment: Moment, *, is_quick: bool = False) -> None:
        """Repaints, of the rows in view, those whose words differ by now.

        ``is_quick``: only the row under the cursor and what is being sent; the rest may be a few seconds old.
        """
        self._moment = moment
        top = self.scroll_offset.y
        for index in range(top, min(len(self._lines), top + self.size.height)):
            if is_quick and index != self.cursor and self._lines[index].one.state is not State.SENDING:
                continue
            if self._shown.get(index) != self._row(index):
                self.refresh_line(index)

    def meant(self) -> list[Submission]:
        """What an action is for: the marked ones, else the row under the cursor; of a group, every member."""
        chosen = set(self.chosen_keys())
        found = {each.id: each for line in self._lines if line.key in chosen for each in line.members}
        return list(found.values())

    def current(self) -> Submission | None:
        """The submission under the cursor; of a group, the one that most needs a look."""
        return self._lines[self.cursor].one if self.cursor < len(self._lines) else None

    def mark_all(self) -> None:
        """Marks every row, or none where all are."""
        every = {line.key for line in self._lines if not line.is_inside}
        self.marked = set() if self.marked >= every else every
        self.refresh()

    def unmark(self, keys: AbstractSet[str]) -> None:
        """Takes the marks of these mails away; a group's goes when none of its mails is left."""
        self.marked -= {line.key for line in self._lines if all(one.id in keys for one in line.members)}
        self.refresh()

    def row_count(self) -> int:
        return len(self._lines)

    def row(self, index: int) -> Row | None:
        self._shown[index] = row = self._row(index)
        return row

    def cut_sentence(self) -> str:
        """When, or why not; counted coarsely, for the row itself tells the seconds."""
        if self.cursor >= len(self._lines):
            return ""
        return where_cut(self._row(self.cursor, is_coarse=True).cells[_SENTENCE], self, _SENTENCE)

    def _arrange(self) -> None:
        lines = self._lines
        key = lines[self.cursor].key if self.cursor < len(lines) else None
        self._lines = list(self._lines_of(self.submissions))
        self._shown.clear()
        keys = {line.key: at for at, line in enumerate(self._lines)}
        self.marked &= keys.keys()
        self.cursor = keys.get(key, self.cursor) if key is not None else 0
        self.rows_changed()

    def _lines_of(self, submissions: Iterable[Submission]) -> Iterable[Line]:
        groups: dict[str, list[Submission]] = {}
        for one in submissions:
            groups.setdefault(f"{GROUP}{one.group}" if one.group else one.id, []).append(one)
        # A sort keeps the order within: newest first.
        for key, members in sorted(groups.items(), key=lambda item: not _needs_person(item[1])):
            if len(members) == 1:
                yield Line(members[0].id, tuple(members))
                continue
            yield Line(key, tuple(members), is_group=True)
            if key in self._opened:
                yield from (Line(one.id, (one,), is_inside=True) for one in members)

    def _row(self, index: int, *, is_coarse: bool = False) -> Row:
        line, moment = self._lines[index], self._moment
        if moment is None:
            return Row(key=line.key, cells=("", "", "", "", ""))
        moment = replace(moment, is_coarse=is_coarse or index != self.cursor)
        one = line.one
        state, why, to = STATE_WORD[one.state], say_why(one, moment), say_recipients(one)
        if line.is_group:
            sign = "-" if line.key in self._opened else "+"
            state = f"{sign} {len(line.members)} mails"
            to = f"{to}, {len(line.members) - 1} more"
            counted = Counter(each.state for each in line.members)
            if len(counted) > 1:
                tally = ", ".join(f"{counted[each]} {STATE_WORD[each]}" for each in _WORST_FIRST if counted[each])
                why = f"{tally}; {why}"
        return Row(
            key=line.key,
            cells=(
                f"  {state}" if line.is_inside else state,
                to,
                say_subject(one.message.subject),
                why,
                say_tries(one, moment),
            ),
            tone=_TONES.get(one.state, ""),
        )


def _needs_person(members: Iterable[Submission]) -> bool:
    return any(one.state is State.UNCERTAIN for one in members)
