"""What HTTP providers share: a provider says which requests make a message and what the answers mean, no more.

A message is made of `HttpStep`s; ``--dry-run`` prints them and `send` makes them, so the two can't differ. The last one
causes the sending: the intent is durable before its first byte. Whatever breaks is judged by two tables (`http_error`):
before that byte, or before the last byte of its body, nothing can have been taken.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar, Generic, TypeVar

from pydantic import BaseModel

from tui_mailer.domain.errors import Unsupported
from tui_mailer.domain.submission import Phase, Receipt, RecipientResult, RecipientStatus
from tui_mailer.providers import capability
from tui_mailer.providers.base import (
    AccountSettings,
    BytesSent,
    Capabilities,
    Identity,
    Outgoing,
    PolledStatus,
    Prepared,
    Progress,
    SecretSource,
)
from tui_mailer.providers.http_answer import Answer, words_of
from tui_mailer.providers.http_client import HttpClient, Request
from tui_mailer.providers.http_error import Verdict
from tui_mailer.providers.http_exchange import Exchange, payload_of
from tui_mailer.providers.http_settings import HttpOptions, HttpSettings
from tui_mailer.providers.http_step import HttpStep
from tui_mailer.providers.redaction import REDACTED

S = TypeVar("S", bound=HttpSettings)


class HttpProvider(Generic[S]):
    """The base of a provider, with its settings model in brackets; see ``docs/adding-a-provider.md``.

    A provider sets the class variables and defines `capabilities`, `authorization`, `steps` and `check`; the rest has
    defaults.
    """

    name: ClassVar[str]
    title: str
    """What people call it: ``Resend``."""
    Settings: ClassVar[type[BaseModel]] = HttpSettings
    Options: ClassVar[type[BaseModel]] = HttpOptions
    default_base_url: ClassVar[str] = ""
    prefix: ClassVar[str] = ""
    """A path that every request begins with (``/v2``); ``base_url`` may be given with or without it."""
    idempotency_header: ClassVar[str | None] = None
    """Carries the submission's key on the request that causes the sending."""
    http2: ClassVar[bool] = False
    verdicts: ClassVar[Mapping[int, Verdict]] = {}
    """Statuses that mean something else here than in `http_error.verdict_on`."""

    def __init__(self, account: AccountSettings, secrets: SecretSource) -> None:
        """Takes what the account is; does no I/O."""
        self.account = account
        self._secrets = secrets
        self._client = HttpClient(
            trust_pem=account.trust_pem,
            proxy=self.settings.proxy,
            answer_seconds=self.settings.timeout_seconds,
            max_connections=account.max_connections,
            http2=self.http2,
        )

    # what a provider defines

    @property
    def capabilities(self) -> Capabilities:
        raise NotImplementedError

    @property
    def base_url(self) -> str:
        """Where the API is, without a slash at the end; override it where it depends on other settings."""
        base = self.settings.base_url or self.default_base_url
        return base if base.endswith(self.prefix) else base + self.prefix

    def base_url_for(self, secret: str) -> str:  # noqa: ARG002 - for those whose key names the place
        """Where the API is for one secret; the dry run, which has none, shows `base_url`."""
        return self.base_url

    def authorization(self, secret: str) -> Mapping[str, str]:
        """Makes the headers that prove who asks."""
        raise NotImplementedError

    def steps(self, outgoing: Outgoing) -> tuple[HttpStep, ...]:
        """Pure: the requests that make this message, in order; one of them causes the sending.

        Another one may cause it too if it is only made after a definite no to the first. `capabilities` have been asked
        by then; raises `Unsupported` for what they can't say.
        """
        raise NotImplementedError

    async def check(self) -> list[Identity]:
        raise NotImplementedError

    def receipt(self, outgoing: Outgoing, answers: Mapping[str, Answer]) -> Receipt:
        """Reads the answers by step name, in order; the last one is a success. May raise what `send` raises."""
        answer = list(answers.values())[-1]
        return self.accepted(outgoing, answer, provider_id=answer.word("id"))

    def judge(self, answer: Answer) -> Verdict | None:
        """Judges an answer by more than its status; None: the status decides."""
        return self.verdicts.get(answer.status)

    def words(self, answer: Answer) -> str:
        """Finds what an answer says for people."""
        return words_of(answer)

    def refuses_secret(self, answer: Answer) -> bool:
        """Says whether it is the credential that was refused, and not what it may do: it is fetched anew then."""
        return answer.status == 401

    def note(self, step: HttpStep, answer: Answer) -> dict[str, str]:
        """What to keep of a step's answer for `find` after a crash: its id, under ``STEP.id``."""
        found = answer.word("id")
        return {f"{step.name}.id": found} if found else {}

    def heed(self, outgoing: Outgoing, step: HttpStep, answer: Answer) -> None:
        """Looks at the answer to a step before the next is made; raises `Rejected` where the message can't go on."""

    async def sign(self, request: Request, secret: str) -> Mapping[str, str]:  # noqa: ARG002 - for those that sign it all
        """Makes the authorization of one whole request; the default doesn't look at it."""
        return self.authorization(secret)

    def shown_authorization(self) -> Mapping[str, str]:
        """The authorization headers with the secret redacted, their scheme kept."""
        return {
            name: f"{value.split(' ', 1)[0]} {REDACTED}" if " " in value else REDACTED
            for name, value in self.authorization("x").items()
        }

    # the contract

    def prepare(self, outgoing: Outgoing) -> Prepared:
        capability.require(outgoing.message, self.capabilities, account=self.account.account, size=0)
        steps = self._with_key(outgoing, self.steps(outgoing))
        assert any(step.causes_sending for step in steps), "one step causes the sending"
        size = sum(payload_of(step, {}, str).size for step in steps if step.body is not None)
        capability.require(outgoing.message, self.capabilities, account=self.account.account, size=size)
        authorization = self.shown_authorization()
        return Prepared(
            outgoing=outgoing,
            describe=lambda: tuple(step.shown(self.base_url, authorization) for step in steps),
            size=size,
            payload=steps,
        )

    async def send(self, prepared: Prepared, progress: Progress, bytes_sent: BytesSent | None = None) -> Receipt:
        steps: tuple[HttpStep, ...] = prepared.payload  # pyright: ignore[reportAssignmentType]  # made by `prepare`
        outgoing = prepared.outgoing
        exchange = Exchange(self, self._client, self._secrets, await self._secrets.get())
        note: dict[str, str] = {}
        phase = Phase.CONNECTING
        for step in steps:
            if exchange.is_wanted(step):
                phase = Phase.INTENT if step.causes_sending else phase
                await progress(phase, note or None)
                answer = await exchange.make(step, outgoing.contents, bytes_sent)
                note = self.note(step, answer)
                if not step.causes_sending:
                    self.heed(outgoing, step, answer)
                phase = Phase.ENVELOPE if phase is Phase.CONNECTING else phase
        receipt = self.receipt(outgoing, exchange.answers)
        return exchange.redacted(replace(receipt, transcript=receipt.transcript or exchange.transcript()))

    async def status(self, receipt: Receipt) -> list[PolledStatus]:  # noqa: ARG002 - the contract's signature
        raise Unsupported("status", f"{self.title} doesn't tell what became of a message.", "There is nothing to do.")

    async def cancel(self, receipt: Receipt) -> None:  # noqa: ARG002 - the contract's signature
        raise Unsupported("cancel", f"{self.title} can't take a message back.", "There is nothing to do.")

    async def find(self, outgoing: Outgoing, note: Mapping[str, str]) -> Receipt | None:  # noqa: ARG002 - the contract's signature
        raise Unsupported("find", f"{self.title} can't be asked for a message.", "Look there yourself.")

    async def close(self) -> None:
        """Lets go of the connections."""
        await self._client.close()

    # for providers

    @property
    def settings(self) -> S:
        """The account's settings, an instance of the provider's own model."""
        settings = self.account.settings
        assert isinstance(settings, HttpSettings)
        return settings  # pyright: ignore[reportReturnType]  # built from `Settings` by the registry's caller

    def accepted(self, outgoing: Outgoing, answer: Answer, *, provider_id: str = "", text: str = "") -> Receipt:
        """Makes the receipt of a message that was taken for every recipient; handed over if it is for later."""
        said = text or self.words(answer)
        return Receipt(
            recipients=tuple(
                RecipientResult(address=one.address, status=RecipientStatus.ACCEPTED, code=answer.status, text=said)
                for one in outgoing.recipients
            ),
            provider_id=provider_id or None,
            response_code=answer.status,
            response_text=said,
            is_handed_over=outgoing.not_before is not None,
        )

    async def ask(self, step: HttpStep) -> Answer:
        """Makes one request that sends no mail (`check`, `status`, `cancel`, `find`); raises as `send` does.

        An answer whose status is among ``step.accepts`` comes back as it is. Where none comes to a request that changes
        something, `OutcomeUncertain`.
        """
        secret = await self._secrets.get()
        return await Exchange(self, self._client, self._secrets, secret, is_question=True).make(step, {})

    def _with_key(self, outgoing: Outgoing, steps: tuple[HttpStep, ...]) -> tuple[HttpStep, ...]:
        if self.idempotency_header is None or not outgoing.idempotency_key:
            return steps
        key = {self.idempotency_header: outgoing.idempotency_key}
        return tuple(replace(step, headers={**step.headers, **key}) if step.causes_sending else step for step in steps)
