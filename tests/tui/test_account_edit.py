"""F9, e: an account is changed in the form it was added by; only what was changed is written."""

from __future__ import annotations

from pathlib import Path

import pytest
from app_stage import on_stage, paths_in
from smtp_server import ScriptedServer

from tui_mailer.accounts.load import load
from tui_mailer.domain.draft import Draft
from tui_mailer.tui.screens.account_list import AccountListScreen

TENDED = """\
compose: {{undo_seconds: 0}}
accounts:
  # the office
  work:
    provider: smtp
    identities: [Ada <ada@work.example>, Team <team@work.example>]
    host: 127.0.0.1   # of the office
    port: {port}
    security: none
    username: ada
    credential: {{file: {secret}}}
    signature: Ada
"""
DRAFT = Draft(to="bob@example.org", subject="s", body="b")


def written(folder: Path, port: int, secret: str = "right") -> str:
    """Writes and returns a configuration tended by hand."""
    file = folder / "secret"
    file.write_text(secret)
    file.chmod(0o600)
    config = paths_in(folder).config_file
    config.parent.mkdir()
    config.write_text(TENDED.format(port=port, secret=file))
    config.chmod(0o600)
    return config.read_text()


async def test_the_server_of_an_account_is_changed_tried_and_used(tmp_path: Path) -> None:
    """Filled with what is there, but for the secret, which stays as it is; one line of the file differs."""
    async with ScriptedServer(users={"ada": "right"}) as server:
        before = written(tmp_path, 9)
        async with on_stage(tmp_path, load(paths_in(tmp_path)), size=(100, 30), draft=DRAFT) as stage:
            await stage.press("f9")
            await stage.shows("e Edit")
            await stage.press("e")
            await stage.shows("Change account work: smtp", "Ada <ada@work.example>", "127.0.0.1", "left empty it stays")
            assert "what you call it" not in stage.text()
            await stage.press("ctrl+s")
            await stage.shows("Nothing is changed yet.")
            await stage.press("tab", "tab", "tab", "tab", "tab", "ctrl+u")
            await stage.type(str(server.port))
            await stage.press("ctrl+t")
            await stage.shows("It works: ada@work.example, team@work.example. Nothing was sent.")
            assert paths_in(tmp_path).config_file.read_text() == before
            await stage.press("ctrl+s")
            await stage.shows("account work is changed")
            after = paths_in(tmp_path).config_file.read_text()
            assert after == before.replace("port: 9", f"port: {server.port}")
            await stage.review_and_send()
            await stage.until(lambda: len(server.stored) == 1, "the mail")


async def test_the_name_stays_and_the_default_sender_is_the_first_of_several(tmp_path: Path) -> None:
    """Another From replaces the first identity and leaves the others; a setting that is emptied goes."""
    before = written(tmp_path, 9)
    async with on_stage(tmp_path, load(paths_in(tmp_path)), size=(100, 30)) as stage:
        await stage.press("f9", "e")
        await stage.shows("Change account work: smtp")
        await stage.press("ctrl+u")
        await stage.type("Ada Byron <byron@work.example>")
        await stage.press("tab", "tab", "tab", "tab", "tab", "ctrl+u", "ctrl+s")
        await stage.shows("account work is changed", "Ada Byron <byron@work.example>  (work)")
        changed = load(paths_in(tmp_path)).accounts["work"]
        assert [str(one) for one in changed.identities] == [
            "Ada Byron <byron@work.example>",
            "Team <team@work.example>",
        ]
        assert "port" not in changed.settings
        after = paths_in(tmp_path).config_file.read_text()
        assert set(before.splitlines()) - set(after.splitlines()) == {
            "    identities: [Ada <ada@work.example>, Team <team@work.example>]",
            "    port: 9",
        }


async def test_a_wrong_try_costs_nothing(tmp_path: Path) -> None:
    """A refused password is told in the form; mail goes on leaving with the one that works."""
    async with ScriptedServer(users={"ada": "right"}) as server:
        before = written(tmp_path, server.port)
        async with on_stage(tmp_path, load(paths_in(tmp_path)), size=(100, 30), draft=DRAFT) as stage:
            await stage.press("f9", "e")
            await stage.shows("Change account work: smtp")
            await stage.press("tab", "tab", "tab")
            await stage.type("wrong")
            await stage.press("ctrl+t")
            await stage.shows("refused the user name or password")
            await stage.press("escape", "escape")
            await stage.until(lambda: not stage.app.screen.is_modal, "the form gone")
            await stage.review_and_send()
            await stage.until(lambda: len(server.stored) == 1, "the mail")
            assert paths_in(tmp_path).config_file.read_text() == before


async def test_what_is_held_goes_on_with_the_password_given_in_the_form(tmp_path: Path) -> None:
    """The secret comes from a file that is wrong: what is typed serves until the app is closed, and is not written."""
    async with ScriptedServer(users={"ada": "right"}) as server:
        before = written(tmp_path, server.port, secret="wrong")
        async with on_stage(tmp_path, load(paths_in(tmp_path)), size=(100, 30), draft=DRAFT) as stage:
            await stage.review_and_send()
            await stage.shows("work is held")
            await stage.press("f9", "e")
            await stage.shows("Change account work: smtp")
            await stage.press("tab", "tab", "tab")
            await stage.type("right")
            await stage.press("ctrl+s")
            await stage.until(lambda: len(server.stored) == 1, "the mail")
            assert paths_in(tmp_path).config_file.read_text() == before


@pytest.mark.parametrize("key", ["e", "x"])
async def test_the_embedded_account_has_nothing_to_change(tmp_path: Path, key: str) -> None:
    """Without a configuration there is no account in it: the list stays, says so, and the key it names works there."""
    async with on_stage(tmp_path) as stage:
        await stage.press("f9", key)
        await stage.shows("local is built in: there is nothing to change. n adds an account.")
        assert isinstance(stage.app.screen, AccountListScreen)
        await stage.press("n")
        await stage.shows("Add an SMTP account")
