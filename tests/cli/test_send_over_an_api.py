"""Sending through a mail API from the command line: what is refused, shown, sent and told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from api_account import KEY, configuration, serving
from http_lab import HttpLab, Rules
from program_run import Run, TuiMailer
from rules_bird import BirdRules
from rules_bird_channels import CHANNEL as BIRD_CHANNEL
from rules_bird_channels import CONTACT_ID, WORKSPACE, BirdChannelsRules
from rules_rebilly import RebillyRules
from rules_respond_io import CHANNEL, RespondIoRules
from rules_whippy import CHANNEL as WHIPPY_CHANNEL
from rules_whippy import WhippyRules

from tui_mailer.providers.testing import SECRET

Api = Callable[..., tuple[HttpLab, Callable[..., Run]]]
SETTINGS: dict[type[Rules], tuple[str, ...]] = {
    RespondIoRules: ("respond_io", f"channel_id: {CHANNEL}"),
    WhippyRules: ("whippy", f"channel: {WHIPPY_CHANNEL}"),
    RebillyRules: ("rebilly", "organization_id: org-1"),
    BirdChannelsRules: ("bird_channels", f"workspace_id: {WORKSPACE}", f"channel_id: {BIRD_CHANNEL}"),
    BirdRules: ("bird",),
}


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


MAIL = ("--to", "bob@example.net", "--subject", "Notes", "--body", "The engine weaves.")


@pytest.mark.parametrize("rules", SETTINGS)
def test_a_mail_is_sent_and_kept(api: Api, rules: type[Rules]) -> None:
    """One command sends a mail through each API; history has it with the provider's id."""
    lab, run = api(rules)
    sent = run("send", *MAIL, "--json")
    assert sent.code == 0, sent.err
    assert (sent.json["state"], sent.json["recipients"][0]["status"]) == ("sent", "accepted")
    assert sent.json["provider_id"]
    assert len(lab.rules.stored) == 1
    assert run("history", "show", sent.json["id"], "--json").json["state"] == "sent"
    assert SECRET not in sent.out + sent.err


@pytest.mark.parametrize("rules", SETTINGS)
def test_an_account_is_tested_without_sending(api: Api, rules: type[Rules]) -> None:
    """`account test` proves the key and mails nobody."""
    lab, run = api(rules)
    tested = run("account", "test", "work")
    assert tested.code == 0, tested.err
    assert "can send as ada@example.org (" in tested.err
    assert not lab.rules.stored


def test_a_sender_that_is_not_verified_is_told_by_the_test(api: Api) -> None:
    """Rebilly sends as verified settings only: an account whose From isn't one reads so before its first mail."""
    lab, run = api(RebillyRules)
    lab.rules.settings[0]["from"] = "office@example.org"
    tested = run("account", "test", "work")
    assert "can send as office@example.org" in tested.err
    assert "doesn't know ada@example.org" in tested.err


def test_a_contact_stands_in_place_of_to(api: Api) -> None:
    """respond.io's contact is named by its number: nothing is in To, and the outbox says who it was for."""
    lab, run = api(RespondIoRules)
    sent = run("send", "--option", "contact=id:123", "--subject", "Notes", "--body", "Hello", "--json")
    assert sent.code == 0, sent.err
    assert lab.rules.stored[0]["to"] == "id:123"
    assert sent.json["to"] == []
    assert [(one["address"], one["kind"]) for one in sent.json["recipients"]] == [("id:123", "to")]


def test_two_to_are_refused_with_the_choice_to_fan_out(api: Api) -> None:
    """A provider that takes one To refuses two and names --each, which sends two mails."""
    lab, run = api(WhippyRules)
    refused = run("send", *MAIL, "--to", "eve@example.net")
    assert refused.code == 65
    assert "--each" in refused.err
    assert not lab.requests
    fanned = run("send", *MAIL, "--to", "eve@example.net", "--each", "--json")
    assert fanned.code == 0, fanned.err
    assert sorted(one["to"] for one in lab.rules.stored) == ["bob@example.net", "eve@example.net"]


