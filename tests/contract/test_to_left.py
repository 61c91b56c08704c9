"""What is left of a message when some of its recipients have it already, or were taken out."""

from __future__ import annotations

from dataclasses import replace

import pytest
from http_case import HttpCase, all_cases
from http_lab import HttpLab

from tui_mailer.domain.address import Address
from tui_mailer.domain.errors import Unsupported
from tui_mailer.domain.submission import Kind, Recipient

NEEDS_TO = [case for case in all_cases() if case.name in {"bird", "bird_channels", "rebilly", "respond_io", "whippy"}]


@pytest.mark.parametrize("case", NEEDS_TO, ids=lambda case: case.name)
async def test_a_copy_alone_is_refused_in_words(case: HttpCase) -> None:
    """When only a copy is left to be sent and the API wants a To, that is told: it is no crash, and nothing is sent."""
    outgoing = case.outgoing("01JZZZZZZZZZZZZZZZZZZZZZZ1")
    message = replace(outgoing.message, cc=(Address("carol", "example.net"),))
    left = (Recipient(address="carol@example.net", kind=Kind.CC),)
    async with HttpLab(case.rules()) as lab:
        provider = case.make(lab)
        with pytest.raises(Unsupported, match="Nobody in To is left"):
            provider.prepare(replace(outgoing, message=message, recipients=left))
