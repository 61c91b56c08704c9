"""The app: three modes over one desk; starts, ends, and carries messages between the screens."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from rich.text import Text
from textual import events
from textual.app import SystemCommand
from textual.filter import LineFilter, Monochrome, NoColor
from textual.screen import Screen

from tui_mailer.domain.draft import Draft
from tui_mailer.services import crash_log
from tui_mailer.tui.action import ANYWHERE, Keymap, display_key
from tui_mailer.tui.action_table import ACTIONS, bindings
from tui_mailer.tui.desk import Desk
from tui_mailer.tui.errands import Errands
from tui_mailer.tui.news import AccountFormAsked, DraftTaken, EngineReported, SecretAsked
from tui_mailer.tui.run import Run
from tui_mailer.tui.safety import SteeringFilter
from tui_mailer.tui.screens.compose import ComposeScreen
from tui_mailer.tui.screens.room import Room
from tui_mailer.tui.start import settle
from tui_mailer.tui.terminal.quiet_app import QuietApp
from tui_mailer.tui.theme import OWN_THEMES, TERMINALS_OWN, is_colorless, theme_name

if TYPE_CHECKING:
    from rich.console import RenderableType

    from tui_mailer.accounts.configuration import Configuration, Paths
    from tui_mailer.accounts.credential import Credentials
    from tui_mailer.services.event import Event
    from tui_mailer.tui.watch import Watch


QUIET_START_SECONDS = 0.03
"""Between the first frame and opening the store."""
LINE_FEED = "ctrl+j"
ANSWER_SECONDS = 0.02
"""For what waits for a dialog's answer to take it, before the next key is read."""


