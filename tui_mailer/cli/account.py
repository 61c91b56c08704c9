"""``account``: the accounts of the configuration; adding, testing, holding and removing them, storing their secrets."""

from __future__ import annotations

import argparse
from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from tui_mailer.cli import exit_code, parsing
from tui_mailer.cli.account_add import add_account_parser
from tui_mailer.cli.context import is_interactive
from tui_mailer.cli.secret_prompt import ask_secret, read_secret
from tui_mailer.domain.errors import InvalidMessage, MailerError
from tui_mailer.storage.record import HELD_BY_PERSON

if TYPE_CHECKING:
    from tui_mailer.accounts.configuration import Account
    from tui_mailer.cli.context import Context
    from tui_mailer.domain.address import Address


_EPILOG = f"""\
examples:
  tui-mailer account add work --from 'Ada <ada@example.org>' --host smtp.example.org --username ada@example.org
  tui-mailer account set-secret work          asks; or: pass show mail/work | tui-mailer account set-secret work
  tui-mailer account test work
  tui-mailer account release work

Secrets are never taken from the command line.

{exit_code.EXPLAINED}"""


def build_parser(prog: str) -> parsing.Parser:
    """Describes the command line of ``account``."""
    parser = parsing.Parser(prog=prog, description="Who sends.", epilog=_EPILOG)
    group = parsing.add_group(parser)
    parsing.add_command(group, "list", list_accounts, "list the accounts")
    for name, handler, summary in (
        ("show", show, "show one; never its secret"),
        ("test", test, "prove connection and credential; sends nothing"),
        ("set-secret", set_secret, "store its secret in the keyring: asked for, or the first line of stdin"),
        ("hold", hold, "keep its mail in the outbox"),
        ("release", release, "let its mail go again"),
        ("remove", remove, "take it out of the configuration; not while it has open mail"),
    ):
        each = parsing.add_command(group, name, handler, summary, arguments="NAME")
        each.add_argument("name", metavar="NAME")
    add_account_parser(group)
    return parser


def view_of(context: Context, account: Account) -> dict[str, Any]:
    """Shapes an account for ``--json``."""
    from tui_mailer.services.json_view import account_view

    return account_view(
        account,
        is_default=account.name == context.session.configuration.default_account,
        hold=context.mailer.account_holds().get(account.name),
        open_count=context.mailer.open_count(account.name),
    )


def list_accounts(context: Context, _arguments: argparse.Namespace) -> int:
    """Lists the accounts, the default one marked."""
    views = [view_of(context, each) for each in context.session.configuration.accounts.values()]
    context.output.document(views)
    rows = [
        (
            ("* " if view["is_default"] else "  ") + view["name"],
            view["provider"],
            ", ".join(view["identities"]),
            str(view["open"]),
            _standing(view),
        )
        for view in views
    ]
    context.output.table(("  ACCOUNT", "PROVIDER", "SENDS AS", "OPEN", "STANDING"), rows, flexible=4)
    return exit_code.DONE


def _standing(view: dict[str, Any]) -> str:
    held = view["held"]
    if held is None:
        return "ready"
    return f"{'off line' if held['is_offline'] else 'held'}: {held['reason']}"


def show(context: Context, arguments: argparse.Namespace) -> int:
    """Shows one account."""
    account = _account(context, arguments.name)
    view = view_of(context, account)
    context.output.document(view)
    context.output.pairs(
        [
            ("Account", account.name + (" (default)" if view["is_default"] else "")),
            ("Provider", account.provider),
            ("Sends as", ", ".join(view["identities"])),
            ("Credential", context.session.credentials.describe(account)),
            *((key, str(value)) for key, value in view["settings"].items()),
            ("Open", f"{view['open']} in the outbox"),
            ("Standing", _standing(view)),
        ]
    )
    return exit_code.DONE


