"""What a provider keeps, and what it tells later, as the app shows it."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from app_stage import LARGE, configuration_of, local_account, on_stage

sys.path.insert(0, str(Path(__file__).parents[1] / "contract"))

from http_lab import DROP_AFTER_ACTING, HttpLab
from rules_resend import ResendRules

from tui_mailer.accounts.configuration import CredentialSource
from tui_mailer.accounts.credential import Credentials
from tui_mailer.domain.draft import Draft
from tui_mailer.domain.submission import RecipientStatus, State
from tui_mailer.domain.timeline import StatusEvent
from tui_mailer.providers.testing import SECRET
from tui_mailer.services.review import SealRequest


async def test_x_takes_back_what_the_provider_keeps(tmp_path: Path) -> None:
    """Handed over for later: the row says who holds it and till when; x asks the provider, then it is canceled."""
    async with HttpLab(ResendRules()) as lab:
        account = local_account("work")._replace(
            provider="resend",
            credential=CredentialSource(kind="prompt"),
            settings={"base_url": lab.url},
        )
        credentials = Credentials()
        credentials.provide("work", SECRET)
        draft = Draft(to="bob@example.org", subject="Tea", body="at four", schedule="in 2h")
        async with on_stage(tmp_path, configuration_of(account), size=LARGE, credentials=credentials) as stage:
            (one,) = await stage.app.desk.ask(lambda mailer: mailer.seal(draft, SealRequest()))
            stage.app.desk.nudge()
            await stage.press("f3")
            await stage.shows("handed over", "resend holds it until")
            await stage.press("x")
            await stage.shows("1 canceled", "The outbox is empty")
            assert (await stage.app.desk.ask(lambda mailer: mailer.show(one.id))).state is State.CANCELED
            assert list(lab.rules.events.values()) == ["canceled"]  # type: ignore[attr-defined]


async def test_what_may_have_been_taken_is_neither_edited_nor_said_to_be_canceled(tmp_path: Path) -> None:
    """No answer came: e would make a second mail of it, and what x leaves behind may have been delivered."""
    async with HttpLab(ResendRules()) as lab:
        lab.on("POST /emails", DROP_AFTER_ACTING)
        account = local_account("work")._replace(
            provider="resend",
            credential=CredentialSource(kind="prompt"),
            settings={"base_url": lab.url},
        )
        credentials = Credentials()
        credentials.provide("work", SECRET)
        draft = Draft(to="bob@example.org", subject="Tea", body="at four")
        async with on_stage(tmp_path, configuration_of(account), size=LARGE, credentials=credentials) as stage:
            await stage.app.desk.ask(lambda mailer: mailer.seal(draft, SealRequest()))
            stage.app.desk.nudge()
            await stage.press("f3")
            await stage.shows("may have been taken")
            await stage.press("e")
            await stage.shows("it can't be edited: it may have been taken already")
            assert await stage.app.desk.ask(lambda mailer: mailer.drafts()) == []
            await stage.press("x")
            await stage.shows("1 won't be sent again but may have been delivered: it stays here as uncertain")
            assert "1 canceled" not in stage.text()


async def test_the_timeline_of_each_recipient_is_told(tmp_path: Path) -> None:
    """Accepted, delayed, bounced: the list has the worst in words, the details every step with its time."""
    async with on_stage(tmp_path, size=LARGE) as stage:
        draft = Draft(to="bob@example.org, cy@example.org", subject="Tea", body="at four")
        (one,) = await stage.app.desk.ask(lambda mailer: mailer.seal(draft, SealRequest()))
        stage.app.desk.nudge()
        while not await stage.app.desk.ask(lambda mailer: mailer.show(one.id).is_in_history):
            await stage.pilot.pause(0.02)
        later = datetime.now(UTC) + timedelta(minutes=1)
        events = [
            StatusEvent(at=later, address="bob@example.org", status=RecipientStatus.DEFERRED, detail="mailbox full"),
            StatusEvent(
                at=later + timedelta(minutes=4),
                address="bob@example.org",
                status=RecipientStatus.BOUNCED,
                detail="552 \x1b]0;owned\x07 still full [/b]",
            ),
        ]
        await stage.app.desk.ask(lambda mailer: mailer.store.refine(one.id, events, has_left=False))
        await stage.press("f4")
        await stage.shows("bounced 1 of 2")
        await stage.press("enter")
        await stage.shows("to bounced", "deferred (asked): mailbox full", "still full [/b]", "to accepted")
        assert "\x1b" not in stage.text()
        assert stage.text().index("mailbox full") < stage.text().index("still full")


@pytest.mark.parametrize(
    ("word", "told"), [("delivered", ""), ("bounced", "bounced for bob@example.org, Tea: bounced")], ids=str
)
async def test_at_the_start_only_news_is_told(tmp_path: Path, word: str, told: str) -> None:
    """Sent in an earlier session, asked about now: that it was sent isn't told again, that it bounced is."""
    async with HttpLab(ResendRules()) as lab:
        account = local_account("work")._replace(
            provider="resend", credential=CredentialSource(kind="prompt"), settings={"base_url": lab.url}
        )
        credentials = Credentials()
        credentials.provide("work", SECRET)
        draft = Draft(to="bob@example.org", subject="Tea", body="at four")
        staged = {"configuration": configuration_of(account), "size": LARGE, "credentials": credentials}
        async with on_stage(tmp_path, **staged) as stage:  # type: ignore[arg-type]
            await stage.app.desk.ask(lambda mailer: mailer.seal(draft, SealRequest()))
            stage.app.desk.nudge()
            await stage.shows("sent to bob@example.org")
        (number,) = lab.rules.events  # type: ignore[attr-defined]
        lab.rules.events[number] = word  # type: ignore[attr-defined]
        said: list[str] = []
        async with on_stage(tmp_path, **staged) as stage:  # type: ignore[arg-type]
            stage.app.desk.status.listen(lambda: said.append(stage.app.desk.status.text))
            await stage.press("f4")
            await stage.shows("bounced 1 of 1" if told else "delivered to all")
            await stage.until(lambda: told in said, "the news")
            await stage.pilot.pause(1)
        assert not any("sent to bob" in one for one in said)
        assert not told or told in said
