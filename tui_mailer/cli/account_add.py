"""``account add``: an account from options, and on a terminal from questions for what they leave out."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from tui_mailer.cli import exit_code, parsing
from tui_mailer.cli.context import Context, is_interactive
from tui_mailer.cli.exit_code import UsageError
from tui_mailer.cli.secret_prompt import ask_secret

if TYPE_CHECKING:
    from tui_mailer.services.account import AccountService

_EPILOG = """\
credential: keyring (default with --username), keyring:SERVICE/USER, command:'pass show mail/work', env:NAME,
  file:PATH or prompt

examples:
  tui-mailer account add                       asks for everything
  tui-mailer account add work --from 'Ada <ada@example.org>' --host smtp.example.org --username ada@example.org
  tui-mailer account add relay --from cron@example.org --host localhost --security none --port 25
  tui-mailer account add crm --provider bird --from ada@example.org --set base_url=https://api.example.org"""

_PORTS = {"tls": 465, "starttls": 587, "none": 25}


def add_account_parser(group: Any) -> None:
    """Describes the command line of ``account add``."""
    parser = parsing.add_command(
        group, "add", add, "add one; on a terminal it asks for what is missing", arguments="[NAME]", epilog=_EPILOG
    )
    parser.add_argument("name", metavar="NAME", nargs="?", help="what you call it: work")
    parser.add_argument("--provider", metavar="NAME", help="default smtp")
    parser.add_argument("--from", dest="sender", metavar="ADDR", help="who it sends as")
    parser.add_argument("--host", help="the server")
    parser.add_argument("--port", type=parsing.positive, help="465 with tls, 587 with starttls, 25 with none")
    parser.add_argument("--security", choices=list(_PORTS), help="default tls")
    parser.add_argument("--username", metavar="USER", help="none: no sign-in")
    parser.add_argument("--credential", metavar="SOURCE", help="where its secret is: see below")
    parser.add_argument(
        "--set",
        metavar="KEY=VALUE",
        type=parsing.pair,
        action="append",
        default=[],
        help="any other key (JSON or text)",
    )
    parser.add_argument("--default", action="store_true", help="make it the default account")
    parser.add_argument("--test", action="store_true", help="prove it first; nothing is added if it can't send")


def add(context: Context, arguments: argparse.Namespace) -> int:
    """Adds an account; its secret, if asked for, goes into the keyring."""
    from tui_mailer.domain.errors import CredentialUnavailable
    from tui_mailer.services.json_view import account_view

    service = _service(context)
    if is_interactive():
        arguments.name = arguments.name or _ask_name(service)
    _refuse_taken(arguments.name, service)
    if is_interactive():
        ask_for_missing(arguments)
    mapping = mapping_of(arguments)
    is_first = not any(each.lines for each in service.configuration.accounts.values())
    account = service.draft_account(arguments.name, mapping)
    secret = _secret(arguments, mapping)
    if arguments.test:
        import asyncio

        asyncio.run(service.test(account, secret))
    configuration = service.add(arguments.name, mapping, make_default=arguments.default or is_first)
    added = configuration.accounts[arguments.name]
    is_default = configuration.default_account == added.name
    context.output.outcome(account_view(added, is_default=is_default, hold=None, open_count=0))
    context.output.say(
        f"Account {added.name} is added to {configuration.path}{' as the default' if is_default else ''}."
    )
    if secret is not None:
        try:
            service.credentials.store(added, secret)
        except CredentialUnavailable as error:
            later = f"Later: tui-mailer account set-secret {added.name}"
            context.output.say(f"The account is added, its secret isn't stored: {error} {later}")
            return exit_code.ACCOUNT_HELD
        context.output.say("Its secret is stored in the keyring.")
    elif mapping.get("credential") == "keyring":
        context.output.say(f"Store its secret: tui-mailer account set-secret {added.name}")
    return exit_code.DONE


def _refuse_taken(name: str | None, service: AccountService) -> None:
    """Tells that a name is taken before anything else is asked."""
    from tui_mailer.domain.errors import ConfigurationError

    known = service.configuration.accounts.get(name or "")
    if known is not None and known.lines:
        raise ConfigurationError(f"{service.configuration.path}: there is an account '{name}'. Nothing was changed.")


