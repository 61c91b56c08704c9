"""Accounts: added by a form, tried without sending, the secret kept where the person can tell."""

from __future__ import annotations

from pathlib import Path

import pytest
from app_stage import LARGE, configuration_of, local_account, on_stage, paths_in
from smtp_server import ScriptedServer

from tui_mailer.accounts.configuration import Account, CredentialSource
from tui_mailer.accounts.load import load
from tui_mailer.domain.address import parse_address
from tui_mailer.domain.draft import Draft
from tui_mailer.domain.submission import State
from tui_mailer.services.review import SealRequest
from tui_mailer.tui.passwords import AT_REST_SECONDS
from tui_mailer.tui.screens.choice import OfferList
from tui_mailer.tui.watch import say_held
from tui_mailer.tui.widgets.line_input import LineInput


async def test_an_account_is_added_tried_and_used(tmp_path: Path) -> None:
    """From F9 to the first mail at a server: fill in, try, save, send."""
    async with ScriptedServer() as server, on_stage(tmp_path) as stage:
        await stage.press("f9", "n")
        await stage.shows("Add an SMTP account")
        await stage.type("Ada <ada@work.example>")
        await stage.press("tab", "ctrl+u")
        await stage.type("127.0.0.1")
        await stage.press("tab", "ctrl+u", "tab", "tab", "ctrl+u")
        await stage.type("none")
        await stage.press("tab", "ctrl+u")
        await stage.type(str(server.port))
        await stage.press("ctrl+t")
        await stage.shows("It works: ada@work.example. Nothing was sent.")
        assert server.stored == []
        await stage.press("ctrl+s")
        await stage.shows("account work added", "Ada <ada@work.example>  (work)")
        assert "provider: smtp" in (tmp_path / "config" / "config.yaml").read_text()
        stage.app.compose_screen.form.focus_field("to")
        await stage.write("bob@example.org", "First", "text")
        await stage.review_and_send()
        await stage.press("f5")
        await stage.until(lambda: not stage.app.screen.is_modal, "compose")


async def test_a_server_that_is_not_there_is_told_and_nothing_is_written(tmp_path: Path) -> None:
    """A failed try says what failed and leaves no configuration behind."""
    async with on_stage(tmp_path) as stage:
        await stage.press("f9", "n")
        await stage.shows("Add an SMTP account")
        await stage.type("ada@work.example")
        await stage.press("tab", "ctrl+u")
        await stage.type("127.0.0.1")
        await stage.press("tab", "ctrl+t")
        await stage.shows("type the password, or leave User empty")
        password, port = (stage.app.screen.query_one(f"#{one}", LineInput) for one in ("password", "port"))
        await stage.until(lambda: password.has_focus, "the cursor where something is missing")
        await stage.press("shift+tab", "ctrl+u", "tab", "tab", "tab", "ctrl+u", "9", "ctrl+t")
        await stage.shows("can't be reached: Connection refused", "Nothing was sent")
        assert port.has_focus
        await stage.press("ctrl+s")
        await stage.shows("It isn't saved: it was tried in vain. ^S again saves it all the same.")
        assert not (tmp_path / "config" / "config.yaml").exists()
        await stage.press("ctrl+s")
        await stage.shows("account work added")


async def test_what_a_person_typed_is_left_as_compose_leaves_it(tmp_path: Path) -> None:
    """Going back to a field sets the caret behind what one typed; only a guess is selected, to be typed over."""
    async with on_stage(tmp_path) as stage:
        await stage.press("f9", "n")
        await stage.shows("Add an SMTP account")
        await stage.type("ada@work.example")
        await stage.press("tab")
        await stage.shows("smtp.work.example")
        sender, host = (stage.app.screen.query_one(f"#{one}", LineInput) for one in ("from", "host"))
        await stage.until(lambda: not host.selection.is_empty, "the guess selected")
        await stage.press("shift+tab", "x")
        assert sender.value == "ada@work.examplex"
        await stage.press("tab")
        assert not host.selection.is_empty
        await stage.press("end", "x", "tab", "shift+tab", "y")
        assert host.value == "smtp.work.examplexy"


async def test_a_wrong_setting_that_is_hidden_is_shown(tmp_path: Path) -> None:
    """The cursor goes to the field that the sentence names, though F6 has hidden it again."""
    async with on_stage(tmp_path, size=LARGE) as stage:
        await stage.press("f9", "n")
        await stage.shows("Add an SMTP account")
        await stage.type("ada@work.example")
        await stage.press("f6", "shift+tab", "a")
        last = stage.app.screen.focused
        assert isinstance(last, LineInput)
        assert last.id
        await stage.press("f6", "ctrl+s")
        await stage.shows(f"{last.id}: ")
        await stage.until(lambda: last.has_focus and last.display, "the cursor in the wrong field")


