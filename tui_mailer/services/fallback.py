"""Failing over to another account, in a way that can't duplicate.

Only what an account has provably not accepted goes on: a connection never made, a refusal that was read, a break before
the point of no return, an account that is held or off line. What is uncertain never does. The message moves to the
other account in the very transaction that records the failure, so there is one row, one lease and one Message-ID
whatever is killed when. An account's list is followed as it stands there; lists of the accounts named aren't.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from tui_mailer.accounts.configuration import Account
from tui_mailer.domain.errors import ConfigurationError, InvalidMessage, MailerError
from tui_mailer.domain.submission import DUE_STATUSES, RecipientStatus, State
from tui_mailer.providers.capability import require
from tui_mailer.services.delivery import outgoing_of
from tui_mailer.services.doubt import is_in_doubt
from tui_mailer.services.retry import ADDRESS_CODES, BACKOFF_SECONDS, backoff
from tui_mailer.services.standing import AccountStanding
from tui_mailer.services.workplace import Workplace
from tui_mailer.storage.record import HELD_BY_PERSON, AccountHold, Claim, Outcome, Reroute, Submission

_LOOK_AGAIN_SECONDS = 30.0
"""A message that no other account can take is looked at again after this."""
_MOST_AT_ONCE = 50


class FallBack:
    """Chooses the account that tries next."""

    def __init__(self, work: Workplace, standing: AccountStanding) -> None:
        self._work = work
        self._standing = standing
        self._looked_at: dict[str, float] = {}

    async def after(self, claim: Claim, outcome: Outcome) -> tuple[Outcome, Reroute | None]:
        """Says which account tries next after an attempt, if one does; the outcome then tells why it isn't another.

        None: the outcome stands as it is.
        """
        submission = claim.submission
        chain = self._chain(submission)
        if len(chain) < 2 or outcome.fall_back is None or is_in_doubt(submission):
            return outcome, None
        reopened = _reopened(submission, outcome)
        is_open = outcome.receipt is None or bool(reopened) or _has_deferred(outcome)
        if not is_open or (outcome.fall_back == "for_now" and submission.retries is not None):
            return outcome, None
        here = submission.account
        is_ruled_out = outcome.fall_back == "for_good"
        ruled_out = (*submission.ruled_out, here) if is_ruled_out else submission.ruled_out
        following = chain[chain.index(here) + 1 :] if here in chain else chain
        wanted = replace(submission, ruled_out=ruled_out)
        chosen, skipped = await self._choose(wanted, following)
        if chosen is not None:
            said = f"Account '{here}' didn't take it: {outcome.error or outcome.text}"
            reroute = self._to(chosen, wanted, reopened, f"{said.rstrip('. ')}. Account '{chosen.name}' tries it.")
            return outcome, reroute
        if skipped:
            outcome = replace(
                outcome, error=f"{outcome.error or outcome.text} (no other account: {'; '.join(skipped)})"
            )
        return outcome, self._next_round(wanted, outcome, reopened, chain)

    async def around(self, submission: Submission, trouble: str) -> Reroute | None:
        """Says which account takes over from one that can't send now: none where this one may have sent it."""
        chain = self._chain(submission)
        if len(chain) < 2 or is_in_doubt(submission):
            return None  # an earlier request may have been taken: no trouble of today's says that it wasn't
        at = chain.index(submission.account) if submission.account in chain else 0
        chosen, _skipped = await self._choose(submission, [*chain[at + 1 :], *chain[:at]])
        if chosen is None:
            return None
        said = f"Account '{submission.account}' can't send now: {trouble}".rstrip(". ")
        return self._to(chosen, submission, frozenset(), f"{said}. Account '{chosen.name}' tries it.")

    async def pass_on(self) -> None:
        """Moves what is due and waits for a held account to the next that can take it."""
        if not any(one.fallback for one in self._work.directory.configuration.accounts.values()):
            return
        outbox, now = self._work.store.outbox, self._work.now()
        for name, hold in (await self._work.db(outbox.account_holds)).items():
            if _is_usable(hold, self._work) or hold.reason == HELD_BY_PERSON:
                continue
            for one in await self._work.db(outbox.list_due, name, now, _MOST_AT_ONCE):
                if time.monotonic() - self._looked_at.get(one.id, -_LOOK_AGAIN_SECONDS) < _LOOK_AGAIN_SECONDS:
                    continue
                reroute = await self.around(one, hold.reason)
                if reroute is None:
                    self._looked_at[one.id] = time.monotonic()
                elif (moved := await self._work.db(outbox.reroute, one, reroute)) is not None:
                    self._work.tell(moved)

    def _chain(self, submission: Submission) -> list[str]:
        home = submission.home_account or submission.account
        account = self._work.directory.configuration.accounts.get(home)
        return [home, *(account.fallback if account else ())]

    async def _choose(self, submission: Submission, names: Sequence[str]) -> tuple[Account | None, list[str]]:
        """Takes the first that can carry it now; says of the others why they can't."""
        holds = await self._work.db(self._work.store.outbox.account_holds)
        skipped: list[str] = []
        for name in names:
            if name in submission.ruled_out:
                continue
            hold = holds.get(name)
            if hold is not None and not _is_usable(hold, self._work):
                skipped.append(f"{name}: {hold.reason.rstrip('. ')}")
                continue
            try:
                account = self._work.directory.account(name)
                await self._must_carry(submission, account)
            except MailerError as error:
                skipped.append(f"{name}: {str(error).rstrip('. ')}")
                continue
            return account, skipped
        return None, skipped

    async def _must_carry(self, submission: Submission, account: Account) -> None:
        """Raises what stands against sending it by this account."""
        if account.name in self._work.closed_accounts() and not submission.is_any_time:
            raise InvalidMessage("it is out of its hours")
        is_prompting = account.credential is not None and account.credential.kind == "prompt"
        if is_prompting and self._work.role == "deliver":
            raise InvalidMessage("only the app can ask for its secret")
        provider = await self._standing.provider(account)
        if not provider.capabilities.delivers:
            raise InvalidMessage("it only keeps mail on this computer")
        message = submission.message
        sealed_for = self._work.directory.configuration.accounts.get(submission.home_account or submission.account)
        if message.options and (sealed_for is None or sealed_for.provider != account.provider):
            raise InvalidMessage("the message has options of another provider")
        allowed = {identity.addr_spec.lower() for identity in account.identities}
        if message.sender.addr_spec.lower() not in allowed:
            raise InvalidMessage(f"it may not send as {message.sender.addr_spec}")
        require(message, provider.capabilities, account=account.name, size=submission.size)
        date = self._work.directory.localise(submission.date or submission.created_at)
        provider.prepare(outgoing_of(submission, date=date, contents={}, attempt=submission.attempts))

    def _to(self, account: Account, submission: Submission, reopened: frozenset[str], remark: str) -> Reroute:
        home = submission.home_account or submission.account
        return Reroute(
            account=account.name,
            provider=account.provider,
            home_account=None if account.name == home else home,
            ruled_out=submission.ruled_out,
            reopened=reopened,
            remark=remark,
        )

    def _next_round(
        self, submission: Submission, outcome: Outcome, reopened: frozenset[str], chain: Sequence[str]
    ) -> Reroute | None:
        """After all have been tried: from the first again, once the wait is over, but for those ruled out."""
        left = [name for name in chain if name not in submission.ruled_out]
        if not left:
            return None
        is_temporary = outcome.fall_back == "for_now"
        if is_temporary and left[0] == submission.account:
            return None
        now = self._work.now()
        age = now - max(submission.created_at, submission.not_before)
        if age > self._work.delivery.max_age:
            return None
        try:
            account = self._work.directory.account(left[0])
        except ConfigurationError:
            return None
        due_at = outcome.next_attempt_at if is_temporary else None
        wait = backoff(submission.attempts, BACKOFF_SECONDS, 0)
        remark = outcome.error or outcome.text
        return replace(self._to(account, submission, reopened, remark), due_at=due_at or now + wait)


def _is_usable(hold: AccountHold, work: Workplace) -> bool:
    """Says whether an account that is held may be tried: off line, and its next try has come."""
    return hold.retry_at is not None and hold.retry_at <= work.now()


def _reopened(submission: Submission, outcome: Outcome) -> frozenset[str]:
    """Names whom this account has refused for good and another one may still serve."""
    if outcome.receipt is not None:
        return frozenset(
            one.address
            for one in outcome.receipt.recipients
            if one.status is RecipientStatus.REJECTED and one.enhanced_code not in ADDRESS_CODES
        )
    if outcome.fallback_state is State.FAILED:
        return frozenset(one.address for one in submission.recipients if one.status in DUE_STATUSES)
    return frozenset()


def _has_deferred(outcome: Outcome) -> bool:
    return outcome.receipt is not None and any(one.status in DUE_STATUSES for one in outcome.receipt.recipients)
