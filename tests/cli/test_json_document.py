"""``docs/json.md`` and the program agree: every key there is printed, and nothing is printed that isn't there."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from program_run import TuiMailer

DOCUMENT = Path(__file__).parents[2] / "docs" / "json.md"
OPEN_MAPPINGS = {"metadata", "variables", "options", "settings", "states"}
"""Keys whose own keys are a person's."""


def documented() -> dict[str, Any]:
    """Reads the example under each heading."""
    sections = re.split(r"(?m)^## ", DOCUMENT.read_text(encoding="utf-8"))[1:]
    found = {section.partition("\n")[0]: re.search(r"```json\n(.*?)```", section, re.DOTALL) for section in sections}
    return {name: json.loads(match[1]) for name, match in found.items() if match}


def shape(value: Any) -> Any:
    """Reduces a document to its keys."""
    if isinstance(value, dict):
        return {
            key: None if key in OPEN_MAPPINGS and isinstance(inner, dict) else shape(inner)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return next((shape(inner) for inner in value if isinstance(inner, dict)), None)
    return None


def assert_same_keys(printed: Any, example: Any, where: str) -> None:
    """Compares keys, and those of whatever both sides show."""
    if isinstance(printed, dict) and isinstance(example, dict):
        assert list(printed) == list(example), where
        for key in printed:
            assert_same_keys(printed[key], example[key], f"{where}.{key}")


@pytest.fixture
def printed(tui_mailer: TuiMailer, tmp_path: Path) -> dict[str, Any]:
    """What the program prints of each shape, filled in as far as it goes."""
    attached = tmp_path / "plan.txt"
    attached.write_text("plan")
    message = ("--to", "bob@example.org", "--subject", "x", "--body", "See the attached file.")
    sent = tui_mailer("send", *message, "--attach", attached, "--json").json
    assert tui_mailer("account", "hold", "local").code == 0
    table = tmp_path / "rows.csv"
    table.write_text("email\nbad\n")
    (tmp_path / "t.txt").write_text("To: ${email}\nSubject: x\n\nx\n")
    drafted = ("draft", "new", *message, "--attach", attached, "--header", "X-One: 1", "--json")
    return {
        "submission": tui_mailer("history", "show", sent["id"], "--json").json,
        "draft": tui_mailer(*drafted).json,
        "account": tui_mailer("account", "show", "local", "--json").json,
        "account test": tui_mailer("account", "test", "local", "--json").json,
        "provider": tui_mailer("provider", "show", "maildir", "--json").json,
        "doctor": tui_mailer("doctor", "--json").json,
        "check": tui_mailer("send", "--check", *message, "--json").json,
        "dry-run": tui_mailer("send", "--dry-run", *message, "--json").json,
        "merge": tui_mailer("merge", tmp_path / "t.txt", "--data", table, "--json").json,
        "service": tui_mailer("service", "status", "--json").json,
        "error": tui_mailer("outbox", "show", "ZZZZZZ", "--json").json,
    }


def test_every_shape_is_documented_as_it_is_printed(printed: dict[str, Any]) -> None:
    """The examples have exactly the keys that the program prints, in their order."""
    examples = documented()
    assert set(examples) == set(printed)
    for name, document in printed.items():
        assert_same_keys(shape(document), shape(examples[name]), name)


def test_a_submission_has_the_types_it_promises(printed: dict[str, Any]) -> None:
    """Addresses are strings, attempts a count, times end in Z, the Message-ID has its brackets."""
    submission = printed["submission"]
    assert isinstance(submission["from"], str)
    assert submission["to"] == ["bob@example.org"]
    assert submission["attempts"] == 1
    assert submission["message_id"].startswith("<")
    assert submission["message_id"].endswith(">")
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", submission["sent_at"])
    assert submission["stored"] is True
    assert len(submission["attachments"][0]["sha256"]) == 64


def test_lists_are_arrays_of_the_same_shape(tui_mailer: TuiMailer, printed: dict[str, Any]) -> None:
    """What a list prints of one is what showing it prints."""
    for words, name in (
        (["history", "list"], "submission"),
        (["draft", "list"], "draft"),
        (["account", "list"], "account"),
        (["provider", "list"], "provider"),
    ):
        first = tui_mailer(*words, "--json").json[0]
        assert list(first) == [key for key in printed[name] if key not in {"attempt_log", "timeline"}]
