"""What a stranger installs: the wheel, and the lock files it is installed with."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile

import pytest
from source_tree import PACKAGE, ROOT, report


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder]
    outcome = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stderr
    return zipfile.ZipFile(next(folder.glob("*.whl")))


def test_the_wheel_holds_the_whole_package(wheel: zipfile.ZipFile) -> None:
    """Every module, SQL file, style sheet and the type marker is in the wheel."""
    files = [path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    report(sorted({path.relative_to(ROOT).as_posix() for path in files} - set(wheel.namelist())), "not in the wheel")
    assert "tui_mailer/py.typed" in wheel.namelist()


def test_the_wheel_ships_the_providers_test_kit(wheel: zipfile.ZipFile) -> None:
    """Whoever writes a provider finds the contract tests in the installed package."""
    assert "tui_mailer/providers/testing.py" in wheel.namelist()


def test_the_wheel_holds_nothing_else(wheel: zipfile.ZipFile) -> None:
    """Neither tests nor tools are installed with the program."""
    strange = [name for name in wheel.namelist() if not re.match(r"tui_mailer(/|-[\w.]+\.dist-info/)", name)]
    report(strange, "in the wheel, and not part of the program")


def test_the_wheel_names_its_entry_points(wheel: zipfile.ZipFile) -> None:
    """The script and the two providers are found by what is installed."""
    name = next(name for name in wheel.namelist() if name.endswith("entry_points.txt"))
    text = wheel.read(name).decode()
    assert "tui-mailer = tui_mailer.cli.main:main" in text
    assert {"maildir", "smtp"} <= set(re.findall(r"^(\w+) = tui_mailer\.providers\.", text, re.MULTILINE))


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_pin_is_exact_and_hashed(name: str) -> None:
    """The lock files pin one version with its hashes, and name no place to fetch from."""
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "://" not in text
    entries = [entry for entry in re.split(r"\n(?=\S)", text) if not entry.startswith("#")]
    report(
        [entry for entry in entries if not re.match(r"[\w.-]+==\S+ .*--hash=sha256:", entry, re.DOTALL)], "not pinned"
    )


def test_the_lock_holds_what_the_project_asks_for() -> None:
    """A dependency added to pyproject.toml is locked too (`.ci/lock`)."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]["dev"]
    wanted = {"requirements.txt": project["dependencies"], "requirements-dev.txt": project["dependencies"] + extras}
    missing = [
        f"{requirement} in {name}"
        for name, requirements in wanted.items()
        for requirement in requirements
        if distribution(requirement) not in pinned(name)
    ]
    report(missing, "asked for, not locked: run .ci/lock")


def pinned(name: str) -> set[str]:
    """Names of the distributions that a lock file pins."""
    return set(re.findall(r"^([\w.-]+)==", (ROOT / name).read_text(encoding="utf-8"), re.MULTILINE))


def distribution(requirement: str) -> str:
    """The normalised name in a requirement (PEP 503)."""
    return re.sub(r"[-_.]+", "-", re.split(r"[\s<>=!~\[;]", requirement, maxsplit=1)[0]).lower()
