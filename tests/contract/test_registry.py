"""Providers are found by name, ours and those of other packages."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from tui_mailer.domain.errors import ConfigurationError, NotFound
from tui_mailer.providers import registry


def offer(monkeypatch: pytest.MonkeyPatch, *plugins: tuple[str, str]) -> None:
    """Pretends that packages with these entry points are installed."""
    points = [EntryPoint(name=name, value=value, group=registry.ENTRY_POINT_GROUP) for name, value in plugins]
    monkeypatch.setattr(registry, "entry_points", lambda group: points)


def test_our_own_are_always_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Our own providers work from a checkout, though no package is installed."""
    offer(monkeypatch)
    assert {"maildir", "smtp"} <= set(registry.names())
    assert [registry.load(name).name for name in registry.names()] == registry.names()


def test_a_package_has_what_a_checkout_has() -> None:
    """Whoever installs the package gets every provider that a checkout has."""
    listed = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())
    assert listed["project"]["entry-points"][registry.ENTRY_POINT_GROUP] == registry._BUILT_IN


def test_names_import_no_provider() -> None:
    """Listing the providers doesn't cost the start-up the import of any."""
    code = (
        "import sys; from tui_mailer.providers import registry; registry.names(); "
        "print([m for m in sys.modules if m.startswith(('aiosmtplib', 'pydantic', 'tui_mailer.providers.smtp'))])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.strip() == "[]"


def test_an_unknown_name_is_told_what_there_is() -> None:
    """Somebody who misspells a provider reads the names that exist."""
    with pytest.raises(NotFound, match=r"no provider 'smpt'.*maildir.* smtp"):
        registry.load("smpt")


def test_a_plugin_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider from another package is listed and loaded by its name."""
    offer(monkeypatch, ("pigeon", "tui_mailer.providers.maildir:MaildirProvider"))
    assert {"maildir", "pigeon", "smtp"} <= set(registry.names())
    assert registry.load("pigeon").name == "maildir"


def test_a_plugin_cannot_replace_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mail of an SMTP account leaves by our code, whatever else is installed."""
    offer(monkeypatch, ("smtp", "json:JSONDecoder"))
    assert registry.load("smtp").name == "smtp"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("no_such_module_at_all:Provider", "ModuleNotFoundError"),
        ("json:NoSuchClass", "AttributeError"),
        ("json:JSONDecoder", "lacks name, Settings"),
        ("json:dumps", "isn't a provider"),
    ],
)
def test_a_broken_plugin_is_told_in_a_sentence(monkeypatch: pytest.MonkeyPatch, value: str, reason: str) -> None:
    """A plug-in that doesn't load is named with the reason, and the others still work."""
    offer(monkeypatch, ("pigeon", value))
    with pytest.raises(ConfigurationError, match=reason) as trouble:
        registry.load("pigeon")
    assert "\n" not in str(trouble.value)
    assert "'pigeon'" in str(trouble.value)
    assert registry.load("maildir").name == "maildir"
