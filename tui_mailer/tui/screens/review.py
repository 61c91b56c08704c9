"""The review sheet: everything about a message before it is sent, and the one key that sends it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Literal

from textual import events
from textual.containers import VerticalScroll
from textual.widget import Widget
from textual.widgets import Static

from tui_mailer.domain.address import Address
from tui_mailer.domain.checks import Severity
from tui_mailer.domain.draft import Draft
from tui_mailer.domain.errors import DraftGone, MailerError
from tui_mailer.domain.schedule import describe
from tui_mailer.domain.text import shorten
from tui_mailer.services.review import Review
from tui_mailer.storage.record import Submission
from tui_mailer.tui.action_table import bindings
from tui_mailer.tui.desk import Desk
from tui_mailer.tui.screens.dialog import Dialog
from tui_mailer.tui.screens.reading_time import ReadingTime
from tui_mailer.tui.sheet import Sheet
from tui_mailer.tui.size_words import say_size
from tui_mailer.tui.unshown import html_origin, unshown_lines
from tui_mailer.tui.words import KIND_WORD, say_subject

_SEVERITY_CLASS = {Severity.ERROR: "review--error", Severity.WARNING: "review--warning"}
"""The theme's own colours: the terminal's can't be told from every background of ours."""
_ROW_WIDTH = 59
"""Cells of a value in the box, which has its width from 80 columns on."""
_FEWEST_OF_NAME = 16
_SEVERITY_WORD = {Severity.ERROR: "Error", Severity.WARNING: "Check", Severity.INFO: "Note"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewAnswer:
    """How the sheet was left."""

    how: Literal["sealed", "back", "add-account", "text-alone"]
    submissions: tuple[Submission, ...] = ()


def _with_name(address: Address) -> str:
    """As it was written; of a long name the beginning, so that the address, which decides, has its row."""
    room = max(_FEWEST_OF_NAME, _ROW_WIDTH - len(address.addr_spec) - len('"" <>, '))
    return str(address._replace(display_name=shorten(address.display_name, room)))


class SheetScroll(VerticalScroll):
    """The sheet, which has the focus."""

    def _forward_event(self, event: events.Event) -> None:
        """Called by the app before it reads the next key: a burst of letters stays in its order."""
        screen = self.screen
        if not (isinstance(screen, ReviewScreen) and screen.takes_back(event)):
            super()._forward_event(event)


class ReviewScreen(Dialog[ReviewAnswer]):
    """Shows a review; Enter seals, in the sheet, so that nothing typed meanwhile changes what was reviewed."""

    place = "review"
    BINDINGS = bindings("review")
    COMPONENT_CLASSES: ClassVar[set[str]] = {"review--error", "review--warning"}
    DEFAULT_CSS = """
    ReviewScreen > .review--error { color: $text-error; text-style: bold; }
    ReviewScreen > .review--warning { color: $text-warning; text-style: bold; }
    ReviewScreen #sheet { height: auto; max-height: 75vh; }
    ReviewScreen #sheet > Static { height: auto; }
    """

    def __init__(
        self, desk: Desk, review: Review, *, draft: Draft, seal: Callable[[bool], Awaitable[list[Submission]]]
    ) -> None:
        super().__init__(desk.keymap, "Review: nothing has been sent yet")
        self._desk = desk
        self._review = review
        self._draft = draft
        self._seal = seal
        self.reading_time = ReadingTime(self, partial(self.say, is_quiet=True))
        self._is_sealing = False
        self._is_each = False

    def contents(self) -> Iterable[Widget]:
        """The sheet, scrollable where the screen is small."""
        with SheetScroll(id="sheet", can_focus=True):
            yield Static(self._sheet().as_renderable(), markup=False)

    def sleeping_actions(self) -> frozenset[str]:
        asleep = set[str]() if self._review.is_sendable else {"review.send"}
        return frozenset(asleep if self._draft.html is not None else asleep | {"review.text-alone"})

    def on_mount(self) -> None:
        self.reading_time.begin()
        if not self._review.is_sendable:
            ways_out = "".join(f"\n{way_out}" for way_out in self._ways_out())
            back = self.keymap.display("dialog.back")
            self.say(f"It can't be sent like this. {back} goes back to mend it.{ways_out}")
        elif not self._review.capabilities.delivers:
            keep, add = self.keymap.display("review.send"), self.keymap.display("review.add-account")
            self.say(
                f"This account delivers nowhere. {keep} keeps the message on this computer; {add} adds an account.",
                is_quiet=True,
            )

    def _ways_out(self) -> Iterator[str]:
        if self._draft.is_html_outdated():
            yield f"{self.keymap.display('review.text-alone')} leaves the HTML out: your text goes alone."
        if self._could_fan_out():
            yield f"{self.keymap.display('review.each')} sends each To a message of its own."

    def on_resize(self) -> None:
        self.call_after_refresh(self._make_room)

    def say(self, text: str, *, is_quiet: bool = False) -> None:
        super().say(text, is_quiet=is_quiet)
        self.call_after_refresh(self._make_room)

    def _make_room(self) -> None:
        """The sheet scrolls before the key line, and what is said, would be pushed off a small screen."""
        frame = 2
        for sheet in self.query(SheetScroll):  # none before it has come or when it has been left
            rest = sum(one.outer_size.height for one in sheet.siblings)
            sheet.styles.max_height = max(2, min(self.size.height * 3 // 4, self.size.height - rest - frame))

    def _sheet(self) -> Sheet:
        review = self._review
        sheet = Sheet(keymap=self.keymap)
        named = {address.addr_spec: address for address in review.message.recipients() if address.display_name}
        for kind, word in KIND_WORD.items():
            addresses = [recipient.address for recipient in review.recipients if recipient.kind is kind]
            if addresses:
                sheet.line(word, ", ".join(_with_name(named[one]) if one in named else one for one in addresses))
        if review.message.reply_to:
            sheet.line("Reply-To", ", ".join(map(_with_name, review.message.reply_to)))
        sheet.line("Subject", say_subject(self._draft.subject))
        sheet.line("From", f"{review.message.sender}  (account {review.account.name})")
        names = [
            f"{attachment.name} {say_size(attachment.size)}" if attachment.size is not None else attachment.name
            for attachment in review.message.attachments
        ]
        if names:
            sheet.line("Attached", ", ".join(names))
        for label, value in unshown_lines(review.message, html_origin(self._draft)):
            sheet.line(label, value)
        sheet.line(
            "Size",
            f"{say_size(review.size)}, {len(review.recipients)} recipient{'s' * (len(review.recipients) != 1)}",
        )
        now = self._desk.now()
        sheet.line("When", describe(review.schedule, now=now) if review.schedule else self._now_words())
        if review.capabilities.delivers:
            sheet.line("Sent by", review.who_sends)
        else:
            sheet.line("Sent by", "kept on this computer, sent to nobody")
        for finding in review.findings:
            looks = _SEVERITY_CLASS.get(finding.severity)
            style = self.get_component_rich_style(looks, partial=True) if looks else "dim"
            sheet.line(_SEVERITY_WORD[finding.severity], finding.text, label_style=style)
        return sheet

    def _now_words(self) -> str:
        seconds = self._desk.configuration.compose.undo_seconds
        key = self.keymap.display("app.undo")
        return f"now, after {seconds} s in which {key} takes it back" if seconds else "now"

    def action_send(self) -> None:
        """Seals, once the sheet has been up long enough to be read."""
        if self._is_sealing or not (self._review.is_sendable or self._is_each):
            return
        if self.reading_time.is_over(self.keymap.display("review.send")):
            self._is_sealing = True
            # The next keys are meant for the empty form, or for whatever they open over it.
            self.run_worker(self._desk.keys_after(self._seal_now()))

    async def _seal_now(self) -> None:
        try:
            submissions = await self._seal(self._is_each)
        except DraftGone as error:
            # What stands on the sheet isn't true any more, and Enter may be pressed twice: another one is to be read.
            self._desk.status.complain(f"nothing was sent: {error}")
            self.dismiss(ReviewAnswer(how="back"))
            return
        except MailerError as error:
            self._is_sealing = False
            self.say(f"Nothing was sent. {error}")
            return
        self.dismiss(ReviewAnswer(how="sealed", submissions=tuple(submissions)))

    def action_text_alone(self) -> None:
        """Leaves the HTML out; what goes then is reviewed anew."""
        if self._draft.html is not None and not self._is_sealing:
            self.dismiss(ReviewAnswer(how="text-alone"))

    def action_add_account(self) -> None:
        """Leaves for the account form."""
        self.dismiss(ReviewAnswer(how="add-account"))

    def action_back(self) -> None:
        """Back to the form."""
        if not self._is_sealing:
            self.dismiss(ReviewAnswer(how="back"))

    def action_each(self) -> None:
        """Lets each To get a message of its own, where the account takes one To a message."""
        if self._is_each or self._is_sealing:
            return
        if not self._could_fan_out():
            self.say(self._why_not_each(), is_quiet=self._review.is_sendable)
            return
        self._is_each = True
        self.reading_time.begin()
        count = len(self._review.message.to)
        send = self.keymap.display("review.send")
        self.say(f"Each of the {count} in To gets a message of its own, seen by nobody else. {send} sends all {count}.")

    def _why_not_each(self) -> str:
        if len(self._review.message.to) < 2:
            return "There is only one To: nothing to split."
        if self._is_over_max_to():
            return f"Mend the other errors first: {self.keymap.display('dialog.back')} goes back."
        return "One message goes to all in To: this account takes several."

    def _is_over_max_to(self) -> bool:
        most = self._review.capabilities.max_to
        return most is not None and len(self._review.message.to) > most

    def _could_fan_out(self) -> bool:
        errors = [one for one in self._review.findings if one.severity is Severity.ERROR]
        return self._is_over_max_to() and all(one.field == "to" for one in errors)

    def _forward_event(self, event: events.Event) -> None:
        """As the sheet in it, which may not have the focus yet."""
        if not self.takes_back(event):
            super()._forward_event(event)

    def takes_back(self, event: events.Event) -> bool:
        """Goes back if the event is typing or pasting, which then lands in the field one came from."""
        is_typed = isinstance(event, events.Paste) or (isinstance(event, events.Key) and event.is_printable)
        if not is_typed or self._is_sealing or not self.is_current:
            return False
        self.dismiss(ReviewAnswer(how="back"))
        form = self.shell.screen
        (form.focused or form)._forward_event(event)  # noqa: SLF001  # as the app itself hands on what is typed
        return True
