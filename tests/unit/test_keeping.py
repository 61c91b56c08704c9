"""Who keeps a scheduled message until its time, in a few words beside When."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tui_mailer.providers import registry
from tui_mailer.providers.base import Capabilities
from tui_mailer.services.carrying import Due
from tui_mailer.services.keeping import say_keeper
from tui_mailer.services.provider_guide import usual_capabilities

NOW = datetime(2026, 11, 26, 9, 0, tzinfo=ZoneInfo("Europe/Berlin"))
MONTH = Capabilities(
    schedule_min=timedelta(minutes=1), schedule_max=timedelta(days=30), template_with_schedule=False, templates=True
)
LONGEST = 71
"""Cells that 80 columns leave behind a label."""


@pytest.mark.parametrize(
    ("can", "due", "said"),
    [
        (MONTH, Due(NOW), ""),
        (Capabilities(), Due(NOW + timedelta(hours=1)), "this outbox keeps it until then"),
        (Capabilities(delivers=False), Due(NOW + timedelta(hours=1)), ""),
        (
            MONTH,
            Due(NOW + timedelta(hours=1)),
            "Resend keeps it itself up to 26 Dec 09:00; later, this outbox does",
        ),
        (MONTH, Due(NOW + timedelta(hours=1), "outbox"), "this outbox keeps it, as asked for"),
        (MONTH, Due(NOW + timedelta(days=31)), "this outbox keeps it: Resend does only up to 26 Dec 09:00"),
        (MONTH, Due(NOW + timedelta(seconds=50)), "this outbox keeps it: Resend does only from 90 s ahead on"),
        (Capabilities(schedule_min=timedelta(0)), Due(NOW + timedelta(days=400)), "Resend keeps it itself"),
    ],
)
def test_who_keeps_it_and_until_when(can: Capabilities, due: Due, said: str) -> None:
    """One reads at the time whether the provider or this computer must be there, and where the border lies."""
    assert say_keeper(can, "Resend", due, NOW) == said


def test_what_a_provider_cannot_schedule_is_kept_here() -> None:
    """A template the API takes only at once, and what recurs."""
    due = Due(NOW + timedelta(hours=1))
    assert say_keeper(MONTH, "Resend", due, NOW, is_template=True).endswith("Resend schedules no templates")
    assert say_keeper(MONTH, "Resend", due, NOW, is_repeat=True) == "this outbox keeps it, as everything that recurs"


@pytest.mark.parametrize("name", registry.built_in())
@pytest.mark.parametrize("ahead", [timedelta(seconds=40), timedelta(hours=3), timedelta(days=1000)])
def test_it_fits_the_form_for_every_provider(name: str, ahead: timedelta) -> None:
    """No provider's name or limit makes the sentence longer than a row of 80 columns."""
    kind = registry.load(name)
    can = usual_capabilities(kind)
    assert can is not None
    said = say_keeper(can, getattr(kind, "title", name), Due(NOW + ahead), NOW)
    assert len(said) <= LONGEST
