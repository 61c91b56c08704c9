"""From what a person wrote to what the outbox keeps: review, dry run, seal, send again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from ulid import ULID

from tui_mailer.accounts.configuration import LOCAL_ACCOUNT, Account, Configuration
from tui_mailer.accounts.identity import account_for_sender
from tui_mailer.domain.address import format_address_list, parse_address
from tui_mailer.domain.checks import Finding, Severity, check_message
from tui_mailer.domain.draft import Draft
from tui_mailer.domain.errors import InvalidMessage
from tui_mailer.domain.message import Message
from tui_mailer.domain.raw import read_raw
from tui_mailer.domain.recurrence_word import is_repeat
from tui_mailer.domain.schedule import Schedule
from tui_mailer.domain.submission import Kind, Recipient, RecipientStatus, State
from tui_mailer.providers.base import Capabilities, Prepared
from tui_mailer.providers.capability import effects, keeps_schedule
from tui_mailer.services.account import ProviderDirectory, fingerprint
from tui_mailer.services.announced import announced_size, check_size
from tui_mailer.services.carrying import Carrying, Due, due_of
from tui_mailer.services.intake import PreviewIntake, SealingIntake, sealed_source
from tui_mailer.services.resending import find_resent, refuse_another
from tui_mailer.services.review import HTML_OUTDATED, Review, SealRequest, refuse_outdated_html, refuse_unseen
from tui_mailer.services.sealing import (
    Intake,
    SealingPlan,
    message_from,
    recipients_of,
)
from tui_mailer.services.who_sends import who_sends
from tui_mailer.storage.record import HELD_AS_ASKED, NewSubmission, SeriesRule, Submission

if TYPE_CHECKING:
    from tui_mailer.storage.store import Store

_THIS_PROGRAM = "This program sends it."
RESENT_STATUSES = frozenset({RecipientStatus.REJECTED, RecipientStatus.BOUNCED})
"""Who is served by ``resend --refused``."""


class Writer:
    """Seals drafts, and shows beforehand what sealing would do."""

    def __init__(self, *, directory: ProviderDirectory, store: Store) -> None:
        self.directory = directory
        self.store = store
        self._carrying = Carrying(directory)

    @property
    def configuration(self) -> Configuration:
        """The configuration in force."""
        return self.directory.configuration

    def account_for(self, draft: Draft) -> Account:
        """Names the account that would send the draft: as asked for, else by the From address, else the default.

        Raises `InvalidMessage` for an address that no account may use, `ConfigurationError` for an unknown account.
        """
        if draft.account:
            return self.directory.account(draft.account)
        if draft.sender.strip():
            wanted = parse_address(draft.sender, field="from")
            account = account_for_sender(self.configuration, wanted)
            if account is not None:
                return account
        return self.directory.account(self.configuration.default_account)

    def review(self, draft: Draft) -> Review:
        """Checks a draft as sealing would, storing nothing.

        Raises `InvalidMessage` only where there is nothing yet that could be shown (an address that can't be read).
        """
        account = self.account_for(draft)
        message = self._message(draft, account, str(ULID()), PreviewIntake(self.store.spool))
        now = self.store.clock.now()
        schedule = self._schedule(draft, now)
        capabilities = self.directory.capabilities(account.name)
        recipients = recipients_of(message, capabilities.recipient_option)
        due = due_of(draft, schedule, now)
        refused = self._carrying.refusals(message, account, now, due)
        size = self._carrying.size(message, now)
        can_keep = due.by != "outbox" and keeps_schedule(capabilities, due.at, now, is_template=bool(message.template))
        return Review(
            account=account,
            capabilities=capabilities,
            message=message,
            recipients=recipients,
            size=size,
            schedule=schedule,
            findings=(
                *map(_finding, refused),
                *check_size(size, announced_size(self.store, self.directory, account), self.directory),
                *_told(capabilities),
                *_checked(message, draft, has_recipient=bool(recipients), is_kept_here=not capabilities.delivers),
            ),
            who_sends=self._who_sends(account, schedule, now, capabilities if can_keep else None),
            at=now,
        )

    def _who_sends(
        self, account: Account, schedule: Schedule | None, now: datetime, keeper: Capabilities | None
    ) -> str:
        hold = self.store.outbox.account_holds().get(account.name)
        if schedule is None and (hold is None or hold.is_offline):
            return _THIS_PROGRAM
        at = schedule.at if schedule else None
        return who_sends(self.store.outbox.deliverers(), now, at=at, capabilities=keeper, hold=hold).text

    def dry_run(self, draft: Draft) -> Prepared:
        """Works out exactly what would go out; stores nothing; raises `InvalidMessage`."""
        refuse_outdated_html(draft)
        account = self.account_for(draft)
        now = self.store.clock.now()
        message = self._message(draft, account, str(ULID()), PreviewIntake(self.store.spool))
        schedule = self._schedule(draft, now)
        return self._carrying.prepare(
            message, account, self._recipients(message, account), now, due_of(draft, schedule, now)
        )

    def seal(self, draft: Draft, request: SealRequest) -> list[Submission]:
        """Checks, copies attachments into the spool and commits; on return the submissions are durable.

        Raises `InvalidMessage` for what can't be sent, or is no longer what was reviewed.
        """
        if request.key is not None:
            first = self.store.outbox.with_key(request.key)
            if first:
                return first
        refuse_outdated_html(draft)
        account = self.account_for(draft)
        now = self.store.clock.now()
        said_at = request.reviewed.at if request.reviewed else now
        recurrence = self._recurrence(draft, request, said_at)
        drafts = self._fanned_out(draft) if request.each else [draft]
        intake = SealingIntake(self.store.spool)
        new = [self._new(one, account, request, now, intake) for one in drafts]
        if recurrence is not None:
            first = replace(new[0], series_id=recurrence.id)
            return self.store.outbox.seal_series(recurrence, first, draft=request.draft)
        if request.each:
            group = new[0].message.id
            new = [replace(one, group=group, key=_nth_key(request.key, n)) for n, one in enumerate(new)]
        return self.store.outbox.seal(new, draft=request.draft)

    def seal_raw(
        self, data: bytes, *, envelope_from: str, recipients: Mapping[str, Kind], account_name: str
    ) -> Submission:
        """Seals an RFC 5322 message byte for byte, but for CRLF line ends and Bcc, which never travels.

        ``recipients``: each with whether the header names it in To, in Cc, or not at all.
        """
        account = self.directory.account(account_name)
        raw = read_raw(data)
        now = self.store.clock.now()
        submission_id = str(ULID())
        kept = self.store.spool.add_bytes(raw.data)
        sender = parse_address(envelope_from or raw.sender or str(account.identities[0]), field="from")
        by_kind = {
            kind: tuple(parse_address(one, field="to") for one, its_kind in recipients.items() if its_kind is kind)
            for kind in Kind
        }
        message = Message(
            id=submission_id,
            message_id=raw.message_id or f"<{submission_id}@{sender.domain}>",
            sender=sender,
            to=by_kind[Kind.TO],
            cc=by_kind[Kind.CC],
            bcc=by_kind[Kind.BCC],
            subject=raw.subject,
            text=raw.text_excerpt,
            raw_sha256=kept.sha256,
            raw_size=kept.size,
        )
        new = replace(self._queued(message, account, now), envelope_from=envelope_from)
        return self.store.outbox.seal([new])[0]

    def resend(
        self,
        original: Submission,
        *,
        only_refused: bool,
        after: str | None = None,
        undo_seconds: int = 0,
        schedule: Schedule | None = None,
        note: Callable[[], None] | None = None,
    ) -> Submission:
        """Seals a new submission with the same content, to everyone or only to those who were refused.

        For ``undo_seconds`` it can still be taken back. ``note`` writes what else belongs into the transaction.
        ``after``: the last one made of it for the refused (`find_resent`), known to whoever wants another.

        Raises `InvalidMessage` (nobody was refused, the content isn't kept), `TooLate` (served by one not ``after``).
        """
        recipients = _recipients_again(original, only_refused=only_refused)
        resent = find_resent(self.store, original.id) if only_refused else None
        if resent and resent.last_id and resent.last_id != after:
            raise refuse_another(original, resent.last_id)
        account = self.directory.account(original.account)
        now = self.store.clock.now()
        new_id = str(ULID())
        message = replace(
            original.message,
            id=new_id,
            message_id=original.message.message_id
            if original.message.raw_sha256
            else f"<{new_id}@{original.message.sender.domain}>",
        )
        self._refuse_missing(message)
        due = due_of(original.draft or Draft(), schedule, now)
        new = replace(
            self._queued(message, account, now, due=due),
            hands_over=self._carrying.hands_over(message, account, now, due),
            not_before=due.at + timedelta(seconds=undo_seconds),
            schedule_words=schedule.words if schedule else None,
            schedule_zone=schedule.zone if schedule else None,
            envelope_from=original.envelope_from,
            recipients=recipients,
            note=original.note,
            retries=original.retries,
            draft=original.draft,
            key=resent.key if resent else None,
        )
        sealed = self.store.outbox.seal([new], note=note)[0]
        if sealed.id != new_id:  # another has made one in the same moment
            raise refuse_another(original, sealed.id)
        return sealed

    def hands_over(self, submission: Submission, schedule: Schedule) -> bool:
        """Says whether the account's provider would keep a submission until another time."""
        account = self.directory.account(submission.account)
        now = self.store.clock.now()
        return self._carrying.hands_over(
            submission.message, account, now, due_of(submission.draft or Draft(), schedule, now)
        )

    def _new(
        self, draft: Draft, account: Account, request: SealRequest, now: datetime, intake: Intake
    ) -> NewSubmission:
        schedule = self._schedule(draft, request.reviewed.at if request.reviewed else now)
        message = self._message(draft, account, str(ULID()), intake)
        if request.reviewed:
            refuse_unseen(message, account, request.reviewed)
            if schedule and schedule.at < now:
                raise InvalidMessage("The time it was to go has passed meanwhile: choose another.", field="at")
        due = due_of(draft, schedule, now)
        queued = self._queued(message, account, now, due=due)
        return replace(
            queued,
            hands_over=self._carrying.hands_over(message, account, now, due),
            state=State.HELD if request.hold else State.QUEUED,
            not_before=schedule.at if schedule else now + timedelta(seconds=request.undo_seconds),
            schedule_words=schedule.words if schedule else None,
            schedule_zone=schedule.zone if schedule else None,
            key=request.key,
            marks=request.marks,
            note=draft.note or None,
            retries=draft.retries if draft.retries is not None else queued.retries,
            held_reason=HELD_AS_ASKED if request.hold else None,
            draft=draft._replace(
                account=account.name,
                schedule=schedule.at.isoformat() if schedule else "",
                attachments=tuple(map(sealed_source, message.attachments)),
                typed_attachment="",
            ),
        )

    def _queued(self, message: Message, account: Account, now: datetime, *, due: Due | None = None) -> NewSubmission:
        """Makes what the outbox is given for a message that goes to everyone at once; raises what stands against it."""
        recipients = self._recipients(message, account)
        prepared = self._carrying.prepare(message, account, recipients, now, due or Due(now))
        return NewSubmission(
            message=message,
            account=account.name,
            provider=account.provider,
            account_fingerprint=fingerprint(account),
            state=State.QUEUED,
            not_before=now,
            created_at=now,
            size=prepared.size,
            envelope_from=message.sender.addr_spec,
            recipients=recipients,
            retries=account.retries,
            keep=account.keep,
            is_kept_locally=not self.directory.capabilities(account.name).delivers,
        )

    def _message(self, draft: Draft, account: Account, submission_id: str, intake: Intake) -> Message:
        plan = SealingPlan(
            submission_id=submission_id,
            account=account,
            compose=self.configuration.compose,
            options=self.directory.options(account, draft.options),
            recipient_option=self.directory.capabilities(account.name).recipient_option,
            may_use_any_sender=account.name == LOCAL_ACCOUNT and not account.lines,
        )
        return message_from(draft, plan, intake)

    def _recipients(self, message: Message, account: Account) -> tuple[Recipient, ...]:
        return recipients_of(message, self.directory.capabilities(account.name).recipient_option)

    def _refuse_missing(self, message: Message) -> None:
        """Raises `DamagedStore` for a file that isn't kept any more."""
        for sha256 in (message.raw_sha256, *(attachment.sha256 for attachment in message.attachments)):
            if sha256 is not None:
                self.store.spool.keep(sha256)

    def _schedule(self, draft: Draft, now: datetime) -> Schedule | None:
        if not draft.schedule.strip():
            return None
        from tui_mailer.services.repeat import read_when

        return read_when(draft.schedule, now=now, zone=self.directory.zone)

    def _recurrence(self, draft: Draft, request: SealRequest, now: datetime) -> SeriesRule | None:
        if not is_repeat(draft.schedule):
            return None
        if request.each:
            raise InvalidMessage(
                "A message that recurs goes to all its recipients, not to each its own (--each).", field="at"
            )
        from tui_mailer.services.repeat import read_recurrence

        found, _first = read_recurrence(draft.schedule, now=now, zone=self.directory.zone)
        return SeriesRule(id=str(ULID()), rule=found.rule, words=found.words, zone=found.zone, start=found.start)

    def _fanned_out(self, draft: Draft) -> list[Draft]:
        from tui_mailer.domain.address import Address, parse_address_list

        first: dict[str, Address] = {}
        for one in parse_address_list(draft.to, field="to"):
            first.setdefault(one.addr_spec, one)
        return [draft._replace(to=format_address_list([one])) for one in first.values()]


def _recipients_again(original: Submission, *, only_refused: bool) -> tuple[Recipient, ...]:
    if only_refused and original.state is State.CANCELED:
        # Its recipients count as rejected, but by the person: what was taken back isn't sent by one key.
        raise InvalidMessage("It was canceled, not refused: nothing was sent again.")
    recipients = tuple(
        replace(one, status=RecipientStatus.PENDING, detail=None, at=None)
        for one in original.recipients
        if not only_refused or one.status in RESENT_STATUSES
    )
    if not recipients:
        raise InvalidMessage("Nobody was refused: there is no one to send it to again.")
    return recipients


def _nth_key(key: str | None, n: int) -> str | None:
    """A key names one submission; those fanned out from it are told apart by their place.

    Behind a NUL, which no key that a person gives can hold: another message's key is never met by chance.
    """
    return None if key is None else key if n == 0 else f"{key}\0{n}"


def _told(capabilities: Capabilities) -> tuple[Finding, ...]:
    """What else happens when one sends with the account, as warnings."""
    return tuple(
        Finding(severity=Severity.WARNING, field="account", code="effect", text=text) for text in effects(capabilities)
    )


def _checked(message: Message, draft: Draft, *, has_recipient: bool, is_kept_here: bool = False) -> tuple[Finding, ...]:
    """What is worth knowing about the message itself; an option may name the recipient in place of To."""
    found = check_message(message, body_typed=draft.body, is_kept_here=is_kept_here)
    if draft.is_html_outdated():
        found = (Finding(Severity.ERROR, "body", "html-outdated", HTML_OUTDATED), *found)
    return tuple(one for one in found if not (has_recipient and one.code == "no-recipient"))


def _finding(error: InvalidMessage) -> Finding:
    return Finding(severity=Severity.ERROR, field=error.field, code="unsupported", text=str(error))
