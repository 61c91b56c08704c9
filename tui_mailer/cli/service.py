"""``service``: the delivery service as a systemd user unit, or as a crontab line where there is no systemd."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from tui_mailer.cli import exit_code, parsing

if TYPE_CHECKING:
    from tui_mailer.cli.context import Context
    from tui_mailer.services.service_manager import ServiceManager, ServiceStatus

_EPILOG = """\
The service runs 'tui-mailer deliver' with this --config and --data-dir, from login to logout; from boot to shutdown
once lingering is allowed (loginctl enable-linger). Each configuration and data directory has a service of its own.
Where systemd doesn't run, 'install' prints a crontab line and exits 64; '--cron' prints it anywhere:
  (crontab -l; tui-mailer service install --cron) | crontab -

exit codes: 0 done; 64 there is no such service on this system; 73 the unit can't be written; 78 configuration"""


def build_parser(prog: str) -> parsing.Parser:
    """Describes the command line of ``service``."""
    parser = parsing.Parser(prog=prog, description="Sends mail while nobody looks.", epilog=_EPILOG)
    group = parsing.add_group(parser)
    installing = parsing.add_command(group, "install", install, "install and start the delivery service")
    look = installing.add_mutually_exclusive_group()
    look.add_argument("--print", dest="shows_unit", action="store_true", help="print the unit, install nothing")
    look.add_argument("--cron", dest="shows_cron", action="store_true", help="print a crontab line, install nothing")
    parsing.add_command(group, "status", status, "say whether it is installed and runs, and who delivers")
    parsing.add_command(group, "uninstall", uninstall, "stop and remove the delivery service")
    return parser


def install(context: Context, arguments: argparse.Namespace) -> int:
    """Installs the service, or says what to do where there can be none."""
    from tui_mailer.services.service_manager import say_lingering, say_started
    from tui_mailer.services.service_unit import unit_text

    manager = _manager(context)
    if arguments.shows_unit:
        context.output.document({"name": manager.plan.name, "unit": unit_text(manager.plan)})
        context.output.text(unit_text(manager.plan))
        return exit_code.DONE
    if arguments.shows_cron or not manager.has_systemd:
        return _show_cron(context, manager, is_asked=arguments.shows_cron)
    found = manager.install()
    context.output.outcome(_view(context, manager, found))
    context.output.say(f"Installed: {found.unit_file}")
    for sentence in (*say_started(found, manager.crontab_line()), say_lingering(found)):
        context.output.say(sentence)
    for note in _notes(context):
        context.output.say(note)
    return exit_code.DONE


def _show_cron(context: Context, manager: ServiceManager, *, is_asked: bool) -> int:
    from tui_mailer.services.service_manager import NO_SYSTEMD

    line = manager.crontab_line()
    context.output.document({**_view(context, manager, None), "crontab": line})
    context.output.text(line)
    if not is_asked:
        context.output.say(
            f"{NO_SYSTEMD} The line above, put into your crontab (crontab -e), sends what is due every five minutes; "
            f"with it scheduled mail may leave that much late. What it last said is in {manager.plan.cron_log}."
        )
        for note in _notes(context):
            context.output.say(note)
        return exit_code.USAGE
    return exit_code.DONE


def status(context: Context, _arguments: argparse.Namespace) -> int:
    """Says whether the service is installed and runs, and who delivers now."""
    from tui_mailer.services.service_manager import say_lingering

    manager = _manager(context)
    found = manager.status()
    context.output.document(_view(context, manager, found))
    where = f"Installed: {found.unit_file}" if found.is_installed else f"Not installed ({found.unit_file})."
    context.output.text(where)
    if found.is_installed and found.is_active is not None:
        runs = "It runs." if found.is_active else f"It doesn't run: systemctl --user status {found.name}"
        context.output.text(runs)
    elif found.is_installed:
        context.output.text("No systemd user manager answers here, so it can't be told whether it was started.")
    context.output.text(context.mailer.who_sends().text)
    if found.is_installed:
        context.output.say(say_lingering(found))
    return exit_code.DONE


def uninstall(context: Context, _arguments: argparse.Namespace) -> int:
    """Removes the service; a second time there is nothing to do."""
    manager = _manager(context)
    was_there = manager.uninstall()
    context.output.outcome({**_view(context, manager, manager.status()), "removed": was_there})
    context.output.say("The delivery service is removed." if was_there else "The delivery service wasn't installed.")
    if was_there:
        context.output.say(context.mailer.who_sends().text)
    return exit_code.DONE


def _manager(context: Context) -> ServiceManager:
    from tui_mailer.services.service_manager import MACOS, service_manager

    if sys.platform == "darwin":
        raise exit_code.UsageError(MACOS)
    session = context.session
    return service_manager(session.paths)


def _view(context: Context, manager: ServiceManager, found: ServiceStatus | None) -> dict[str, Any]:
    from tui_mailer.services.json_view import deliverer_view

    mailer = context.mailer
    who = mailer.who_sends()
    lasting = [one for one in mailer.deliverers() if one.role in {"deliver", "app"}]
    return {
        "name": manager.plan.name,
        "unit_file": str(manager.unit_file),
        "installed": found.is_installed if found else False,
        "enabled": found.is_enabled if found else False,
        "running": found.is_active if found else None,
        "manager": found.has_manager if found else False,
        "lingering": found.is_lingering if found else False,
        "delivering": [deliverer_view(one) for one in lasting],
        "who_sends": who.text,
        "crontab": manager.crontab_line(),
    }


def _notes(context: Context) -> list[str]:
    """Says of which accounts a service can't have the secret."""
    notes: list[str] = []
    for account in context.session.configuration.accounts.values():
        credential = account.credential
        if credential is not None and credential.kind == "prompt":
            notes.append(f"Account {account.name}: its secret is typed into the app, so only the app sends its mail.")
        if credential is not None and credential.kind == "env":
            notes.append(
                f"Account {account.name}: its secret is in ${credential.value[0]}, which a service doesn't have; use "
                "keyring, command or file."
            )
    return notes
