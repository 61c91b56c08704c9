"""The app names keys and fields, never a switch of the command line: the layers below put switches into brackets."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from app_stage import configuration_of, local_account, on_stage

import tui_mailer
from tui_mailer.accounts.configuration import UiSettings
from tui_mailer.domain.draft import Draft
from tui_mailer.services.review import SealRequest
from tui_mailer.tui.action import Keymap
from tui_mailer.tui.action_table import ACTIONS
from tui_mailer.tui.app_words import in_the_app

PACKAGE = Path(tui_mailer.__file__).parent
LAYERS = ("domain", "providers", "services", "storage", "accounts")
OF_THE_SHELL = {"doctor.py", "service_unit.py", "service_manager.py", "detached_flush.py", "provider_guide.py"}
"""What makes command lines, or speaks only there."""
SENTENCE = re.compile(r"[a-z]{2,} ")
FORBIDDEN = re.compile(r"(?<![\w-])--[a-z]|account (set-secret|release)")


@pytest.mark.parametrize(
    ("below", "here"),
    [
        ("Send one message to each (--each), or not.", "Send one message to each, or not."),
        ("Give it another one (--inline logo=PATH).", "Give it another one."),
        ("It may be; say what became of it (resolve)", "It may be; say what became of it (Settle)"),
        ("Store it: tui-mailer account set-secret work", "Store it in Accounts"),
        (
            "Open tui-mailer to type it, or give the account another source and use: tui-mailer account set-secret a",
            "Type it in Accounts",
        ),
        (
            "Unlock it and then: tui-mailer account release work. Else use",
            "Unlock it and then try it again in Accounts.",
        ),
        ("Nothing was sent. tui-mailer account set-secret work", "Nothing was sent."),
        ("A dash -- like this (and this) stays.", "A dash -- like this (and this) stays."),
    ],
)
def test_a_sentence_is_worded_for_somebody_with_keys(below: str, here: str) -> None:
    """What one would type in a shell is left out, or named by its place in the app."""
    assert in_the_app(below).startswith(here)


def test_a_place_is_named_with_its_key() -> None:
    """Whoever is sent to Accounts is told how one gets there, with the person's own key; from a dialog, back first."""
    keymap = Keymap(ACTIONS, {"app.accounts": "f12", "outbox.resolve": "z"})
    below = "Store it: tui-mailer account set-secret work"
    assert in_the_app(below, keymap) == "Store it in Accounts (F12)"
    assert in_the_app(below, keymap, first="Esc") == "Store it in Accounts (Esc, F12)"
    assert in_the_app("say what became of it (resolve)", keymap) == "say what became of it (z)"


def sentences(path: Path) -> Iterator[tuple[int, str]]:
    """The texts of a file that a person could read, docstrings apart; what is filled in is a word."""
    tree = ast.parse(path.read_text())
    docs = {id(one.value) for one in ast.walk(tree) if isinstance(one, ast.Expr)}
    inside = {id(part) for one in ast.walk(tree) if isinstance(one, ast.JoinedStr) for part in one.values}
    for one in ast.walk(tree):
        if id(one) in docs or id(one) in inside:
            continue
        if isinstance(one, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else "work" for part in one.values]
            yield one.lineno, "".join(map(str, parts))
        elif isinstance(one, ast.Constant) and isinstance(one.value, str):
            yield one.lineno, one.value


@pytest.mark.parametrize("layer", LAYERS)
def test_no_sentence_from_below_names_a_switch_in_the_app(layer: str) -> None:
    """Every sentence of the code stands without its switch: who writes a new one puts it into brackets."""
    files = [one for one in (PACKAGE / layer).rglob("*.py") if one.name not in OF_THE_SHELL]
    assert files
    wrong = [
        f"{path.name}:{line}: {text}"
        for path in files
        for line, text in sentences(path)
        if SENTENCE.search(text) and FORBIDDEN.search(in_the_app(text))
    ]
    assert wrong == []


async def test_a_held_reason_and_a_password_asked_for_name_no_command(tmp_path: Path) -> None:
    """In the outbox, among the accounts, and where the password is typed."""
    reason = (
        "Account 'local': the keyring has no secret. Nothing was sent. Store it: tui-mailer account set-secret local"
    )
    async with on_stage(tmp_path, configuration_of(local_account()), size=(120, 30)) as stage:
        await stage.app.desk.ask(lambda mailer: mailer.hold_account("local", reason))
        draft = Draft(to="bob@example.org", subject="s", body="b")
        await stage.app.desk.ask(lambda mailer: mailer.seal(draft, SealRequest()))
        await stage.press("f3")
        await stage.shows("local is held: the keyring has no secret", "Store it in Accounts")
        assert "set-secret" not in stage.text()
        await stage.press("f9")
        await stage.shows("held: ")
        assert "set-secret" not in stage.text()
        await stage.press("s")
        await stage.shows("Password of account local")
        assert "set-secret" not in stage.text()


async def test_a_row_names_the_keys_a_person_has_given(tmp_path: Path) -> None:
    """What releases a held mail is told by the key that does it here."""
    keys = UiSettings(keys={"outbox.hold": "z"})
    async with on_stage(tmp_path, configuration_of(local_account(), ui=keys), size=(120, 30)) as stage:
        draft = Draft(to="bob@example.org", subject="s", body="b")
        await stage.app.desk.ask(lambda mailer: mailer.seal(draft, SealRequest(hold=True)))
        await stage.press("f3")
        await stage.shows("z releases it")
