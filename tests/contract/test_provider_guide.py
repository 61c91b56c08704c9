"""What a provider can carry, in words: limits are told as numbers, and nothing else is called one."""

from __future__ import annotations

import pytest

from tui_mailer.providers import registry
from tui_mailer.providers.base import Capabilities
from tui_mailer.services.provider_guide import rows_of, usual_capabilities


@pytest.mark.parametrize("name", registry.built_in())
def test_only_what_can_have_a_limit_is_said_to_have_none(name: str) -> None:
    """A capability that is no number is told in its own words, and no value of the code shows through."""
    can = usual_capabilities(registry.load(name))
    assert can is not None
    rows = dict(rows_of(can))
    assert {row for row, said in rows.items() if "no limit known" in said} <= {"Recipients"}
    assert not [said for said in rows.values() if "None" in said or "timedelta" in said or "frozenset" in said]


def test_every_limit_is_told() -> None:
    """Who compares providers sees each number that a message could meet."""
    limits = {"max_body": 71, "max_subject": 72, "max_to": 73, "max_cc": 74, "max_bcc": 75, "max_recipients": 76}
    limits |= {"max_reply_to": 77, "max_headers": 78, "max_attachments": 79, "tags": 81, "max_metadata": 82}
    told = " ".join(said for _, said in rows_of(Capabilities(metadata=True, **limits)))
    assert [number for number in limits.values() if str(number) not in told] == []
