"""``provider``: which providers there are, what each can carry, and the keys it takes."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tui_mailer.cli import exit_code, parsing

if TYPE_CHECKING:
    from tui_mailer.cli.context import Context
    from tui_mailer.providers.base import Capabilities

_EPILOG = """\
examples:
  tui-mailer provider list
  tui-mailer provider show smtp --json"""


def build_parser(prog: str) -> parsing.Parser:
    """Describes the command line of ``provider``."""
    parser = parsing.Parser(prog=prog, description="What each provider can carry.", epilog=_EPILOG)
    group = parsing.add_group(parser)
    parsing.add_command(group, "list", list_providers, "list the providers")
    show_parser = parsing.add_command(
        group, "show", show, "show one's capabilities, settings and options", arguments="NAME"
    )
    show_parser.add_argument("name", metavar="NAME")
    return parser


def list_providers(context: Context, _arguments: argparse.Namespace) -> int:
    """Lists the installed providers."""
    from tui_mailer.providers import registry

    views = [_view(context, name) for name in registry.names()]
    context.output.document(views)
    rows = [(view["name"], _summary(view["capabilities"]), ", ".join(view["accounts"])) for view in views]
    context.output.table(("PROVIDER", "CARRIES", "ACCOUNTS"), rows, flexible=1)
    return exit_code.DONE


def show(context: Context, arguments: argparse.Namespace) -> int:
    """Shows one provider."""
    from tui_mailer.services.provider_guide import rows_of

    view = _view(context, arguments.name)
    context.output.document(view)
    context.output.text(f"{view['name']}  accounts: {', '.join(view['accounts']) or 'none'}")
    for title, key in (
        ("Settings of an account", "settings"),
        ("Options of a message (--option KEY=VALUE)", "options"),
    ):
        context.output.text(f"\n{title}")
        rows = [
            (f"  {each['name']}", each["type"], "required" if each["required"] else "", each["description"] or "")
            for each in view[key]
        ]
        if rows:
            context.output.table(("  KEY", "TYPE", "", "MEANING"), rows, flexible=3)
        else:
            context.output.text("  none")
    context.output.text("\nCapabilities")
    can = _capabilities(context, arguments.name, view["accounts"])
    if can is None:
        context.output.text("  they depend on the account's settings: add an account, then look again")
    else:
        context.output.table(("  WHAT", "HOW"), [(f"  {name}", said) for name, said in rows_of(can)], flexible=1)
    return exit_code.DONE


def _view(context: Context, name: str) -> dict[str, Any]:
    from tui_mailer.providers import registry
    from tui_mailer.services.json_view import provider_view

    kind = registry.load(name)
    accounts = [each.name for each in context.session.configuration.accounts.values() if each.provider == name]
    return provider_view(
        name,
        settings=kind.Settings,
        options=kind.Options,
        capabilities=_capabilities(context, name, accounts),
        accounts=accounts,
    )


def _capabilities(context: Context, name: str, accounts: Sequence[str]) -> Capabilities | None:
    from tui_mailer.providers import registry
    from tui_mailer.services.provider_guide import usual_capabilities

    if accounts:
        return context.mailer.capabilities(accounts[0])
    return usual_capabilities(registry.load(name), str(context.session.paths.data_dir))


def _summary(capabilities: dict[str, Any] | None) -> str:
    if capabilities is None:
        return "depends on the account's settings"
    carried = [
        word
        for word, is_carried in (
            ("html", capabilities["html"]),
            ("attachments", capabilities["attachments"] != "none"),
            ("headers", capabilities["custom_headers"]),
            ("raw", capabilities["raw"]),
            ("tags", capabilities["tags"] != 0),
            ("templates", capabilities["templates"]),
            ("own schedule", capabilities["schedule_min"] is not None),
        )
        if is_carried
    ]
    return ", ".join(["text", *carried]) + (
        "" if capabilities["delivers"] else " (kept on this computer, sent to nobody)"
    )
