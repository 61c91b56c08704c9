"""Every command on the embedded account: mail that is kept on this computer, end to end."""

from __future__ import annotations

from pathlib import Path

import pytest
from program_run import TuiMailer


def send(tui_mailer: TuiMailer, *words: str, subject: str = "Hello") -> dict:
    """Sends a message with --json and gives back the submission."""
    run = tui_mailer("send", "--to", "ada@example.org", "--subject", subject, "--body", "Hi.", "--json", *words)
    assert run.code == 0, run.err
    return run.json


def test_one_line_sends_a_message_on_a_fresh_machine(tui_mailer: TuiMailer, maildir: Path) -> None:
    """Without any configuration a message lands in the local Maildir, and that is said plainly."""
    run = tui_mailer("send", "--to", "ada@example.org", "--subject", "Grüße", "--body", "See you.")
    assert (run.code, run.out) == (0, "")
    assert f"sent to nobody: {maildir.parent}" in run.err
    (kept,) = maildir.iterdir()
    assert b"To: ada@example.org\n" in kept.read_bytes().replace(b"\r", b"")
    listed = tui_mailer("history", "list")
    assert "Grüße" in listed.out
    assert listed.out.startswith("ID ")


def test_bcc_reaches_the_envelope_and_no_header(tui_mailer: TuiMailer, maildir: Path) -> None:
    """A blind copy is a recipient, but stands nowhere in the message."""
    sent = send(tui_mailer, "--bcc", "secret@example.org")
    assert sent["kept_locally"] is True
    assert [(each["address"], each["kind"]) for each in sent["recipients"]] == [
        ("ada@example.org", "to"),
        ("secret@example.org", "bcc"),
    ]
    assert b"secret" not in next(iter(maildir.iterdir())).read_bytes()
    exported = tui_mailer("history", "export", sent["id"])
    assert exported.code == 0
    assert "Subject: Hello" in exported.out
    assert "secret" not in exported.out


def test_a_key_makes_the_call_idempotent(tui_mailer: TuiMailer, maildir: Path) -> None:
    """A second call with the same key returns the first submission and sends nothing."""
    first = send(tui_mailer, "--key", "k1")
    second = send(tui_mailer, "--key", "k1", subject="another")
    assert second["id"] == first["id"]
    assert len(list(maildir.iterdir())) == 1


def test_what_is_asked_to_wait_is_stored_and_0(tui_mailer: TuiMailer, maildir: Path) -> None:
    """--hold, --queue, --undo and --at exit 0 once sealed, and say who will deliver: nobody, just now."""
    for words, state in (
        (["--hold"], "held"),
        (["--queue"], "queued"),
        (["--undo", "60"], "queued"),
        (["--at", "in 2h"], "queued"),
    ):
        assert send(tui_mailer, *words)["state"] == state
    told = tui_mailer("send", "--to", "a@example.org", "--body", "x", "--subject", "x", "--at", "in 2h")
    assert "Nobody delivers while tui-mailer isn't running" in told.err
    assert not maildir.exists() or not list(maildir.iterdir())
    assert len(tui_mailer("outbox", "list", "--json").json) == 5


def test_each_recipient_gets_a_submission_of_its_own(tui_mailer: TuiMailer) -> None:
    """--each prints an array, one submission per To, in one group."""
    run = tui_mailer(
        "send", "--each", "--to", "a@example.org, b@example.org", "--subject", "x", "--body", "x", "--json"
    )
    assert run.code == 0
    assert [each["to"] for each in run.json] == [["a@example.org"], ["b@example.org"]]
    assert len({each["group"] for each in run.json}) == 1


@pytest.mark.parametrize(
    ("words", "code", "field"),
    [
        (["--to", "not an address"], 65, "to"),
        (["--to", "a@example.org", "--at", "yesterday 9am"], 65, None),
        (["--to", "a@example.org", "--attach", "/nowhere/plan.pdf"], 65, "attachments"),
        (["--to", "a@example.org", "--subject", "a\nBcc: b@example.org"], 65, "subject"),
        (["--to", "a@example.org", "--header", "Bcc: b@example.org"], 65, "headers"),
        (["--to", "a@example.org", "--body-file", "/nowhere/body"], 66, None),
        (["--to", "a@example.org", "--account", "nope"], 78, None),
        (["--to", "a@example.org", "--account", "box", "--from", "boss@example.org"], 65, "from"),
        (["--to", "a@example.org", "--expand", "--body", "${x}"], 65, "body"),
    ],
)
def test_a_message_that_cannot_be_sealed_is_refused_and_nothing_is_stored(
    tui_mailer: TuiMailer, words: list[str], code: int, field: str | None
) -> None:
    """Bad message data is told in one sentence with its field, and nothing is stored."""
    assert tui_mailer("account", "add", "box", "--provider", "maildir", "--from", "me@example.org").code == 0
    run = tui_mailer("send", "--json", *words)
    assert run.code == code, run.err
    assert run.json["error"]["code"] == code
    if field:
        assert run.json["error"]["field"] == field
    assert tui_mailer("outbox", "list", "--json").json == []
    assert tui_mailer("history", "list", "--json").json == []


