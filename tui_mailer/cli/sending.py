"""Sealing and the one attempt that ``send``, ``draft send`` and ``history resend`` make in their own process."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui_mailer.cli import exit_code, parsing
from tui_mailer.domain.errors import MailerError
from tui_mailer.domain.submission import State

if TYPE_CHECKING:
    from tui_mailer.cli.context import Context
    from tui_mailer.domain.draft import Draft
    from tui_mailer.storage.record import AccountHold, Submission

DEFAULT_WAIT_SECONDS = 600
_ATTEMPTED = frozenset({State.QUEUED, State.DEFERRED, State.SENDING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """How long the call may last, and what was asked to wait (and so is a success while it does)."""

    seconds: float = DEFAULT_WAIT_SECONDS
    is_queue_only: bool = False
    is_hold: bool = False


def add_attempt_options(parser: parsing.Parser) -> None:
    """Adds what decides whether this process tries to deliver, and for how long."""
    group = parser.add_argument_group("delivery")
    group.add_argument("--hold", action="store_true", help="keep it in the outbox until released")
    _add_queue_and_wait(group)


def add_queue_options(parser: parsing.Parser) -> None:
    """Adds the same for what can't be held."""
    _add_queue_and_wait(parser.add_argument_group("delivery"))
    parser.set_defaults(hold=False)


def _add_queue_and_wait(group: argparse._ArgumentGroup) -> None:  # pyright: ignore[reportPrivateUsage]  # has no public name
    group.add_argument("--queue", action="store_true", help="only put it into the outbox")
    group.add_argument(
        "--wait", metavar="SECONDS", type=parsing.count, default=DEFAULT_WAIT_SECONDS, help="then exit 75 (default 600)"
    )


def add_preview_options(parser: parsing.Parser) -> None:
    """Adds the two ways to look before anything is stored."""
    group = parser.add_argument_group("look first (nothing is stored)")
    look = group.add_mutually_exclusive_group()
    look.add_argument("--dry-run", action="store_true", help="print exactly what would go out")
    look.add_argument("--check", action="store_true", help="run the checks only; 65 if it can't be sent")


def waiting_of(arguments: argparse.Namespace) -> Waiting:
    """Reads the options of `add_attempt_options`."""
    return Waiting(seconds=arguments.wait, is_queue_only=arguments.queue, is_hold=arguments.hold)


def show_check(context: Context, draft: Draft) -> int:
    """Prints what the checks find; 65 where sealing would be refused."""
    from tui_mailer.services.json_view import check_view

    review = context.mailer.review(draft)
    view = check_view(review)
    context.output.document(view)
    for finding in review.findings:
        where = f"{finding.field}: " if finding.field else ""
        context.output.say(f"{finding.severity}: {where}{finding.text}")
    if view["ok"]:
        context.output.say(
            f"It can be sent: {review.size} bytes from account {review.account.name}. {review.who_sends}"
        )
    return exit_code.DONE if view["ok"] else exit_code.BAD_MESSAGE


def show_dry_run(context: Context, draft: Draft) -> int:
    """Prints exactly what would go out."""
    from tui_mailer.services.json_view import dry_run_view

    account = context.mailer.account_for(draft)
    prepared = context.mailer.dry_run(draft)
    context.output.document(dry_run_view(prepared, account=account.name, provider=account.provider))
    context.output.text(
        f"Account {account.name} ({account.provider}), {prepared.size} bytes. Nothing is stored or sent."
    )
    for step in prepared.steps:
        context.output.text(f"\n== {step.title}")
        for line in step.lines:
            context.output.text(line)
    return exit_code.DONE


def deliver_and_report(
    context: Context, sealed: Sequence[Submission], waiting: Waiting, *, is_array: bool = False
) -> int:
    """Tries what is due once, says where each stands, and exits by the worst outcome.

    What is sealed stays sealed: whatever trouble comes from here on, the code says where the message stands (75: it
    waits), and a signal's own code is left to the caller.
    """
    try:
        current = _attempt(context, list(sealed), waiting)
    except (MailerError, OSError) as error:
        context.output.say(f"{error} The message is stored.")
        return report(context, _as_they_stand(context, sealed), is_array=is_array)
    except BaseException:
        report(context, _as_they_stand(context, sealed), is_array=is_array)
        raise
    return report(context, current, is_array=is_array, waiting=waiting)


def _as_they_stand(context: Context, sealed: Sequence[Submission]) -> list[Submission]:
    try:
        return [context.mailer.show(each.id) for each in sealed]
    except MailerError:
        return list(sealed)


def report(
    context: Context, submissions: Sequence[Submission], *, is_array: bool = False, waiting: Waiting | None = None
) -> int:
    """Says where each submission stands and returns the exit code of the worst."""
    from tui_mailer.cli.wording import describe_submission
    from tui_mailer.services.json_view import submission_view

    holds, who = context.mailer.account_holds(), context.mailer.who_sends()
    views = [
        submission_view(each, account_hold=holds.get(each.account), who=who, opens_at=context.mailer.opens_at(each))
        for each in submissions
    ]
    context.output.outcome(views if is_array else views[0])
    for each in submissions:
        context.output.say(describe_submission(each, context, holds.get(each.account)))
    return exit_code.worst(_code(each, holds, waiting, context) for each in submissions)


def _code(submission: Submission, holds: Mapping[str, AccountHold], waiting: Waiting | None, context: Context) -> int:
    hold = holds.get(submission.account)
    if waiting is not None and _waits_as_asked(submission, waiting, context):
        return exit_code.DONE
    return exit_code.code_of_state(submission.state, is_account_held=hold is not None and not hold.is_offline)


def _waits_as_asked(submission: Submission, waiting: Waiting, context: Context) -> bool:
    if submission.state is State.HELD:
        return waiting.is_hold
    is_later = submission.not_before > context.now()
    is_untried = submission.attempts == 0 or submission.hands_over
    return submission.state in _ATTEMPTED and is_untried and (waiting.is_queue_only or is_later)


def _attempt(context: Context, sealed: list[Submission], waiting: Waiting) -> list[Submission]:
    now = context.now()
    due = [
        each.id
        for each in sealed
        if each.state in _ATTEMPTED
        and (each.hands_over or (each.next_attempt_at or each.not_before) <= now)
        and not waiting.is_queue_only
    ]
    if not due:
        return sealed
    if waiting.seconds == 0:
        _leave_to_others(context)
        return sealed
    context.session.engine("send").deliver(due, timeout_seconds=waiting.seconds)
    return [context.mailer.show(each.id) for each in sealed]


def hand_over(context: Context, submissions: Sequence[Submission]) -> None:
    """Gives the provider now what it is to keep until later."""
    _attempt(context, list(submissions), Waiting())


def _leave_to_others(context: Context) -> None:
    """With ``--wait 0`` and nobody delivering, a detached flush makes the attempt."""
    from tui_mailer.services.who_sends import Sender

    if context.mailer.who_sends().sender is Sender.NOBODY:
        from tui_mailer.services.detached_flush import start_detached_flush

        start_detached_flush(context.session.paths, context.session.configuration)
