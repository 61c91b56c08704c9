"""A configuration that another process, or an editor, changes under an open app: followed, or refused in a sentence."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from app_stage import Stage, on_stage, paths_in
from smtp_server import ScriptedServer

from tui_mailer.accounts.load import load
from tui_mailer.domain.draft import Draft
from tui_mailer.domain.submission import State
from tui_mailer.storage.record import NOT_CONFIGURED

FOLLOWED = "the configuration has changed and is used"


def account(name: str, port: int, *, extra: str = "") -> str:
    return (
        f"  {name}:\n    provider: smtp\n    from: Ada <ada@{name}.example>\n    host: 127.0.0.1\n    port: {port}\n"
        f"    security: none\n{extra}"
    )


def write(folder: Path, *accounts: str, more: str = "") -> None:
    """Writes the file as an editor does: in its place."""
    file = paths_in(folder).config_file
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"compose: {{undo_seconds: 0}}\naccounts:\n{''.join(accounts)}{more}")
    file.chmod(0o600)


def write_secret(folder: Path, secret: str) -> str:
    file = folder / "secret"
    file.write_text(f"{secret}\n")
    file.chmod(0o600)
    return f"    username: ada\n    credential: {{file: {file}}}\n"


@asynccontextmanager
async def open_app(folder: Path, draft: Draft | None = None) -> AsyncIterator[Stage]:
    """The app on the file as it stands."""
    async with on_stage(folder, load(paths_in(folder)), size=(120, 30), draft=draft) as stage:
        yield stage


async def run(folder: Path, *words: str) -> str:
    """Calls the program in a process of its own; returns what it printed."""
    paths = paths_in(folder)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tui_mailer", "--config", str(paths.config_file)),
        *("--data-dir", str(paths.data_dir), *words),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    assert process.returncode == 0, out.decode()
    return out.decode()


async def test_mail_and_secret_go_to_the_server_that_the_file_names_now(tmp_path: Path) -> None:
    """Neither the message nor the new password reaches the server that the account had before."""
    async with ScriptedServer(users={"ada": "old"}) as old, ScriptedServer(users={"ada": "new"}) as new:
        write(tmp_path, account("work", old.port, extra=write_secret(tmp_path, "old")))
        draft = Draft(to="bob@example.org", subject="First", body="b")
        async with open_app(tmp_path, draft) as stage:
            await stage.review_and_send()
            await stage.until(lambda: len(old.stored) == 1, "the first, at the old server")
            said_before = len(old.commands)
            write(tmp_path, account("work", new.port, extra=write_secret(tmp_path, "new")))
            # At once: not even the second until the next look is waited for.
            second = Draft(to="bob@example.org", subject="Second", body="b")
            await stage.app.desk.ask(lambda mailer: mailer.seal(second))
            stage.app.desk.nudge()
            await stage.until(lambda: len(new.stored) == 1, "the second, at the new server")
            assert [one for one in old.commands[said_before:] if one != "QUIT"] == []


async def test_an_account_added_in_a_shell_is_offered_and_sends_at_once(tmp_path: Path) -> None:
    """No start anew: From has it, what the shell queued for it leaves, and nothing is held on the way."""
    async with ScriptedServer() as server:
        write(tmp_path, account("work", 9))
        async with open_app(tmp_path) as stage:
            await run(
                *(tmp_path, "account", "add", "home", "--from", "ada@home.example", "--host", "127.0.0.1"),
                *("--port", str(server.port), "--security", "none"),
            )
            await run(
                *(tmp_path, "send", "--queue", "--from", "ada@home.example", "--to", "b@example.org"),
                *("--subject", "s", "--body", "b"),
            )
            await stage.until(lambda: len(server.stored) == 1, "the mail of the account that the app had never known")
            await stage.until(lambda: "home" in stage.app.desk.configuration.accounts, "the account")
            stage.app.compose_screen.form.screen.set_focus(stage.app.compose_screen.form.sender)
            await stage.press("right")
            await stage.shows("ada@home.example  (home)")
            assert await stage.app.desk.ask(lambda mailer: mailer.account_holds()) == {}


async def test_an_account_taken_out_in_a_shell_is_no_ghost_in_from(tmp_path: Path) -> None:
    """From says that the account is gone, for as long as it is, and the arrows lead to one that is there."""
    write(tmp_path, account("work", 9), account("home", 9))
    draft = Draft(to="b@example.org", body="b", account="home", sender="Ada <ada@home.example>")
    async with open_app(tmp_path, draft) as stage:
        await stage.shows("Ada <ada@home.example>  (home)")
        await run(tmp_path, "account", "remove", "home")
        await stage.shows("Ada <ada@home.example>  (home: there is no such account)", FOLLOWED)
        await stage.press("ctrl+s")
        await stage.shows("There is no account 'home' in the configuration")
        await stage.press("escape")
        write(tmp_path, account("work", 9), account("home", 9))
        await stage.until(lambda: "no such account" not in stage.text(), "the account back")
        await run(tmp_path, "account", "remove", "home")
        await stage.shows("(home: there is no such account)")
        stage.app.compose_screen.form.screen.set_focus(stage.app.compose_screen.form.sender)
        await stage.press("right")
        await stage.shows("Ada <ada@work.example>  (work)")


async def test_a_file_that_cannot_be_used_is_told_and_the_old_one_goes_on(tmp_path: Path) -> None:
    """One sentence with the place; mail leaves as before; mended, it is followed."""
    async with ScriptedServer() as server:
        write(tmp_path, account("work", server.port))
        async with open_app(tmp_path, Draft(to="b@example.org", subject="s", body="b")) as stage:
            write(tmp_path, account("work", server.port), more="delivery: {conections: 4}\n")
            await stage.shows("The changed configuration can't be used, the old one is:", "conections")
            await stage.review_and_send()
            await stage.until(lambda: len(server.stored) == 1, "the mail")
            paths_in(tmp_path).config_file.unlink()
            await stage.shows("this file is gone")
            write(tmp_path, account("home", server.port))
            await stage.shows(FOLLOWED, "Ada <ada@home.example>  (home)")


async def test_half_a_file_is_not_read(tmp_path: Path) -> None:
    """An editor that empties the file first and then takes its time: the accounts don't vanish in between."""
    write(tmp_path, account("work", 9))
    whole = paths_in(tmp_path).config_file.read_text()
    async with open_app(tmp_path) as stage:
        seen = {stage.app.desk.configuration.default_account}
        for end in (0, 10, 30, len(whole) // 2, len(whole)):
            paths_in(tmp_path).config_file.write_text(whole[:end].replace("work", "wide"))
            assert stage.app.desk.engine is not None
            stage.app.desk.engine.reread()
            for _ in range(3):
                await stage.pilot.pause(0.03)
                seen.add(stage.app.desk.configuration.default_account)
        await stage.shows(FOLLOWED)
        assert seen <= {"work", "wide"}


async def test_what_is_held_for_its_settings_goes_on_when_they_are_mended(tmp_path: Path) -> None:
    """A password file that can't be read holds the account; the file named anew lets it go, without a word more."""
    async with ScriptedServer(users={"ada": "right"}) as server:
        bad = f"    username: ada\n    credential: {{file: {tmp_path / 'nowhere'}}}\n"
        write(tmp_path, account("work", server.port, extra=bad))
        async with open_app(tmp_path, Draft(to="b@example.org", subject="s", body="b")) as stage:
            await stage.review_and_send()
            await stage.shows("work is held")
            write(tmp_path, account("work", server.port, extra=write_secret(tmp_path, "right")))
            await stage.until(lambda: len(server.stored) == 1, "the mail")
            assert await stage.app.desk.ask(lambda mailer: mailer.account_holds()) == {}


async def test_an_account_no_process_knows_is_held_until_one_does(tmp_path: Path) -> None:
    """The reason says that nothing need be done; once the account is there its mail leaves by itself."""
    async with ScriptedServer() as server:
        write(tmp_path, account("work", 9), account("home", server.port))
        async with open_app(tmp_path) as stage:
            letter = Draft(to="b@example.org", subject="s", body="b", account="home", schedule="in 2s")
            (sealed,) = await stage.app.desk.ask(lambda mailer: mailer.seal(letter))
            write(tmp_path, account("work", 9))
            await stage.until(lambda: "home" in stage.app.watch_desk.holds, "held")
            assert stage.app.watch_desk.holds["home"].reason == NOT_CONFIGURED
            await stage.press("f9")
            await stage.shows("held: it isn't in the configuration")
            await stage.press("escape")
            write(tmp_path, account("work", 9), account("home", server.port))
            await stage.until(lambda: len(server.stored) == 1, "the mail")
            while (shown := await stage.app.desk.ask(lambda mailer: mailer.show(sealed.id))).state is State.SENDING:
                await stage.pilot.pause(0.01)
            assert (shown.state, shown.attempts) == (State.SENT, 1)