def test_looking_first_stores_nothing(tui_mailer: TuiMailer) -> None:
    """--dry-run shows what would go out, --check what is odd; neither leaves a trace."""
    message = ("--to", "ada@example.org", "--subject", "S", "--body", "See the attached file.")
    shown = tui_mailer("send", "--dry-run", *message)
    assert shown.code == 0
    assert "Subject: S" in shown.out
    checked = tui_mailer("send", "--check", "--json", *message)
    assert checked.code == 0
    assert "attachment-missing" in [finding["code"] for finding in checked.json["findings"]]
    assert tui_mailer("send", "--check", "--subject", "x", "--body", "x").code == 65
    assert tui_mailer("outbox", "list", "--json").json == []


def test_the_outbox_moves_a_message_on(tui_mailer: TuiMailer, maildir: Path) -> None:
    """Hold, release, reschedule, retry, flush: each says where the message stands."""
    submission = send(tui_mailer, "--at", "in 3 days")["id"]
    suffix = submission[-6:]
    assert tui_mailer("outbox", "hold", suffix, "--json").json["state"] == "held"
    assert tui_mailer("outbox", "release", suffix, "--json").json["state"] == "queued"
    moved = tui_mailer("outbox", "reschedule", suffix, "in", "2h", "--json")
    assert moved.json["schedule"] == {"words": "in 2h", "zone": "Europe/Berlin"}
    assert "Europe/Berlin" in tui_mailer("outbox", "reschedule", suffix, "in 4h").err
    assert tui_mailer("outbox", "flush").code == 0
    assert not maildir.exists() or not list(maildir.iterdir())
    assert tui_mailer("outbox", "retry", suffix).code == 0
    flushed = tui_mailer("outbox", "flush", "--json")
    assert [(each["id"], each["state"]) for each in flushed.json] == [(submission, "sent")]
    shown = tui_mailer("outbox", "show", submission, "--json").json
    assert [attempt["phase"] for attempt in shown["attempt_log"]] == ["done"]


def test_too_late_is_69_with_the_state(tui_mailer: TuiMailer) -> None:
    """What has been sent can't be canceled any more, and the error says so."""
    submission = send(tui_mailer)["id"]
    run = tui_mailer("outbox", "cancel", submission, "--json")
    assert run.code == 69
    assert run.json["error"]["state"] == "sent"


def test_canceled_mail_is_in_the_history_and_can_be_sent_again(tui_mailer: TuiMailer, maildir: Path) -> None:
    """A canceled message went to nobody; its content can go out as a new one."""
    submission = send(tui_mailer, "--hold")["id"]
    assert tui_mailer("outbox", "cancel", submission).code == 0
    (listed,) = tui_mailer("history", "search", "state:canceled", "--json").json
    assert listed["id"] == submission
    again = tui_mailer("history", "resend", submission, "--json")
    assert again.code == 0
    assert again.json["id"] != submission
    assert len(list(maildir.iterdir())) == 1


def test_unknown_and_ambiguous_ids_are_66(tui_mailer: TuiMailer) -> None:
    """An ID nobody has ends with 66, on every command that takes one."""
    for words in (
        ["outbox", "show", "ZZZZZZ"],
        ["outbox", "cancel", "ZZZZZZ"],
        ["history", "export", "ZZZZZZ"],
        ["draft", "send", "ZZZZZZ"],
        ["account", "show", "nope"],
        ["provider", "show", "nope"],
    ):
        assert tui_mailer(*words).code == 66


