"""Who will send what waits: named by process and last sign of life, or plainly nobody."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tui_mailer.providers.base import Capabilities
from tui_mailer.services.who_sends import Remedy, Sender, leader, who_sends
from tui_mailer.storage.record import AccountHold, Deliverer

NOW = datetime(2026, 11, 27, 9, tzinfo=UTC)


def process(role: str, pid: int, *, seen: float = 4, age: float = 60, is_alive: bool = True) -> Deliverer:
    return Deliverer(
        owner=f"{role} pid {pid}",
        role=role,
        seen_at=NOW - timedelta(seconds=seen),
        is_alive=is_alive,
        since=NOW - timedelta(seconds=age),
    )


def test_a_service_is_named_with_its_last_sign_of_life():
    """A running service sends it whatever becomes of the app: nothing more is asked, and nobody is told numbers."""
    who = who_sends([process("app", 1), process("deliver", 812)], NOW)
    assert who.text == "The delivery service sends it."
    assert who.seen_at == NOW - timedelta(seconds=4)
    assert (who.sender, who.owner, who.remedies, who.question) == (Sender.SERVICE, "deliver pid 812", (), "")


def test_an_app_sends_only_while_it_is_open_and_that_is_said():
    """With the app alone, closing it stops scheduled mail: the ways out are offered."""
    who = who_sends([process("app", 7), process("send", 8)], NOW)
    assert who.sender is Sender.APP
    assert "while it is closed nobody does" in who.text
    assert who.remedies == (Remedy.INSTALL_SERVICE, Remedy.KEEP_OPEN)
    assert who.question.startswith("Install the delivery service")


def test_nobody_is_said_plainly():
    """The dead, and those that end by themselves, aren't counted on."""
    who = who_sends([process("deliver", 1, is_alive=False), process("flush", 2), process("send", 3)], NOW)
    assert who.sender is Sender.NOBODY
    assert who.text.startswith("Nobody delivers while tui-mailer isn't running: it goes out at the next start")


def test_a_service_that_hangs_is_not_counted_on():
    """A stopped process still holds its lock; what tells is that it shows itself no more."""
    who = who_sends([process("deliver", 1, seen=200)], NOW)
    assert who.sender is Sender.NOBODY
    assert "the delivery service, process 1, is there and hasn't moved for 3 min" in who.text


def test_a_provider_that_keeps_it_is_named_and_offered_where_the_time_is_outside_its_limits():
    """The provider's own schedule needs no process here."""
    can = Capabilities(schedule_min=timedelta(minutes=5), schedule_max=timedelta(days=3))
    assert who_sends([], NOW, at=NOW + timedelta(days=1), capabilities=can).sender is Sender.PROVIDER
    late = who_sends([], NOW, at=NOW + timedelta(days=9), capabilities=can)
    assert late.sender is Sender.NOBODY
    assert Remedy.LET_PROVIDER in late.remedies


def test_nobody_sends_for_an_account_that_waits_for_a_person():
    """Neither the app nor the provider: what it is held for is said instead, and no service is offered."""
    can = Capabilities(schedule_min=timedelta(minutes=5), schedule_max=timedelta(days=3))
    hold = AccountHold(account="work", reason="The password was refused.", since=NOW)
    who = who_sends([process("app", 7)], NOW, at=NOW + timedelta(days=1), capabilities=can, hold=hold)
    assert who.text.startswith("Nobody for now: account work is held (The password was refused).")
    assert (who.sender, who.remedies) == (Sender.NOBODY, ())
    offline = replace(hold, is_offline=True)
    assert who_sends([process("app", 7)], NOW, hold=offline).sender is Sender.APP


def test_one_leads_a_service_before_an_app_the_elder_first():
    """Whoever looks for due mail on behalf of all is the same one, seen from every process."""
    one, two, app = process("deliver", 1, age=10), process("deliver", 2, age=99), process("app", 3, age=500)
    assert leader([app, one, two], NOW) == two
    assert leader([app, process("deliver", 4, seen=60)], NOW) == app
    assert leader([process("send", 5)], NOW) is None


def test_a_process_that_was_seen_before_the_clock_was_set_back_has_to_show_itself_again():
    """One that is stopped isn't counted on for a day because the clock says yesterday."""
    stopped, app = process("deliver", 1, seen=-86_400), process("app", 2)
    assert leader([stopped, app], NOW) == app
    assert who_sends([stopped, app], NOW).sender is Sender.APP
