"""Damage to the databases: the remedy a person is told works, and what was sent is said to be sent."""

from __future__ import annotations

import json
import os
from pathlib import Path

from program_run import TuiMailer

SEND = ("send", "--to", "bob@example.org", "--body", "x", "--json")


def damage(data_dir: Path, name: str) -> None:
    """Overwrites a database's pages."""
    (data_dir / name).write_bytes(os.urandom(30_000))


def test_rebuild_is_the_remedy_for_a_damaged_outbox(tui_mailer: TuiMailer, tmp_path: Path) -> None:
    """What was queued comes back, held, by the command that the error names; then it can be sent."""
    data = ("--data-dir", str(tmp_path / "data"))
    queued = tui_mailer(*SEND, "--queue", *data).json["id"]
    damage(tmp_path / "data", "outbox.db")
    refused = tui_mailer("outbox", "list", *data)
    assert (refused.code, "tui-mailer outbox rebuild" in refused.err) == (73, True)
    rebuilt = tui_mailer("outbox", "rebuild", "--json", *data)
    assert (rebuilt.code, rebuilt.json) == (0, {"restored": 1})
    (held,) = tui_mailer("outbox", "list", "--json", *data).json
    assert (held["id"], held["state"]) == (queued, "held")
    assert tui_mailer("outbox", "release", queued, *data).code == 0
    assert [each["state"] for each in tui_mailer("outbox", "flush", "--json", *data).json] == ["sent"]


def test_rebuild_with_a_bad_configuration_is_78(tui_mailer: TuiMailer, tmp_path: Path) -> None:
    """A bad configuration is told before anything is touched."""
    config = tmp_path / "config.yaml"
    config.write_text(json.dumps({"nonsense": 1}))
    assert tui_mailer("outbox", "rebuild", "--config", config, "--data-dir", tmp_path / "data").code == 78


def test_what_was_sent_is_0_though_the_history_cant_take_it(tui_mailer: TuiMailer, tmp_path: Path) -> None:
    """Trouble after the delivery isn't "not yet": a script that believed that would wait for a second one."""
    data = ("--data-dir", str(tmp_path / "data"))
    assert tui_mailer(*SEND, *data).code == 0
    damage(tmp_path / "data", "history.db")
    sent = tui_mailer(*SEND, *data)
    assert (sent.code, sent.json["state"]) == (0, "sent")
    assert "history.db" in sent.err