def test_history_is_searched_paged_and_purged(tui_mailer: TuiMailer) -> None:
    """Words find a message, pages go on where the last ended, deleting really deletes."""
    ids = [send(tui_mailer, subject=f"Report {number}")["id"] for number in range(3)]
    assert [each["id"] for each in tui_mailer("history", "search", "report", "to:ada", "--json").json] == ids[::-1]
    first = tui_mailer("history", "list", "--limit", "2", "--json").json
    rest = tui_mailer("history", "list", "--limit", "2", "--before", first[-1]["id"], "--json").json
    assert [each["id"] for each in first + rest] == ids[::-1]
    assert tui_mailer("history", "delete", ids[0]).code == 0
    assert tui_mailer("history", "show", ids[0]).code == 66
    assert tui_mailer("history", "purge", "--before", "90d", "--json").json["deleted"] == 0
    assert tui_mailer("history", "purge", "--before", "in 3 days").code == 65


def test_a_draft_is_kept_shown_sent_and_gone(tui_mailer: TuiMailer, tmp_path: Path) -> None:
    """A draft may be incomplete; sending it seals it and takes it off the list."""
    attached = tmp_path / "plan.txt"
    attached.write_text("plan")
    stored = tui_mailer("draft", "new", "--subject", "Plan", "--attach", attached, "--json").json
    assert tui_mailer("draft", "send", stored["id"]).code == 65
    assert [each["id"] for each in tui_mailer("draft", "list", "--json").json] == [stored["id"]]
    assert str(attached) in tui_mailer("draft", "show", stored["id"][-5:]).out
    full = tui_mailer("draft", "new", "--to", "a@example.org", "--subject", "P", "--attach", attached, "--json").json
    sent = tui_mailer("draft", "send", full["id"], "--json")
    assert (sent.code, sent.json["state"]) == (0, "sent")
    assert sent.json["attachments"][0]["name"] == "plan.txt"
    assert tui_mailer("draft", "delete", stored["id"]).code == 0
    assert tui_mailer("draft", "list", "--json").json == []


def test_mail_of_a_held_account_waits_untouched_and_exits_77(tui_mailer: TuiMailer) -> None:
    """A held account keeps its mail: nothing is tried, and after the release it goes out."""
    assert tui_mailer("account", "hold", "local").code == 0
    run = tui_mailer("send", "--to", "a@example.org", "--subject", "x", "--body", "x", "--json")
    assert (run.code, run.json["state"], run.json["attempts"]) == (77, "queued", 0)
    assert run.json["held_reason"] == "held by you"
    assert "account release local" in run.err
    assert tui_mailer("account", "list", "--json").json[0]["held"]["reason"] == "held by you"
    assert "1 wait" in tui_mailer("account", "release", "local").err
    assert tui_mailer("outbox", "flush").code == 0


def test_control_characters_never_reach_the_terminal(tui_mailer: TuiMailer) -> None:
    """Escape sequences in what others wrote are taken out of tables, sentences and errors."""
    hostile = "\x1b]0;owned\x07\x9b2J"
    stored = tui_mailer("draft", "new", "--subject", f"a{hostile}b", "--to", hostile, "--body", hostile, "--json")
    for words in (
        ["draft", "list"],
        ["draft", "show", stored.json["id"]],
        ["draft", "send", stored.json["id"]],
        [hostile],
    ):
        run = tui_mailer(*words)
        assert not set("\x1b\x07\x9b") & set(run.out + run.err)
    assert not set("\x1b\x07\x9b") & set(stored.out)


def test_the_data_dir_is_the_owners_alone(tui_mailer: TuiMailer, tmp_path: Path) -> None:
    """Whatever the umask, nobody else can read what is stored."""
    assert tui_mailer("--data-dir", tmp_path / "data", "draft", "new", "--body", "x").code == 0
    assert not [path for path in (tmp_path / "data", *(tmp_path / "data").rglob("*")) if path.stat().st_mode & 0o077]


def test_a_data_dir_that_cannot_be_used_is_73(tui_mailer: TuiMailer, tmp_path: Path) -> None:
    """Where nothing can be stored, nothing is promised."""
    (tmp_path / "file").write_text("")
    run = tui_mailer("--data-dir", tmp_path / "file", "send", "--to", "a@example.org", "--body", "x")
    assert run.code == 73
    assert "isn't" in run.err or "is not" in run.err


def test_the_doctor_finds_nothing_wrong_here_but_says_that_mail_stays(tui_mailer: TuiMailer) -> None:
    """On a fresh machine all is well, and mail is sent to nobody."""
    run = tui_mailer("doctor", "--json")
    assert (run.code, run.json["ok"]) == (0, True)
    warnings = [check["text"] for check in run.json["checks"] if check["level"] == "warning"]
    assert any("sent to nobody" in text for text in warnings)