def test(context: Context, arguments: argparse.Namespace) -> int:
    """Proves that the account could send now."""
    account = _account(context, arguments.name)
    secret = None
    if account.credential is not None and account.credential.kind == "prompt" and is_interactive():
        secret = ask_secret(account.name)
    import asyncio

    identities = asyncio.run(context.session.account_service().test(account, secret))
    context.output.document(
        {
            "ok": True,
            "account": account.name,
            "identities": [{"address": each.address, "detail": each.detail or None} for each in identities],
        }
    )
    named = ", ".join(f"{each.address} ({each.detail})" if each.detail else each.address for each in identities)
    context.output.say(f"Account {account.name} can send{' as ' + named if named else ''}. Nothing was sent.")
    known = {each.address.casefold() for each in identities}
    unknown = [one.addr_spec for one in account.identities if not _is_covered(one, known)]
    if known and unknown:
        context.output.say(f"Its provider doesn't know {', '.join(unknown)}: mail from there will be refused.")
    return exit_code.DONE


def _is_covered(identity: Address, known: Collection[str]) -> bool:
    """Says whether the provider knows the address, or its whole domain (``*@example.org``) or one above it."""
    labels = identity.domain.split(".")
    domains = {f"*@{'.'.join(labels[start:])}" for start in range(len(labels))}
    return identity.addr_spec.casefold() in known or not domains.isdisjoint(known)


def set_secret(context: Context, arguments: argparse.Namespace) -> int:
    """Stores the secret; an account that was held for want of it may send again."""
    from tui_mailer.accounts.reread import have_reread

    account = _account(context, arguments.name)
    context.session.credentials.store(account, read_secret(account.name))
    have_reread(context.session.paths)
    is_released = context.mailer.store.outbox.mend_account(account.name)
    context.output.outcome({"stored": True, **view_of(context, account)})
    again = " Its mail goes out again." if is_released else ""
    context.output.say(f"The secret of account {account.name} is stored in the keyring.{again}")
    return exit_code.DONE


def hold(context: Context, arguments: argparse.Namespace) -> int:
    """Keeps an account's mail in the outbox."""
    account = _account(context, arguments.name)
    context.mailer.hold_account(account.name, HELD_BY_PERSON)
    context.output.outcome(view_of(context, account))
    context.output.say(f"Account {account.name} is held: its mail waits until you release it.")
    return exit_code.DONE


def release(context: Context, arguments: argparse.Namespace) -> int:
    """Lets an account's mail go again."""
    account = _account(context, arguments.name)
    context.mailer.release_account(account.name)
    view = view_of(context, account)
    context.output.outcome(view)
    waits = f" {view['open']} wait: {context.mailer.who_sends().text}" if view["open"] else ""
    context.output.say(f"Account {account.name} is released.{waits}")
    return exit_code.DONE


def remove(context: Context, arguments: argparse.Namespace) -> int:
    """Takes an account out of the configuration, and its secret out of the keyring."""
    from tui_mailer.accounts.edit import remove_account

    account = _account(context, arguments.name)
    open_count = context.mailer.open_count(account.name)
    if open_count:
        raise InvalidMessage(
            f"Account '{account.name}' has {open_count} open in the outbox. Nothing was removed. "
            f"Send or cancel them first: tui-mailer outbox list --account {account.name}"
        )
    remove_account(context.session.paths, account.name)
    context.mailer.release_account(account.name)
    secret = _forget_secret(context, account)
    context.output.outcome({"removed": account.name})
    context.output.say(f"Account {account.name} is removed from {context.session.paths.config_file}.{secret}")
    return exit_code.DONE


def _forget_secret(context: Context, account: Account) -> str:
    if account.credential is None or account.credential.kind != "keyring":
        return ""
    try:
        is_deleted = context.session.credentials.delete(account)
    except MailerError as error:
        return f" Its secret may still be in the keyring: {error}"
    return " Its secret is removed from the keyring." if is_deleted else ""


def _account(context: Context, name: str) -> Account:
    from tui_mailer.domain.errors import NotFound

    accounts = context.session.configuration.accounts
    if name not in accounts:
        raise NotFound(f"There is no account '{name}'. Accounts: {', '.join(accounts)}.")
    return accounts[name]