class MailerApp(QuietApp, inherit_bindings=False, inherit_css=False):
    """Compose, Outbox and History."""

    DEFAULT_MODE = "compose"
    _is_themed = False
    BINDINGS = bindings(ANYWHERE)
    COMMAND_PALETTE_BINDING = ""
    TITLE = "tui-mailer"
    # In place of Textual's own, which would be read before the first frame for widgets that aren't here.
    DEFAULT_CSS = """
    MailerApp { background: $background; color: $foreground; }
    MailerApp:ansi { background: ansi_default; color: ansi_default; }
    """

    def __init__(self, desk: Desk, draft: Draft | None = None) -> None:
        theme = theme_name(desk.configuration.ui.theme)
        # Told before the theme is set: which filters stand between the widgets and the terminal is decided in there.
        super().__init__(ansi_color=True if theme in TERMINALS_OWN else None)
        if self.no_color != is_colorless(os.environ):
            # Textual takes an empty NO_COLOR for a wish, and no terminal's word.
            self.no_color = not self.no_color
            kept = [one for one in self._filters if not isinstance(one, NoColor | Monochrome)]
            self._filters = [*kept, NoColor()] if self.no_color else kept
        self.shows_terminal_cursor = desk.configuration.ui.terminal_cursor
        self.desk = desk
        desk.listener = self._hear
        desk.typed_ahead.stand_before(self, super().on_event)
        self.compose_screen = ComposeScreen(desk, draft)
        self.errands = Errands(self, desk, lambda: self.watch_desk, self.compose_screen)
        modes: dict[str, Callable[[], Screen[None]]] = {
            "compose": self._first_screen,
            "outbox": lambda: _outbox_screen(desk, self.watch_desk),
            "history": lambda: _history_screen(desk, self.watch_desk),
        }
        for mode, screen in modes.items():
            self.add_mode(mode, screen)  # pyright: ignore[reportUnknownMemberType]  # Textual leaves it Screen[Unknown]
        for own in OWN_THEMES:
            self.register_theme(own)
        self.set_reactive(MailerApp.theme, theme)
        self._is_themed = True
        self.stylesheet.set_variables(self.get_css_variables())
        self.animation_level = "none"
        self.set_keymap(desk.keymap.for_textual)
        self._steering = SteeringFilter()
        self.has_started = False
        """Whether the first frame has been painted: before, nothing is there that could end in good order."""
        self.before_fatal_error: Callable[[], object] = _nothing
        """Called when the app ends by an error of its own, while what was written still stands there."""

    def _first_screen(self) -> ComposeScreen:
        """Styles the app before what stands on it: some widgets keep the colours they have first been painted in."""
        self.stylesheet.apply(self)  # pyright: ignore[reportUnknownMemberType]  # Textual leaves it partly unknown
        return self.compose_screen

    @cached_property
    def watch_desk(self) -> Watch:
        """What is known of the mail under way; not needed for the first frame."""
        from tui_mailer.tui.watch import Watch

        return Watch(self.desk, self.errands.start)

    def on_mount(self) -> None:
        """Leaves all that is slow until the first frame is out."""
        # Not right after the first frame: what is opened would compete with the keys that were typed before it.
        self.call_after_refresh(self._started)

    def _started(self) -> None:
        self.has_started = True
        self.set_timer(QUIET_START_SECONDS, self._begin)

    def _begin(self) -> None:
        settle()
        self.errands.run(self._settle_in())

    async def _settle_in(self) -> None:
        """Opens all that is slow, and looks after what an earlier run has left."""
        await self.errands.begin()
        from tui_mailer.tui.body_file import take_up_left_bodies

        await take_up_left_bodies(self.desk)

    def _hear(self, event: Event) -> None:
        """Called in the engine's thread: posts, and returns at once."""
        self.post_message(EngineReported(event))

    def on_engine_reported(self, message: EngineReported) -> None:
        """Passes on what the engine says; at once, since keys are read by the same queue."""
        self.watch_desk.take(message.event)
        self.errands.passwords.heard(message.event)
        self.errands.configuration.heard(message.event)

    def on_draft_taken(self, message: DraftTaken) -> None:
        self.errands.run(self.errands.take_up(message.stored, message.asked_at), keys_wait=True)

    def on_account_form_asked(self, message: AccountFormAsked) -> None:
        del message
        self.errands.run(self.errands.add_account(), keys_wait=True)

    def on_secret_asked(self, message: SecretAsked) -> None:
        self.errands.run(self.errands.passwords.ask(message.account), keys_wait=True)

    async def on_event(self, event: events.Event) -> None:
        """Reads a key or a paste only when the one before it has had its effect."""
        if isinstance(event, events.Key | events.Paste) and not event.is_forwarded:
            await self.desk.typed_ahead.take(_as_meant(event, self.screen))
        else:
            await super().on_event(event)

    def exit(self, result: int | None = None, return_code: int = 0, message: RenderableType | None = None) -> None:
        """Ends the app; no further key is read."""
        self.desk.typed_ahead.stand_down()
        super().exit(result, return_code, message)

    def push_screen(self, screen: Screen[Any] | str, *arguments: Any, **more: Any) -> Any:
        """Opens a screen; the next keys are meant for it, once it is there."""
        self.desk.typed_ahead.hold()
        return super().push_screen(screen, *arguments, **more)  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]  # passed on as it came

    def on_left_once_came(self) -> None:
        """A dialog has the focus."""
        self.desk.typed_ahead.let_all_go()

    def on_left_once_went(self) -> None:
        """A dialog is left; a command chosen in the palette comes first, and whoever waits for the answer."""
        self.desk.typed_ahead.hold(ANSWER_SECONDS, is_firm=True)
        self.call_later(self.desk.typed_ahead.let_all_go)

    def on_key(self, event: events.Key) -> None:
        """Tells whoever presses Ctrl+C out of habit, with nothing marked to copy, how one leaves."""
        if event.key == "ctrl+c" and not self.screen.is_modal:
            self.desk.status.say(f"{self.desk.keymap.display('app.quit')} leaves; the draft is kept")

    # keys that work anywhere

    async def action_compose(self) -> None:
        await self.switch_mode("compose")

    async def action_outbox(self) -> None:
        await self._enter("outbox")

    async def _enter(self, mode: str) -> None:
        """Shows a list; the next key finds its rows there."""
        from tui_mailer.tui.screens.mail_room import MailRoom

        await self.switch_mode(mode)
        if isinstance(self.screen, MailRoom):
            await self.screen.until_read()

    async def action_history(self) -> None:
        await self._enter("history")

    def action_new(self) -> None:
        """Done before the next key is read: it belongs into the new message."""
        self.run_worker(self.desk.keys_after(self.errands.told(self.errands.start_new())))

    def action_drafts(self) -> None:
        self.errands.run(self.errands.choose_draft(), keys_wait=True)

    def action_undo(self) -> None:
        self.errands.run(self.errands.undo(), keys_wait=True)

    def action_accounts(self) -> None:
        self.errands.run(self.errands.see_accounts(), keys_wait=True)

    def action_help(self) -> None:
        """Tells what the keys do where one is."""
        from tui_mailer.tui.screens.help import WIDE, HelpScreen

        shows_ids = self.size.width >= WIDE
        if isinstance(self.screen, Room):
            self.push_screen(HelpScreen(self.desk.keymap, self.screen.help_places, shows_ids=shows_ids))
            return
        places = _dialog_places(self.screen)
        self.push_screen(HelpScreen(self.desk.keymap, places, shows_ids=shows_ids, is_over_dialog=True))

    def action_command_palette(self) -> None:
        """Offers every action by its name."""
        from tui_mailer.tui.screens.palette import Palette

        if not isinstance(self.screen, Palette):
            self.push_screen(Palette(lambda work: self.run_worker(self.desk.keys_after(work))))

    async def action_quit(self) -> None:
        self.errands.run(self.errands.leave(), keys_wait=True)

    # what Textual asks

    def get_css_variables(self) -> dict[str, str]:
        """The theme's colours; Textual asks also before there is one, and would make them for nothing."""
        return super().get_css_variables() if self._is_themed else {}

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Lets keys that work anywhere sleep under a dialog, but for help and leaving; that dialog has its own."""
        if self._exit or not self.screen.is_modal or action not in _OWN_VERBS:
            return super().check_action(action, parameters)
        if action == "help":
            return self._helps_in(_dialog_places(self.screen))
        from tui_mailer.tui.screens.quit import QuitScreen

        return action == "quit" and not isinstance(self.screen, QuitScreen)

    def _helps_in(self, places: tuple[str, ...]) -> bool:
        """Whether a dialog has keys to tell of, and leaves the one for help free."""
        taken = {key for action in self.desk.keymap.actions_of(*places) for key in self.desk.keymap.keys(action.id)}
        return bool(places) and "help" not in places and taken.isdisjoint(self.desk.keymap.keys("app.help"))

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Puts the net under every widget."""
        return [*super().get_line_filters(), self._steering]

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Fills the palette from the action table, each label once, and offers the account form and the themes."""
        from tui_mailer.tui.theme_commands import theme_commands

        yield SystemCommand("Add an account", "Add an SMTP account.", partial(self.post_message, AccountFormAsked()))
        yield SystemCommand("Redraw", "Paint the screen anew, after something else has written on it.", self.redraw)
        yield SystemCommand("Suspend", "Go back to the shell; fg comes back here.", self.action_suspend_process)
        yield SystemCommand(
            "Install the delivery service",
            "Has mail leave on time also while this is closed.",
            lambda: self.errands.run(self.errands.install_service()),
        )
        yield from theme_commands(self, self.desk)
        places = (*screen.help_places, ANYWHERE) if isinstance(screen, Room) else (ANYWHERE,)
        for action in self.desk.keymap.actions_of(*places):
            is_everywhere = ANYWHERE in action.where
            if "list" in action.where or action.id == "app.command-palette":
                continue
            if not is_everywhere and action.label in _OWN_LABELS:
                continue
            keys = self.desk.keymap.keys(action.id)
            namespace = self if is_everywhere else screen
            yield SystemCommand(
                f"{action.label}  {display_key(keys[0])}" if keys else action.label,
                action.help,
                partial(self.run_action, action.verb, namespace),
            )

    def action_suspend_process(self) -> None:
        """Goes back to the shell, where there is one."""
        from tui_mailer.tui.terminal.job_control import has_shell_above

        if has_shell_above():
            super().action_suspend_process()
        else:
            self.desk.status.say("there is no shell to go back to: this was started by itself")

    def keep_cut(self, text: str) -> None:
        """Keeps what was deleted for the key that pastes; the terminal isn't told: it would be a sequence for each."""
        self._clipboard = text

    def copy_to_clipboard(self, text: str) -> None:
        """Copies by OSC 52, through tmux and screen as well, which keep Textual's own to themselves."""
        from tui_mailer.tui import clipboard

        super().copy_to_clipboard(text)
        wrapped = clipboard.passed_through(text, os.environ)
        if wrapped and self._driver is not None:
            self._driver.write(wrapped)
            self.run_worker(partial(clipboard.hand_to_tmux, text, os.environ), thread=True)

    def _fatal_error(self) -> None:
        """Ends with one sentence: Textual's own way prints local variables, secrets among them.

        What goes wrong once the app has been left, in work that is cut short by it, is logged and no more.
        """
        error = sys.exc_info()[1] or self._exception
        log = crash_log.write_crash_log(self.desk.paths.state_dir, error) if error else None
        if not self._exit:
            # The error may be of what is read there: it has been logged.
            with contextlib.suppress(Exception):
                self.before_fatal_error()
            self._return_code = crash_log.EXIT_CODE
            self._exit_renderables[:] = [Text(crash_log.crash_sentence(log))]
        self._close_messages_no_wait()


