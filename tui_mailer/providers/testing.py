"""The tests that every provider passes, shipped so that the author of a plug-in can run them: needs pytest.

Subclass `ProviderContract` in a test module, give it the two fixtures that raise `NotImplementedError` here, and run
pytest with pytest-asyncio in auto mode. The server behind ``provider`` must accept mail from ``ada@example.org``.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from pydantic import BaseModel

from tui_mailer.domain.address import Address
from tui_mailer.domain.errors import Fenced, OutcomeUncertain, Unsupported
from tui_mailer.domain.message import Attachment, Message
from tui_mailer.domain.submission import Kind, Phase, Recipient, RecipientResult, RecipientStatus
from tui_mailer.providers.base import Capabilities, Outgoing, Prepared, Provider

SECRET = "correct-horse-battery-staple"  # noqa: S105 - a password for tests
_BLOCK = 256 * 1024


class MemoryContent:
    """Sealed bytes in memory."""

    def __init__(self, octets: bytes) -> None:
        self._octets = octets

    @property
    def size(self) -> int:
        return len(self._octets)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self._octets).hexdigest()

    async def open(self) -> AsyncIterator[bytes]:
        for start in range(0, len(self._octets), _BLOCK):
            yield self._octets[start : start + _BLOCK]


class FixedSecret:
    """A source that always has the secret, and counts who asks."""

    def __init__(self, secret: str = SECRET) -> None:
        self._secret = secret
        self.times_asked = 0
        self.times_invalidated = 0

    async def get(self) -> str:
        self.times_asked += 1
        return self._secret

    def invalidate(self) -> None:
        self.times_invalidated += 1


class Recorder:
    """Progress that notes every phase, and may do something when one is reached."""

    def __init__(self, on_phase: Callable[[Phase], None] | None = None) -> None:
        self.phases: list[Phase] = []
        self.answers: tuple[RecipientResult, ...] = ()
        self.note: dict[str, str] = {}
        """All that was noted, the newest of each name."""
        self._on_phase = on_phase

    async def __call__(
        self,
        phase: Phase,
        note: Mapping[str, str] | None = None,
        *,
        answers: Sequence[RecipientResult] = (),
    ) -> None:
        self.phases.append(phase)
        self.note |= note or {}
        self.answers = (*self.answers, *answers)
        if self._on_phase is not None:
            self._on_phase(phase)


def make_message(submission_id: str = "01JZZZZZZZZZZZZZZZZZZZZZZ1") -> Message:
    """Makes a small message with two To."""
    return Message(
        id=submission_id,
        message_id=f"<{submission_id}@example.org>",
        sender=Address("ada", "example.org", "Ada Lovelace"),
        to=(Address("bob", "example.net"), Address("eve", "example.net")),
        subject="Notes",
        text="The engine weaves algebraic patterns.\n",
    )


def make_outgoing(message: Message | None = None, contents: tuple[MemoryContent, ...] = ()) -> Outgoing:
    """Makes what a provider gets for a message, all of its recipients pending."""
    message = message or make_message()
    kinds = ((Kind.TO, message.to), (Kind.CC, message.cc), (Kind.BCC, message.bcc))
    return Outgoing(
        submission_id=message.id,
        message=message,
        recipients=tuple(
            Recipient(address=address.addr_spec, kind=kind) for kind, addresses in kinds for address in addresses
        ),
        date=datetime(2026, 11, 22, 9, 30, tzinfo=UTC),
        contents={content.sha256: content for content in contents},
        envelope_from=message.sender.addr_spec,
        idempotency_key=message.id,
    )


class ProviderContract:
    """What every provider promises the engine."""

    @pytest.fixture
    def provider(self) -> Provider:
        """A provider whose secret, if it wants one, is `SECRET`; its server accepts everything."""
        raise NotImplementedError

    @pytest.fixture
    def count_stored(self) -> Callable[[], int]:
        """Tells how many messages the provider's server has stored by now."""
        raise NotImplementedError

    def make_outgoing(self, submission_id: str = "01JZZZZZZZZZZZZZZZZZZZZZZ1") -> Outgoing:
        """Makes a message that the provider can carry, to at least two recipients where it may have two."""
        return make_outgoing(make_message(submission_id))

    def test_every_setting_and_option_is_described(self, provider: Provider) -> None:
        """A person can be told what each setting and option means, and a misspelt one is refused."""
        assert provider.name
        assert provider.name == provider.name.lower()
        for model in (provider.Settings, provider.Options):
            assert issubclass(model, BaseModel)
            assert model.model_config.get("extra") == "forbid"
            undescribed = [name for name, field in model.model_fields.items() if not field.description]
            assert not undescribed

    def test_capabilities_are_declared(self, provider: Provider) -> None:
        """What the provider can carry is known before anything is sent, and doesn't change by asking."""
        assert isinstance(provider.capabilities, Capabilities)
        assert provider.capabilities == provider.capabilities

    def test_prepare_is_pure(self, provider: Provider, count_stored: Callable[[], int]) -> None:
        """A dry run tells the same twice, with sizes, and sends nothing."""
        outgoing = self.make_outgoing()
        first, second = provider.prepare(outgoing), provider.prepare(outgoing)
        assert first.steps
        assert first.steps == second.steps
        assert first.size == second.size > 0
        assert count_stored() == 0

    def test_prepare_shows_no_secret(self, provider: Provider) -> None:
        """A dry run can be pasted into a bug report."""
        assert SECRET not in _shown(provider.prepare(self.make_outgoing()))

    async def test_check_sends_nothing(self, provider: Provider, count_stored: Callable[[], int]) -> None:
        """Testing an account proves that it works and mails nobody."""
        identities = await provider.check()
        await provider.close()
        assert all(identity.address for identity in identities)
        assert count_stored() == 0

    async def test_every_recipient_has_a_result(self, provider: Provider, count_stored: Callable[[], int]) -> None:
        """After sending one knows of each recipient what became of it."""
        outgoing = self.make_outgoing()
        receipt = await provider.send(provider.prepare(outgoing), Recorder())
        await provider.close()
        assert [result.address for result in receipt.recipients] == [r.address for r in outgoing.recipients]
        assert all(result.status is RecipientStatus.ACCEPTED for result in receipt.recipients)
        assert count_stored() == 1
        assert SECRET not in "\n".join(receipt.transcript)

    async def test_intent_comes_once_and_first(self, provider: Provider, count_stored: Callable[[], int]) -> None:
        """The point of no return is announced once, while the server can't have the message yet."""
        stored_at_intent: list[int] = []
        recorder = Recorder(lambda phase: stored_at_intent.append(count_stored()) if phase is Phase.INTENT else None)
        await provider.send(provider.prepare(self.make_outgoing()), recorder)
        await provider.close()
        assert stored_at_intent == [0]
        assert recorder.phases[-1] is Phase.INTENT
        assert recorder.phases == sorted(recorder.phases, key=list(Phase).index)

    async def test_a_lost_lease_sends_nothing(self, provider: Provider, count_stored: Callable[[], int]) -> None:
        """When another process has taken over, at whatever phase, nothing more leaves this one."""
        reported = await self._phases_of(provider)
        stored_before = count_stored()
        for number, lost_at in enumerate(reported):

            def lose(phase: Phase, lost_at: Phase = lost_at) -> None:
                if phase is lost_at:
                    raise Fenced("taken over")

            prepared = provider.prepare(self.make_outgoing(f"01JZZZZZZZZZZZZZZZZZZZZZ{number:02}"))
            with pytest.raises(Fenced):
                await provider.send(prepared, Recorder(lose))
        await provider.close()
        await asyncio.sleep(0)
        assert count_stored() == stored_before

    async def test_a_cancel_before_the_point_of_no_return_sends_nothing(
        self, provider: Provider, count_stored: Callable[[], int]
    ) -> None:
        """Quitting before the message was handed over leaves nothing behind that could still deliver it."""

        def cancel(phase: Phase) -> None:
            if phase is Phase.INTENT:
                raise asyncio.CancelledError

        with pytest.raises(asyncio.CancelledError):
            await provider.send(provider.prepare(self.make_outgoing()), Recorder(cancel))
        await provider.close()
        assert count_stored() == 0

    async def test_only_the_recipients_that_are_left_are_used(self, provider: Provider) -> None:
        """Whoever has the message already doesn't get it again."""
        outgoing = self.make_outgoing()
        left = replace(outgoing, recipients=outgoing.recipients[-1:], attempt=2)
        receipt = await provider.send(provider.prepare(left), Recorder())
        await provider.close()
        assert [result.address for result in receipt.recipients] == [outgoing.recipients[-1].address]

    def test_what_capabilities_exclude_is_refused(self, provider: Provider) -> None:
        """What can't be carried is refused before anything is stored, with what to do instead."""
        outgoing = self.make_outgoing()
        for message in _excluded(outgoing.message, provider.capabilities):
            with pytest.raises(Unsupported) as refusal:
                provider.prepare(replace(outgoing, message=message))
            assert refusal.value.field
            assert refusal.value.what_to_do

    async def test_find_tells_whether_it_is_there(self, provider: Provider) -> None:
        """After a crash the provider can be asked whether the message is there, where it says so."""
        if provider.capabilities.idempotency != "findable":
            return
        outgoing = self.make_outgoing()
        with contextlib.suppress(OutcomeUncertain):  # it may need what was noted to tell
            assert await provider.find(outgoing, {}) is None
        recorder = Recorder()
        sent = await provider.send(provider.prepare(outgoing), recorder)
        found = await provider.find(outgoing, recorder.note)
        await provider.close()
        assert found is not None
        assert found.provider_id == sent.provider_id
        assert [result.status for result in found.recipients] == [result.status for result in sent.recipients]

    async def test_close_may_come_twice(self, provider: Provider) -> None:
        """Closing what is closed, or was never open, is no error."""
        await provider.close()
        await provider.send(provider.prepare(self.make_outgoing()), Recorder())
        await provider.close()
        await provider.close()

    async def _phases_of(self, provider: Provider) -> list[Phase]:
        recorder = Recorder()
        await provider.send(provider.prepare(self.make_outgoing("01JZZZZZZZZZZZZZZZZZZZZZYY")), recorder)
        await provider.close()
        return recorder.phases


