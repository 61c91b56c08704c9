"""``merge``: every row once, whatever interrupts it; what is missing is refused before anything is queued."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from program_run import TuiMailer

from tui_mailer.cli import merge
from tui_mailer.cli.merge import rate
from tui_mailer.cli.merge_result import ResultFile
from tui_mailer.cli.merge_source import Row, parse_template, read_rows
from tui_mailer.domain.draft import BodyFormat, DraftAttachment
from tui_mailer.domain.errors import InvalidMessage

TEMPLATE = 'To: "${name}" <${email}>\nSubject: Hello ${name}\n\nDear ${name}, that makes $$5.\n'


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """A template file."""
    path = tmp_path / "invite.txt"
    path.write_text(TEMPLATE)
    return path


@pytest.fixture
def guests(tmp_path: Path) -> Path:
    """A table of three."""
    path = tmp_path / "guests.csv"
    path.write_text('name,email\nAda,ada@example.org\n"Last, First",bob@example.org\nCy,cy@example.org\n')
    return path


def results(table: Path) -> list[dict]:
    """Reads the result file."""
    return [json.loads(line) for line in table.with_name(table.name + ".result.jsonl").read_text().splitlines()]


def test_each_row_is_a_message_of_its_own(tui_mailer: TuiMailer, template: Path, guests: Path, maildir: Path) -> None:
    """Columns go where the template names them, and the result file has a line a row."""
    run = tui_mailer("merge", template, "--data", guests, "--json")
    assert (run.code, run.json["states"], run.json["new"]) == (0, {"sent": 3}, 3)
    texts = sorted(path.read_text() for path in maildir.iterdir())
    assert any('To: "Last, First" <bob@example.org>' in text for text in texts)
    assert all("that makes $5." in text for text in texts)
    assert [(line["row"], line["state"], line["error"]) for line in results(guests)] == [
        (1, "sent", None),
        (2, "sent", None),
        (3, "sent", None),
    ]


def test_a_rerun_goes_on_and_doubles_nothing(
    tui_mailer: TuiMailer, template: Path, guests: Path, maildir: Path
) -> None:
    """After a first part, the whole, and rows added or mended, each row has gone out once."""
    assert tui_mailer("merge", template, "--data", guests, "--limit", "1", "--json").json["new"] == 1
    again = tui_mailer("merge", template, "--data", guests, "--json").json
    assert (again["new"], again["already"]) == (2, 1)
    guests.write_text("name,email\nNew,new@example.org\n" + guests.read_text().partition("\n")[2])
    added = tui_mailer("merge", template, "--data", guests, "--json").json
    assert (added["new"], added["already"]) == (1, 3)
    assert len(list(maildir.iterdir())) == 4
    assert tui_mailer("merge", template, "--data", guests, "--run", "second", "--json").json["new"] == 4


@pytest.fixture
def at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A person is there to be asked."""
    monkeypatch.setattr(merge, "is_interactive", lambda: True)


@pytest.mark.parametrize("said", [(), ("--again",)])
def test_equal_rows_are_each_sent(tui_mailer: TuiMailer, template: Path, tmp_path: Path, said: tuple[str, ...]) -> None:
    """In a script, or with --again, two equal rows are two messages, and still two after a rerun; it is told."""
    table = tmp_path / "twice.csv"
    table.write_text("name,email\n" + 2 * "Ada,ada@example.org\n")
    done = tui_mailer("merge", template, "--data", table, *said, "--json")
    assert (done.code, done.json["new"]) == (0, 2)
    assert "Row 2 is the same message to ada@example.org as row 1: they would get it twice." in done.err
    assert tui_mailer("merge", template, "--data", table, "--json").json["new"] == 0


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("name\nAda\n", "Row 1: There is no value for ${email}"),
        ("name,email\nAda,a@example.org\nBob\n", "Row 2: 1 values for 2 columns"),
        ("name,name\nAda,Bob\n", "is there twice"),
        ("name,email\n", "There are no rows"),
        ('name,email\n"Ada,a@example.org\n', "Row 1"),
    ],
)
def test_a_table_that_does_not_fit_is_refused_whole(
    tui_mailer: TuiMailer, template: Path, tmp_path: Path, table: str, said: str
) -> None:
    """Nothing is queued when any row lacks what the template needs."""
    path = tmp_path / "table.csv"
    path.write_text(table)
    run = tui_mailer("merge", template, "--data", path)
    assert run.code == 65
    assert said in run.err
    assert tui_mailer("history", "list", "--json").json == []


