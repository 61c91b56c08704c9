"""``outbox``: what isn't finished or needs a person, and everything that moves it on."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

from tui_mailer.cli import exit_code, parsing, sending
from tui_mailer.domain.errors import StorageError
from tui_mailer.domain.submission import State

if TYPE_CHECKING:
    from tui_mailer.cli.context import Context
    from tui_mailer.services.leftover import Leftover
    from tui_mailer.storage.record import Submission

_EPILOG = f"""\
examples:
  tui-mailer outbox list
  tui-mailer outbox show 7XKQ
  tui-mailer outbox reschedule 7XKQ 'tomorrow 9am'
  tui-mailer outbox cancel --series 7XKQ    recurring mail: this one and all that follow
  tui-mailer outbox resolve 7XKQ --resend
  tui-mailer outbox flush          exits 76, 77, 69, 75 or 0 by the worst outcome; what waits for you counts, too

{exit_code.EXPLAINED}"""

_PAGE = 200
_MOST_DESCRIBED = 3
"""How many of those that need a person a flush describes; the others are counted."""


def build_parser(prog: str) -> parsing.Parser:
    """Describes the command line of ``outbox``."""
    parser = parsing.Parser(prog=prog, description="What isn't finished, or needs a person.", epilog=_EPILOG)
    group = parsing.add_group(parser)
    parsing.add_page(
        parsing.only_looks(parsing.add_command(group, "list", list_open, "list what is open, newest first"))
    )
    shown = parsing.add_command(group, "show", show, "show one with its recipients, attempts and text", arguments="ID")
    parsing.add_id(parsing.only_looks(shown))
    for name, handler, summary in (
        ("hold", _moving(lambda context, id_: context.mailer.hold(id_)), "keep it from going out"),
        ("release", _moving(lambda context, id_: context.mailer.release(id_)), "let a held one go"),
        ("retry", _moving(lambda context, id_: context.mailer.retry(id_)), "make it due now"),
    ):
        parsing.add_id(parsing.add_command(group, name, handler, summary, arguments="ID"))
    cancel_parser = parsing.add_command(group, "cancel", cancel, "take it back before it leaves", arguments="ID")
    parsing.add_id(cancel_parser)
    cancel_parser.add_argument(
        "--series",
        action="store_true",
        help="of recurring mail: this one and all that follow (ID: its own or the series'); else only this one",
    )
    reschedule_parser = parsing.add_command(
        group, "reschedule", reschedule, "move it to another time", arguments="ID WHEN"
    )
    parsing.add_id(reschedule_parser)
    reschedule_parser.add_argument("when", metavar="WHEN", nargs="+", help="'tomorrow 9am', 2026-11-30T09:00+01:00")
    _add_resolve(group)
    parsing.add_command(group, "rebuild", rebuild, "bring back, held, what the spool has and the database lost")
    parsing.add_command(group, "flush", flush, "deliver all that is due, then exit by the worst outcome")
    return parser


def _add_resolve(group: object) -> None:
    parser = parsing.add_command(
        group, "resolve", resolve, "settle an uncertain one by your word", arguments="ID --sent|--failed|--resend"
    )
    parsing.add_id(parser)
    how = parser.add_mutually_exclusive_group(required=True)
    how.add_argument("--sent", dest="how", action="store_const", const="sent", help="it has arrived")
    how.add_argument("--failed", dest="how", action="store_const", const="failed", help="it hasn't; leave it")
    how.add_argument("--resend", dest="how", action="store_const", const="resend", help="send the same bytes again")


def list_open(context: Context, arguments: argparse.Namespace) -> int:
    """Lists open submissions, those of one account with ``--account``."""
    from tui_mailer.cli import listing

    before = context.mailer.resolve_id(arguments.before) if arguments.before else None
    found: list[Submission] = []
    while len(found) < arguments.limit:
        page = context.mailer.outbox(limit=_PAGE if context.account else arguments.limit, before=before)
        found += [each for each in page if context.account in {"", each.account}]
        if not page or not context.account:
            break
        before = page[-1].id
    listing.show_table(context, found[: arguments.limit], empty="The outbox is empty.")
    return exit_code.DONE


def show(context: Context, arguments: argparse.Namespace) -> int:
    """Shows one submission, wherever it is; of a series the one made last."""
    from tui_mailer.cli import listing

    submission_id = context.mailer.resolve_id(arguments.id, or_series=True)
    listing.show_one(context, context.mailer.show(submission_id), context.mailer.attempts(submission_id))
    return exit_code.DONE


def _take_over(context: Context) -> None:
    """Does first what any deliverer would: what a process was sending that has ended isn't being sent any more."""
    if context.mailer.counts().get(State.SENDING):
        policy = context.session.configuration.delivery.uncertain
        context.mailer.store.outbox.recover(policy=policy, now=context.now())


def _cancel(context: Context, submission_id: str) -> Submission:
    if _is_handed_over(context, submission_id):
        return context.session.recall().cancel(submission_id)
    return context.mailer.cancel(submission_id)


