"""The example that ships with the program, and the reference in the manual: complete, valid and in step."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tui_mailer.accounts import schema
from tui_mailer.accounts.configuration import Paths
from tui_mailer.accounts.document import parse
from tui_mailer.accounts.load import load
from tui_mailer.providers import registry

ROOT = Path(__file__).parents[2]
EXAMPLE = (ROOT / "config.example.yaml").read_text(encoding="utf-8")
OUR_TABLES = {
    "compose": schema.COMPOSE,
    "delivery": schema.DELIVERY,
    "sendmail": schema.SENDMAIL,
    "ui": schema.UI,
}


def all_switched_on() -> str:
    return re.sub(r"^( *)#(?=\w)", r"\1", EXAMPLE, flags=re.MULTILINE)


@pytest.mark.parametrize("text", [EXAMPLE, all_switched_on()], ids=["as shipped", "all switched on"])
def test_the_example_is_valid(text: str, tmp_path: Path) -> None:
    """The example can be used as it is, and with every setting in it switched on."""
    path = tmp_path / "config.yaml"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    configuration = load(Paths(config_file=path, data_dir=tmp_path, state_dir=tmp_path, cache_dir=tmp_path / "cache"))
    for account in configuration.accounts.values():
        registry.load(account.provider).Settings.model_validate(dict(account.settings))


def test_the_example_shows_every_key() -> None:
    """There is no key that the example doesn't show."""
    document = parse(all_switched_on(), Path("config.example.yaml"))
    assert document
    shown = document.plain()
    assert isinstance(shown, dict)
    assert set(shown) == set(schema.SECTIONS)
    for section, table in OUR_TABLES.items():
        assert set(shown[section]) == set(table), section
    assert set(shown["history"]["keep"]) == set(schema.KEEP)
    in_accounts = {key for account in shown["accounts"].values() for key in account}
    named_by_the_design = {"auth", "ehlo", "insecure_auth", "fingerprint", "host", "port", "security", "username"}
    assert in_accounts >= set(schema.ACCOUNT) | named_by_the_design


def test_the_manual_names_every_key() -> None:
    """The reference in the manual has a row for each key."""
    manual = (ROOT / "docs/configuration.md").read_text(encoding="utf-8")
    rows = set(re.findall(r"`([a-z_.]+)`", "".join(re.findall(r"^\|[^|]*\|", manual, flags=re.MULTILINE))))
    keys = {*schema.ACCOUNT, *schema.SECTIONS, *(f"keep.{key}" for key in schema.KEEP)}
    for table in OUR_TABLES.values():
        keys |= set(table)
    assert keys <= rows
