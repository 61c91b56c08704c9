"""``sendmail``: takes an RFC 5322 message on stdin as other programs hand it over; 0 once it is durable."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, BinaryIO

from tui_mailer.cli import exit_code, parsing
from tui_mailer.cli.exit_code import UsageError
from tui_mailer.cli.global_option import VALUED
from tui_mailer.domain.errors import InvalidAddress, InvalidMessage, MailerError, StorageError
from tui_mailer.domain.submission import Kind
from tui_mailer.domain.text import clean

if TYPE_CHECKING:
    from tui_mailer.accounts.configuration import Account
    from tui_mailer.cli.context import Context
    from tui_mailer.domain.address import Address
    from tui_mailer.domain.raw import RawMessage
    from tui_mailer.storage.record import Submission

_DESCRIPTION = """\
Takes an RFC 5322 message on stdin, keeps it byte for byte, and exits 0 once it can't be lost any more; a process of
its own delivers it then. -o* -B* -bm -N* -R* -V* -e* -v are accepted and ignored; values may be joined (-FName)."""

_EPILOG = """\
examples:
  git send-email --sendmail-cmd='tui-mailer sendmail' 0001-fix.patch
  printf 'To: ada@example.org\\nSubject: Hi\\n\\nHello\\n' | tui-mailer sendmail -t

