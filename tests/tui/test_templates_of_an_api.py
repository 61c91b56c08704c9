"""Templates in the options form, asked for at a real server on this computer: listed, down, slow, refusing the key."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from app_stage import Stage, configuration_of, on_stage

sys.path.insert(0, str(Path(__file__).parents[1] / "contract"))

from http_lab import STALL, HttpLab, Reply
from rules_brevo import CASE

from tui_mailer.accounts.configuration import Account, CredentialSource
from tui_mailer.accounts.credential import Credentials
from tui_mailer.domain.address import parse_address
from tui_mailer.providers.testing import SECRET

TEMPLATES = "GET /v3/smtp/templates"
Opened = Callable[[HttpLab], AbstractAsyncContextManager[Stage]]


@pytest.fixture
def opened(tmp_path: Path) -> Opened:
    """The app with the options of a message open, the cursor in any row."""

    @asynccontextmanager
    async def open_it(lab: HttpLab) -> AsyncIterator[Stage]:
        account = Account(
            name="post",
            provider="brevo",
            identities=(parse_address("Ada <ada@example.org>"),),
            settings={"base_url": lab.url + CASE.base_path, "timeout_seconds": 1},
            credential=CredentialSource(kind="prompt"),
        )
        credentials = Credentials()
        credentials.provide("post", SECRET)
        async with on_stage(tmp_path, configuration_of(account), size=(100, 30), credentials=credentials) as stage:
            await stage.press("f7")
            await stage.shows("Options of this message, with account post")
            yield stage

    return open_it


async def test_templates_are_listed_and_the_chosen_one_is_kept(opened: Opened) -> None:
    """By name, its number beside it; Enter takes it into the form and ^S into the message."""
    async with HttpLab(CASE.rules()) as lab, opened(lab) as stage:
        await stage.press("ctrl+t")
        await stage.shows("Templates", "Welcome", "12")
        await stage.press("enter", "ctrl+s")
        await stage.until(lambda: not stage.app.screen.is_modal, "the form")
        assert stage.app.compose_screen.form.read().template == "12"
        assert len(lab.asked(TEMPLATES)) == 1


async def test_what_a_provider_calls_its_templates_is_only_read(opened: Opened) -> None:
    """Escapes, markup and bidi controls in a name and in an error."""
    name = "evil\x1b]0;PWNED\x07\x1b[2J\x9b31m\u202e[/b][@click=app.quit]"
    async with HttpLab(CASE.rules()) as lab:
        lab.always(TEMPLATES, Reply(200, {"count": 1, "templates": [{"id": 12, "name": name, "isActive": True}]}))
        async with opened(lab) as stage:
            await stage.press("ctrl+t")
            await stage.shows("Templates", "evil", "[/b]")
            assert not set("\x1b\x07\x9b\u202e") & set(stage.text())
            await stage.press("escape")
            lab.always(TEMPLATES, Reply(400, {"code": "bad", "message": name}))
            await stage.press("ctrl+t")
            await stage.shows("evil")
            assert not set("\x1b\x07\x9b\u202e") & set(stage.text())


async def test_an_account_without_templates_says_so(opened: Opened) -> None:
    """An empty list is said in words, not shown as an empty box."""
    async with HttpLab(CASE.rules()) as lab:
        lab.always(TEMPLATES, Reply(200, {"count": 0, "templates": []}))
        async with opened(lab) as stage:
            await stage.press("ctrl+t")
            await stage.shows("There are no templates")


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Reply(503, {"code": "down", "message": "in \x1b[2J maintenance"}), "maintenance"),
        (Reply(401, {"code": "unauthorized", "message": "Key not found"}), "Key not found"),
        (Reply(200, "<html>hello</html>"), "Brevo"),
        (STALL, "Brevo"),
    ],
)
async def test_what_goes_wrong_is_said_and_the_form_lives_on(opened: Opened, answer: object, said: str) -> None:
    """Down, the key refused, another site, no answer: a calm sentence without the key; typing goes on meanwhile."""
    async with HttpLab(CASE.rules()) as lab:
        lab.always(TEMPLATES, answer)  # type: ignore[arg-type]
        async with opened(lab) as stage:
            await stage.press("tab", "ctrl+t")
            await stage.type("abc")
            assert "abc" in stage.text()
            await stage.shows("The templates can't be listed", said)
            assert SECRET not in stage.text()
            assert "\x1b" not in stage.text()
            await stage.press("escape")
            await stage.until(lambda: not stage.app.screen.is_modal, "the form")


async def test_a_form_that_was_left_is_not_followed_by_its_templates(opened: Opened) -> None:
    """Esc while the server thinks: the answer that comes later opens nothing over the message."""
    async with HttpLab(CASE.rules()) as lab:
        lab.always(TEMPLATES, STALL)
        async with opened(lab) as stage:
            await stage.press("ctrl+t")
            await stage.until(lambda: bool(lab.asked(TEMPLATES)), "the question")
            await stage.press("escape")
            await stage.until(lambda: not stage.app.screen.is_modal, "the form")
            await stage.type("bob@example.org")
            await stage.shows("bob@example.org")


async def test_what_is_wrong_stays_until_it_is_mended(opened: Opened) -> None:
    """Going to another row doesn't put its help in the place of the error; typing does."""
    async with HttpLab(CASE.rules()) as lab, opened(lab) as stage:
        lab.always(TEMPLATES, Reply(401, {"code": "unauthorized", "message": "Key not found"}))
        await stage.press("ctrl+t")
        await stage.shows("The templates can't be listed.")
        await stage.press("tab", "tab")
        await stage.shows("The templates can't be listed.")
        await stage.type("x")
        await stage.press("tab")
        await stage.until(lambda: "can't be listed" not in stage.text(), "the help of the next row")
