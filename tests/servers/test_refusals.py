"""What real servers refuse, for now or for good: nobody gets it twice, and the reason is told."""

from __future__ import annotations

from pathlib import Path

import pytest
from lab_postfix import Greylist
from lab_server import SIZE_LIMIT, MailServer
from program import Program

from tui_mailer.domain.draft import Draft, DraftAttachment
from tui_mailer.services.review import Review
from tui_mailer.services.session import Session, open_session


@pytest.fixture(params=["postfix", "exim"])
def server(request: pytest.FixtureRequest) -> MailServer:
    return request.getfixturevalue(request.param)


@pytest.fixture
def account(program: Program, server: MailServer) -> Program:
    """The program with an account on the server."""
    program.configure(program.account_for(security="tls", port=server.tls_port, ca_file=server.ca_file))
    return program


@pytest.fixture
def postfix_account(program: Program, postfix: MailServer) -> Program:
    """The program with an account on postfix."""
    program.configure(program.account_for(security="tls", port=postfix.tls_port, ca_file=postfix.ca_file))
    return program


def test_one_refused_recipient_does_not_stop_the_others(account: Program, server: MailServer) -> None:
    """The others get it once, the refused one is named with the server's reason, and the exit code is 69."""
    stranger = "nobody@lab.test"
    partial = account.send("--to", "a@lab.test", "--cc", stranger, expect=69)
    assert partial["state"] == "partial"
    by_address = {each["address"]: each for each in partial["recipients"]}
    assert by_address["a@lab.test"]["status"] == "accepted"
    assert by_address[stranger]["status"] == "rejected"
    assert "unknown" in by_address[stranger]["detail"].lower()
    assert server.wait_for(partial["message_id"], "a@lab.test")
    assert account("outbox", "flush").code == 0
    assert server.count_accepted(partial["message_id"]) == 1


def test_when_everybody_is_refused_the_message_has_failed(account: Program, server: MailServer) -> None:
    """Nothing is accepted, the text is kept, and the exit code is 69."""
    failed = account.send("--to", "nobody@lab.test", expect=69)
    assert failed["state"] == "failed"
    assert failed["response_code"] == 550
    assert server.count_accepted(failed["message_id"]) == 0
    assert "Bis morgen!" in account("history", "export", failed["id"]).out


def test_greylisted_mail_waits_and_then_goes_out_once(
    postfix_account: Program, postfix: MailServer, greylist: Greylist
) -> None:
    """It is deferred with exit 75, and sent once the list is lifted; another flush sends nothing."""
    deferred = postfix_account.send("--to", "grey@lab.test", expect=75)
    assert deferred["state"] == "deferred"
    assert deferred["attempts"] == 1
    assert deferred["response_code"] == 451
    assert deferred["next_attempt_at"] > deferred["updated_at"]

    assert postfix_account("outbox", "flush").code == 0, "it isn't due yet, so nothing is tried"
    assert greylist.deferred == 1

    greylist.lift()
    assert postfix_account("outbox", "retry", deferred["id"]).code == 0
    assert postfix_account("outbox", "flush").code == 0
    assert postfix_account.show(deferred["id"])["state"] == "sent"
    assert postfix.wait_for(deferred["message_id"], "grey@lab.test")
    assert postfix_account("outbox", "flush").code == 0
    assert postfix.count_accepted(deferred["message_id"]) == 1


def test_only_the_greylisted_recipient_is_tried_again(
    postfix_account: Program, postfix: MailServer, greylist: Greylist
) -> None:
    """Whoever has accepted is left alone when the rest is repeated."""
    deferred = postfix_account.send("--to", "a@lab.test, grey@lab.test", expect=75)
    assert {each["address"]: each["status"] for each in deferred["recipients"]} == {
        "a@lab.test": "accepted",
        "grey@lab.test": "deferred",
    }
    greylist.lift()
    postfix_account("outbox", "retry", deferred["id"])
    assert postfix_account("outbox", "flush").code == 0
    copies = postfix.wait_for(deferred["message_id"], "a@lab.test", "grey@lab.test")
    assert sorted(address for copy in copies for address in copy.envelope_recipients) == ["a@lab.test", "grey@lab.test"]


def test_a_message_over_the_announced_size_is_refused_before_the_upload(
    account: Program, server: MailServer, tmp_path: Path
) -> None:
    """The server's limit is honoured before a byte of the body is sent; the next such message is warned of."""
    large = tmp_path / "large.bin"
    large.write_bytes(bytes(SIZE_LIMIT))
    draft = Draft(to="a@lab.test", attachments=(DraftAttachment(source=str(large)),))
    assert "server-size" not in codes_of(review(account, draft))
    refused = account.send("--to", "a@lab.test", "--attach", large, expect=69)
    assert refused["state"] == "failed"
    (attempt,) = account.show(refused["id"])["attempt_log"]
    assert not any(line.upper().startswith(("DATA", "> DATA", "C: DATA", "BDAT")) for line in attempt["transcript"])
    assert attempt["phase"] not in ("body", "intent")
    assert server.count_accepted(refused["message_id"]) == 0
    warned = review(account, draft)
    assert "server-size" in codes_of(warned)
    assert warned.is_sendable
    with session_of(account) as session:
        check = session.mailer.check_form(draft, {str(large): SIZE_LIMIT})
    assert check.announced_size == SIZE_LIMIT
    assert "server-size" not in codes_of(review(account, Draft(to="a@lab.test", body="small")))


def session_of(account: Program) -> Session:
    """The program's own store, looked into from here."""
    return open_session(config=str(account.configuration), data_dir=str(account.folder / "data"))


def review(account: Program, draft: Draft) -> Review:
    """What the app's review sheet is made from."""
    with session_of(account) as session:
        return session.mailer.review(draft)


def codes_of(reviewed: Review) -> set[str]:
    """What it found."""
    return {finding.code for finding in reviewed.findings}


def test_mail_refused_for_its_content_has_failed(program: Program, exim: MailServer) -> None:
    """A 550 in answer to the whole message is final, with the server's words."""
    program.configure(program.account_for(security="tls", port=exim.tls_port, ca_file=exim.ca_file))
    failed = program.send("--to", "a@lab.test", "--subject", "SPAM", expect=69)
    assert failed["state"] == "failed"
    assert failed["enhanced_code"] == "5.7.1"
    assert "content rejected" in failed["response_text"]
    assert exim.count_accepted(failed["message_id"]) == 0


def test_mail_put_off_for_its_content_is_deferred(program: Program, exim: MailServer) -> None:
    """A 451 in answer to the whole message is a definite no for now."""
    program.configure(program.account_for(security="tls", port=exim.tls_port, ca_file=exim.ca_file))
    deferred = program.send("--to", "a@lab.test", "--subject", "TEMPFAIL", expect=75)
    assert deferred["state"] == "deferred"
    assert exim.count_accepted(deferred["message_id"]) == 0
