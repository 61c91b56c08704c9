"""Rules of the style guide that a parser can check."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from source_tree import FUNCTIONS, PACKAGE, Definition, report, source_files

VAGUE_NAMES = {"utils", "util", "helpers", "helper", "common", "misc"}

CATCH_ALL = {
    "tui_mailer/providers/registry.py": "the plug-in boundary: foreign code may raise anything on import",
    "tui_mailer/services/engine.py": "the thread's boundary: a person is told, the outbox keeps the mail",
    "tui_mailer/services/worker.py": "the worker boundary: a bug in a provider must not lose a message",
    "tui_mailer/cli/main.py": "the outermost boundary: a person gets a sentence, never a traceback",
    "tui_mailer/accounts/keychain.py": "the plug-in boundary: a keyring backend raises what its libraries raise",
    "tui_mailer/accounts/patience.py": "a thread's boundary: whatever it was, the waiting thread raises it",
}
"""The only modules that may swallow whatever comes, and why."""

FRAMEWORK_PREFIXES = ("on_", "watch_", "validate_", "compute_", "action_", "check_action")
FRAMEWORK_NAMES = {
    *("compose", "render", "render_line"),
    *("connection_made", "data_received", "eof_received", "connection_lost", "pause_writing", "resume_writing"),
}
"""Names that Textual and asyncio dictate: what they do is said by the class or the binding."""


def test_no_module_is_named_for_nothing() -> None:
    """Every module is named for what it owns."""
    report([str(path) for path in PACKAGE.rglob("*.py") if path.stem in VAGUE_NAMES], "a name that says nothing")


def test_whatever_comes_is_caught_only_at_the_boundaries() -> None:
    """A handler for every exception stands only at a worker's or plug-in's boundary, or raises again."""
    offenders = [
        f"{source.name}:{handler.lineno}"
        for source in source_files()
        if source.name not in CATCH_ALL
        for handler in ast.walk(source.tree)
        if isinstance(handler, ast.ExceptHandler) and catches_everything(handler) and not raises_again(handler)
    ]
    report(offenders, "catches everything away from a boundary (CATCH_ALL)")


def catches_everything(handler: ast.ExceptHandler) -> bool:
    """Tells a bare ``except``, ``except Exception`` and ``except BaseException`` from others."""
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(kind is None or ast.unparse(kind) in ("Exception", "BaseException") for kind in kinds)


def raises_again(handler: ast.ExceptHandler) -> bool:
    """Tells a handler that only cleans up."""
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def test_every_public_name_says_what_it_is() -> None:
    """Modules, classes, functions and methods that others may use carry a docstring, at least where first declared."""
    declared = documented_methods()
    offenders = [f"{source.name}: the module" for source in source_files() if not ast.get_docstring(source.tree)]
    for source in source_files():
        offenders += [f"{source.name}:{node.lineno} {name}" for name, node in undocumented(source.tree, "", declared)]
    report(offenders, "public, and without a docstring")


def documented_methods() -> set[str]:
    """Names of methods that some class documents: another that implements the same contract need not."""
    return {
        child.name
        for source in source_files()
        for _, node in source.definitions()
        if isinstance(node, ast.ClassDef)
        for child in node.body
        if isinstance(child, FUNCTIONS) and ast.get_docstring(child)
    }


def undocumented(
    parent: ast.Module | ast.ClassDef, prefix: str, declared: set[str]
) -> Iterator[tuple[str, Definition]]:
    """Yields public classes and functions without a docstring, but for names that a contract or framework dictates."""
    for node in parent.body:
        if not isinstance(node, Definition) or node.name.startswith("_"):
            continue
        name = f"{prefix}{node.name}"
        if not ast.get_docstring(node) and not is_dictated(node, parent, declared):
            yield name, node
        if isinstance(node, ast.ClassDef):
            yield from undocumented(node, f"{name}.", declared)


def is_dictated(node: Definition, parent: ast.Module | ast.ClassDef, declared: set[str]) -> bool:
    """Tells a method whose meaning is given elsewhere: by a contract, a base class, or a framework."""
    if not isinstance(node, FUNCTIONS) or not isinstance(parent, ast.ClassDef):
        return False
    marks = {ast.unparse(decorator).rpartition(".")[2] for decorator in node.decorator_list}
    is_named = node.name.startswith(FRAMEWORK_PREFIXES) or node.name in FRAMEWORK_NAMES | declared
    return is_named or bool(marks & {"override", "overload", "setter"})