def _nothing() -> None:
    """Where nobody wants to be called."""


_OWN_VERBS = frozenset(action.verb for action in ACTIONS if ANYWHERE in action.where)
_OWN_LABELS = frozenset(action.label for action in ACTIONS if ANYWHERE in action.where)


def _as_meant(event: events.Key | events.Paste, screen: Screen[Any]) -> events.Key | events.Paste:
    """A line feed is an Enter: one pressed before the app had the terminal, or of a terminal that pastes bare text."""
    is_line_feed = isinstance(event, events.Key) and event.key == LINE_FEED
    return events.Key("enter", "\r") if is_line_feed and LINE_FEED not in screen.active_bindings else event


def _dialog_places(screen: Screen[Any]) -> tuple[str, ...]:
    """The places whose keys work in a dialog; none for what is no dialog of ours."""
    from tui_mailer.tui.screens.dialog import Dialog

    return screen.key_places() if isinstance(screen, Dialog) else ()


def _outbox_screen(desk: Desk, watch: Watch) -> Screen[None]:
    from tui_mailer.tui.screens.outbox import OutboxScreen

    return OutboxScreen(desk, watch)


def _history_screen(desk: Desk, watch: Watch) -> Screen[None]:
    from tui_mailer.tui.screens.history import HistoryScreen

    return HistoryScreen(desk, watch)


def make_app(
    *, configuration: Configuration, paths: Paths, credentials: Credentials | None = None, draft: Draft | None = None
) -> MailerApp:
    """Builds the app; raises `ConfigurationError` for keys, keymap or theme that can't be."""
    ui = configuration.ui
    keymap = Keymap(ACTIONS, ui.keys, preset=ui.keymap)
    desk = Desk(configuration=configuration, paths=paths, given_credentials=credentials, keymap=keymap)
    return MailerApp(desk, draft)


def run_app(*, configuration: Configuration, paths: Paths, draft: Draft | None = None) -> int:
    """Runs the app in this terminal until the person leaves; returns the exit code.

    0, 70 after a bug, 128 + the number of the signal that ended it.
    Raises `ConfigurationError` before the terminal is touched.
    """
    app = make_app(configuration=configuration, paths=paths, draft=draft)
    run = Run(app, app.desk, app.compose_screen, has_started=lambda: app.has_started)
    app.before_fatal_error = run.take_last_draft
    return run.to_the_end()
