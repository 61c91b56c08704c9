"""The program's own source as the tests of its structure read it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "tui_mailer"

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One parsed module."""

    name: str
    """Path from the project's root, with slashes."""
    text: str
    tree: ast.Module

    def definitions(self) -> Iterator[tuple[str, Definition]]:
        """Yields every class and function with its qualified name (``Mailer.seal``)."""
        yield from _definitions(self.tree, "")


def _definitions(node: ast.AST, prefix: str) -> Iterator[tuple[str, Definition]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Definition):
            name = f"{prefix}{child.name}"
            yield name, child
            yield from _definitions(child, f"{name}.")
        else:
            yield from _definitions(child, prefix)


@cache
def source_files(folder: str = "tui_mailer") -> tuple[SourceFile, ...]:
    """Parses every module below a folder of the project."""
    return tuple(
        SourceFile(path.relative_to(ROOT).as_posix(), text := path.read_text(encoding="utf-8"), ast.parse(text))
        for path in sorted((ROOT / folder).rglob("*.py"))
    )


def report(offenders: list[str], rule: str) -> None:
    """Fails with every offender on a line of its own."""
    assert not offenders, f"{rule}:\n  " + "\n  ".join(offenders)
