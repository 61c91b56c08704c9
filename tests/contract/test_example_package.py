"""A provider from somebody else's package works like ours, and the page that teaches how to write it shows its code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from http_lab import HttpLab
from rules_pigeon import CASE, PigeonRules

from tui_mailer.providers.testing import SECRET
from tui_mailer.services.provider_guide import page

ROOT = Path(__file__).parents[2]
PACKAGE = Path(__file__).with_name("pigeon_package")


@pytest.fixture
def installed(tmp_path: Path) -> dict[str, str]:
    """The environment of a program beside which the package is installed, as pip leaves it."""
    project = tomllib.loads((PACKAGE / "pyproject.toml").read_text())["project"]
    site = tmp_path / "site"
    metadata = site / f"pigeon_post-{project['version']}.dist-info"
    metadata.mkdir(parents=True)
    (site / "pigeon_post.py").write_text((PACKAGE / "pigeon_post.py").read_text())
    (metadata / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    (point,) = project["entry-points"]["tui_mailer.providers"].items()
    (metadata / "entry_points.txt").write_text("[tui_mailer.providers]\n{} = {}\n".format(*point))
    return {**os.environ, "PYTHONPATH": str(site)}


def run(environment: dict[str, str], folder: Path, *arguments: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "tui_mailer", "--data-dir", str(folder / "data"), *arguments]
    outcome = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=ROOT)
    return outcome.returncode, outcome.stdout + outcome.stderr


async def test_it_is_listed_shown_and_sends(installed: dict[str, str], tmp_path: Path) -> None:
    """Installed beside ours, it is listed, tells its settings, tests its account and delivers."""
    import asyncio

    async with HttpLab(PigeonRules()) as lab:
        config = tmp_path / "config.yaml"
        key = tmp_path / "key"
        key.write_text(SECRET)
        key.chmod(0o600)
        config.write_text(
            "accounts:\n  birds:\n    provider: pigeon\n    from: Ada <ada@example.org>\n    loft: tower\n"
            f"    base_url: {lab.url}\n    credential: {{file: {key}}}\n"
        )
        config.chmod(0o600)

        async def tui_mailer(*arguments: str) -> tuple[int, str]:
            return await asyncio.to_thread(run, installed, tmp_path, "--config", str(config), *arguments)

        assert "pigeon" in (await tui_mailer("provider", "list"))[1]
        shown = json.loads((await tui_mailer("provider", "show", "pigeon", "--json"))[1])
        assert "loft" in [one["name"] for one in shown["settings"]]
        code, said = await tui_mailer("account", "test", "birds")
        assert (code, "ada@example.org" in said) == (0, True)
        mail = ("send", "--to", "bob@example.net", "--subject", "Tea", "--body", "At four?", "--option", "breed=racing")
        code, said = await tui_mailer(*mail, "--json")
        assert code == 0, said
        assert lab.rules.stored[0]["breed"] == "racing"
        code, said = await tui_mailer(*mail[:-1], "bread=x")
        assert code == 65
        assert "breed" in said
        config.write_text(config.read_text().replace("loft: tower", "lift: tower"))
        code, said = await tui_mailer("outbox", "list")
        assert code == 78
        assert f"{config}:5: account 'birds': provider 'pigeon' has no key 'lift'" in said


def test_the_page_shows_the_code_that_is_tested() -> None:
    """Whoever follows the page gets what the tests have tried."""
    shown = (ROOT / "docs" / "adding-a-provider.md").read_text()
    assert (PACKAGE / "pigeon_post.py").read_text() in shown
    assert (PACKAGE / "pyproject.toml").read_text().split("[project.entry-points")[1].split("\n\n")[0] in shown
    assert CASE.provider.name == "pigeon"


def test_the_table_of_providers_is_up_to_date() -> None:
    """docs/providers.md says what the code says."""
    assert (ROOT / "docs" / "providers.md").read_text() == page(), (
        "run: python -m tui_mailer.services.provider_guide > docs/providers.md"
    )
