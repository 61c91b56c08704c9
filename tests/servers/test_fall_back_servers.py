"""Failing over between two real servers: each message arrives once, by the account that took it."""

from __future__ import annotations

import json

from lab_server import MailServer
from program import Program


def configure_two(program: Program, first: MailServer, second: MailServer, *, secret: str) -> None:
    """``work`` on the first server, falling back on ``spare`` at the second."""
    work = program.account_for(security="tls", port=first.tls_port, ca_file=first.ca_file, fallback=["spare"])
    wrong = program.folder / "wrong"
    wrong.write_text(f"{secret}\n")
    wrong.chmod(0o600)
    spare = program.account_for(security="tls", port=second.tls_port, ca_file=second.ca_file)
    accounts = {"work": {**work, "credential": {"file": str(wrong)}}, "spare": spare}
    program.configuration.write_text(json.dumps({"default_account": "work", "accounts": accounts}))
    program.configuration.chmod(0o600)


def test_what_one_server_will_not_take_arrives_by_the_other(
    program: Program, postfix: MailServer, exim: MailServer
) -> None:
    """A wrong password at exim: postfix delivers it once, under the same Message-ID."""
    configure_two(program, exim, postfix, secret="wrong")
    sent = program.send("--to", "a@lab.test", expect=0)
    assert (sent["state"], sent["account"], sent["home_account"]) == ("sent", "spare", "work")
    assert postfix.wait_for(sent["message_id"], "a@lab.test")
    assert (postfix.count_accepted(sent["message_id"]), exim.count_accepted(sent["message_id"])) == (1, 0)
    assert [each["account"] for each in program.show(sent["id"])["attempt_log"]] == ["work", "spare"]


def test_an_unknown_recipient_is_refused_once(program: Program, postfix: MailServer, exim: MailServer) -> None:
    """What the first server took isn't sent again, and a mailbox that isn't there isn't looked for elsewhere."""
    configure_two(program, postfix, exim, secret="pass")
    partial = program.send("--to", "a@lab.test", "--cc", "nobody@lab.test", expect=69)
    assert partial["state"] == "partial"
    assert postfix.count_accepted(partial["message_id"]) == 1
    assert exim.count_accepted(partial["message_id"]) == 0
