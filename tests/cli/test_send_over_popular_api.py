"""Sending through the popular mail APIs from the command line: accounts are tested, a mail with everything is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from api_account import KEY, configuration, serving
from http_lab import DROP_AFTER_ACTING, HttpLab, Rules
from program_run import Run, TuiMailer
from rules_brevo import BrevoRules
from rules_mailgun import MailgunRules
from rules_mailjet import PUBLIC_KEY, MailjetRules
from rules_postmark import PostmarkRules
from rules_resend import ResendRules
from rules_sendgrid import SendGridRules
from rules_ses import KEY_ID, REGION, SesRules

from tui_mailer.providers.testing import SECRET

Api = Callable[..., tuple[HttpLab, Callable[..., Run]]]
SETTINGS: dict[type[Rules], tuple[str, ...]] = {
    BrevoRules: ("brevo",),
    MailgunRules: ("mailgun", "domain: mg.example.org"),
    MailjetRules: ("mailjet", f"api_key: {PUBLIC_KEY}"),
    PostmarkRules: ("postmark", "message_stream: outbound"),
    ResendRules: ("resend",),
    SendGridRules: ("sendgrid", "region: eu"),
    SesRules: ("ses", f"region: {REGION}", f"access_key_id: {KEY_ID}", "configuration_set: notes"),
}
NO_INLINE = {BrevoRules}
NO_THREADS = {BrevoRules}


@pytest.fixture
def api(tui_mailer: TuiMailer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """Gives a server and the program with an account at it."""
    with ExitStack() as stack:
        for name, value in KEY.items():
            monkeypatch.setenv(name, value)

        def open_account(rules: type[Rules]) -> tuple[HttpLab, Callable[..., Run]]:
            lab = stack.enter_context(serving(rules()))
            path = configuration(tmp_path, lab, *SETTINGS[rules])
            return lab, lambda *words: tui_mailer("--config", path, *words)

        yield open_account


@pytest.mark.parametrize("rules", SETTINGS)
def test_an_account_is_tested_and_sends_a_mail_with_everything(api: Api, rules: type[Rules], tmp_path: Path) -> None:
    """The account's test knows its sender; one command sends text, files, copies, a header, a tag and metadata."""
    lab, run = api(rules)
    tested = run("account", "test", "work")
    assert tested.code == 0, tested.err
    assert "doesn't know" not in tested.err
    assert not lab.rules.stored
    plan = tmp_path / "plan.pdf"
    plan.write_bytes(b"%PDF-1.7 plan")
    logo = tmp_path / "logo.png"
    logo.write_bytes(b"\x89PNG logo")
    words = ["--to", "Bob <bob@example.net>", "--cc", "carol@example.net", "--bcc", "dave@example.net"]
    words += ["--reply-to", "office@example.org", "--subject", "Notes", "--body", "# Engine", "--format", "markdown"]
    words += ["--attach", str(plan), "--header", "X-Loom: east", "--tag", "team=engine", "--meta", "customer=7"]
    words += [] if rules in NO_INLINE else ["--inline", f"logo={logo}"]
    words += [] if rules in NO_THREADS else ["--in-reply-to", "<1@example.net>"]
    shown = run("send", *words, "--dry-run")
    assert shown.code == 0, shown.err
    assert "[plan.pdf: 13 bytes, sha256 " in shown.out
    sent = run("send", *words, "--json")
    assert sent.code == 0, sent.err
    assert len(lab.rules.stored) == 1
    assert {one["status"] for one in sent.json["recipients"]} == {"accepted"}
    assert sent.json["provider_id"]
    assert SECRET not in shown.out + shown.err + sent.out + sent.err


@pytest.mark.parametrize("rules", NO_THREADS)
def test_an_answer_that_cannot_be_threaded_is_refused(api: Api, rules: type[Rules]) -> None:
    """Brevo has no In-Reply-To: an answer is refused before anything is stored, with a way out."""
    lab, run = api(rules)
    refused = run("send", "--to", "b@example.net", "--subject", "x", "--body", "y", "--in-reply-to", "<1@example.net>")
    assert refused.code == 65
    assert "conversation" in refused.err
    assert not lab.requests
    assert run("outbox", "list", "--json").json == []


@pytest.mark.parametrize(
    ("rules", "option", "sent"),
    [
        (MailgunRules, "o:tracking-clicks=htmlonly", b'name="o:tracking-clicks"\r\n\r\nhtmlonly'),
        (MailgunRules, "testmode=yes", b'name="o:testmode"\r\n\r\nyes'),
        (PostmarkRules, "TrackOpens=true", b'"TrackOpens":true'),
        (SendGridRules, "asm.group_id=12", b'"asm":{"group_id":12}'),
        (MailjetRules, "CustomCampaign=12", b'"CustomCampaign":"12"'),
        (ResendRules, "topic_id=123", b'"topic_id":"123"'),
        (SesRules, "TenantName=engine", b'"TenantName":"engine"'),
    ],
)
def test_options_are_understood_as_the_provider_spells_them(
    api: Api, rules: type[Rules], option: str, sent: bytes
) -> None:
    """Whoever copies an option's name from the provider's page is understood, and text stays text."""
    lab, run = api(rules)
    done = run("send", "--to", "b@example.net", "--subject", "x", "--body", "y", "--option", option, "--json")
    assert done.code == 0, done.err
    assert sent in lab.requests[-1].body


@pytest.mark.parametrize(("rules", "is_keyed"), [(BrevoRules, True), (ResendRules, True), (SendGridRules, False)])
def test_a_lost_answer_is_asked_for_again_only_with_a_key(api: Api, rules: type[Rules], is_keyed: bool) -> None:
    """With a key the request is repeated and the mail is sent once; without one nobody knows, and that is said."""
    lab, run = api(rules)
    lab.on("POST", DROP_AFTER_ACTING)
    sent = run("send", "--to", "b@example.net", "--subject", "x", "--body", "y", "--json")
    assert (sent.code, sent.json["state"]) == ((75, "deferred") if is_keyed else (76, "uncertain")), sent.err
    assert "may or may not have been" in sent.err
    if is_keyed:
        run("outbox", "retry", sent.json["id"])
        run("outbox", "flush")
        assert run("history", "show", sent.json["id"], "--json").json["state"] == "sent"
    assert len(lab.rules.stored) == 1
    assert len(lab.asked("POST")) == 1 + is_keyed