names without a domain (cron's 'root') go where sendmail.aliases says, else to sendmail.domain; where neither says
anything, your own login name to the account's first address

exit codes: 0 stored; 64 usage, 65 bad message, 78 configuration; 75 nothing could be stored, try again"""

LARGEST_BYTES = 150_000_000
"""More than any mail server takes; what is read is held in memory."""
_LONE_DOT = re.compile(rb"^\.\r*(?:\n|\Z)", re.MULTILINE)
_VALUED = {"f": "--sender", "r": "--sender", "F": "--full-name"}
_IGNORED_WITH_VALUE = frozenset("oBNRVeOhLpXAM")
_IGNORED = frozenset("vmnGsU")
_REFUSED_MODES = {
    "s": "-bs (SMTP on stdin) isn't offered",
    "p": "-bp lists a queue: use 'tui-mailer outbox list'",
    "i": "-bi (rebuild aliases) isn't needed: aliases are in the configuration",
}


class SendmailParser(parsing.Parser):
    """Reads sendmail's own letters (combined, joined or apart) beside the global options."""

    def parse_args(self, args: Sequence[str] | None = None, namespace: None = None) -> argparse.Namespace:  # type: ignore[override]
        """Translates the letters into long options first."""
        return super().parse_args(translate(list(args or ())), namespace)


def build_parser(prog: str) -> parsing.Parser:
    """Describes the command line of ``sendmail``."""
    parser = SendmailParser(
        prog=prog,
        usage=f"{prog} [-t] [-i] [-f ADDR] [-F NAME] [RCPT...]",
        description=_DESCRIPTION,
        epilog=_EPILOG,
    )
    parser.add_argument("--read-recipients", action="store_true", help="-t: recipients from To, Cc and Bcc")
    parser.add_argument("--ignore-dots", action="store_true", help="-i, -oi: a lone dot doesn't end the message")
    parser.add_argument("--sender", metavar="ADDR", help="-f, -r: the envelope's sender ('<>': none)")
    parser.add_argument("--full-name", metavar="NAME", default="", help="-F: the sender's name, if there is no From")
    parser.add_argument("recipients", metavar="RCPT", nargs="*")
    parser.set_defaults(handler=sendmail)
    return parser


def translate(words: list[str]) -> list[str]:
    """Turns sendmail's letters into long options; raises `UsageError` for what isn't offered."""
    translated: list[str] = []
    recipients: list[str] = []
    waiting = iter(words)
    for word in waiting:
        if word == "--":
            recipients += waiting
        elif word in VALUED and word.startswith("--"):
            translated += [word, next(waiting, "")]
        elif word.startswith("--"):
            translated.append(word)
        elif word.startswith("-") and len(word) > 1:
            translated += _letters(word[1:], waiting)
        else:
            recipients.append(word)
    return [*translated, "--", *recipients]


def _letters(letters: str, waiting: Iterable[str]) -> list[str]:
    translated: list[str] = []
    while letters:
        letter, letters = letters[0], letters[1:]
        if letter in "ti":
            translated.append("--read-recipients" if letter == "t" else "--ignore-dots")
        elif letter == "q":
            raise UsageError("-q (run the queue) isn't offered: use 'tui-mailer outbox flush'.")
        elif letter == "b":
            _check_mode(letters or next(iter(waiting), ""))
            letters = ""
        elif letter in _VALUED or letter in _IGNORED_WITH_VALUE:
            value = letters or next(iter(waiting), None)
            if value is None:
                raise UsageError(f"-{letter} needs a value.")
            letters = ""
            if letter == "o" and value == "i":
                translated.append("--ignore-dots")
            elif letter in _VALUED:
                translated.append(f"{_VALUED[letter]}={value}")
        elif letter not in _IGNORED:
            raise UsageError(f"sendmail's -{letter} isn't known here.", usage="tui-mailer sendmail --help")
    return translated


def _check_mode(mode: str) -> None:
    if mode != "m":
        reason = _REFUSED_MODES.get(mode, f"-b{mode} isn't offered")
        raise UsageError(f"{reason}.")


def sendmail(context: Context, arguments: argparse.Namespace) -> int:
    """Stores the message and leaves it to a detached flush."""
    if not (arguments.recipients or arguments.read_recipients):
        raise UsageError("Nobody to send it to: name recipients, or give -t to read them from the message.")
    message = read_message(sys.stdin.buffer, ignore_dots=arguments.ignore_dots)
    try:
        sealed = _seal(context, arguments, message)
    except (StorageError, OSError) as error:
        context.output.error(f"{error} Nothing was stored; try again later.", code=exit_code.NOT_YET)
        return exit_code.NOT_YET
    from tui_mailer.services.json_view import submission_view

    context.output.outcome(submission_view(sealed))
    _deliver_detached(context)
    return exit_code.DONE


def _deliver_detached(context: Context) -> None:
    """The message is durable: trouble in starting its delivery is told, but it is no failure."""
    from tui_mailer.services.detached_flush import start_detached_flush

    try:
        start_detached_flush(context.session.paths, context.session.configuration)
    except (OSError, MailerError) as error:
        context.output.say(f"tui-mailer: the message is stored, but its delivery couldn't be started: {error}.")


def read_message(stream: BinaryIO, *, ignore_dots: bool) -> bytes:
    """Reads to the end, or to a line with nothing but a dot unless those are to be ignored.

    Raises `InvalidMessage` for more than `LARGEST_BYTES`.
    """
    message = stream.read(LARGEST_BYTES + 1)
    end = None if ignore_dots else _LONE_DOT.search(message)
    if end is not None:
        return message[: end.start()]
    if len(message) > LARGEST_BYTES:
        raise InvalidMessage(
            f"The message is larger than {LARGEST_BYTES // 1_000_000} MB, which no mail server takes. "
            "Nothing was stored."
        )
    return message


def _seal(context: Context, arguments: argparse.Namespace, content: bytes) -> Submission:
    from ulid import ULID

    from tui_mailer.domain.raw import complete, read_raw

    if not content.strip():
        raise InvalidMessage("There was no message on stdin. Nothing was stored.")
    raw = read_raw(content)
    names = BareNames(context)
    typed = None if arguments.sender is None else arguments.sender.strip().removeprefix("<").removesuffix(">")
    sender = names.sender(typed or raw.sender or "")
    account = _account(context, sender)
    author = _author(sender or account.identities[0], arguments.full_name)
    whole = complete(
        raw, sender=author, message_id=f"<{ULID()}@{author.domain}>", date=datetime.now(UTC).astimezone(context.zone)
    )
    return context.mailer.seal_raw(
        whole.data,
        envelope_from="" if typed == "" else author.addr_spec,
        recipients=_recipients(raw, arguments, names),
        account=account.name,
    )


def _author(address: Address, full_name: str) -> Address:

    return address._replace(display_name=full_name) if full_name else address


def _account(context: Context, sender: Address | None) -> Account:
    from tui_mailer.accounts.identity import account_for_sender

    configuration = context.session.configuration
    if not context.account and sender is not None:
        found = account_for_sender(configuration, sender)
        if found is not None:
            return found
    return context.mailer.directory.account(context.account or configuration.default_account)


def _recipients(raw: RawMessage, arguments: argparse.Namespace, names: BareNames) -> dict[str, Kind]:
    """Lists who gets it, each with where the header names it; whom it doesn't name is a blind recipient."""
    listed = [address for word in arguments.recipients for address in word.split(",") if address.strip()]
    if arguments.read_recipients:
        listed += raw.recipients
    shown = _named_in_header(raw, names)
    recipients = [address for each in listed for address in names.recipients(each)]
    if not recipients:
        raise InvalidMessage("The message names no recipient in To, Cc or Bcc. Nothing was stored.", field="to")
    return {address: shown.get(address.casefold(), Kind.BCC) for address in recipients}


def _named_in_header(raw: RawMessage, names: BareNames) -> dict[str, Kind]:
    """Reads whom To and Cc name, by `str.casefold`; what can't be read there, or completed, names nobody."""
    shown: dict[str, Kind] = {}
    for kind in (Kind.TO, Kind.CC):
        with suppress(InvalidAddress):
            for name in raw.to if kind is Kind.TO else raw.cc:
                with suppress(InvalidMessage):
                    shown |= {each.casefold(): kind for each in names.recipients(name) if each.casefold() not in shown}
    return shown


class BareNames:
    """Names without a domain (``root``), as ``sendmail.aliases`` and ``sendmail.domain`` complete them.

    The login name of who calls needs neither: what cron says of a person's own jobs goes to their account's address.
    Anybody else's name might be a stranger elsewhere, so it is never completed by a guess.
    """

    def __init__(self, context: Context) -> None:
        self._settings = context.session.configuration.sendmail
        self._context = context

    def sender(self, text: str) -> Address | None:
        """Reads the sender; None for one that can't be completed: the account's own address stands in."""
        from tui_mailer.domain.address import parse_address

        if not text or ("@" not in text and not self._settings.domain):
            return None
        return parse_address(text if "@" in text else f"{text}@{self._settings.domain}", field="from")

    def recipients(self, text: str) -> list[str]:
        """Reads one recipient, which an alias may turn into several; raises `InvalidMessage`."""
        from tui_mailer.domain.address import parse_address, parse_address_list

        name = text.strip()
        if "@" in name:
            return [parse_address(name, field="to").addr_spec]
        if name in self._settings.aliases:
            return [each.addr_spec for each in parse_address_list(self._settings.aliases[name], field="to")]
        if self._settings.domain:
            return [parse_address(f"{name}@{self._settings.domain}", field="to").addr_spec]
        if name == _login_name():
            return [_account(self._context, None).identities[0].addr_spec]
        shown = clean(name)
        raise InvalidMessage(
            f"'{shown}' has no domain, and it isn't you: it can't be told whose address that is. Nothing was stored. "
            f"Name it in {self._context.session.paths.config_file}:\n"
            f"  sendmail: {{aliases: {{{shown}: you@example.org}}}}\n"
            "(or give all such names a domain: sendmail: {domain: example.org}).",
            field="to",
        )


def _login_name() -> str:
    """Who runs this, by the user id: variables can say anything. Some containers have no name for it."""
    import os
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return ""
