"""Submissions as a table, and one in full: what ``outbox`` and ``history`` show."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from tui_mailer.cli.wording import addressees, describe_submission, moment, short_moment, state_words
from tui_mailer.domain.address import format_address_list
from tui_mailer.domain.submission import OPEN_STATES, PHASE_WORD, UNDER_WAY, Attempt, Phase, State
from tui_mailer.domain.text import clean
from tui_mailer.services.json_view import submission_view
from tui_mailer.storage.record import Submission

if TYPE_CHECKING:
    from tui_mailer.cli.context import Context

_SUFFIX = 8
"""Characters of an ID shown in a table: unique in any outbox a person has, and accepted wherever an ID is."""


def show_table(context: Context, submissions: Sequence[Submission], *, empty: str) -> None:
    """Prints a list, newest first; an array with ``--json``."""
    holds, who = context.mailer.account_holds(), context.mailer.who_sends()
    context.output.document(
        [
            submission_view(each, account_hold=holds.get(each.account), who=who, opens_at=context.mailer.opens_at(each))
            for each in submissions
        ]
    )
    if not submissions:
        context.output.say(empty)
        return
    now, zone = context.now(), context.zone
    rows: list[tuple[str, ...]] = []
    for each in submissions:
        at = _interesting_time(each)
        state = state_words(each)
        if each.state is State.QUEUED and each.account in holds:
            state = f"{state}, account {'offline' if holds[each.account].is_offline else 'held'}"
        elif opening := context.mailer.opens_at(each):
            at, state = opening, f"{state}, waits for its hours"
        if each.series_id is not None and each.state in OPEN_STATES:
            state = f"{state}, recurs"
        rows.append((each.id[-_SUFFIX:], state, short_moment(at, zone, now), addressees(each), each.message.subject))
    context.output.table(("ID", "STATE", "WHEN", "TO", "SUBJECT"), rows, flexible=4)


def show_one(context: Context, submission: Submission, attempts: Sequence[Attempt]) -> None:
    """Prints everything known of one submission."""
    hold = context.mailer.account_holds().get(submission.account)
    mailer = context.mailer
    opens_at, who = mailer.opens_at(submission), mailer.who_sends()
    context.output.document(
        submission_view(submission, account_hold=hold, attempts=attempts, who=who, opens_at=opens_at)
    )
    if context.output.as_json:
        return
    context.output.text(describe_submission(submission, context, hold))
    context.output.text("")
    context.output.pairs(_facts(context, submission))
    context.output.text("")
    rows = [(each.kind.value, each.status.value, each.address, each.detail or "") for each in submission.recipients]
    context.output.table(("KIND", "STATUS", "RECIPIENT", "DETAIL"), rows, flexible=3)
    for attempt in attempts:
        _show_attempt(context, attempt, submission.phase)
    text = submission.message.text or submission.message.html
    if text:
        context.output.text("\n" + text)


def _interesting_time(submission: Submission) -> datetime:
    """When it will go on, while that is known; else when it last changed."""
    if submission.state is State.DEFERRED and submission.next_attempt_at:
        return submission.next_attempt_at
    if submission.state in {State.QUEUED, State.HELD, State.HANDED_OVER}:
        return submission.not_before
    return submission.sent_at or submission.updated_at


def _facts(context: Context, submission: Submission) -> list[tuple[str, str | None]]:
    message, zone = submission.message, context.zone
    attachments = ", ".join(f"{each.name} ({each.media_type}, {each.size} bytes)" for each in message.attachments)
    words = f" ({submission.schedule_words})" if submission.schedule_words else ""
    return [
        ("Subject", message.subject),
        ("From", str(message.sender)),
        ("To", format_address_list(message.to)),
        ("Cc", format_address_list(message.cc)),
        ("Bcc", format_address_list(message.bcc)),
        ("Reply-To", format_address_list(message.reply_to)),
        ("Attachments", attachments),
        ("Message-ID", message.message_id),
        ("Account", f"{submission.account} ({submission.provider})"),
        ("State", state_words(submission)),
        ("Size", f"{submission.size} bytes"),
        ("Created", moment(submission.created_at, zone)),
        ("Not before", moment(submission.not_before, zone) + words),
        ("Series", submission.series_id),
        ("Sent", moment(submission.sent_at, zone)),
        ("Attempts", str(submission.attempts)),
        ("Next try", moment(submission.next_attempt_at, zone)),
        ("Deliverer", submission.deliverer),
        ("Provider's ID", submission.provider_id),
        ("Answer", _answer(submission.response_code, submission.enhanced_code, submission.response_text)),
        ("Tags", ", ".join(name if value is None else f"{name}={value}" for name, value in message.tags)),
        ("Metadata", ", ".join(f"{key}={value}" for key, value in message.metadata.items())),
        ("Key", submission.key),
        ("Group", submission.group),
        ("Note", submission.note),
    ]


def _show_attempt(context: Context, attempt: Attempt, now_at: Phase | None) -> None:
    phase, silence = attempt.phase, "no answer"
    if attempt.ended_at is None:
        # Its own row tells of its end; how far it is stands beside the message.
        phase, silence = Phase.INTENT if attempt.intent_at else now_at or phase, "no answer yet"
    reached = UNDER_WAY if attempt.ended_at is None and phase is Phase.CLAIMED else PHASE_WORD[phase]
    answer = _answer(attempt.code, attempt.enhanced_code, attempt.text) or silence
    started = moment(attempt.started_at, context.zone)
    context.output.text(f"\nAttempt {attempt.number}, {started}: {reached}; {clean(answer)}")
    for line in attempt.transcript:
        context.output.text(f"  {clean(line)}")


def _answer(code: int | None, enhanced_code: str | None, text: str | None) -> str | None:
    said = text or ""
    parts = [str(part) for part in (code, enhanced_code) if part is not None and str(part) not in said]
    return " ".join([*parts, said]).strip() or None
