"""What keys that work anywhere set off: undo, drafts, accounts, secrets, starting and leaving."""

from __future__ import annotations

import asyncio
import importlib
import os
from collections.abc import Callable, Coroutine
from functools import cached_property
from time import monotonic
from typing import TYPE_CHECKING, Any, NamedTuple

from tui_mailer.domain.errors import MailerError, StorageError
from tui_mailer.tui.desk import Desk
from tui_mailer.tui.draft_keeper import is_recent

if TYPE_CHECKING:
    from rich.text import Text
    from textual.app import App

    from tui_mailer.accounts.configuration import Configuration
    from tui_mailer.domain.draft import Draft
    from tui_mailer.storage.record import StoredDraft, Submission
    from tui_mailer.tui.configuration_news import ConfigurationNews
    from tui_mailer.tui.passwords import Passwords
    from tui_mailer.tui.screens.compose import ComposeScreen
    from tui_mailer.tui.watch import Watch

_WARM = (
    "tui_mailer.tui.watch",
    "tui_mailer.tui.farewell",
    "tui_mailer.tui.screens.review",
    "tui_mailer.tui.screens.schedule",
    "tui_mailer.tui.screens.outbox",
    "tui_mailer.tui.screens.history",
    "tui_mailer.tui.screens.draft_list",
    "tui_mailer.tui.screens.help",
    "tui_mailer.tui.screens.quit",
)
"""Imported in a thread after the first frame, so that no key waits for them."""
OPENING_PATIENCE_SECONDS = 2.0
"""Before it is said that outbox and history are being opened."""
OPENING_GAP_SECONDS = 3.0
"""Before the store is tried again."""
WARNING_SECONDS = 0.5
"""For which a warning has to stand there before the same key goes on in spite of it."""
PROVIDER_REMARK = {
    "smtp": "any mail server",
    "maildir": "kept on this computer, sent to nobody",
    "bird": "Bird's Email API",
    "bird_channels": "an e-mail channel of a Bird workspace",
    "brevo": "once Sendinblue",
    "respond_io": "an e-mail channel of a respond.io workspace",
    "ses": "Amazon Simple Email Service",
    "whippy": "an e-mail channel of a Whippy organisation",
}
"""Where the name alone doesn't say it."""


class LeaveWarning(NamedTuple):
    """That the draft couldn't be saved, told to whoever wanted to leave."""

    at: int
    """`TypedAhead.mark` of the key."""
    seen_from: float
    """Seconds of the monotonic clock."""