def mapping_of(arguments: argparse.Namespace) -> dict[str, object]:
    """Makes the account as it will stand in the file; raises `UsageError` for what is missing."""
    provider = arguments.provider or "smtp"
    needed = {"NAME": arguments.name, "--from": arguments.sender}
    if provider == "smtp":
        needed["--host"] = arguments.host
    missing = [option for option, value in needed.items() if not value]
    if missing:
        raise UsageError(f"Missing: {', '.join(missing)}.", usage="tui-mailer account add --help")
    mapping: dict[str, object] = {"provider": provider, "from": arguments.sender}
    security = arguments.security or ("tls" if provider == "smtp" else None)
    typed = {"host": arguments.host, "port": arguments.port, "security": security, "username": arguments.username}
    mapping |= {key: value for key, value in typed.items() if value is not None}
    mapping |= {key: _value(text) for key, text in arguments.set}
    credential = arguments.credential or ("keyring" if arguments.username else None)
    if credential is not None:
        mapping["credential"] = credential_of(credential)
    return mapping


def credential_of(text: str) -> object:
    """Reads ``keyring``, ``prompt`` or ``KIND:VALUE`` into its form in the file."""
    kind, colon, value = text.partition(":")
    if not colon and kind in {"keyring", "prompt"}:
        return kind
    if colon and value and kind in {"keyring", "command", "env", "file"}:
        return {kind: value}
    raise UsageError("--credential is keyring, keyring:SERVICE/USER, command:..., env:NAME, file:PATH or prompt.")


def ask_for_missing(arguments: argparse.Namespace) -> None:
    """Asks a person for each thing the options left out, with what is usual offered; asks again where it can't be."""
    arguments.provider = arguments.provider or (
        "smtp" if arguments.host else _ask("Provider", "smtp", wrong=_wrong_provider)
    )
    arguments.sender = arguments.sender or _ask("Send as (Name <address>)", wrong=_wrong_sender)
    if arguments.provider != "smtp":
        return
    arguments.host = arguments.host or _ask("Server (SMTP host)")
    if arguments.security is None:
        arguments.security = _ask("Security: tls, starttls or none", "tls", wrong=_wrong_security)
    if arguments.port is None:
        arguments.port = int(_ask("Port", str(_PORTS[arguments.security]), wrong=_wrong_port))
    if arguments.username is None:
        address = arguments.sender.rpartition("<")[2].rstrip("> ")
        typed = _ask("User name (- for no sign-in)", address)
        arguments.username = None if typed == "-" else typed


def _ask_name(service: AccountService) -> str:
    taken = {name for name, account in service.configuration.accounts.items() if account.lines}
    return _ask(
        "Name of the account",
        "" if "work" in taken else "work",
        wrong=lambda answer: f"There is an account '{answer}' already." if answer in taken else "",
    )


def _ask(question: str, usual: str = "", *, wrong: Callable[[str], str] | None = None) -> str:
    """Asks until the answer is one; ``wrong`` says what is wrong with it, or nothing."""
    while True:
        sys.stderr.write(f"{question}{f' [{usual}]' if usual else ''}: ")
        sys.stderr.flush()
        line = sys.stdin.readline()
        if not line:
            raise UsageError(f"No answer to '{question}'. Nothing was added.")
        answer = line.strip() or usual
        complaint = "" if answer else "An answer is needed; Ctrl+C ends without adding anything."
        if answer and wrong is not None:
            complaint = wrong(answer)
        if not complaint:
            return answer
        sys.stderr.write(f"  {complaint}\n")


def _wrong_provider(answer: str) -> str:
    from tui_mailer.providers import registry

    names = registry.names()
    return "" if answer in names else f"There is {', '.join(names)}."


def _wrong_sender(answer: str) -> str:
    from tui_mailer.domain.address import parse_address
    from tui_mailer.domain.errors import InvalidMessage

    try:
        parse_address(answer)
    except InvalidMessage as error:
        return str(error)
    return ""


def _wrong_security(answer: str) -> str:
    return "" if answer in _PORTS else "Security is tls, starttls or none."


def _wrong_port(answer: str) -> str:
    return "" if answer.isdecimal() and 0 < int(answer) < 65536 else "A port is a number from 1 to 65535."


def _secret(arguments: argparse.Namespace, mapping: Mapping[str, object]) -> str | None:
    """Asks for the secret where a person can be asked and the keyring is to hold it."""
    credential = mapping.get("credential")
    is_for_keyring = credential == "keyring" or (isinstance(credential, dict) and "keyring" in credential)
    if not (is_for_keyring and is_interactive()):
        return None
    return ask_secret(arguments.name)


def _value(text: str) -> object:
    import json

    try:
        return json.loads(text)
    except ValueError:
        return text


def _service(context: Context) -> AccountService:
    """Works though the file asked for doesn't exist yet: this is the command that makes it."""
    from tui_mailer.accounts.credential import Credentials
    from tui_mailer.accounts.load import find_paths, load
    from tui_mailer.services.account import AccountService

    paths = find_paths(context.config, context.data_dir)
    configuration = load(paths, allow_missing=True)
    return AccountService(paths=paths, credentials=Credentials(), configuration=configuration)
