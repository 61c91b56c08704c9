"""Attaching by other ways than typing a path: browsing, and pasted text that turns out to be a file."""

from __future__ import annotations

from functools import partial
from time import monotonic
from typing import NamedTuple

from textual.widget import Widget

from tui_mailer.domain.errors import MailerError
from tui_mailer.tui.disk import read_disk
from tui_mailer.tui.dropped_file import find_dropped, readings, unquote_path
from tui_mailer.tui.path_completion import FoundFile, folder_named
from tui_mailer.tui.screens.room import Room
from tui_mailer.tui.widgets.body_area import BodyArea
from tui_mailer.tui.widgets.compose_form import ComposeForm
from tui_mailer.tui.widgets.line_input import LineInput
from tui_mailer.tui.widgets.paste import Pasted

OFFER_SECONDS = 60.0


class Offer(NamedTuple):
    """A paste that names files."""

    files: tuple[FoundFile, ...]
    field: Widget
    inserted: str
    made_at: float


class Attaching:
    """What ^T does, by where one is."""

    def __init__(self, room: Room, form: ComposeForm) -> None:
        self._room = room
        self._form = form
        self._offer: Offer | None = None
        self._folder: str | None = None

    async def attach(self) -> None:
        """Takes an offer, else goes to the path."""
        offer, self._offer = self._offer, None
        if offer is not None and monotonic() - offer.made_at < OFFER_SECONDS and _take_out(offer.field, offer.inserted):
            self._form.attachments.add(offer.files)
            count = len(offer.files)
            self._room.desk.status.say("attached" if count == 1 else f"{count} files attached")
        else:
            self._form.focus_field("attachments")

    async def sealed_size(self, source: str) -> int:
        """Bytes of a file that is kept already; -1 where it isn't any more."""
        sha256 = source.partition(":")[2]
        try:
            return await self._room.desk.ask(lambda mailer: mailer.store.spool.size_of(sha256))
        except MailerError:
            return -1

    async def consider(self, event: Pasted) -> None:
        """Offers to attach what was pasted as text, if it names files; never in the way."""
        if not readings(event.text):
            return
        files = await read_disk(partial(find_dropped, event.text))
        if not files:
            return
        self._offer = Offer(files=files, field=event.field, inserted=event.inserted, made_at=monotonic())
        key = self._room.desk.keymap.display("compose.attach")
        what = "this looks like a file" if len(files) == 1 else f"these look like {len(files)} files"
        them = "it" if len(files) == 1 else "them"
        self._room.desk.status.say(f"{what}: {key} attaches {them} instead", seconds=OFFER_SECONDS)

    async def browse(self) -> None:
        """Lets a person choose files, in the folder whose path is typed if one is; must run in a worker."""
        from tui_mailer.tui.folder import start_folder
        from tui_mailer.tui.screens.browse import BrowseScreen

        path = self._form.attachments.path
        named = await read_disk(partial(folder_named, unquote_path(path.value))) if path.value else None
        if named is not None:
            path.value = ""
        start = named or self._folder or start_folder()
        screen = BrowseScreen(self._room.desk.keymap, start, self._form.attachments.budget)
        chosen = await self._room.shell.push_screen_wait(screen)
        self._folder = screen.folder
        if chosen:
            await self._form.attachments.add_paths(chosen)


def _take_out(field: Widget, text: str) -> bool:
    """Takes a piece of text out of a field again; False where it no longer stands there."""
    if isinstance(field, BodyArea):
        before, found, _ = field.text.rpartition(text)
        if found:
            field.replace("", _location_after(before), _location_after(before + found))
        return bool(found)
    if not isinstance(field, LineInput) or text not in field.value:
        return False
    before, _, after = field.value.rpartition(text)
    field.value = before + after
    field.cursor_position = len(before)
    return True


def _location_after(text: str) -> tuple[int, int]:
    """Row and column where a text ends."""
    lines = text.split("\n")
    return len(lines) - 1, len(lines[-1])
