"""The program run in this process, as a script calls it, on an empty home with the embedded account."""

from __future__ import annotations

from pathlib import Path

import pytest
from program_run import Run, TuiMailer

from tui_mailer.cli.main import main


@pytest.fixture
def tui_mailer(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> TuiMailer:
    """Calls the program; ``stdin`` is given to it as a file."""

    def run(*words: str | Path, stdin: bytes | None = None) -> Run:
        source = tmp_path / "stdin"
        source.write_bytes(stdin or b"")
        capfd.readouterr()
        with source.open(encoding="utf-8") as opened, monkeypatch.context() as patch:
            if stdin is not None:
                patch.setattr("sys.stdin", opened)
            code = main([str(word) for word in words])
        captured = capfd.readouterr()
        return Run(code, captured.out, captured.err)

    return run


@pytest.fixture
def maildir(shut_out_the_developer: Path) -> Path:
    """Where the embedded account keeps its mail."""
    return shut_out_the_developer / "data" / "tui-mailer" / "Maildir" / "new"
