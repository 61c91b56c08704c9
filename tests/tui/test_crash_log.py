"""An error of our own ends in one sentence and a log, neither of which gives a secret away."""

from __future__ import annotations

import io
from contextlib import redirect_stderr
from pathlib import Path

import pytest
from app_stage import configuration_of, paths_in

from tui_mailer.accounts.credential import Credentials
from tui_mailer.services.crash_log import LOG_NAME, crash_sentence, redact, write_crash_log
from tui_mailer.tui.app import make_app

SECRET = "hunter2-Zq8Jx1Lk5Vw3Ty7Nb0Mc9Pd4"


@pytest.mark.parametrize(
    "text",
    [
        f"password={SECRET}",
        f"'api_key': '{SECRET}'",
        f"Authorization: Bearer {SECRET}",
        f"AUTH PLAIN {SECRET}",
        f"https://ada:{SECRET}@smtp.example.org/",
        f"token {SECRET}",
    ],
)
def test_what_could_be_a_secret_is_removed(text: str) -> None:
    """After telling words, in addresses, and long opaque words on their own."""
    assert SECRET not in redact(text)


def test_plain_words_stay() -> None:
    """A log of nothing but [removed] would help nobody."""
    assert redact("can't read /home/ada/config.yaml line 3") == "can't read /home/ada/config.yaml line 3"


def test_the_log_names_the_place_and_no_local_variable(tmp_path: Path) -> None:
    """File, line, function, and the error's own words, redacted; mode 0600."""

    def fail() -> None:
        local_variable = SECRET  # noqa: F841
        raise ValueError(f"password={SECRET}")

    try:
        fail()
    except ValueError as error:
        path = write_crash_log(tmp_path, error)
    assert path is not None
    text = path.read_text()
    assert "fail" in text
    assert "ValueError" in text
    assert SECRET not in text
    assert path.stat().st_mode & 0o777 == 0o600


def test_without_a_log_the_sentence_says_so(tmp_path: Path) -> None:
    """A state dir that can't be written doesn't make it worse."""
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert write_crash_log(blocked / "state", ValueError("x")) is None
    assert "No log could be written" in crash_sentence(None)


async def test_a_bug_in_the_app_prints_one_sentence_and_no_locals(tmp_path: Path) -> None:
    """Textual's own crash screen would print the local variables; ours names the log and exits 70."""
    app = make_app(configuration=configuration_of(), paths=paths_in(tmp_path), credentials=Credentials())

    def explode() -> None:
        local_variable = SECRET  # noqa: F841
        raise RuntimeError("a bug")

    printed = io.StringIO()

    async def run() -> None:
        async with app.run_test() as pilot:
            app.error_console.file = printed
            app.call_later(explode)
            await pilot.pause()

    with redirect_stderr(printed), pytest.raises(RuntimeError, match="a bug"):
        await run()
    app.desk.stop_engine(grace_seconds=1)
    app.desk.close()
    said = " ".join(printed.getvalue().split())
    assert "met an error of its own" in said
    assert SECRET not in said
    assert "Traceback" not in said
    assert app.return_code == 70
    assert "RuntimeError: a bug" in (tmp_path / "state" / LOG_NAME).read_text()