def test_on_error_stops_continues_or_reports(tui_mailer: TuiMailer, template: Path, tmp_path: Path) -> None:
    """stop ends at the failing row with its error, continue exits 69, report exits 0."""
    table = tmp_path / "table.csv"
    table.write_text("name,email\nBad,not-an-address\nAda,ada@example.org\n")
    stopped = tui_mailer("merge", template, "--data", table, "--json")
    assert (stopped.code, stopped.json["handled"], stopped.json["stopped"]) == (65, 1, True)
    continued = tui_mailer("merge", template, "--data", table, "--on-error", "continue", "--json")
    assert (continued.code, continued.json["states"]) == (69, {"refused": 1, "sent": 1})
    assert continued.json["failures"][0]["row"] == 1
    assert tui_mailer("merge", template, "--data", table, "--on-error", "report").code == 0
    assert [line["state"] for line in results(table)] == [None, "sent"]


def test_a_dry_run_shows_and_stores_nothing(tui_mailer: TuiMailer, template: Path, guests: Path) -> None:
    """The first row is shown as it would go out; nothing is stored, no result is written."""
    run = tui_mailer("merge", template, "--data", guests, "--dry-run", "--json")
    assert (run.code, [view["row"] for view in run.json]) == (0, [1])
    assert tui_mailer("history", "list", "--json").json == []
    assert not guests.with_name("guests.csv.result.jsonl").exists()


def test_a_table_cannot_attach_files_from_elsewhere(tui_mailer: TuiMailer, tmp_path: Path) -> None:
    """A row may name a file beside the template, not any file of this computer."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "ok.txt").write_text("x")
    (tmp_path / "outside.txt").write_text("x")
    template = tmp_path / "in" / "t.txt"
    template.write_text("To: ada@example.org\nSubject: x\nAttach: ${file}\n\nx\n")
    table = tmp_path / "files.jsonl"
    table.write_text('{"file": "ok.txt"}\n')
    assert tui_mailer("merge", template, "--data", table).code == 0
    for path in ("../outside.txt", "/etc/hostname"):
        table.write_text(json.dumps({"file": path}) + "\n")
        run = tui_mailer("merge", template, "--data", table)
        assert run.code == 65
        assert "outside the template's directory" in run.err


def test_a_stored_draft_is_a_template_too(tui_mailer: TuiMailer, guests: Path) -> None:
    """A draft's ID stands for a template, and the draft stays."""
    draft = tui_mailer("draft", "new", "--to", "${email}", "--subject", "x", "--body", "${name}", "--json").json["id"]
    assert tui_mailer("merge", draft, "--data", guests, "--json").json["new"] == 3
    assert [each["id"] for each in tui_mailer("draft", "list", "--json").json] == [draft]
    assert tui_mailer("merge", "nothing.txt", "--data", guests).code == 66


