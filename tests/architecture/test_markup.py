"""No text from a variable is ever read as markup: it would crash the app, lose text, or become a link."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest
from source_tree import FUNCTIONS, SourceFile, report, source_files

READS_MARKUP = {
    "Button",
    "Checkbox",
    "Collapsible",
    "Label",
    "Link",
    "Option",
    "RadioButton",
    "Static",
    "Tab",
    "TabPane",
    "add_column",
    "add_columns",
    "add_row",
    "from_markup",
    "notify",
}
"""Calls whose strings Textual parses as markup unless told otherwise."""
TEXT_KEYWORDS = {"content", "label", "message", "prompt", "renderable", "title", "tooltip"}
PARSED_ATTRIBUTES = {"border_title", "border_subtitle", "tooltip"}


def offences(source: SourceFile, makers: set[str]) -> Iterator[str]:
    """Yields every place of a module where text that isn't a literal would be parsed as markup."""
    for node, owner in nodes_with_class(source.tree, None):
        if isinstance(node, ast.Call) and reads_markup(node, owner):
            given = [*node.args, *(word.value for word in node.keywords if word.arg in TEXT_KEYWORDS)]
            if not is_switched_off(node) and not all(is_literal(value, makers) for value in given):
                yield f"{source.name}:{node.lineno} {ast.unparse(node.func)}(...)"
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = {target.attr for target in targets if isinstance(target, ast.Attribute)} & PARSED_ATTRIBUTES
            if names and not is_literal(node.value, makers):
                yield f"{source.name}:{node.lineno} {', '.join(names)} = ..."
        elif isinstance(node, FUNCTIONS) and node.name == "render" and owner and returns(node) == "str":
            yield f"{source.name}:{node.lineno} render() returns a str"


def returns(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """The annotated return type, as written."""
    return ast.unparse(node.returns) if node.returns is not None else ""


def nodes_with_class(node: ast.AST, owner: ast.ClassDef | None) -> Iterator[tuple[ast.AST, ast.ClassDef | None]]:
    """Walks a tree, telling each node's class."""
    for child in ast.iter_child_nodes(node):
        yield child, owner
        yield from nodes_with_class(child, child if isinstance(child, ast.ClassDef) else owner)


def reads_markup(call: ast.Call, owner: ast.ClassDef | None) -> bool:
    """Tells a call that parses its text: one of Textual's, or the constructor of a widget made from one."""
    name = ast.unparse(call.func)
    if name == "super().__init__" and owner is not None:
        return any(ast.unparse(base).rpartition(".")[2] in READS_MARKUP for base in owner.bases)
    return name.rpartition(".")[2] in READS_MARKUP


def is_switched_off(call: ast.Call) -> bool:
    """Tells a call with ``markup=False``."""
    return any(
        word.arg == "markup" and isinstance(word.value, ast.Constant) and word.value.value is False
        for word in call.keywords
    )


def is_literal(value: ast.expr, makers: set[str]) -> bool:
    """Tells text that stands in our source, or that comes as a `Content` or `Text` and is parsed no more."""
    match value:
        case ast.Constant():
            return True
        case ast.IfExp():
            return is_literal(value.body, makers) and is_literal(value.orelse, makers)
        case ast.Call():
            name = ast.unparse(value.func)
            return name.partition(".")[0] in ("Content", "Text") or name.rpartition(".")[2] in makers
        case ast.Name() | ast.Attribute():
            return ast.unparse(value).rpartition(".")[2].isupper()
        case _:
            return False


def makers_of_content() -> set[str]:
    """Names of the functions that are annotated to return `Content` or rich's `Text`."""
    return {
        node.name
        for source in source_files("tui_mailer/tui")
        for _, node in source.definitions()
        if isinstance(node, FUNCTIONS) and returns(node) in ("Content", "Text")
    }


def test_no_markup_from_variables() -> None:
    """Widgets and notifications parse only what is written in our own source."""
    makers = makers_of_content()
    found = [offence for source in source_files("tui_mailer/tui") for offence in offences(source, makers)]
    report(found, "text from a variable would be read as markup: say markup=False, or hand over a Content")


@pytest.mark.parametrize(
    "line",
    [
        "Static(subject)",
        "Label(f'to {name}')",
        "self.app.notify(str(error))",
        "notify(message=text, title='Sent')",
        "self.border_title = account.name",
        "Option('a' + name, id='x')",
        "table.add_row('1', subject)",
        "class Row(Static):\n    def __init__(self, text):\n        super().__init__(text)",
        "class Row(Widget):\n    def render(self) -> str:\n        return self.text",
    ],
)
def test_the_search_finds_markup_from_variables(line: str) -> None:
    """Each of the ways in which a subject could become markup is found."""
    assert list(offences(SourceFile("sample.py", line, ast.parse(line)), set()))


@pytest.mark.parametrize(
    "line",
    [
        "Static('Outbox')",
        "Static(subject, markup=False)",
        "Label(Content(name))",
        "Label(HEADING)",
        "notify('Sent' if sent else 'Kept')",
        "self.border_title = 'Compose'",
    ],
)
def test_the_search_leaves_literals_alone(line: str) -> None:
    """What stands in our own source may be markup."""
    assert not list(offences(SourceFile("sample.py", line, ast.parse(line)), set()))
