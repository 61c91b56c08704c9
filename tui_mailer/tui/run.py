"""One run of the app in a terminal: caught signals, the end of the engine, and what is said when the screen is back."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from functools import partial

from textual.app import App

from tui_mailer.domain.draft import Draft
from tui_mailer.domain.errors import MailerError
from tui_mailer.services import crash_log
from tui_mailer.tui.desk import Desk
from tui_mailer.tui.draft_keeper import Kept
from tui_mailer.tui.lifeline import LastWill, Lifeline
from tui_mailer.tui.screens.compose import ComposeScreen

GRACE_SECONDS = 5.0
SIGNAL_GRACE_SECONDS = 2.0
PATIENCE_SECONDS = 0.7
"""Before it is said that one waits for the message under way."""
HUNG_UP = 128 + signal.SIGHUP


class Run:
    """Starts, watches over and winds up an app."""

    def __init__(self, app: App[int], desk: Desk, compose: ComposeScreen, *, has_started: Callable[[], bool]) -> None:
        self._app = app
        self._desk = desk
        self._compose = compose
        self._has_started = has_started
        will = LastWill(take=self._take, leave=self._leave, abandon=self._hand_over)
        self._lifeline = Lifeline(will)
        self._save_last_draft: Callable[[], object] | None = None
        self._said: list[str] = []
        """What is to be said of drafts that couldn't be stored."""

    def to_the_end(self) -> int:
        """Returns the exit code."""
        self._lifeline.hold()
        try:
            with asyncio.Runner() as runner:
                self._lifeline.attach(runner.get_loop())
                mouse = self._desk.configuration.ui.mouse and not keeps_escape_back(os.environ)
                code = runner.run(self._app.run_async(mouse=mouse))
            if code is None:
                code = self._app.return_code or crash_log.EXIT_CODE
            if self._save_last_draft is not None:
                self._save_last_draft()
            said = self._wind_up(is_signaled=code > 128)
        finally:
            self._lifeline.let_go()
        if code == HUNG_UP:
            _let_go_of_terminal()
        else:
            told = "".join(f"{sentence}\n" for sentence in (*self._said, said) if sentence)
            # Textual's own is still there where the app ends while it is suspended: nobody would see it.
            (sys.__stderr__ or sys.stderr).write(told)
        return code

    def take_last_draft(self) -> None:
        """Takes what stands in the form of an app that has met an error; it is saved once the screen is back."""
        self._save_last_draft = self._save_last_draft or self._take()

    def _take(self) -> Callable[[], object] | None:
        keeper = self._compose.keeper
        if not self._compose.is_mounted:
            return None
        # While another message is put there, what was there has just been saved.
        written = None if keeper.is_moving else (self._compose.form.read(), keeper.writing)
        return partial(self._save, written, self._desk.typed_ahead.waiting_text())

    def _save(self, written: tuple[Draft, Kept] | None, typed: str) -> None:
        """What stands in the form; and what was typed for a message that wasn't there yet becomes one of its own."""
        from tui_mailer.tui.body_file import leave_draft, say_left

        unsaved = [written] if written else []
        if len(typed.strip()) > 1:
            unsaved.append((Draft(body=typed), Kept()))
        is_open = True
        for draft, one in unsaved:
            is_open = is_open and self._compose.keeper.save_at_once(draft, one)
            if not is_open:
                paths = self._desk.paths
                self._said.append(say_left(paths, draft, leave_draft(paths, draft)))

    def _leave(self, code: int) -> None:
        """Ends the app; in the midst of its start, nothing: one is told again."""
        if self._has_started():
            self._app.exit(code)

    def _wind_up(self, *, is_signaled: bool) -> str:
        """Ends engine and store; the screen is back by now, so waiting is said in words."""
        from tui_mailer.services.crew import INTENT_GRACE_SECONDS
        from tui_mailer.tui import farewell

        desk = self._desk
        grace_seconds = SIGNAL_GRACE_SECONDS if is_signaled else GRACE_SECONDS
        longest = grace_seconds + INTENT_GRACE_SECONDS
        said = f"finishing what is under way, {longest:.0f} s at most ...\n"
        notice = threading.Timer(PATIENCE_SECONDS, sys.stderr.write, (said,))
        notice.daemon = True
        notice.start()
        try:
            desk.stop_engine(grace_seconds=grace_seconds)
            said = desk.io.submit(desk.answer, farewell.say_farewell).result()
            if is_signaled and desk.io.submit(desk.answer, farewell.needs_flush).result():
                self._hand_over()
                said = ""
        except (MailerError, OSError):
            said = ""
        finally:
            notice.cancel()
            desk.close()
        return said

    def _hand_over(self) -> None:
        from tui_mailer.services.detached_flush import start_detached_flush

        start_detached_flush(self._desk.paths, self._desk.configuration)


def keeps_escape_back(environment: Mapping[str, str]) -> bool:
    """Whether this looks like GNU screen, which with the mouse reported keeps a lone Esc until the next key.

    Also seen from a machine one has gone on to from within it, where only TERM tells; tmux' TERM may be the same there.
    """
    is_named_screen = environment.get("TERM", "").startswith("screen")
    return bool(environment.get("STY")) or (is_named_screen and not environment.get("TMUX"))


def _let_go_of_terminal() -> None:
    """Points the streams elsewhere: flushing them into a terminal that is gone would turn the exit code into 120."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    os.close(nowhere)
