"""Attachments: what is attached, with sizes, and the path of the next one, completed by Tab."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from rich.text import Text
from textual import events, on
from textual.app import ComposeResult
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Static

from tui_mailer.domain.draft import DraftAttachment
from tui_mailer.domain.errors import MailerError
from tui_mailer.domain.text import clean
from tui_mailer.tui.disk import read_disk
from tui_mailer.tui.dropped_file import find_dropped, readings, unquote_path
from tui_mailer.tui.path_completion import FoundFile, complete_path, folder_named, look_at_file
from tui_mailer.tui.size_budget import SizeBudget
from tui_mailer.tui.size_words import say_size
from tui_mailer.tui.widgets.field import Field
from tui_mailer.tui.widgets.line_input import LineInput

_SEALED = "sealed:"


class PathInput(LineInput):
    """A path; Tab completes it while there is something to complete, else moves on."""

    joiner = "\n"

    class Asked(Message):
        """A key that belongs to the list of attachments was pressed."""

        def __init__(self, verb: str) -> None:
            super().__init__()
            self.verb = verb

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's own name
        super().__init__(id=id, placeholder="path or https://...; Tab completes, Enter attaches")
        self._ambiguous = ""

    async def _on_key(self, event: events.Key) -> None:
        if event.key == "tab":
            event.stop()
            event.prevent_default()
            if not await self._complete():
                self.screen.focus_next()
        if event.key in {"up", "down"} or (event.key in {"delete", "backspace"} and not self.value):
            event.stop()
            event.prevent_default()
            self.post_message(self.Asked({"up": "up", "down": "down"}.get(event.key, "remove")))

    async def _complete(self) -> bool:
        """Extends the path or says which names fit; False where there is nothing more to say."""
        if not self.value or "://" in self.value:
            return False
        completion = await read_disk(partial(complete_path, self.value))
        if completion.text == self.value and not (completion.candidates and self._ambiguous != self.value):
            return False
        self.value = completion.text
        self.cursor_position = len(self.value)
        self._ambiguous = self.value
        self.post_message(self.Offered(completion.candidates))
        return True

    async def _on_paste(self, event: events.Paste) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]  # Textual awaits either
        """Attaches at once what was dropped on the terminal, or refuses it; another paste is text."""
        event.stop()
        event.prevent_default()
        files = await read_disk(partial(find_dropped, event.text)) if not self.value else ()
        if files:
            self.post_message(self.Dropped(files))
            return
        is_path = not self.value and bool(readings(event.text))
        text = self.joined(event.text)
        if text:
            self.take_in(event.text, text)
        if is_path:
            self.post_message(self.Submitted(self, self.value))

    class Dropped(Message):
        """Files were pasted or dropped."""

        def __init__(self, files: tuple[FoundFile, ...]) -> None:
            super().__init__()
            self.files = files

    class Offered(Message):
        """Several names fit what is typed."""

        def __init__(self, candidates: tuple[str, ...]) -> None:
            super().__init__()
            self.candidates = candidates


class AttachmentField(Widget, inherit_css=False):
    """The list and the path under it."""

    DEFAULT_CSS = """
    AttachmentField { width: 1fr; height: auto; layout: vertical; overflow: hidden; }
    AttachmentField > Static { height: auto; max-height: 4; padding: 0 0 0 9; }
    """

    class Changed(Message):
        """Something was attached or taken off."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's own name
        super().__init__(id=id)
        self._limits = SizeBudget()
        self.attachments: tuple[DraftAttachment, ...] = ()
        self._sizes: dict[str, int] = {}
        self._missing: set[str] = set()
        self.sealed_size: Callable[[str], Awaitable[int]] | None = None
        """Tells the size of what is kept already, by ``sealed:...``."""
        self._cursor = 0
        self._list: Static | None = None
        self.path = PathInput(id="path")
        self.field = Field("Attach", self.path, id="attach-field")

    def compose(self) -> ComposeResult:
        yield self.field

    def show(self, attachments: tuple[DraftAttachment, ...], typed: str) -> None:
        """Shows what a draft has attached, and what was being typed."""
        self.attachments = attachments
        self._cursor = 0
        with self.prevent(LineInput.Changed):
            self.path.value = typed
            self.path.cursor_position = len(typed)
        self.field.show_wrong("")
        self._paint()
        self.run_worker(self._measure(), exit_on_error=False)

    @property
    def budget(self) -> SizeBudget:
        """What is attached, measured against what the account takes."""
        sizes = tuple(max(0, self._sizes.get(one.source, 0)) for one in self.attachments)
        return self._limits._replace(used=sizes)

    @property
    def sizes(self) -> dict[str, int]:
        """Bytes by source, as far as they are known."""
        return dict(self._sizes)

    def limit(self, limits: SizeBudget) -> None:
        """Measures against another account's limits from now on."""
        self._limits = limits
        self._tell_budget()

    async def take_pending(self) -> str:
        """Attaches what is typed but not confirmed; returns what is wrong with it, or nothing."""
        typed, wrong = self.path.value, ""
        try:
            files = await read_disk(partial(find_dropped, typed)) if typed else ()
            if files:
                self.add(files)
            for text in () if files else typed.split("\n"):
                wrong = wrong or await self._take(unquote_path(text))
        except MailerError as error:
            wrong = str(error)
        self.field.show_wrong(wrong)
        if not wrong:
            self.path.value = ""
        return wrong

    async def add_paths(self, paths: Sequence[str]) -> None:
        """Attaches files that were chosen; says which can't be."""
        wrong = ""
        for path in paths:
            wrong = await self._take(path) or wrong
        self.field.show_wrong(wrong)

    async def _take(self, text: str) -> str:
        if not text:
            return ""
        if text.startswith(("http://", "https://", "ref:")):
            found: FoundFile | str = FoundFile(path=text, size=-1)
        else:
            found = await read_disk(partial(look_at_file, text))
        if isinstance(found, str):
            return found
        self.add([found])
        return ""

    def add(self, files: Sequence[FoundFile]) -> None:
        """Attaches files, each once."""
        for file in files:
            if file.path not in {attachment.source for attachment in self.attachments}:
                self._sizes[file.path] = file.size
                self._missing.discard(file.path)
                self.attachments = (*self.attachments, DraftAttachment(source=file.path))
                self._cursor = len(self.attachments) - 1
        self._paint()
        self.post_message(self.Changed())

    async def _measure(self) -> None:
        for attachment in self.attachments:
            if attachment.source.startswith(_SEALED) and self.sealed_size is not None:
                self._sizes[attachment.source] = await self.sealed_size(attachment.source)
                continue
            found = await read_disk(partial(look_at_file, attachment.source))
            if isinstance(found, FoundFile):
                self._sizes[attachment.source] = found.size
            elif not attachment.source.startswith(("http://", "https://", "ref:")):
                self._missing.add(attachment.source)
        self._paint()

    async def point_at_missing(self) -> None:
        """Stands on the first file that can't be read, so that Del takes off that one and no other."""
        for index, attachment in enumerate(self.attachments):
            if attachment.source.startswith((_SEALED, "http://", "https://", "ref:")):
                continue
            if isinstance(await read_disk(partial(look_at_file, attachment.source)), str):
                self._cursor = index
                self._paint()
                return

    def _tell_budget(self) -> None:
        if not self.path.value:
            hint = "Enter browses" if self.path.has_focus else ""
            self.field.show_remark(self.budget.say() if self.attachments else self._limits.remark or hint)
            self.field.show_wrong(self.budget.say() if self.budget.is_exceeded else "")

    def _paint(self) -> None:
        text = Text(no_wrap=True, overflow="ellipsis")
        first = max(0, self._cursor - 3)
        for index, attachment in list(enumerate(self.attachments))[first : first + 4]:
            size = self._sizes.get(attachment.source, -1)
            name = clean(attachment.name or attachment.source.rpartition("/")[2] or attachment.source)
            is_at = index == self._cursor and self.path.has_focus
            text.append(f"{'>' if is_at else ' '} {name}", "bold" if is_at else "")
            if attachment.source in self._missing:
                text.append("  can't be read any more", "bold")
            elif size >= 0:
                text.append(_about(name, size))
            text.append("  Del takes it off\n" if is_at and not self.path.value else "\n")
        text.rstrip()
        if self._list is None and text and self.is_attached:
            self._list = Static(markup=False)
            self.mount(self._list, before=self.field)
        if self._list is not None:
            self._list.display = bool(text)
            self._list.update(text)
        self._tell_budget()

    async def on_input_submitted(self, event: LineInput.Submitted) -> None:
        """Enter attaches, looks into a folder, and refuses at once what can't be."""
        event.stop()
        if event.value and await read_disk(partial(folder_named, unquote_path(event.value))) is None:
            await self.take_pending()
        else:
            await self.screen.run_action("browse")

    def on_path_input_asked(self, event: PathInput.Asked) -> None:
        """Moves in the list, or takes off the file it stands on."""
        event.stop()
        if not self.attachments:
            return
        if event.verb == "remove":
            kept = list(self.attachments)
            del kept[self._cursor]
            self.attachments = tuple(kept)
            self.post_message(self.Changed())
        step = {"up": -1, "down": 1}.get(event.verb, 0)
        self._cursor = max(0, min(self._cursor + step, len(self.attachments) - 1))
        self._paint()

    def on_path_input_dropped(self, event: PathInput.Dropped) -> None:
        event.stop()
        self.add(event.files)

    def on_path_input_offered(self, event: PathInput.Offered) -> None:
        """Shows which names fit, in the remark."""
        event.stop()
        self.field.show_remark("  ".join(event.candidates[:8]))

    def on_input_changed(self) -> None:
        """A path being typed is not wrong yet."""
        self.field.show_wrong("")
        self.field.show_remark("")
        self._tell_budget()

    @on(events.DescendantFocus)
    @on(events.DescendantBlur)
    def tell_where_it_stands(self) -> None:
        """The row that Del is about is marked only while one is here."""
        self._paint()


def _about(name: str, size: int) -> str:
    from tui_mailer.tui.folder import kind_of  # not for the first frame

    return f"  {say_size(size)}  {kind_of(name)}"
