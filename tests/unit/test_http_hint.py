"""Every dialect in which a server says when to come back is read into one instant."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from tui_mailer.providers.http_hint import has_retry_after, retry_at

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
EPOCH = int(NOW.timestamp())


@pytest.mark.parametrize(
    ("headers", "text", "seconds"),
    [
        ({"retry-after": "120"}, "", 120),
        ({"retry-after": format_datetime(NOW + timedelta(seconds=90), usegmt=True)}, "", 90),
        ({"retry-after": str(EPOCH + 60)}, "", 60),
        ({"ratelimit-reset": "7"}, "", 7),
        ({"ratelimit-reset": "3;w=60, 10"}, "", 3),
        ({"x-sib-ratelimit-reset": "55"}, "", 55),
        ({"x-ratelimit-retry-after": str(EPOCH + 30)}, "", 30),
        ({"x-ratelimit-reset": str(EPOCH + 45)}, "", 45),
        ({"x-ratelimit-reset": str((EPOCH + 45) * 1000)}, "", 45),
        ({"x-ratelimit-reset": "20"}, "", 20),
        ({"x-ratelimit-remaining-interval-milliseconds": "1500"}, "", 1.5),
        ({}, "Domain x is not allowed to send: limit exceeded. Please try again after 120 seconds", 120),
        ({}, "retry in 5 minutes", 300),
        ({}, '{"message": "wait 250ms"}', 0.25),
        ({"retry-after": "soon", "ratelimit-reset": "9"}, "", 9),
    ],
)
def test_a_hint_is_read(headers: dict[str, str], text: str, seconds: float) -> None:
    """Seconds, dates, absolute times, milliseconds and words all say the same."""
    assert retry_at(headers, text, NOW) == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("headers", "text"),
    [
        ({}, ""),
        ({"retry-after": ""}, ""),
        ({"retry-after": "-5"}, ""),
        ({"retry-after": "99999999"}, ""),
        ({"retry-after": "9" * 40}, ""),
        ({"x-ratelimit-reset": "nan"}, ""),
        ({}, "You have sent 120 messages in the last 30 seconds"),
    ],
)
def test_nonsense_is_no_hint(headers: dict[str, str], text: str) -> None:
    """What can't be right leaves the wait to our own back-off."""
    assert retry_at(headers, text, NOW) is None


def test_a_time_that_has_passed_means_now() -> None:
    """A server whose clock is behind doesn't send us into the past."""
    assert retry_at({"x-ratelimit-reset": str(EPOCH - 100)}, "", NOW) == NOW


def test_only_a_readable_retry_after_makes_a_503_harmless() -> None:
    """A 503 without a time may come after the mail was taken."""
    assert has_retry_after({"retry-after": "3"}, NOW)
    assert not has_retry_after({}, NOW)
    assert not has_retry_after({"retry-after": "later"}, NOW)