def test_a_template_file_is_headers_and_a_body() -> None:
    """Each header line has its place; others become headers of the message."""
    draft = parse_template(
        "From: a@x\nTo: b@x,\n c@x\nTo: d@x\nSubject: s\nFormat: markdown\nAttach: f.pdf\nTag: t=1\nMeta: k=v\n"
        "X-One: 1\nAt: tomorrow\n\nBody\n\nmore: text\n",
        "t",
    )
    assert (draft.sender, draft.to, draft.subject) == ("a@x", "b@x, c@x, d@x", "s")
    assert (draft.body_format, draft.schedule, draft.body) == (BodyFormat.MARKDOWN, "tomorrow", "Body\n\nmore: text\n")
    assert draft.attachments == (DraftAttachment(source="f.pdf"),)
    assert (draft.tags, dict(draft.metadata), draft.headers) == ((("t", "1"),), {"k": "v"}, (("X-One", "1"),))
    with pytest.raises(InvalidMessage, match="t:2"):
        parse_template("To: a@x\nno header at all\n\nbody", "t")


def test_json_lines_give_plain_values(tmp_path: Path) -> None:
    """Text stays, numbers and booleans are written as JSON, null is empty; anything nested is refused."""
    table = tmp_path / "t.jsonl"
    table.write_text('{"a": "x", "b": 1.5, "c": true, "d": null}\n\n{"a": "y"}\n')
    assert read_rows(table) == [
        Row(number=1, values={"a": "x", "b": "1.5", "c": "true", "d": ""}),
        Row(number=2, values={"a": "y"}),
    ]
    table.write_text('{"a": [1]}\n')
    with pytest.raises(InvalidMessage, match="Line 1"):
        read_rows(table)


def test_a_rate_is_seconds_between_rows() -> None:
    """60/min is one a second."""
    assert (rate("60/min"), rate("2/s"), rate("30/h"), rate("6")) == (1.0, 0.5, 120.0, 10.0)


def failing(tmp_path: Path) -> Path:
    """A table whose first row can't be sent."""
    table = tmp_path / "table.csv"
    table.write_text("name,email\nBad,not-an-address\nAda,ada@example.org\n")
    return table


def test_without_a_result_the_errors_are_in_the_log_alone(
    tui_mailer: TuiMailer, template: Path, tmp_path: Path, shut_out_the_developer: Path
) -> None:
    """--no-result writes no file and tells no row's error; the log, which only its owner can read, has them."""
    table = failing(tmp_path)
    run = tui_mailer("merge", template, "--data", table, "--on-error", "continue", "--no-result", "--json")
    assert (run.code, run.json["failed"], run.json["failures"], run.json["result_file"]) == (69, 1, [], None)
    assert "not-an-address" not in run.err
    assert not list(tmp_path.glob("*.result.jsonl*"))
    (log,) = shut_out_the_developer.rglob("merge.log")
    assert "table.csv Row 1: " in log.read_text()
    assert "not-an-address" in log.read_text()
    assert log.stat().st_mode & 0o077 == 0
    assert str(log) in run.err


def test_a_result_goes_where_it_is_wanted(tui_mailer: TuiMailer, template: Path, guests: Path, tmp_path: Path) -> None:
    """--result names the file; each line has the row's status code, Message-ID and error."""
    wanted = tmp_path / "out.jsonl"
    run = tui_mailer("merge", template, "--data", guests, "--result", wanted, "--json")
    assert run.json["result_file"] == str(wanted)
    lines = [json.loads(line) for line in wanted.read_text().splitlines()]
    assert [set(line) for line in lines] == [{"row", "id", "state", "code", "message_id", "error"}] * 3
    assert all(line["message_id"].startswith("<") for line in lines)
    assert not guests.with_name("guests.csv.result.jsonl").exists()


def test_a_result_that_cannot_be_written_is_told_before_anything_is_queued(
    tui_mailer: TuiMailer, template: Path, guests: Path, tmp_path: Path
) -> None:
    """A result file in a folder that isn't there: nothing is queued."""
    run = tui_mailer("merge", template, "--data", guests, "--result", tmp_path / "none" / "out.jsonl")
    assert run.code == 74
    assert "Nothing was queued" in run.err
    assert tui_mailer("history", "list", "--json").json == []


