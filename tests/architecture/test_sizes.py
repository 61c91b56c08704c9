"""Sizes are alarms: whatever crosses one is named here, or in `sizes_allowed.txt` with its reason."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from source_tree import FUNCTIONS, SourceFile, report, source_files

FILE_LINES, FUNCTION_LINES, CLASS_METHODS, SCREEN_METHODS, PARAMETERS = 400, 50, 20, 25, 6
ALLOWED = Path(__file__).with_name("sizes_allowed.txt")


def allowances() -> dict[str, str]:
    """Reads the allowed exceptions: what is too large, and why it may be."""
    lines = ALLOWED.read_text(encoding="utf-8").splitlines()
    entries = [line.split(maxsplit=1) for line in lines if line and not line.startswith("#")]
    assert all(len(entry) == 2 for entry in entries), "every line of sizes_allowed.txt needs a reason"
    return dict(entries)


def crossings(source: SourceFile) -> Iterator[tuple[str, str]]:
    """Yields what in a module crosses a limit, with its measure."""
    if (lines := source.text.count("\n")) > FILE_LINES:
        yield source.name, f"{lines} lines, alarm at {FILE_LINES}"
    for name, node in source.definitions():
        place = f"{source.name}:{name}"
        if isinstance(node, ast.ClassDef):
            methods = sum(isinstance(child, FUNCTIONS) for child in node.body)
            limit = SCREEN_METHODS if node.name.endswith("Screen") else CLASS_METHODS
            if methods > limit:
                yield place, f"{methods} methods, alarm at {limit}"
            continue
        if (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES:
            yield place, f"{lines} lines, alarm at {FUNCTION_LINES}"
        if (parameters := count_parameters(node)) > PARAMETERS:
            yield place, f"{parameters} parameters, alarm at {PARAMETERS}"


def count_parameters(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Counts what a caller may give; ``self`` and ``cls`` are not the caller's."""
    arguments = node.args
    given = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return sum(argument.arg not in ("self", "cls") for argument in given)


def test_whatever_crosses_a_size_limit_has_a_reason() -> None:
    """Files, functions, classes and parameter lists stay within their limits, or say in one line why not."""
    allowed = allowances()
    found = [crossing for source in source_files() for crossing in crossings(source)]
    offenders = [f"{place}: {measure}" for place, measure in found if place not in allowed]
    report(offenders, "too large, and no reason given in sizes_allowed.txt")


def test_no_reason_outlives_what_it_excused() -> None:
    """An entry goes when the thing it allowed has become small."""
    found = {place for source in source_files() for place, _ in crossings(source)}
    report(sorted(set(allowances()) - found), "no longer too large: take it out of sizes_allowed.txt")
