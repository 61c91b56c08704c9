"""Which zone times are typed and shown in."""

from __future__ import annotations

import os
from pathlib import Path
from zoneinfo import TZPATH, ZoneInfo

import pytest

from tui_mailer.accounts import zone
from tui_mailer.accounts.zone import local_zone
from tui_mailer.domain.errors import ConfigurationError


def test_the_configuration_comes_before_the_environment() -> None:
    """`ui.timezone` wins over TZ, and TZ over the system."""
    assert local_zone("Asia/Tokyo", environ={"TZ": "Europe/Paris"}) == ZoneInfo("Asia/Tokyo")
    assert local_zone(None, environ={"TZ": "Europe/Paris"}) == ZoneInfo("Europe/Paris")


@pytest.mark.parametrize("written", [":Europe/Paris", f"{TZPATH[0]}/Europe/Paris", f":{TZPATH[0]}/Europe/Paris"])
def test_tz_as_a_path(written: str) -> None:
    """TZ may begin with a colon or be the path of a zone file; the zone keeps its name."""
    assert local_zone(None, environ={"TZ": written}).key == "Europe/Paris"


@pytest.mark.parametrize("environ", [{}, {"TZ": ""}, {"TZ": ":/etc/localtime"}])
def test_the_system_zone_has_a_name(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without TZ the system's own zone is taken, by a name that can be kept with a schedule."""
    monkeypatch.delenv("TZ")
    assert ZoneInfo(local_zone(None, environ=environ).key)


def test_a_bad_name_is_told() -> None:
    """A zone that doesn't exist is an error that says where it was written and what was probably meant."""
    with pytest.raises(ConfigurationError, match=r"ui\.timezone: 'Europe/Berln' .* did you mean Europe/Berlin\?"):
        local_zone("Europe/Berln")
    with pytest.raises(ConfigurationError, match="environment variable TZ: 'Nowhere'"):
        local_zone(None, environ={"TZ": "Nowhere"})


def test_a_copied_zone_file_is_recognised(tmp_path: Path) -> None:
    """Containers copy the zone file without its name: it is found again by its content."""
    localtime = tmp_path / "localtime"
    localtime.write_bytes((Path(TZPATH[0]) / "Pacific/Chatham").read_bytes())
    found = zone._zone_of_file(localtime)
    assert found.utcoffset(None) is None
    assert found.key in {"Pacific/Chatham", "NZ-CHAT"}
    localtime.write_bytes(os.urandom(100))
    with pytest.raises(ConfigurationError, match=r"set ui\.timezone"):
        zone._zone_of_file(localtime)