class Errands:
    """Done in workers of the app; what goes wrong on purpose is told in the status line."""

    def __init__(self, app: App[int], desk: Desk, watch: Callable[[], Watch], compose: ComposeScreen) -> None:
        self._app = app
        self._desk = desk
        self._find_watch = watch
        self._compose = compose
        self._is_leaving = False
        self._warned = LeaveWarning(at=-1, seen_from=0.0)

    @cached_property
    def passwords(self) -> Passwords:
        """The asking for accounts' passwords; not needed for the first frame."""
        from tui_mailer.tui.passwords import Passwords

        return Passwords(self._app, self._desk, self._find_watch, self._compose, run=self.run)

    @cached_property
    def configuration(self) -> ConfigurationNews:
        """What follows when that is changed; not needed for the first frame."""
        from tui_mailer.tui.configuration_news import ConfigurationNews

        return ConfigurationNews(self._desk, self._find_watch, self._compose, self.run)

    def run(self, errand: Coroutine[Any, Any, None], *, keys_wait: bool = False) -> None:
        """Runs an errand; ``keys_wait`` where the next keys may be meant for what it opens or does."""
        work = self.told(errand)
        self._app.run_worker(self._desk.typed_ahead.behind(work) if keys_wait else work)

    def start(self, errand: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Runs an errand that may be asked for while the app is going: then it is never begun."""

        async def begin() -> None:
            await self.told(errand())

        self._app.run_worker(begin)

    async def told(self, errand: Coroutine[Any, Any, None]) -> None:
        """Does an errand; what goes wrong on purpose is told in the status line."""
        try:
            await errand
        except MailerError as error:
            self._desk.status.complain(str(error))

    async def begin(self) -> None:
        """Completes the form, opens the store, starts the engine, and mentions what the last run left."""
        await self._compose.form.complete()
        await _open(self._desk)
        await self._desk.io.run(_warm_up)
        await self._find_watch().count()
        undoable, drafts = await self._desk.ask(lambda mailer: (mailer.undoable(), mailer.drafts(limit=1)))
        if undoable is not None:
            _offer(self._desk, undoable)
        if drafts and self._compose.keeper.draft_id is None:
            self._mention(drafts[0])
        elif undoable is None and _is_first_start(self._desk.configuration):
            key = self._desk.keymap.display("app.accounts")
            self._desk.status.say(f"mail is kept on this computer, sent to nobody: {key} adds an account", seconds=600)
        await self._compose.account_watch.begin()
        await self._compose.proposals.begin(self._compose.focused)
        for notice in self._desk.configuration.notices[:1]:
            self._desk.status.complain(notice)

    def _mention(self, stored: StoredDraft) -> None:
        from tui_mailer.tui.words import say_subject, say_time

        now = self._desk.now()
        if is_recent(stored, now):
            subject = say_subject(stored.draft.subject)
            key = self._desk.keymap.display("app.drafts")
            self._desk.status.say(f"{key} opens the draft of {say_time(stored.updated_at, now)}: {subject}", seconds=60)

    async def undo(self, *, is_named: bool = False) -> None:
        """Takes what was offered back into compose.

        What another process has queued is offered first, by name, unless it ``is_named`` already.
        """
        from tui_mailer.domain.submission import State  # not for the first frame

        asked_at, ids = self._desk.typed_ahead.mark(), self._desk.status.undo_ids
        if not ids:
            ids = await _offer_newest(self._desk)
            if not is_named or not ids:
                return
        self._desk.status.offer_undo("", None)
        stored, ended, refused = None, list[State](), ""
        for key in ids:
            try:
                stored = await self._desk.ask(lambda mailer, key=key: mailer.undo(key)) or stored
                ended.append((await self._desk.ask(lambda mailer, key=key: mailer.show(key))).state)
            except MailerError as error:
                refused = str(error)
        where, history = "", self._desk.keymap.display("app.history")
        if stored is not None and not await self._take_up(stored, asked_at):
            where = f"; {self._desk.keymap.display('app.drafts')} opens it"
        if refused:
            self._desk.status.complain(f"{len(ended)} of {len(ids)} taken back{where}: {refused}")
        elif set(ended) != {State.CANCELED}:
            self._desk.status.say(f"taken back: but some have it already: see History ({history}){where}")
        elif stored is None:
            self._desk.status.say(f"taken back: nothing was sent; History ({history}) has it as it was")
        elif len(ids) > 1:
            self._desk.status.say(f"{len(ids)} taken back, each a draft of its own; nothing was sent{where}")
        else:
            self._desk.status.say(f"taken back: nothing was sent{where}")

    async def take_up(self, stored: StoredDraft, asked_at: int) -> None:
        """Goes on with a draft in compose; ``asked_at``: `TypedAhead.mark` of when it was wished for.

        What comes late, when one is writing, reviewing or reading something else, waits among the drafts instead.
        """
        if not await self._take_up(stored, asked_at):
            key = self._desk.keymap.display("app.drafts")
            self._desk.status.say(f"it is among the drafts now: {key} opens it", seconds=60)

    async def _take_up(self, stored: StoredDraft, asked_at: int) -> bool:
        """Says whether it is in the form."""
        typed_ahead = self._desk.typed_ahead

        def is_wanted() -> bool:
            return not (typed_ahead.has_read_since(asked_at) or self._app.screen.is_modal)

        hold = typed_ahead.hold(is_firm=True)
        try:
            if not is_wanted():
                return False
            await self._app.switch_mode("compose")
            return await self._compose.board.open(stored.id, is_wanted=is_wanted)
        finally:
            typed_ahead.let_go(hold)
            await self._find_watch().count()

    async def choose_draft(self) -> None:
        """Lets a person choose a draft."""
        from tui_mailer.tui.screens.draft_list import MOST_DRAFTS, DraftListScreen

        await self._compose.save()
        drafts = await self._desk.ask(lambda mailer: mailer.drafts(limit=MOST_DRAFTS))
        compose = self._compose
        others, current = compose.board.others(), compose.keeper.draft_id
        screen = DraftListScreen(
            self._desk, drafts, open_ids=[one for one in others if one != current], current=current
        )
        stored = await self._app.push_screen_wait(screen)
        compose.board.deleted(screen.deleted)
        if stored is not None:
            await self.take_up(stored, self._desk.typed_ahead.mark())

    async def start_new(self) -> None:
        """An empty message; what was being written is kept as a draft."""
        await self._app.switch_mode("compose")
        await self._compose.board.start_new()

    async def see_accounts(self) -> None:
        """Shows the accounts; adds or releases one."""
        from tui_mailer.tui.screens.account_list import AccountListScreen

        await self._find_watch().count()
        wish = await self._app.push_screen_wait(AccountListScreen(self._desk, self._find_watch().holds))
        if wish is not None and wish.what == "add":
            await self.add_account()
        elif wish is not None and wish.what == "password":
            await self.passwords.ask(wish.account)
        elif wish is not None and wish.what in ("edit", "default", "remove"):
            from tui_mailer.tui.account_change import AccountChange

            change = AccountChange(self._app, self._desk)
            ways = {"edit": change.edit, "default": change.make_default, "remove": change.remove}
            configuration = await ways[wish.what](wish.account)
            if configuration is not None:
                await self.configuration.take(configuration)
        elif wish is not None:
            await self.release(wish.account)

    async def add_account(self) -> None:
        """Fills in, tries and saves an account; the message being written goes from it."""
        from tui_mailer.tui.screens.account_form import AccountFormScreen, AddedAccount, OtherProvider
        from tui_mailer.tui.screens.account_shape import shape_of

        provider, sender = "smtp", ""
        while True:
            shape = await asyncio.to_thread(shape_of, provider)
            answer = await self._app.push_screen_wait(AccountFormScreen(self._desk, shape, sender))
            if not isinstance(answer, OtherProvider):
                break
            provider, sender = await self._choose_provider() or provider, answer.sender
        if isinstance(answer, AddedAccount):
            await self.configuration.take(answer.configuration)
            self._desk.status.say(answer.remark or f"account {answer.name} added", seconds=60)

    async def _choose_provider(self) -> str | None:
        from tui_mailer.providers import registry
        from tui_mailer.tui.screens.choice import ChoiceScreen, Offer

        names = await asyncio.to_thread(registry.names)
        ordered = sorted(names, key=lambda name: name != "smtp")
        offers = [Offer(key=name, text=name, remark=PROVIDER_REMARK.get(name, "")) for name in ordered]
        return await self._app.push_screen_wait(ChoiceScreen(self._desk.keymap, "How does its mail leave?", offers))

    async def release(self, name: str) -> None:
        """Tries an account's mail again, asking for its secret where only a person knows it."""
        from tui_mailer.tui.passwords import credential_kind

        if credential_kind(self._desk.configuration, name) == "prompt":
            await self.passwords.ask(name)
            return
        await self._desk.ask(lambda mailer: mailer.release_account(name))
        self._desk.nudge()
        self._desk.status.say(f"{name} is tried again")
        await self._find_watch().count()

    async def leave(self) -> None:
        """Saves the draft, sends what is due, and ends the app; a failure to save is told first."""
        if self._is_leaving:
            return
        self._is_leaving = True
        pressed_at, began_at = self._desk.typed_ahead.mark(), monotonic()
        try:
            if await self._may_leave():
                self._app.exit(0)
        except MailerError as error:
            if self._warned.at == pressed_at - 1 and self._warned.seen_from < began_at - WARNING_SECONDS:
                self._app.exit(0, message=await _left_unsaved(self._desk, self._compose.form.read()))
                return
            self._warned = LeaveWarning(at=pressed_at, seen_from=monotonic())
            key = self._desk.keymap.display("app.quit")
            self._desk.status.complain(f"The draft isn't saved; {key} again leaves, with a copy of it beside. {error}")
        finally:
            self._is_leaving = False

    async def _may_leave(self) -> bool:
        from tui_mailer.tui.screens.quit import QuitScreen, still_leaving

        await self._desk.told_if_slow(self._compose.save())
        leaving = await still_leaving(self._desk, self._find_watch())
        if not leaving:
            return True
        own = os.getpid()
        who = await self._desk.ask(lambda mailer: mailer.who_sends(apart_from=own))
        answer = await self._app.push_screen_wait(QuitScreen(self._desk, self._find_watch(), leaving, who=who))
        if answer == "undo":
            await self.undo(is_named=True)
        return answer in ("gone", "left")

    async def install_service(self) -> None:
        """Has mail leave on time also while the app is closed."""
        from tui_mailer.services.service_manager import install_service

        self._desk.status.say(await asyncio.to_thread(install_service, self._desk.paths), seconds=60)


async def _left_unsaved(desk: Desk, draft: Draft) -> Text | None:
    """Leaves the text where it can, and says where, once the screen is back."""
    if draft.is_empty():
        return None
    from rich.text import Text

    from tui_mailer.tui.body_file import leave_draft, say_left

    path = await asyncio.to_thread(leave_draft, desk.paths, draft)
    return Text(say_left(desk.paths, draft, path))


async def _offer_newest(desk: Desk) -> tuple[str, ...]:
    submission = await desk.ask(lambda mailer: mailer.undoable())
    if submission is None:
        desk.status.say("there is nothing to take back")
        return ()
    _offer(desk, submission)
    return (submission.id,)


def _offer(desk: Desk, undoable: Submission) -> None:
    from tui_mailer.tui.words import say_recipients

    desk.status.offer_undo(f"queued for {say_recipients(undoable)}", undoable.not_before, (undoable.id,))


async def _open(desk: Desk) -> None:
    """Opens the store, again and again where what keeps it from opening may pass; says meanwhile what that is."""
    said = ""
    while True:
        try:
            await _try_to_open(desk)
        except StorageError as error:
            if not desk.may_open_later():
                raise
            if str(error) != said:
                said = str(error)
                desk.status.complain(said)
            await asyncio.sleep(OPENING_GAP_SECONDS)
        else:
            if said:
                desk.status.retract(said)
            return


async def _try_to_open(desk: Desk) -> None:
    """Opens the store, and says so where that takes long: a big history that is brought up to date, for one."""
    opening = asyncio.ensure_future(asyncio.wrap_future(desk.open()))
    done, _pending = await asyncio.wait([opening], timeout=OPENING_PATIENCE_SECONDS)
    if not done:
        desk.status.say("opening outbox and history; write on meanwhile, nothing is lost", seconds=3600)
    await opening
    if not done:
        desk.status.say("")


def _warm_up() -> None:
    for name in _WARM:
        importlib.import_module(name)


def _is_first_start(configuration: Configuration) -> bool:
    """Says whether nobody has set anything up yet: only the embedded account is there, as it comes."""
    from tui_mailer.accounts.load import embedded_account

    return tuple(configuration.accounts.values()) == (embedded_account(),)