def _is_handed_over(context: Context, submission_id: str) -> bool:
    return context.mailer.show(submission_id).state is State.HANDED_OVER


def _moving(move: Callable[[Context, str], Submission]) -> parsing.Handler:
    def handler(context: Context, arguments: argparse.Namespace) -> int:
        """Moves one submission on and says where it stands."""
        _take_over(context)
        moved = move(context, context.mailer.resolve_id(arguments.id))
        sending.report(context, [moved])
        return exit_code.DONE

    return handler


def cancel(context: Context, arguments: argparse.Namespace) -> int:
    """Takes one submission back; with ``--series``, where a series' ID will do, all that would follow it, too."""
    _take_over(context)
    submission_id = context.mailer.resolve_id(arguments.id, or_series=arguments.series)
    if arguments.series:
        sending.report(context, [context.mailer.stop_series(submission_id)])
        context.output.say("The series has ended: nothing follows.")
        return exit_code.DONE
    canceled = _cancel(context, submission_id)
    sending.report(context, [canceled])
    if canceled.series_id is not None:
        context.output.say(
            f"It was one of a series ({canceled.schedule_words}), which goes on; "
            f"to end it: tui-mailer outbox cancel --series {canceled.id}"
        )
    return exit_code.DONE


def reschedule(context: Context, arguments: argparse.Namespace) -> int:
    """Moves one submission to another time."""
    _take_over(context)
    from tui_mailer.cli.wording import moment
    from tui_mailer.services.json_view import submission_view

    submission_id, when = context.mailer.resolve_id(arguments.id), " ".join(arguments.when)
    if _is_handed_over(context, submission_id):
        moved = context.session.recall().reschedule(submission_id, when)
    else:
        moved = context.mailer.reschedule(submission_id, when)
    trouble = ""
    try:
        sending.hand_over(context, [moved])
    except StorageError as error:
        trouble = f" {error}"  # it has its new time all the same
    moved = context.mailer.show(moved.id)
    who = context.mailer.who_sends(moved.not_before, account=moved.account)
    context.output.outcome(submission_view(moved, who=who))
    context.output.say(f"{moved.id}  Goes out {moment(moved.not_before, context.zone)}. {who.text}{trouble}")
    return exit_code.DONE


def resolve(context: Context, arguments: argparse.Namespace) -> int:
    """Settles an uncertain submission."""
    _take_over(context)
    settled = context.mailer.settle(context.mailer.resolve_id(arguments.id), arguments.how)
    sending.report(context, [settled])
    return exit_code.DONE


def rebuild(context: Context, _arguments: argparse.Namespace) -> int:
    """Restores submissions from the spool; each is held, nothing is sent by itself."""
    from tui_mailer.services.session import rebuild_outbox

    restored = rebuild_outbox(config=context.config, data_dir=context.data_dir)
    context.output.outcome({"restored": restored})
    context.output.say(
        f"{restored} brought back from the spool, held: look at each, then release or cancel it."
        if restored
        else "Nothing was missing: the outbox has all that the spool has."
    )
    return exit_code.DONE


def flush(context: Context, _arguments: argparse.Namespace) -> int:
    """Delivers all that is due, and doesn't hide what it couldn't."""
    from tui_mailer.services.leftover import leftover

    attempted = context.session.engine("flush").flush()
    if attempted:
        code = sending.report(context, attempted, is_array=True)
    else:
        context.output.document([])
        code = exit_code.DONE
    return exit_code.worst([code, _tell_leftover(context, leftover(context.mailer), attempted)])


def _tell_leftover(context: Context, left: Leftover, told: Collection[Submission]) -> int:
    """Says what waits apart from what was told already; returns the exit code of what needs a person."""
    from tui_mailer.cli.wording import describe_submission, moment

    say = context.output.say
    if not told and not left.account_holds:
        say("Nothing was due.")
    told_accounts, told_ids = {one.account for one in told}, {one.id for one in told}
    for hold in left.account_holds:
        if hold.account in told_accounts:
            continue
        say(
            f"Mail that is due waits: account {hold.account} is held: {hold.reason.rstrip('. ')}. "
            f"Once mended: tui-mailer account release {hold.account}"
        )
    untold = [one for one in left.needs_person if one.id not in told_ids]
    for one in untold[:_MOST_DESCRIBED]:
        say(describe_submission(one, context, None))
    if len(untold) > _MOST_DESCRIBED:
        say(f"{len(untold) - _MOST_DESCRIBED} more wait for you: tui-mailer outbox list")
    if left.held_as_asked:
        say(f"{left.held_as_asked} held as asked: tui-mailer outbox list")
    if left.next_due is not None:
        say(f"The next is due {moment(left.next_due, context.zone)}.")
    codes = [exit_code.code_of_state(one.state) for one in left.needs_person]
    return exit_code.worst([*codes, exit_code.ACCOUNT_HELD if left.account_holds else exit_code.DONE])