def _shown(prepared: Prepared) -> str:
    return "\n".join(line for step in prepared.steps for line in (step.title, *step.lines))


def _excluded(message: Message, can: Capabilities) -> list[Message]:
    """Makes one message for each thing that the capabilities rule out."""
    by_url = Attachment(name="a.pdf", media_type="application/pdf", url="https://example.org/a.pdf")
    by_reference = Attachment(name="invoice", media_type="application/pdf", reference="invoice/INV-1")
    by_digest = Attachment(name="a.txt", media_type="text/plain", size=1, sha256="0" * 64)
    somebody = (Address("carol", "example.net"),)
    cases: list[tuple[bool, Message]] = [
        (can.tags == 0, replace(message, tags=(("spring", None),))),
        (not can.templates, replace(message, template="welcome")),
        (can.attachments not in {"url", "both"}, replace(message, attachments=(by_url,))),
        (can.attachments not in {"bytes", "both"}, replace(message, attachments=(by_digest,))),
        (not can.attachment_references, replace(message, attachments=(by_reference,))),
        (not can.html, replace(message, html="<p>x</p>")),
        (not can.cc, replace(message, cc=somebody)),
        (not can.bcc, replace(message, bcc=somebody)),
        (not can.reply_to, replace(message, reply_to=somebody)),
        (not can.custom_headers, replace(message, headers=(("X-Test", "1"),))),
        (not can.raw, replace(message, raw_sha256="0" * 64, raw_size=1)),
    ]
    return [excluded for is_excluded, excluded in cases if is_excluded]