async def test_without_a_keyring_the_form_says_so_and_offers_to_ask(tmp_path: Path) -> None:
    """No keyring on the machine: the account is saved with ``prompt``, and the reason is told."""
    async with on_stage(tmp_path) as stage:
        await stage.press("f9", "n")
        await stage.shows("Add an SMTP account")
        await stage.type("ada@work.example")
        await stage.press("tab", "tab", "tab")
        await stage.type("open sesame")
        await stage.press("ctrl+s")
        await stage.shows("asked for once per session", "nothing was stored")
        written = (tmp_path / "config" / "config.yaml").read_text()
        assert "credential: prompt" in written
        assert "sesame" not in written


async def test_an_account_whose_password_only_a_person_knows_asks_for_it(tmp_path: Path) -> None:
    """The account is held for its password: it is asked for at once, again by F9 and r, and then the mail goes out."""
    async with ScriptedServer(users={"ada": "open sesame"}) as server:
        account = Account(
            name="work",
            provider="smtp",
            identities=(parse_address("ada@work.example"),),
            settings={"host": "127.0.0.1", "port": server.port, "security": "none", "username": "ada"},
            credential=CredentialSource(kind="prompt"),
        )
        async with on_stage(tmp_path, configuration_of(account)) as stage:
            draft = Draft(to="bob@example.org", subject="s", body="b")
            await stage.app.desk.ask(lambda mailer: mailer.seal(draft, SealRequest()))
            await stage.press("f3")
            stage.app.desk.nudge()
            await stage.shows("work is held")
            for _ in range(12):
                if stage.app.desk.typed_ahead.seconds_at_rest() > AT_REST_SECONDS / 2:
                    break  # the machine is too busy for keys to come one after the other
                await stage.press("j")
                await stage.pilot.pause(0.05)
                assert "Password" not in stage.text(), "asked while keys are meant for the list"
            await stage.shows("Password of account work", "It needs its password", "stays queued.")
            status = stage.app.desk.status
            assert not status.text, "what the dialog says is said below it as well"
            await stage.press("escape")
            await stage.shows("work is held")
            # As it stands there when the dialog is opened by its key before it opens by itself.
            status.complain(say_held("work", stage.app.watch_desk.holds["work"].reason))
            await stage.press("f9", "r")
            await stage.shows("Password of account work")
            assert not status.text
            await stage.type("open sesame")
            await stage.press("enter")
            await stage.until(lambda: not stage.app.screen.is_modal, "the dialog gone")
            await stage.until(lambda: "held" not in stage.text() + status.trouble, "the complaint gone")
            await stage.until(lambda: bool(server.stored), "the mail at the server")
            assert "sesame" not in stage.text()
            await stage.until(lambda: stage.app.desk.status.open_count == 0, "the outbox empty")
            (one,) = await stage.app.desk.ask(lambda mailer: mailer.history())
            assert one.state is State.SENT


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (CredentialSource(kind="keyring", value=("tui-mailer", "local")), "goes into the keyring, or into memory"),
        (CredentialSource(kind="prompt"), "kept in memory until the app ends"),
    ],
)
async def test_the_question_for_a_password_says_where_it_goes(
    tmp_path: Path, source: CredentialSource, said: str
) -> None:
    """Where it will be kept is said before it is typed, and only what is so."""
    account = local_account()._replace(credential=source)
    async with on_stage(tmp_path, configuration_of(account)) as stage:
        await stage.press("f9", "s")
        await stage.shows("Password of account local", said)


async def test_the_secret_of_a_mail_api_is_called_its_key(tmp_path: Path) -> None:
    """Who has an API key looks in vain for a password."""
    source = CredentialSource(kind="prompt")
    account = local_account()._replace(name="crm", provider="brevo", credential=source)
    async with on_stage(tmp_path, configuration_of(account)) as stage:
        await stage.press("f9", "s")
        await stage.shows("API key of account crm")
        assert "Password of" not in stage.text()


@pytest.mark.parametrize("name", ["", "with space", "../up"])
async def test_an_account_needs_a_plain_name(tmp_path: Path, name: str) -> None:
    """The name becomes a key of the configuration and of the keyring."""
    async with on_stage(tmp_path, configuration_of(local_account())) as stage:
        await stage.press("f9", "n")
        await stage.shows("Add an SMTP account")
        await stage.type("ada@work.example")
        await stage.press("tab", *(["tab"] * 5), "ctrl+u")
        await stage.type(name)
        await stage.press("ctrl+s")
        await stage.shows("needs a name")


async def test_what_is_missing_is_named_from_the_top(tmp_path: Path) -> None:
    """A From without an address is what is told, not the name that would have come from it."""
    async with on_stage(tmp_path) as stage:
        await stage.press("f9", "n")
        await stage.shows("Add an SMTP account")
        await stage.type("work")
        await stage.press("ctrl+t")
        await stage.shows("From needs the address you send from")


