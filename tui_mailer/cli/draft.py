"""``draft``: what is still being written, autosaved and recovered drafts too."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from tui_mailer.cli import exit_code, parsing, sending
from tui_mailer.cli.message_options import Input, add_message_options, read_draft

if TYPE_CHECKING:
    from tui_mailer.cli.context import Context
    from tui_mailer.storage.record import StoredDraft

_EPILOG = f"""\
examples:
  tui-mailer draft new --to ada@example.org --subject Plan --body 'First thoughts'
  tui-mailer draft list
  tui-mailer draft send 7XKQ

{exit_code.EXPLAINED}"""


def build_parser(prog: str) -> parsing.Parser:
    """Describes the command line of ``draft``."""
    parser = parsing.Parser(prog=prog, description="What is still being written.", epilog=_EPILOG)
    group = parsing.add_group(parser)
    parsing.add_page(parsing.only_looks(parsing.add_command(group, "list", list_drafts, "list drafts, newest first")))
    shown = parsing.add_command(group, "show", show, "show one with every field", arguments="ID")
    parsing.add_id(parsing.only_looks(shown))
    new_parser = parsing.add_command(group, "new", new, "store a draft; it may be incomplete")
    add_message_options(new_parser)
    send_parser = parsing.add_command(
        group, "send", send, "seal a draft and make one attempt, as 'send' does", arguments="ID"
    )
    parsing.add_id(send_parser)
    send_parser.add_argument("--at", metavar="WHEN", default="", help="in place of the draft's own time")
    send_parser.add_argument("--undo", metavar="SECONDS", type=parsing.count, default=0)
    send_parser.add_argument("--each", action="store_true", help="one submission per To; prints an array")
    send_parser.add_argument(
        "--key", metavar="KEY", type=parsing.key, help="a second call with the key returns the first submission"
    )
    sending.add_attempt_options(send_parser)
    sending.add_preview_options(send_parser)
    parsing.add_id(parsing.add_command(group, "delete", delete, "delete one", arguments="ID"))
    return parser


def list_drafts(context: Context, arguments: argparse.Namespace) -> int:
    """Lists drafts, those of one account with ``--account``."""
    from tui_mailer.cli.wording import short_moment
    from tui_mailer.services.json_view import draft_view

    before = context.mailer.draft(arguments.before).id if arguments.before else None
    found = context.mailer.drafts(limit=arguments.limit, before=before)
    if context.account:
        found = [each for each in found if each.draft.account == context.account]
    context.output.document([draft_view(each) for each in found])
    if not found:
        context.output.say("There are no drafts.")
        return exit_code.DONE
    now, zone = context.now(), context.zone
    rows = [(each.id[-8:], short_moment(each.updated_at, zone, now), each.draft.to, _title(each)) for each in found]
    context.output.table(("ID", "CHANGED", "TO", "SUBJECT"), rows, flexible=3)
    return exit_code.DONE


def _title(stored: StoredDraft) -> str:
    return (stored.draft.subject or stored.draft.body.strip().split("\n", 1)[0]) + (
        " (copy)" if stored.is_copy_of else ""
    )


def show(context: Context, arguments: argparse.Namespace) -> int:
    """Shows every field of a draft."""
    from tui_mailer.cli.wording import moment
    from tui_mailer.services.json_view import draft_view, tag_text

    stored = context.mailer.draft(arguments.id)
    draft = stored.draft
    context.output.document(draft_view(stored))
    context.output.pairs(
        [
            ("ID", stored.id),
            ("Changed", moment(stored.updated_at, context.zone)),
            ("Copy of", stored.is_copy_of),
            ("Account", draft.account),
            ("From", draft.sender),
            ("To", draft.to),
            ("Cc", draft.cc),
            ("Bcc", draft.bcc),
            ("Reply-To", draft.reply_to),
            ("Subject", draft.subject),
            ("HTML", None if draft.html is None else f"{len(draft.html.encode(errors='replace'))} bytes"),
            ("Attachments", ", ".join(each.source for each in draft.all_attachments())),
            ("At", draft.schedule),
            ("In-Reply-To", draft.in_reply_to),
            ("References", draft.references),
            ("Headers", ", ".join(f"{name}: {value}" for name, value in draft.headers)),
            ("Tags", ", ".join(map(tag_text, draft.tags))),
            ("Template", draft.template),
            ("Note", draft.note),
        ]
    )
    if draft.body or draft.html:
        context.output.text("\n" + (draft.body or draft.html or ""))
    return exit_code.DONE


def new(context: Context, arguments: argparse.Namespace) -> int:
    """Stores a draft as it was given."""
    from tui_mailer.services.json_view import draft_view

    source = Input(account=context.account, default_format=context.session.configuration.compose.format)
    stored = context.mailer.save_draft(read_draft(arguments, source))
    context.output.outcome(draft_view(stored))
    context.output.say(f"{stored.id}  Draft stored. To send it: tui-mailer draft send {stored.id}")
    return exit_code.DONE


def send(context: Context, arguments: argparse.Namespace) -> int:
    """Seals a draft and delivers it as ``send`` does; the draft is deleted with the sealing."""
    from tui_mailer.services.review import SealRequest

    stored = context.mailer.draft(arguments.id)
    draft = stored.draft._replace(
        schedule=arguments.at or stored.draft.schedule,
        account=context.account or stored.draft.account,
    )
    if arguments.check:
        return sending.show_check(context, draft)
    if arguments.dry_run:
        return sending.show_dry_run(context, draft)
    request = SealRequest(
        hold=arguments.hold,
        undo_seconds=arguments.undo,
        key=arguments.key,
        each=arguments.each,
        draft=stored.ref,
    )
    sealed = context.mailer.seal(draft, request)
    return sending.deliver_and_report(context, sealed, sending.waiting_of(arguments), is_array=arguments.each)


def delete(context: Context, arguments: argparse.Namespace) -> int:
    """Deletes a draft."""
    stored = context.mailer.draft(arguments.id)
    context.mailer.delete_draft(stored.ref)
    context.output.outcome({"deleted": 1, "id": stored.id})
    context.output.say(f"{stored.id}  Draft deleted.")
    return exit_code.DONE
