"""What is loaded before the first frame: nothing that a person would wait for."""

from __future__ import annotations

import subprocess
import sys

HEAVY = (
    *("tui_mailer.providers.base", "tui_mailer.services.event", "tui_mailer.storage.record", "tui_mailer.tui.watch"),
    "aiosmtplib",
    "apsw",
    "email.message",
    "httpx",
    "idna",
    "keyring",
    "markdown_it",
    "pydantic",
    "ruamel",
    "zoneinfo",
)


def test_the_app_is_imported_without_what_only_sending_needs() -> None:
    """Store, network, keyring, models and YAML come after the first frame."""
    asked = "import sys; import tui_mailer.tui.app; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True, timeout=60)
    assert set(done.stdout.split()) & set(HEAVY) == set()
