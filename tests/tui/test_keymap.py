"""The keymap: the table is sound, and what a person asks for is either done or refused by name."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
from app_stage import configuration_of, local_account, on_stage, paths_in

from tui_mailer.accounts.configuration import UiSettings
from tui_mailer.accounts.credential import Credentials
from tui_mailer.domain.draft import Draft
from tui_mailer.domain.errors import ConfigurationError
from tui_mailer.services.review import SealRequest
from tui_mailer.tui.action import Keymap, display_key, is_key, types_text
from tui_mailer.tui.action_table import ACTIONS
from tui_mailer.tui.app import MailerApp, make_app
from tui_mailer.tui.key_page import key_page
from tui_mailer.tui.preset import PRESETS
from tui_mailer.tui.screens.account_form import AccountFormScreen
from tui_mailer.tui.screens.account_list import AccountListScreen
from tui_mailer.tui.screens.browse import BrowseScreen
from tui_mailer.tui.screens.choice import ChoiceScreen
from tui_mailer.tui.screens.compose import ComposeScreen
from tui_mailer.tui.screens.confirm import ConfirmScreen
from tui_mailer.tui.screens.detail import DetailScreen
from tui_mailer.tui.screens.draft_list import DraftListScreen
from tui_mailer.tui.screens.export import ExportScreen
from tui_mailer.tui.screens.help import HelpScreen
from tui_mailer.tui.screens.history import HistoryScreen
from tui_mailer.tui.screens.options import OptionsScreen
from tui_mailer.tui.screens.outbox import OutboxScreen
from tui_mailer.tui.screens.purge import PurgeScreen
from tui_mailer.tui.screens.quit import QuitScreen
from tui_mailer.tui.screens.resolve import ResolveScreen
from tui_mailer.tui.screens.review import ReviewScreen
from tui_mailer.tui.screens.schedule import ScheduleScreen
from tui_mailer.tui.screens.secret import SecretScreen
from tui_mailer.tui.widgets.body_area import BodyArea
from tui_mailer.tui.widgets.editing_keys import OF_INPUT, OF_TEXT_AREA
from tui_mailer.tui.widgets.line_input import LineInput
from tui_mailer.tui.widgets.row_list import RowList

HOMES: dict[str, type] = {
    "app": MailerApp,
    "compose": ComposeScreen,
    "outbox": OutboxScreen,
    "history": HistoryScreen,
    "list": RowList,
    "review": ReviewScreen,
    "browse": BrowseScreen,
    "options": OptionsScreen,
    "schedule": ScheduleScreen,
    "choice": ChoiceScreen,
    "detail": DetailScreen,
    "resolve": ResolveScreen,
    "help": HelpScreen,
    "account-form": AccountFormScreen,
    "accounts": AccountListScreen,
    "secret": SecretScreen,
    "drafts": DraftListScreen,
    "quit": QuitScreen,
    "confirm": ConfirmScreen,
    "export": ExportScreen,
    "purge": PurgeScreen,
}
FIELDS = {LineInput: OF_INPUT, BodyArea: OF_TEXT_AREA}

DESIGNED = {
    "app.compose": ("f2",),
    "app.outbox": ("f3",),
    "app.history": ("f4",),
    "app.help": ("f1", "ctrl+g"),
    "app.command-palette": ("ctrl+p",),
    "app.quit": ("ctrl+q",),
    "app.new": ("ctrl+n",),
    "app.drafts": ("f8",),
    "app.undo": ("f5",),
    "compose.send": ("ctrl+s", "ctrl+enter"),
    "compose.later": ("ctrl+l",),
    "compose.close": ("ctrl+o",),
    "compose.attach": ("ctrl+t",),
    "compose.more-fields": ("f6",),
    "compose.editor": ("ctrl+r",),
    "outbox.retry": ("r",),
    "outbox.hold": ("h",),
    "outbox.reschedule": ("t",),
    "outbox.cancel": ("x",),
    "outbox.edit": ("e",),
    "outbox.resolve": ("o",),
    "outbox.undo": ("u",),
    "history.resend": ("s",),
    "history.filter": ("slash",),
    "list.copy-id": ("y",),
    "list.mark": ("space",),
    "list.down": ("down", "j"),
    "list.up": ("up", "k"),
}


def keymap(**keys: str) -> Keymap:
    """A keymap with some keys of one's own, dots written as two underscores."""
    return Keymap(ACTIONS, {name.replace("__", ".").replace("_", "-"): key for name, key in keys.items()})


