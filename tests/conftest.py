"""Fixtures for every test: nothing of the developer's own machine gets in, and nothing of a test gets out."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def shut_out_the_developer(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Gives each test an empty home, no session bus, no proxy, and a fixed zone."""
    home = tmp_path_factory.mktemp("home")
    for name in ("CONFIG", "DATA", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("TZ", "Europe/Berlin")
    for name in (
        "DBUS_SESSION_BUS_ADDRESS",
        "XDG_RUNTIME_DIR",
        "TUI_MAILER_CONFIG",
        "TUI_MAILER_DATA_DIR",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "NO_COLOR",
        "EDITOR",
        "VISUAL",
        "PYTHON_KEYRING_BACKEND",
        "SSH_CONNECTION",
    ):
        monkeypatch.delenv(name, raising=False)
    return home
