"""The façade that the command line and the app use: write, seal, hold, cancel, search.

Every method is synchronous and short (one transaction, or reading files); the app calls them in its I/O thread. The
network is the engine's business (`services.engine`): nothing here awaits it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from tui_mailer.accounts.configuration import Account, Configuration, Paths
from tui_mailer.domain import mime
from tui_mailer.domain.draft import Draft
from tui_mailer.domain.errors import DamagedStore, InvalidMessage, NotFound
from tui_mailer.domain.schedule import Schedule, parse_when
from tui_mailer.domain.submission import OPEN_STATES, Attempt, Kind, State
from tui_mailer.providers import registry
from tui_mailer.providers.base import Capabilities, Prepared
from tui_mailer.services import rewriting
from tui_mailer.services.account import ProviderDirectory
from tui_mailer.services.delivery import contents_of
from tui_mailer.services.doubt import is_key_alive
from tui_mailer.services.form_check import FormCheck, check_form
from tui_mailer.services.model_form import FormField, form_fields
from tui_mailer.services.opening_hours import opens_at, windows_of
from tui_mailer.services.query import parse_past, parse_query, parse_typed
from tui_mailer.services.review import Review, SealRequest
from tui_mailer.services.sealing import frozen_date
from tui_mailer.services.taking_back import when_of
from tui_mailer.services.who_sends import WhoSends, who_sends
from tui_mailer.services.writing import Writer
from tui_mailer.storage.record import HELD_BY_PERSON, AccountHold, Deliverer, HistoryQuery, StoredDraft, Submission

if TYPE_CHECKING:
    from tui_mailer.storage.ended import EndedList
    from tui_mailer.storage.record import DraftRef
    from tui_mailer.storage.store import Store

__all__ = ["Mailer", "Review", "SealRequest"]


class Mailer:
    """Everything the program does with mail, short of the network; one thread at a time."""

    def __init__(self, *, directory: ProviderDirectory, paths: Paths, store: Store) -> None:
        self.paths = paths
        self.store = store
        self.directory = directory
        self._writer = Writer(directory=directory, store=store)

    @property
    def configuration(self) -> Configuration:
        """The configuration in force."""
        return self.directory.configuration

    def reconfigure(self, configuration: Configuration) -> None:
        """Uses another configuration from now on."""
        self.directory.configuration = configuration

    # writing

    def account_for(self, draft: Draft) -> Account:
        """Names the account that would send the draft; raises `InvalidMessage` or `ConfigurationError`."""
        return self._writer.account_for(draft)

    def capabilities(self, account: str) -> Capabilities:
        """Tells what an account can carry."""
        return self.directory.capabilities(account)

    def review(self, draft: Draft) -> Review:
        """Checks a draft as sealing would, storing nothing; raises `InvalidMessage` where nothing can be shown."""
        return self._writer.review(draft)

    def check_form(self, draft: Draft, sizes: Mapping[str, int]) -> FormCheck:
        """Judges a draft that is still being written, beside its fields; reads no file."""
        return check_form(self.directory, draft, sizes, self.store.clock.now(), self.store)

    def option_fields(self, account: str) -> tuple[FormField, ...]:
        """What can be set for a message of an account, from its provider's model."""
        return form_fields(registry.load(self.directory.account(account).provider).Options)

    def dry_run(self, draft: Draft) -> Prepared:
        """Works out exactly what would go out; stores nothing."""
        return self._writer.dry_run(draft)

    def seal(self, draft: Draft, request: SealRequest | None = None) -> list[Submission]:
        """Checks, copies attachments into the spool and commits; on return the submissions are durable.

        Raises `InvalidMessage` (nothing stored) and `StorageError`.
        """
        return self._writer.seal(draft, request or SealRequest())

    def seal_raw(self, raw: bytes, *, envelope_from: str, recipients: Mapping[str, Kind], account: str) -> Submission:
        """Seals an RFC 5322 message byte for byte, but for CRLF line ends and Bcc, which never travels."""
        return self._writer.seal_raw(raw, envelope_from=envelope_from, recipients=recipients, account_name=account)

    # finding

    def resolve_id(self, text: str, *, or_series: bool = False) -> str:
        """Completes an ID from a unique suffix of four or more characters; raises `NotFound`.

        ``or_series``: a series' ID will do, too, and means its occurrence made last.
        """
        return self.store.resolve_id(text, or_series=or_series)

    def show(self, submission_id: str) -> Submission:
        """Returns a submission from the outbox or the history (full ID); raises `NotFound`."""
        return self.store.find(submission_id)

    def attempts(self, submission_id: str) -> tuple[Attempt, ...]:
        """Returns every attempt, oldest first, with its transcript."""
        return self.store.attempts(submission_id)

    def asked_next(self, submission_id: str) -> datetime | None:
        """When the provider is asked next what became of a submission; None once it has told the end, or can't."""
        return self.store.outbox.poll_of(submission_id)

    def outbox(
        self, *, limit: int = 50, before: str | None = None, states: Collection[State] = OPEN_STATES
    ) -> list[Submission]:
        """Lists what is open, newest first."""
        return self.store.outbox.list(limit=limit, before=before, states=states)

    def history(
        self, query: HistoryQuery | None = None, *, limit: int = 50, before: str | None = None
    ) -> list[Submission]:
        """Lists what has ended, newest first, that matches the query; without texts (`ended` pages both ways)."""
        return self.store.list_ended(query, limit=limit, before=before)

    def history_count(self, query: HistoryQuery | None = None) -> int:
        """Counts what has ended; a search up to 100,000."""
        return self.store.count_ended(query)

    @property
    def ended(self) -> EndedList:
        """What has ended as one list: its pages in both directions, and its count in steps."""
        return self.store.ended

    def parse_query(self, text: str, *, is_typing: bool = False) -> HistoryQuery:
        """Reads a QUERY (DESIGN A1); anything it doesn't know is literal. While it is typed its end is open."""
        parse = parse_typed if is_typing else parse_query
        return parse(text, now=self.store.clock.now(), zone=self.directory.zone)

    def parse_past(self, text: str) -> datetime:
        """Reads a date or an age such as ``90d``; raises `InvalidSchedule`."""
        return parse_past(text, now=self.store.clock.now(), zone=self.directory.zone)

    def export(self, submission_id: str) -> Iterator[bytes]:
        """Yields the message as an .eml, exactly as it went (or would go) out; never the Bcc."""
        submission = self.show(submission_id)
        date = submission.date or frozen_date(submission.created_at, submission.not_before)
        built = mime.build(
            submission.message,
            date=self.directory.localise(date),
            contents=contents_of(submission.message, self.store.spool),
        )
        blocks: AsyncIterator[bytes] = built.stream()
        with asyncio.Runner() as runner:
            while (block := runner.run(_next_block(blocks))) is not None:
                yield block

    # moving on: each returns the submission as it then stands; raises `NotFound`, `TooLate`

    def hold(self, submission_id: str) -> Submission:
        """Keeps it from going out until it is released."""
        return self.store.outbox.hold(submission_id, HELD_BY_PERSON)

    def release(self, submission_id: str) -> Submission:
        """Lets a held one go, at its time or now."""
        return self.store.outbox.release(submission_id)

    def retry(self, submission_id: str) -> Submission:
        """Makes it due now."""
        return self.store.outbox.retry(submission_id, self.store.clock.now())

    def cancel(self, submission_id: str) -> Submission:
        """Takes it back before it leaves; what was handed over is `services.recall`'s."""
        canceled = self.store.outbox.cancel(submission_id, "canceled by you")
        if canceled.series_id is not None:
            self.keep_series_up()
        return canceled

    def stop_series(self, submission_id: str) -> Submission:
        """Ends the series that a submission is an occurrence of; returns the occurrence that was waiting, canceled.

        Raises `NotFound` for one that isn't of a series, or whose series has ended.
        """
        one = self.show(submission_id)
        if one.series_id is None:
            raise NotFound(f"{submission_id} doesn't recur; it can only be canceled alone.")
        return self.store.outbox.stop_series(one.series_id) or one

    def keep_series_up(self) -> None:
        """Makes the occurrences of recurring mail that are wanted by now."""
        from tui_mailer.services.series import keep_up

        keep_up(self.store, self.store.clock.now(), self.configuration.delivery.late)

    def reschedule(self, submission_id: str, when: str) -> Submission:
        """Moves it to another time; raises `InvalidSchedule`. What was handed over is `services.recall`'s."""
        schedule = self.parse_when(when)
        submission = self.show(submission_id)
        hands_over = submission.state in OPEN_STATES and self._writer.hands_over(submission, schedule)
        return self.store.outbox.reschedule(
            submission_id, schedule.at, schedule.words, schedule.zone, hands_over=hands_over
        )

    def parse_when(self, when: str) -> Schedule:
        """Reads WHEN (DESIGN A1); raises `InvalidSchedule`."""
        return parse_when(when, now=self.store.clock.now(), zone=self.directory.zone)

    def seal_again(self, original: Submission, schedule: Schedule, note: Callable[[], None]) -> Submission:
        """Seals a new submission with the same content for another time; ``note`` writes in the same transaction."""
        return self._writer.resend(original, only_refused=False, schedule=schedule, note=note)

    def settle(self, submission_id: str, how: Literal["sent", "failed", "resend"]) -> Submission:
        """Settles an uncertain submission by a person's word.

        It is sent again under its idempotency key where the provider still knows that: then it can't go out twice.
        """
        now = self.store.clock.now()
        keeps_key = False
        if how == "resend":
            submission = self.show(submission_id)
            keeps_key = is_key_alive(submission, self.directory.capabilities(submission.account), now)
        return self.store.outbox.settle(submission_id, how, now, keeps_key=keeps_key)

    def unkept(self, submission_id: str) -> tuple[str, ...]:
        """Says what a draft made of a submission couldn't keep, a phrase each; ask before `edit` and `edit_as_new`.

        Raises `InvalidMessage` where none can be made of it (signed, encrypted), `DamagedStore` where nothing is left.
        """
        return rewriting.unkept(self.show(submission_id), self.store.spool)

    def edit(self, submission_id: str, *, ends_series: bool = False, may_lose: bool = False) -> StoredDraft:
        """Takes an open submission back into a draft, its time with it, in one transaction.

        ``ends_series``: with it the recurring ends whose occurrence it is; the draft then recurs as that did.
        Without ``may_lose`` it raises `InvalidMessage` if the draft couldn't keep everything (`unkept`).
        """
        whole_id = self.store.resolve_id(submission_id)
        again = rewriting.draft_maker(self.show(whole_id), self.store.spool, may_lose=may_lose)
        stored = self.store.outbox.edit(
            whole_id, lambda one: again(one, self._when_again(one, recurs=ends_series)), ends_series=ends_series
        )
        if self.show(whole_id).series_id is not None and not ends_series:
            self.keep_series_up()
        return stored

    def undo(self, submission_id: str) -> StoredDraft | None:
        """Takes back what was just sent, as `edit`; None: a draft couldn't keep all of it, so it is canceled whole."""
        try:
            return self.edit(submission_id)
        except (InvalidMessage, DamagedStore):
            self.cancel(submission_id)
            return None

    def edit_recalled(self, submission_id: str) -> StoredDraft:
        """Makes a draft of what its provider has just let go of, which thereby ends, in one transaction."""
        again = rewriting.draft_maker(self.show(submission_id), self.store.spool, may_lose=True)
        return self.store.outbox.recall_to_draft(submission_id, lambda one: again(one, self._when_again(one)))

    def edit_as_new(self, submission_id: str, *, may_lose: bool = False) -> StoredDraft:
        """Makes a new draft from any submission, leaving it as it is; for now, whenever that went.

        Without ``may_lose`` it raises `InvalidMessage` if the draft couldn't keep everything (`unkept`).
        """
        submission = self.show(submission_id)
        return self.store.drafts.save(
            rewriting.draft_maker(submission, self.store.spool, may_lose=may_lose)(submission, "")
        )

    def _when_again(self, submission: Submission, *, recurs: bool = False) -> str:
        return when_of(submission, now=self.store.clock.now(), zone=self.directory.zone, recurs=recurs)

    def resend(
        self, submission_id: str, *, only_refused: bool = False, after: str | None = None, undo_seconds: int = 0
    ) -> Submission:
        """Seals a new submission with the same content, to everyone or to those refused only: see `Writer.resend`."""
        one = self.show(submission_id)
        return self._writer.resend(one, only_refused=only_refused, after=after, undo_seconds=undo_seconds)

    def delete(self, submission_id: str) -> None:
        """Deletes a row of the history and what only it refers to."""
        self.store.delete(submission_id)

    def purge(self, before: datetime) -> int:
        """Deletes what ended before an instant; returns how many."""
        return len(self.store.purge(before))

    def purge_some(self, before: datetime) -> int:
        """Deletes a few hundred of what ended before an instant; returns how many, 0 once there are none left."""
        return self.store.purge_some(before)

    def undoable(self) -> Submission | None:
        """The newest submission whose undo window is still open."""
        return self.store.outbox.undoable(self.store.clock.now())

    # people

    def complete_address(self, typed: str) -> list[str]:
        """People written to before whose name or address begins like this, at most 50, the last one first."""
        return self.store.history.contacts.find(typed)

    def learn_contacts(self) -> bool:
        """Reads a few more messages of the history for contacts; says whether there are more (some milliseconds)."""
        return self.store.history.contacts.learn()

    # drafts

    def drafts(self, *, limit: int = 50, before: str | None = None) -> list[StoredDraft]:
        """Newest first."""
        return self.store.drafts.list(limit=limit, before=before)

    def find_drafts(self, words: Sequence[str], *, limit: int = 50) -> list[StoredDraft]:
        """Those whose recipients, subject or body hold every word, newest first."""
        return self.store.drafts.search(words, limit)

    def draft(self, draft_id: str) -> StoredDraft:
        """Returns a draft (suffix allowed); raises `NotFound`."""
        return self.store.drafts.get(self.store.resolve_id(draft_id))

    def save_draft(self, draft: Draft, ref: DraftRef | None = None) -> StoredDraft:
        """Saves every field; with a stale ``ref`` the text is kept as a copy under a new ID."""
        return self.store.drafts.save(draft, ref)

    def delete_draft(self, ref: DraftRef) -> None:
        """Deletes a draft; raises `DraftGone`, and leaves it, if it isn't any more what was read."""
        self.store.drafts.delete(ref)

    # accounts and deliverers

    def account_holds(self) -> Mapping[str, AccountHold]:
        """Accounts whose mail waits, and why."""
        return self.store.outbox.account_holds()

    def holds_to_tell(self) -> Mapping[str, AccountHold]:
        """Of `account_holds` those worth telling: one that goes on by itself concerns nobody who has no mail there."""
        waiting = {State.QUEUED, State.DEFERRED, State.SENDING}
        return {
            name: hold
            for name, hold in self.account_holds().items()
            if not hold.is_offline or self.store.outbox.list(states=waiting, account=name, limit=1)
        }

    def hold_account(self, name: str, reason: str = HELD_BY_PERSON) -> None:
        """Keeps an account's mail in the outbox; raises `ConfigurationError` for an unknown one."""
        self.store.outbox.hold_account(self.directory.account(name).name, reason)

    def release_account(self, name: str) -> None:
        """Lets an account's mail go again."""
        self.store.outbox.release_account(name)

    def open_count(self, account: str) -> int:
        """How many open submissions an account has."""
        return self.store.outbox.open_count(account)

    def counts(self) -> Mapping[State, int]:
        """How many open submissions there are, by state."""
        return self.store.outbox.counts()

    def deliverers(self) -> list[Deliverer]:
        """Living processes that deliver."""
        return [one for one in self.store.outbox.deliverers(self.store.clock.now()) if one.is_alive]

    def who_sends(
        self, at: datetime | None = None, *, account: str | None = None, apart_from: int | None = None
    ) -> WhoSends:
        """Says who will send a message that is due ``at``; with its account, whether the provider could keep it.

        A process ``apart_from`` isn't counted on: it is about to end.
        """
        capabilities = self.directory.capabilities(account) if account else None
        deliverers = [one for one in self.deliverers() if one.owner.rpartition(" ")[2] != str(apart_from)]
        if account is not None and self._is_prompting(account):
            # A service can't ask for the secret.
            deliverers = [one for one in deliverers if one.role != "deliver"]
        hold = self.account_holds().get(account) if account else None
        return who_sends(deliverers, self.store.clock.now(), at=at, capabilities=capabilities, hold=hold)

    def opens_at(self, submission: Submission) -> datetime | None:
        """Tells when what waits may leave by its account's hours (``window``); None where they don't delay it."""
        window = windows_of(self.configuration).get(submission.account)
        return opens_at(submission, window, self.store.clock.now(), self.directory.zone)

    def _is_prompting(self, account: str) -> bool:
        credential = self.directory.account(account).credential
        return credential is not None and credential.kind == "prompt"

    def has_changed(self) -> bool:
        """Says whether another process has committed to the outbox since the last call (cheap: poll it)."""
        return self.store.outbox.has_changed()


async def _next_block(blocks: AsyncIterator[bytes]) -> bytes | None:
    return await anext(blocks, None)