def test_the_default_keys_are_the_designed_ones() -> None:
    """Scripts, muscles and documentation rely on them."""
    table = {action.id: action.keys for action in ACTIONS}
    assert {name: table[name] for name in DESIGNED} == DESIGNED


def test_every_action_has_its_method_in_every_place() -> None:
    """A key in the table that did nothing would be a lie in the key line."""
    missing = [
        f"{action.id} in {place}"
        for action in ACTIONS
        for place in action.where
        if place != "text"
        if not callable(inspect.getattr_static(HOMES[place], f"action_{action.verb}", None))
        and not hasattr(HOMES[place], f"action_{action.verb}")
    ]
    assert missing == []


def test_every_action_says_in_a_sentence_what_it_does() -> None:
    """F1 is made from these."""
    assert all(action.help.endswith(".") and action.label for action in ACTIONS)
    assert len({action.id for action in ACTIONS}) == len(ACTIONS)


def test_an_unknown_action_is_refused_by_name() -> None:
    with pytest.raises(ConfigurationError, match=r"no action 'compose\.sned'"):
        keymap(compose__sned="f9")


@pytest.mark.parametrize("key", ["ctlr+s", "f99x", "ctrl+", "ctrl+ctrl+s", "", " , "])
def test_a_nonsense_key_is_refused_by_name(key: str) -> None:
    """Textual would accept it silently and the action would have no key."""
    with pytest.raises(ConfigurationError, match=r"compose\.send"):
        keymap(compose__send=key)


def test_a_clash_is_refused_naming_both() -> None:
    """Two actions on one key in one place: neither is lost silently."""
    with pytest.raises(ConfigurationError, match=r"'ctrl\+t' .*compose\.send.*compose\.attach|ctrl\+t.*both"):
        keymap(compose__send="ctrl+t")
    with pytest.raises(ConfigurationError, match="f3"):
        keymap(compose__send="f3")


def test_the_same_key_in_two_places_is_no_clash() -> None:
    """e edits in the outbox and edits as new in the history."""
    assert keymap(outbox__edit="E", history__edit="E").keys("outbox.edit") == ("E",)


def test_a_letter_may_not_take_typing_away() -> None:
    """A plain letter can't be bound where text is written."""
    with pytest.raises(ConfigurationError, match="types a character"):
        keymap(compose__send="s")
    assert keymap(outbox__retry="R").keys("outbox.retry") == ("R",)


def test_what_text_fields_do_is_what_the_table_says() -> None:
    """Every editing action exists in the widget, under the keys that the widget has by itself."""
    table = {action.id.partition(".")[2]: action.keys for action in ACTIONS if action.where == ("text",)}
    for field, verbs in FIELDS.items():
        own = field._merged_bindings.key_to_bindings
        for name, verb in verbs.items():
            assert hasattr(field, f"action_{verb}")
            if name != "delete-word":  # Input has no key for it
                assert {own[key][0].action for key in table[name]} == {verb}
    assert set(OF_INPUT) <= set(OF_TEXT_AREA) == set(table)


def test_an_unknown_preset_is_refused_naming_those_there_are() -> None:
    with pytest.raises(ConfigurationError, match=r"'vi'.*default, mutt, pine, emacs"):
        Keymap(ACTIONS, {}, preset="vi")


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_is_sound_and_single_keys_go_on_top(preset: str) -> None:
    """Each builds without a clash, leaves every designed action a key, and gives way to ui.keys."""
    made = Keymap(ACTIONS, {"compose.send": "f12"}, preset=preset)
    assert all(made.keys(name) for name in DESIGNED)
    assert made.keys("compose.send") == ("f12",)
    assert made.for_textual["compose.send"] == "f12"


