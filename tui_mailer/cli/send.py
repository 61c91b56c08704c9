"""``send``: seals a message into the outbox and makes one attempt to deliver it in this process."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from tui_mailer.cli import parsing, sending
from tui_mailer.cli.exit_code import EXPLAINED
from tui_mailer.cli.message_options import Input, add_message_options, read_draft

if TYPE_CHECKING:
    from tui_mailer.cli.context import Context

_DESCRIPTION = """\
Seals the message into the outbox and makes one attempt to deliver it in this process. From the moment it is sealed
it isn't lost, whatever the exit code says; whoever delivers (the app, 'tui-mailer deliver') makes later attempts."""

_EPILOG = f"""\
examples:
  tui-mailer send --to ada@example.org --subject Hello --body 'See you at nine.'
  tui-mailer send --to '"Last, First" <a@example.org>' --cc b@example.org --subject Plan --body-file plan.txt
  tui-mailer send --to ada@example.org --subject Photos --body Here. --attach a.jpg --as beach.jpg
  tui-mailer send --to ada@example.org --subject Later --body Hi. --at 'tomorrow 9am'
  tui-mailer send --to team@example.org --subject Standup --body 'In ten minutes.' --repeat 'every weekday 8:50'
  make 2>&1 | tui-mailer send --to ops@example.org --subject 'Build log' --key "build-$BUILD_ID" --json

{EXPLAINED}"""


def build_parser(prog: str) -> parsing.Parser:
    """Describes the command line of ``send``."""
    parser = parsing.Parser(prog=prog, description=_DESCRIPTION, epilog=_EPILOG)
    add_message_options(parser)
    sending.add_attempt_options(parser)
    parser.add_argument(
        "--key", metavar="KEY", type=parsing.key, help="a second call with the same key returns the first submission"
    )
    sending.add_preview_options(parser)
    parser.set_defaults(handler=send)
    return parser


def send(context: Context, arguments: argparse.Namespace) -> int:
    """Sends one message, or one to each recipient."""
    from tui_mailer.services.review import SealRequest

    source = Input(account=context.account, default_format=context.session.configuration.compose.format)
    draft = read_draft(arguments, source)
    if arguments.check:
        return sending.show_check(context, draft)
    if arguments.dry_run:
        return sending.show_dry_run(context, draft)
    request = SealRequest(hold=arguments.hold, undo_seconds=arguments.undo or 0, key=arguments.key, each=arguments.each)
    sealed = context.mailer.seal(draft, request)
    return sending.deliver_and_report(context, sealed, sending.waiting_of(arguments), is_array=arguments.each)
