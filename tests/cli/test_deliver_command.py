"""``deliver`` and the detached flush: processes of their own that send what is due and end when told to."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from program_run import TuiMailer

COMMAND = [sys.executable, "-m", "tui_mailer"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_service_sends_what_is_due_and_stops_in_good_order(
    tui_mailer: TuiMailer, maildir: Path, number: signal.Signals
) -> None:
    """One line an event in JSON, and 0 when it is told to stop."""
    queued = tui_mailer("send", "--to", "a@example.org", "--subject", "x", "--body", "x", "--queue", "--json").json
    with subprocess.Popen([*COMMAND, "deliver", "--json"], stdout=subprocess.PIPE, text=True) as service:
        assert service.stdout
        events = []
        for line in service.stdout:
            events.append(json.loads(line))
            if events[-1].get("state") == "sent":
                service.send_signal(number)
    assert service.returncode == 0
    assert events[0]["event"] == "started"
    assert events[-1]["event"] == "stopped"
    assert [event["id"] for event in events if event.get("state") == "sent"] == [queued["id"]]
    assert len(list(maildir.iterdir())) == 1


def test_who_will_deliver_is_named_while_the_service_runs(tui_mailer: TuiMailer) -> None:
    """A scheduled message says that the service delivers it."""
    with subprocess.Popen([*COMMAND, "deliver", "--json"], stdout=subprocess.PIPE, text=True) as service:
        assert service.stdout
        assert "started" in service.stdout.readline()
        words = ("send", "--to", "a@example.org", "--subject", "x", "--body", "x")
        sent = tui_mailer(*words)
        told = tui_mailer(*words, "--at", "in 2h")
        service.terminate()
        service.stdout.read()
    assert sent.code == 0
    assert "The delivery service" in told.err


@pytest.fixture
def adopt_orphans() -> Iterator[None]:
    """Makes this process the parent of what its children leave behind, so that it can wait for it."""
    prctl, set_child_subreaper = ctypes.CDLL(None).prctl, 36
    prctl(set_child_subreaper, 1, 0, 0, 0)
    yield
    prctl(set_child_subreaper, 0, 0, 0, 0)


@pytest.mark.usefixtures("adopt_orphans")
@pytest.mark.skipif(sys.platform != "linux", reason="orphans can be adopted on Linux only")
def test_sendmail_returns_before_the_mail_has_gone_and_it_goes(tui_mailer: TuiMailer, maildir: Path) -> None:
    """The message is durable when sendmail returns; a process of its own delivers it and ends."""
    message = b"To: a@example.org\nSubject: x\n\nx\n"
    ended = subprocess.run([*COMMAND, "sendmail", "-t", "--json"], input=message, capture_output=True, check=True)
    stored = json.loads(ended.stdout)
    assert stored["state"] == "queued"
    _, status = os.waitpid(-1, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert tui_mailer("outbox", "show", stored["id"], "--json").json["state"] == "sent"
    assert len(list(maildir.iterdir())) == 1


def test_a_call_that_is_stopped_says_that_the_mail_is_kept(tmp_path: Path) -> None:
    """SIGTERM while waiting for a server ends with 143, and the message is in the outbox."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(60)
        account = {
            "provider": "smtp",
            "from": "a@example.org",
            "host": "127.0.0.1",
            "port": silent.getsockname()[1],
            "security": "none",
        }
        config = tmp_path / "config.yaml"
        config.write_text(json.dumps({"accounts": {"work": account}}))
        config.chmod(0o600)
        words = ["--config", str(config), "send", "--to", "b@example.org", "--subject", "x", "--body", "x", "--json"]
        with subprocess.Popen([*COMMAND, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            connection, _ = silent.accept()
            process.terminate()
            out, err = process.communicate(timeout=60)
            connection.close()
    assert process.returncode == 143, err
    assert json.loads(out)["state"] in {"queued", "deferred"}
    assert "Traceback" not in err