def test_a_key_a_list_needs_is_not_taken_from_it_silently() -> None:
    """Down and an outbox action on one letter: refused, as is a compose key that a text field lives by."""
    with pytest.raises(ConfigurationError, match=r"'j' .*outbox\.cancel"):
        keymap(outbox__cancel="j")
    with pytest.raises(ConfigurationError, match=r"'ctrl\+e' .*compose\.editor"):
        keymap(compose__editor="ctrl+e")


def test_the_page_of_keys_is_up_to_date() -> None:
    """docs/keys.md says what the table says: python -m tui_mailer.tui.key_page > docs/keys.md."""
    page = Path(__file__).parents[2] / "docs" / "keys.md"
    assert page.read_text(encoding="utf-8") == key_page()


async def test_emacs_hands_write_and_send(tmp_path: Path) -> None:
    """Ctrl+B, Ctrl+N and Ctrl+P move in the text, Ctrl+C twice sends, Ctrl+G goes back."""
    configuration = configuration_of(local_account(), ui=UiSettings(keymap="emacs"))
    async with on_stage(tmp_path, configuration) as stage:
        form = stage.app.compose_screen.form
        await stage.type("bobexample.org")
        await stage.press(*["ctrl+b"] * 11, "@", "tab", "tab")
        await stage.type("Minutes")
        await stage.press("tab")
        await stage.type("one")
        await stage.press("enter", "t", "w", "ctrl+p", "ctrl+e", "!", "ctrl+n", "ctrl+e", "o")
        assert (form.inputs["to"].value, form.body.text) == ("bob@example.org", "one!\ntwo")
        await stage.press("ctrl+c")
        await stage.shows("Review:", "Enter Send")
        await stage.press("ctrl+g")
        await stage.until(lambda: not stage.app.screen.is_modal, "the form")
        await stage.press("ctrl+c")
        await stage.shows("Review:")
        await stage.until(stage.sends_now, "a sheet that has been up for half a second")
        await stage.press("ctrl+c")
        await stage.shows("kept on this computer, sent to nobody")


async def test_pine_hands_send_and_mutt_hands_walk_the_lists(tmp_path: Path) -> None:
    """Ctrl+X sends in pine; in mutt m starts a message from a list and q leaves."""
    pine = configuration_of(local_account(), ui=UiSettings(keymap="pine"))
    async with on_stage(tmp_path / "pine", pine) as stage:
        await stage.type("bob@example.org")
        await stage.press("ctrl+x")
        await stage.shows("Review:")
    mutt = configuration_of(local_account(), ui=UiSettings(keymap="mutt"))
    async with on_stage(tmp_path / "mutt", mutt) as stage:
        await stage.press("f3")
        await stage.shows("The outbox is empty", "d Cancel")
        await stage.press("m")
        await stage.until(lambda: stage.app.current_mode == "compose", "compose")
        await stage.press("f4", "q")
        await stage.until(lambda: stage.app._exit, "the end")


def test_keys_are_shown_short() -> None:
    """The key line has eighty cells."""
    shown = [display_key(key) for key in ("ctrl+s", "f5", "slash", "question_mark", "ctrl+enter", "r", "alt+x")]
    assert shown == ["^S", "F5", "/", "?", "^Enter", "r", "Alt+x"]


def test_what_types_text_is_told_from_what_does_not() -> None:
    assert [key for key in ("a", "space", "slash", "ctrl+a", "f1", "enter", "escape") if types_text(key)] == [
        "a",
        "space",
        "slash",
    ]
    assert is_key("ctrl+shift+f12")
    assert not is_key("banana")


async def test_a_remapped_key_works_and_is_shown(tmp_path: Path) -> None:
    """ui.keys moves an action, its old key is free, and the key line names the new one."""
    configuration = configuration_of(local_account(), ui=UiSettings(keys={"compose.send": "f9", "app.accounts": "f10"}))
    async with on_stage(tmp_path, configuration) as stage:
        await stage.shows("F9 Send")
        await stage.type("bob@example.org")
        await stage.press("ctrl+s")
        assert not stage.app.screen.is_modal
        await stage.press("f9")
        await stage.shows("Review:")