async def test_typing_replaces_a_guess_and_a_wrong_field_is_named_alone(tmp_path: Path) -> None:
    """The host typed over the guessed one stands alone; what is wrong is said without naming a file not yet written."""
    async with on_stage(tmp_path) as stage:
        await stage.press("f9", "n")
        await stage.shows("Add an SMTP account")
        await stage.type("ada@work.example")
        await stage.press("tab")
        await stage.shows("smtp.work.example")
        await stage.type("127.0.0.1")
        await stage.shows("Host     127.0.0.1 ")
        await stage.press("tab", "tab", "tab")
        await stage.type("ssl")
        await stage.press("ctrl+s")
        await stage.shows("'tls', 'starttls' or")
        await stage.press("tab", "tab", "tab")
        await stage.type("ada@")
        await stage.press("ctrl+s")
        await stage.shows("│ from: ")
        assert "config.yaml" not in stage.text()


async def test_what_can_be_left_out_is_named_whole_beside_what_that_means(tmp_path: Path) -> None:
    """F6 makes room for the longest name; hidden again, the form is as narrow as before."""
    async with on_stage(tmp_path) as stage:
        await stage.press("f9", "n")
        await stage.shows("Host     smtp.example.org")
        await stage.press("f6")
        await stage.shows(
            "Host            smtp.example.org",
            "Auth            auto if left out; or: plain, login",
            "Timeout seconds 300 if left out",
            "Insecure auth   no if left out; or: yes",
            "DSN             default if left out; or: never",
        )
        await stage.press("f6")
        await stage.shows("Host     smtp.example.org")


async def test_a_letter_finds_its_provider(tmp_path: Path) -> None:
    """The next one that begins with it, round and round; the list's own letters still move."""
    async with on_stage(tmp_path) as stage:
        await stage.press("f9", "n", "f2")
        await stage.shows("How does its mail leave?", "Enter Choose")
        offers = stage.app.screen.query_one(OfferList)
        for keys, name in (("m", "maildir"), ("m", "mailgun"), ("M", "mailjet"), ("m", "maildir"), ("j", "mailgun")):
            await stage.press(keys)
            assert offers.cursor_key() == name
        await stage.press("q", "!", "enter")
        await stage.shows("Add an account: mailgun", "API key")


async def test_what_is_emptied_stays_empty(tmp_path: Path) -> None:
    """A server that asks for no password: the user that was guessed and taken away doesn't come back."""
    async with on_stage(tmp_path) as stage:
        await stage.press("f9")
        await stage.shows("Accounts")
        await stage.press("n")
        await stage.shows("Add an SMTP account")
        await stage.type("ada@example.org")
        await stage.press("tab", "tab")
        user = stage.app.screen.query_one("#username", LineInput)
        await stage.until(lambda: user.has_focus and user.value == "ada@example.org", "the guess")
        await stage.press("backspace", "shift+tab", "shift+tab")
        await stage.press("end", "tab", "tab")
        await stage.until(lambda: user.has_focus, "back at the user")
        assert user.value == ""


async def test_an_account_is_made_the_default_and_another_removed(tmp_path: Path) -> None:
    """The first account was a mistake: new messages go from the second, and the first is taken out, once asked."""
    config = tmp_path / "config" / "config.yaml"
    config.parent.mkdir(mode=0o700)
    config.write_text(
        "default_account: wrong\naccounts:\n  wrong: {provider: maildir, from: wrong@example.org}\n"
        "  right: {provider: maildir, from: ada@example.org}\n"
    )
    config.chmod(0o600)
    async with on_stage(tmp_path, load(paths_in(tmp_path)), size=LARGE) as stage:
        await stage.press("f9")
        await stage.shows("Accounts", "wrong@example.org")
        await stage.press("down", "d")
        await stage.shows("new messages go from right", "ada@example.org  (right)")
        (held,) = await stage.app.desk.ask(
            lambda mailer: mailer.seal(
                Draft(account="wrong", to="bob@example.org", subject="s", body="b"), SealRequest(hold=True)
            )
        )
        for _ in range(2):
            await stage.press("f9")
            await stage.shows("Accounts")
            await stage.press("down", "x")
            if held is not None:
                await stage.shows(
                    "wrong has 1 open in the outbox (F3): send or cancel them first. Nothing was removed."
                )
                await stage.app.desk.ask(lambda mailer, key=held.id: mailer.cancel(key))
                held = None
        await stage.shows("Remove account wrong?", "What it has sent")
        await stage.confirm()
        await stage.shows("account wrong is removed")
        assert "wrong" not in config.read_text()
        assert list(stage.app.desk.configuration.accounts) == ["right"]