def test_a_second_merge_into_one_result_waits_its_turn(
    tui_mailer: TuiMailer, template: Path, guests: Path, maildir: Path
) -> None:
    """Two runs never mix their lines: the second is refused before it queues anything, and works after the first."""
    with ResultFile(guests.with_name(guests.name + ".result.jsonl")):
        refused = tui_mailer("merge", template, "--data", guests)
        assert (refused.code, maildir.exists()) == (74, False)
        assert "Another merge is writing this result now. Nothing was queued" in refused.err
    assert tui_mailer("merge", template, "--data", guests).code == 0
    assert len(results(guests)) == 3


def test_variables_go_into_every_field(tui_mailer: TuiMailer, tmp_path: Path) -> None:
    """Recipients, subject, body, headers, metadata, tags, notes: a row fills in all of them."""
    template = tmp_path / "t.txt"
    template.write_text(
        "To: ${email}\nCc: ${email}.cc\nReply-To: ${email}.rt\nSubject: ${name}\nNote: n ${name}\nMeta: who=${name}\n"
        "X-Who: ${name}\n\n${name}\n"
    )
    table = tmp_path / "one.jsonl"
    table.write_text('{"name": "Ada", "email": "ada@example.org"}\n')
    shown = tui_mailer("merge", template, "--data", table, "--json")
    assert shown.code == 0, shown.err
    submission = tui_mailer("history", "list", "--json").json[0]
    assert (submission["subject"], submission["note"], submission["metadata"]) == ("Ada", "n Ada", {"who": "Ada"})
    assert submission["cc"] == ["ada@example.org.cc"]


@pytest.mark.usefixtures("at_a_terminal")
def test_equal_rows_are_told_before_anything_goes(tui_mailer: TuiMailer, template: Path, tmp_path: Path) -> None:
    """The same message twice to one person is refused until it is said whether it is wanted once or twice."""
    table = tmp_path / "twice.csv"
    table.write_text("id,name,email\n1,Ada,ada@example.org\n2,Bob,bob@example.org\n3,Ada,ada@example.org\n")
    shown = tui_mailer("merge", template, "--data", table, "--dry-run")
    assert (shown.code, "Row 3 is the same message to ada@example.org as row 1" in shown.err) == (0, True)
    assert "it is asked which you want: --only-new" in shown.err
    refused = tui_mailer("merge", template, "--data", table)
    assert refused.code == 65
    assert "Nothing was queued. --only-new leaves these rows out; --again sends them as well." in refused.err
    assert tui_mailer("history", "list", "--json").json == []
    once = tui_mailer("merge", template, "--data", table, "--only-new", "--json").json
    assert (once["rows"], once["new"], once["left_out"]) == (3, 2, 1)
    assert tui_mailer("merge", template, "--data", table, "--again", "--json").json["new"] == 1


@pytest.mark.usefixtures("at_a_terminal")
def test_a_text_mended_between_two_runs_goes_to_nobody_again_unasked(
    tui_mailer: TuiMailer, template: Path, guests: Path, maildir: Path
) -> None:
    """After a slip in the template was mended, those who had the first text are told; --only-new leaves them out."""
    assert tui_mailer("merge", template, "--data", guests, "--limit", "2").code == 0
    template.write_text(TEMPLATE.replace("Dear", "Dearest"))
    refused = tui_mailer("merge", template, "--data", guests, "--no-result")
    assert refused.code == 65
    assert "2 rows go to people whom an earlier run of this merge has written to with another text" in refused.err
    assert "row 1: ada@example.org" in refused.err
    assert len(list(maildir.iterdir())) == 2
    rest = tui_mailer("merge", template, "--data", guests, "--only-new", "--json").json
    assert (rest["new"], rest["left_out"]) == (1, 2)
    again = tui_mailer("merge", template, "--data", guests, "--again", "--json").json
    assert (again["new"], again["already"]) == (2, 1)
    assert tui_mailer("merge", template, "--data", guests, "--json").json["new"] == 0