def test_bad_keys_end_the_program_before_the_terminal_is_touched(tmp_path: Path) -> None:
    """The app isn't even built."""
    with pytest.raises(ConfigurationError, match=r"ui\.keys"):
        make_app(
            configuration=configuration_of(ui=UiSettings(keys={"compose.send": "nonsense"})),
            paths=paths_in(tmp_path),
            credentials=Credentials(),
        )
    with pytest.raises(ConfigurationError, match=r"ui\.theme"):
        make_app(
            configuration=configuration_of(ui=UiSettings(theme="pink")),
            paths=paths_in(tmp_path),
            credentials=Credentials(),
        )


async def test_f1_tells_the_keys_of_the_place(tmp_path: Path) -> None:
    """Help is made from the table, for where one is."""
    async with on_stage(tmp_path) as stage:
        await stage.press("f1")
        await stage.shows("Keys: compose", "^S ^Enter", "Review the message", "Everywhere")
        await stage.press("escape", "f3", "question_mark")
        await stage.shows("Keys: outbox", "Try again now.")
        assert "Review the message" not in stage.text()


@pytest.mark.parametrize(
    ("keys", "line", "sentence"),
    [
        (("ctrl+l",), " Enter Take  Esc Back", "Take the time that is written"),
        (("f8",), " Enter Open  x Delete  d Copy  / Find  Esc Back", "Open this row."),
        (("f4", "w"), " Enter Write  Esc Back", "Write it there; Tab completes"),
        (("f4", "X"), " Enter Count  Esc Back", "nothing is deleted yet"),
        (("ctrl+t", "enter"), " Space Mark  Enter Open  ^T Attach  ← Up  F6 Hidden  Esc Back", "Mark or unmark"),
    ],
)
async def test_a_dialog_names_enter_in_its_key_line_and_help(
    tmp_path: Path, keys: tuple[str, ...], line: str, sentence: str
) -> None:
    """Whatever Enter does there is said before one tries."""
    async with on_stage(tmp_path) as stage:
        draft = Draft(to="bob@example.org", subject="Lunch", body="soup")
        await stage.app.desk.ask(lambda mailer: mailer.save_draft(draft))
        await stage.app.desk.ask(lambda mailer: mailer.seal(draft, SealRequest()))
        stage.app.desk.nudge()
        while await stage.app.desk.ask(lambda mailer: mailer.history_count()) < 1:
            await stage.pilot.pause(0.02)
        for key in keys:
            await stage.press(key)
            await stage.pilot.pause(0.1)
        await stage.until(lambda: stage.app.screen.is_modal, "the dialog")
        await stage.shows(line)
        await stage.press("f1")
        await stage.shows("Keys:", sentence)


async def test_f1_tells_the_keys_of_a_dialog_too(tmp_path: Path) -> None:
    """In the review, in Later and while browsing; the keys that sleep there aren't promised; Esc comes back to it."""
    async with on_stage(tmp_path) as stage:
        for keys, title in ((("ctrl+l",), "Keys: later"), (("ctrl+t", "enter"), "Keys: browse")):
            await stage.press(*keys)
            await stage.until(lambda: stage.app.screen.is_modal, "the dialog")
            dialog = stage.app.screen
            await stage.press("f1")
            await stage.shows(title)
            assert "Everywhere" not in stage.text()
            await stage.press("f1", "escape")
            await stage.until(lambda dialog=dialog: stage.app.screen is dialog, "the dialog again")
            await stage.press("escape")
            await stage.until(lambda: not stage.app.screen.is_modal, "the form")


async def test_ctrl_c_tells_how_one_leaves(tmp_path: Path) -> None:
    """In a field, in the body and in a list, with nothing marked to copy; it ends nothing itself."""
    async with on_stage(tmp_path) as stage:
        for keys in ((), ("tab", "tab", "tab"), ("f3",)):
            stage.app.desk.status.say("")
            await stage.press(*keys, "ctrl+c")
            await stage.shows("^Q leaves; the draft is kept")


async def test_keys_of_the_app_sleep_under_a_dialog(tmp_path: Path) -> None:
    """F3 or Ctrl+N under the help changes nothing behind it."""
    async with on_stage(tmp_path) as stage:
        await stage.press("f1")
        await stage.shows("Keys: compose")
        await stage.press("f3", "ctrl+n", "ctrl+s")
        assert stage.app.current_mode == "compose"
        await stage.shows("Keys: compose")
