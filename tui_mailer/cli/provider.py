"""``provider``: which providers there are, what each can carry, and the keys it takes."""

from __future__ import annotations

import argparse
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
    capabilities: dict[str, Any] = view["capabilities"] or {}
    context.output.pairs((f"  {name}", _said(value)) for name, value in capabilities.items())
    if not capabilities:
        context.output.text("  they depend on the account's settings: add an account, then look again")
    return exit_code.DONE


def _view(context: Context, name: str) -> dict[str, Any]:
    from tui_mailer.providers import registry
    from tui_mailer.services.json_view import provider_view

    kind = registry.load(name)
    accounts = [each.name for each in context.session.configuration.accounts.values() if each.provider == name]
    capabilities = context.mailer.capabilities(accounts[0]) if accounts else _usual_capabilities(kind)
    return provider_view(
        name, settings=kind.Settings, options=kind.Options, capabilities=capabilities, accounts=accounts
    )


def _usual_capabilities(kind: Any) -> Capabilities | None:
    """What it can carry with every setting left out; None where that depends on the settings."""
    from tui_mailer.providers.base import AccountSettings

    try:
        settings = kind.Settings.model_construct(**_placeholders(kind.Settings.model_json_schema()))
        return kind(AccountSettings(account="", settings=settings, identities=()), None).capabilities
    except (AssertionError, AttributeError, KeyError, TypeError, ValueError):
        # A provider may look at settings that nobody has judged here.
        return None


def _placeholders(schema: dict[str, Any]) -> dict[str, str]:
    """Stands in for required settings: a name that belongs to nobody (RFC 2606), or the first choice there is."""
    required: list[str] = schema.get("required", [])
    return {name: schema["properties"][name].get("enum", ["example.invalid"])[0] for name in required}


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


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "no limit known" if value is None else str(value)
