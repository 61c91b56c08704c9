"""Settles an uncertain outcome without a person: by asking the provider, or by a key that makes a repeat harmless."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from tui_mailer.domain.errors import (
    ConfigurationError,
    CredentialUnavailable,
    DeliveryError,
    OutcomeUncertain,
    StorageError,
)
from tui_mailer.domain.submission import RecipientStatus, State
from tui_mailer.providers.base import Provider
from tui_mailer.services.delivery import contents_of, outgoing_of
from tui_mailer.services.doubt import is_in_doubt, is_key_alive, may_repeat
from tui_mailer.services.standing import AccountStanding
from tui_mailer.services.workplace import Workplace
from tui_mailer.storage.record import Submission

ASK_AGAIN_AFTER = timedelta(seconds=30)


async def settle_by_asking(work: Workplace, standing: AccountStanding, submission: Submission) -> Submission:
    """Returns the submission as it then stands: sent, due again, or still uncertain and shown as that."""
    if submission.state is not State.UNCERTAIN:
        return submission
    try:
        account = await standing.account(submission.account)
        provider = await standing.provider(account)
    except (ConfigurationError, CredentialUnavailable):
        return submission
    capabilities = provider.capabilities
    is_changed = submission.home_account is None and standing.mark(account) != submission.account_fingerprint
    is_repeatable = is_in_doubt(submission) and not is_changed
    if is_repeatable and may_repeat(submission, capabilities, work.now(), uses=submission.key_uses):
        return await _settle(work, submission, is_key_kept=True)
    if capabilities.idempotency != "findable":
        return submission
    try:
        return await _find(work, provider, submission, is_changed=is_changed)
    except (CredentialUnavailable, DeliveryError, StorageError):
        # It stays uncertain, as shown; it is asked about again, and a person may settle it.
        at = work.now() + ASK_AGAIN_AFTER
        await work.db(work.store.outbox.plan_poll, submission.id, submission.account, at)
        return submission


async def _find(work: Workplace, provider: Provider, submission: Submission, *, is_changed: bool) -> Submission:
    """Asks; where the account's settings have changed since it was sealed, a no may come from another place."""
    contents = await work.db(contents_of, submission.message, work.store.spool)
    note = await work.db(work.store.outbox.notes, submission.id)
    outgoing = outgoing_of(
        submission,
        date=work.directory.localise(submission.date or submission.created_at),
        contents=contents,
        attempt=submission.attempts,
        note=note,
    )
    unknown = tuple(one for one in submission.recipients if one.status is RecipientStatus.UNKNOWN)
    receipt = await provider.find(replace(outgoing, recipients=unknown), note)
    if receipt is None and is_changed:
        raise OutcomeUncertain("It isn't there, but the account was another when it was sent.")
    if receipt is None:
        is_alive = is_key_alive(submission, provider.capabilities, work.now())
        return await _settle(work, submission, is_key_kept=is_alive)
    settled = await work.db(work.store.outbox.settle_found, submission.id, receipt)
    work.tell(settled)
    return settled


async def _settle(work: Workplace, submission: Submission, *, is_key_kept: bool) -> Submission:
    settled = await work.db(work.store.outbox.settle, submission.id, "resend", work.now(), keeps_key=is_key_kept)
    work.tell(settled)
    return settled
