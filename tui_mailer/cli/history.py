"""``history``: what has ended; searching, exporting, sending again, deleting."""

from __future__ import annotations

import argparse
import base64
from dataclasses import replace
from typing import TYPE_CHECKING

from tui_mailer.cli import exit_code, parsing, sending
from tui_mailer.domain.errors import TooLate

if TYPE_CHECKING:
    from tui_mailer.cli.context import Context
    from tui_mailer.storage.record import HistoryQuery

_EPILOG = f"""\
QUERY: words (all must be there), "a phrase", from: to: subject: account: state: before: after:

examples:
  tui-mailer history list --limit 20
  tui-mailer history search 'to:ada subject:report after:2026-01-01'
  tui-mailer history export 7XKQ > message.eml
  tui-mailer history resend 7XKQ --refused
  tui-mailer history purge --before 365d

{exit_code.EXPLAINED}"""


def build_parser(prog: str) -> parsing.Parser:
    """Describes the command line of ``history``."""
    parser = parsing.Parser(prog=prog, description="What has ended.", epilog=_EPILOG)
    group = parsing.add_group(parser)
    parsing.add_page(
        parsing.only_looks(parsing.add_command(group, "list", list_ended, "list what has ended, newest first"))
    )
    search_parser = parsing.add_command(
        group, "search", search, "list what matches a QUERY", arguments="QUERY", epilog=_EPILOG
    )
    search_parser.add_argument("query", metavar="QUERY", nargs="+", help='words, "a phrase", from: to: subject: ...')
    parsing.add_page(parsing.only_looks(search_parser))
    shown = parsing.add_command(group, "show", show, "show one with its recipients, attempts and text", arguments="ID")
    parsing.add_id(parsing.only_looks(shown))
    exported = parsing.add_command(group, "export", export, "print the message as an .eml", arguments="ID")
    parsing.add_id(parsing.only_looks(exported))
    resend_parser = parsing.add_command(
        group, "resend", resend, "send the same content as a new message", arguments="ID"
    )
    parsing.add_id(resend_parser)
    resend_parser.add_argument("--refused", action="store_true", help="only to those who were refused")
    resend_parser.add_argument("--again", action="store_true", help="with --refused: also if that was done already")
    sending.add_queue_options(resend_parser)
    parsing.add_id(
        parsing.add_command(group, "delete", delete, "delete one, and what only it refers to", arguments="ID")
    )
    purge_parser = parsing.add_command(
        group, "purge", purge, "delete what ended before a time", arguments="--before WHEN"
    )
    purge_parser.add_argument(
        "--before", metavar="WHEN", required=True, help="2026-01-31, RFC 3339, or an age: 90d, 12w"
    )
    return parser


def list_ended(context: Context, arguments: argparse.Namespace) -> int:
    """Lists ended submissions."""
    from tui_mailer.storage.record import HistoryQuery

    return _list(context, arguments, HistoryQuery())


def search(context: Context, arguments: argparse.Namespace) -> int:
    """Lists ended submissions that match."""
    from tui_mailer.services.query import say_wrong_date

    text = " ".join(arguments.query)
    if wrong := say_wrong_date(text):
        context.output.say(f"{wrong} It is looked for as a word.")
    return _list(context, arguments, context.mailer.parse_query(text))


def _list(context: Context, arguments: argparse.Namespace, query: HistoryQuery) -> int:
    from tui_mailer.cli import listing

    if context.account:
        query = replace(query, account=context.account)
    before = context.mailer.resolve_id(arguments.before) if arguments.before else None
    found = context.mailer.history(query, limit=arguments.limit, before=before)
    listing.show_table(context, found, empty="Nothing that has ended matches.")
    return exit_code.DONE


def show(context: Context, arguments: argparse.Namespace) -> int:
    """Shows one submission, wherever it is."""
    from tui_mailer.cli import listing

    submission_id = context.mailer.resolve_id(arguments.id)
    listing.show_one(context, context.mailer.show(submission_id), context.mailer.attempts(submission_id))
    return exit_code.DONE


def export(context: Context, arguments: argparse.Namespace) -> int:
    """Prints the message as it went out; never the Bcc."""
    submission_id = context.mailer.resolve_id(arguments.id)
    blocks = context.mailer.export(submission_id)
    if context.output.as_json:
        encoded = base64.b64encode(b"".join(blocks)).decode("ascii")
        context.output.document({"id": submission_id, "eml_base64": encoded})
    else:
        context.output.binary(blocks)
    return exit_code.DONE


def resend(context: Context, arguments: argparse.Namespace) -> int:
    """Sends the same content again, as a submission of its own."""
    from tui_mailer.services.resending import find_resent

    mailer, submission_id = context.mailer, context.mailer.resolve_id(arguments.id)
    known = find_resent(mailer.store, submission_id).last_id if arguments.again else None
    try:
        sealed = mailer.resend(submission_id, only_refused=arguments.refused, after=known)
    except TooLate as error:
        raise TooLate(f"{error} To send it once more all the same: --again", state=error.state) from None
    return sending.deliver_and_report(context, [sealed], sending.waiting_of(arguments))


def delete(context: Context, arguments: argparse.Namespace) -> int:
    """Deletes one ended submission."""
    submission_id = context.mailer.resolve_id(arguments.id)
    context.mailer.delete(submission_id)
    context.output.outcome({"deleted": 1, "id": submission_id})
    context.output.say(f"{submission_id}  Deleted from the history.")
    return exit_code.DONE


def purge(context: Context, arguments: argparse.Namespace) -> int:
    """Deletes what ended before a time."""
    from tui_mailer.cli.wording import moment
    from tui_mailer.services.json_view import instant

    before = context.mailer.parse_past(arguments.before)
    deleted = context.mailer.purge(before)
    context.output.outcome({"deleted": deleted, "before": instant(before)})
    context.output.say(f"{deleted} that ended before {moment(before, context.zone)} deleted from the history.")
    return exit_code.DONE