def test_a_local_file_is_refused_where_only_links_go(api: Api, tmp_path: Path) -> None:
    """respond.io takes links: a file is refused before anything is stored, with the way out."""
    lab, run = api(RespondIoRules)
    plan = tmp_path / "plan.txt"
    plan.write_text("plan")
    refused = run("send", *MAIL, "--attach", plan)
    assert refused.code == 65
    assert "takes links, not files" in refused.err
    assert run("outbox", "list", "--json").json == []
    linked = run("send", *MAIL, "--attach", "https://example.org/plan.pdf", "--as", "Plan.pdf", "--json")
    assert linked.code == 0, linked.err
    assert lab.rules.stored[0]["message"]["attachments"] == [
        {"type": "file", "url": "https://example.org/plan.pdf", "fileName": "Plan.pdf"}
    ]


def test_side_effects_are_told_by_check(api: Api) -> None:
    """Whoever checks a mail for Whippy reads that a contact and a conversation may be made."""
    _, run = api(WhippyRules)
    told = run("send", *MAIL, "--check")
    assert "makes a contact" in told.out + told.err
    assert "conversation" in told.out + told.err


def test_a_resource_is_attached_by_reference(api: Api) -> None:
    """Rebilly attaches an invoice that it has already; both bodies go out."""
    lab, run = api(RebillyRules)
    sent = run("send", *MAIL, "--attach", "ref:invoice/INV-1", "--meta", "customer=C-1", "--json")
    assert sent.code == 0, sent.err
    (stored,) = lab.rules.stored
    assert stored["attachments"] == [{"resourceType": "invoice", "resourceId": "INV-1"}]
    assert stored["metadata"] == {"customer": "C-1"}
    assert "<p>The engine weaves.</p>" in stored["html"]


def test_a_draft_that_is_left_is_not_called_sent(api: Api) -> None:
    """Left as a draft at Rebilly: the answer says that nobody has it and names no time; canceling deletes it."""
    lab, run = api(RebillyRules)
    left = run("send", *MAIL, "--option", "status=draft")
    assert left.code == 0
    assert "as a draft: nobody gets it" in left.err
    assert "which sends it" not in left.err
    (listed,) = run("outbox", "list", "--json").json
    assert (listed["state"], listed["sent_at"]) == ("handed_over", None)
    assert run("outbox", "cancel", listed["id"]).code == 0
    assert not lab.rules.messages


def test_a_schedule_that_cannot_be_taken_back_is_told(api: Api) -> None:
    """Whippy keeps a scheduled mail for good: canceling it ends with the state, and with when it is sent."""
    _, run = api(WhippyRules)
    kept = run("send", *MAIL, "--at", "in 2h", "--json")
    assert kept.json["state"] == "handed_over", kept.err
    late = run("outbox", "cancel", kept.json["id"])
    assert late.code == 69
    assert "can't be taken back" in late.err


def test_options_are_known_by_the_providers_own_names(api: Api) -> None:
    """Whoever copies an option from Bird's documentation finds it accepted."""
    lab, run = api(BirdChannelsRules)
    sent = run("send", *MAIL, "--option", "useCase=otp", "--option", f"contacts={CONTACT_ID}", "--json")
    assert sent.code == 0, sent.err
    (stored,) = lab.rules.stored
    assert stored["meta"]["extraInformation"]["useCase"] == "otp"
    assert stored["receiver"]["contacts"][1] == {"id": CONTACT_ID}
    assert {one["address"] for one in sent.json["recipients"]} == {"bob@example.net", f"id:{CONTACT_ID}"}
    refused = run("send", *MAIL, "--option", "shortLinks=true")
    assert refused.code == 65
    assert "for SMS" in refused.err
    assert "Value error" not in refused.err


def test_files_and_images_travel_with_the_mail(api: Api, tmp_path: Path) -> None:
    """Bird gets an inline image under the name that the HTML uses, and a file."""
    lab, run = api(BirdRules)
    image, page, plan = tmp_path / "a.png", tmp_path / "page.html", tmp_path / "plan.pdf"
    image.write_bytes(b"\x89PNG logo")
    plan.write_bytes(b"%PDF-1.7 plan")
    page.write_text('<p>The engine <img src="cid:logo"></p>')
    words = ("--html-file", page, "--inline", f"logo={image}", "--attach", plan, "--tag", "campaign=spring")
    sent = run("send", *MAIL[:4], *words, "--json")
    assert sent.code == 0, sent.err
    (stored,) = lab.rules.stored
    assert [(one["filename"], one.get("content_id")) for one in stored["attachments"]] == [
        ("a.png", "logo"),
        ("plan.pdf", None),
    ]
    assert stored["tags"] == [{"name": "campaign", "value": "spring"}]
    assert stored["category"] == "transactional"
