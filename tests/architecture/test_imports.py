"""Who may import whom, and what may be loaded when."""

from __future__ import annotations

import graphlib
import json
import subprocess
import sys
from pathlib import Path

import grimp
import pytest
from source_tree import ROOT, report

NETWORK = {"aiosmtplib", "httpx", "ssl", "asyncio"}
STORES = {"apsw", "keyring", "ruamel", "sqlite3"}
SCREEN = {"rich", "textual"}
HEAVY = {"idna", "markdown_it", "pydantic", "ulid", "tzlocal"}

FIRST_LOADS = {
    "tui_mailer.cli.main": NETWORK | STORES | SCREEN | HEAVY | {"email", "argparse", "tui_mailer.services"},
    "tui_mailer.providers.registry": NETWORK | STORES | SCREEN | {"pydantic", "markdown_it"},
    "tui_mailer.domain.submission": NETWORK | STORES | SCREEN | HEAVY,
    "tui_mailer.services.mailer": {"aiosmtplib", "httpx", "keyring", "ruamel"} | SCREEN | {"pydantic"},
    "tui_mailer.tui.app": {"aiosmtplib", "httpx", "keyring", "pydantic", "ruamel", "sqlite3"},
}
"""What importing a module must not load: each of these costs milliseconds before anything is seen."""


def test_the_contracts_between_the_layers_hold() -> None:
    """cli and tui stand on services, those on providers, storage and accounts, those on the domain: one way only."""
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    outcome = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


def test_no_modules_import_each_other_in_a_circle() -> None:
    """There is an order in which every module comes after what it uses, imports inside functions included."""
    graph = grimp.build_graph("tui_mailer", cache_dir=None, exclude_type_checking_imports=True)
    uses = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    try:
        tuple(graphlib.TopologicalSorter(uses).static_order())
    except graphlib.CycleError as error:
        report([" -> ".join(error.args[1])], "a circle of imports")


@pytest.mark.parametrize("module", FIRST_LOADS)
def test_a_module_loads_only_what_it_needs(module: str) -> None:
    """Importing a module doesn't load libraries that are only needed later."""
    code = f"import {module}, sys, json; print(json.dumps(sorted(sys.modules)))"
    outcome = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stderr
    loaded = set(json.loads(outcome.stdout))
    report(sorted(loaded & FIRST_LOADS[module]), f"loaded by importing {module}, though not needed yet")


def test_the_package_itself_imports_nothing() -> None:
    """`import tui_mailer` costs nothing: it only tells the version."""
    code = "import sys; before = set(sys.modules); import tui_mailer; print(*sorted(set(sys.modules) - before))"
    outcome = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert outcome.stdout.split() == ["tui_mailer"]


@pytest.mark.parametrize("arguments", [["--version"], ["--help"]])
def test_what_needs_nothing_loads_nothing(arguments: list[str]) -> None:
    """The version and the overview come without loading what a command would need."""
    code = (
        "import sys, json, io\n"
        "from tui_mailer.cli.main import main\n"
        f"try: main({arguments!r})\n"
        "finally: print(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    )
    outcome = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = set(json.loads(outcome.stderr.splitlines()[-1]))
    report(sorted(loaded & (NETWORK | STORES | SCREEN | HEAVY)), f"loaded for {arguments}")