@pytest.mark.usefixtures("at_a_terminal")
def test_only_who_has_had_a_text_is_asked_about(tui_mailer: TuiMailer, template: Path, guests: Path) -> None:
    """What was canceled before it left, another run's name and two different letters to one person are no repeats."""
    assert tui_mailer("merge", template, "--data", guests, "--queue").code == 0
    for one in tui_mailer("outbox", "list", "--json").json:
        tui_mailer("outbox", "cancel", one["id"])
    template.write_text(TEMPLATE.replace("Dear", "Dearest"))
    assert tui_mailer("merge", template, "--data", guests, "--json").json["new"] == 3
    template.write_text(TEMPLATE.replace("Dear", "My dear"))
    assert tui_mailer("merge", template, "--data", guests, "--run", "second", "--json").json["new"] == 3
    guests.write_text("name,email\nOne,ada@example.net\nTwo,ada@example.net\n")
    assert tui_mailer("merge", template, "--data", guests, "--limit", "1", "--json").json["new"] == 1
    both = tui_mailer("merge", template, "--data", guests, "--json")
    assert (both.code, both.json["new"]) == (0, 1)
    assert "1 person gets more than one message, each with another text (ada@example.net)" in both.err


def test_rows_deleted_from_the_history_are_still_sent_once(
    tui_mailer: TuiMailer, template: Path, guests: Path, maildir: Path
) -> None:
    """After the history was purged a rerun goes on past those rows, and a changed text is asked about all the same."""
    assert tui_mailer("merge", template, "--data", guests, "--limit", "2").code == 0
    for one in tui_mailer("history", "list", "--json").json:
        tui_mailer("history", "delete", one["id"])
    rest = tui_mailer("merge", template, "--data", guests, "--json")
    assert (rest.code, rest.json["new"], rest.json["already"], rest.json["failed"]) == (0, 1, 2, 0)
    assert rest.json["states"] == {"deleted": 2, "sent": 1}
    assert [line["state"] for line in results(guests)] == [None, None, "sent"]
    assert len(list(maildir.iterdir())) == 3
    template.write_text(TEMPLATE.replace("Dear", "Dearest"))
    assert "3 rows go to people" in tui_mailer("merge", template, "--data", guests).err


def test_who_gets_a_copy_of_every_row_is_no_repeat(tui_mailer: TuiMailer, template: Path, guests: Path) -> None:
    """An address that stands in the template itself is the same for every row."""
    template.write_text("Cc: boss@example.org\n" + TEMPLATE)
    first = tui_mailer("merge", template, "--data", guests, "--limit", "1")
    assert "more than one" not in first.err
    assert tui_mailer("merge", template, "--data", guests, "--json").json["new"] == 2


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_table_of_any_spreadsheet_is_read(tmp_path: Path, separator: str) -> None:
    """Semicolons and tabs between the columns are seen by the first line."""
    table = tmp_path / "t.csv"
    table.write_text(f'name{separator}sum\n"Ada, L; x"{separator}"1,5"\n')
    assert read_rows(table) == [Row(number=1, values={"name": "Ada, L; x", "sum": "1,5"})]


@pytest.mark.parametrize("place", ["{{name}}", "{{ name }}", "{name}"])
def test_places_of_other_programs_are_refused_with_the_way_to_write_them(
    tui_mailer: TuiMailer, template: Path, guests: Path, place: str
) -> None:
    """What would go out as it stands is refused before anything is queued; braces that name no column stay."""
    template.write_text(f"To: ${{email}}\nSubject: x {{other}} $${{name}}\n\nDear {place}\n")
    run = tui_mailer("merge", template, "--data", guests)
    assert run.code == 65
    assert f"Row 1: '{place}' isn't replaced here: write ${{name}}." in run.err
    template.write_text("To: ${email}\nSubject: x {other} $${name}\n\nDear\n")
    assert tui_mailer("merge", template, "--data", guests).code == 0
