"""The zone that times are typed and shown in."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from zoneinfo import TZPATH, ZoneInfo, ZoneInfoNotFoundError, available_timezones

from tui_mailer.domain.errors import ConfigurationError

_LOCALTIME = Path("/etc/localtime")


def local_zone(configured: str | None, *, environ: Mapping[str, str] = os.environ) -> ZoneInfo:
    """Returns ``ui.timezone``, else TZ's zone, else the system's; its `key` is always an IANA name.

    Raises `ConfigurationError` for a name that no zone has.
    """
    if configured:
        return _find(configured, "ui.timezone")
    wanted = environ.get("TZ", "").removeprefix(":")
    if wanted and Path(wanted) != _LOCALTIME:
        return _find(_without_folder(wanted), "The environment variable TZ")
    return _system_zone()


def find_zone(name: str) -> ZoneInfo:
    """Returns the zone of an IANA name; raises ValueError with a sentence that names similar ones."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # ValueError for `../x`, OSError for a folder such as `Europe`.
        import difflib

        near = difflib.get_close_matches(name[:80], sorted(available_timezones()), n=1)
        guess = f"; did you mean {near[0]}?" if near else ""
        raise ValueError(f"{name[:80]!r} is no time zone; a name such as Europe/Berlin is wanted{guess}") from None


def _find(name: str, where: str) -> ZoneInfo:
    try:
        return find_zone(name)
    except ValueError as error:
        raise ConfigurationError(f"{where}: {error}") from None


def _without_folder(name: str) -> str:
    """TZ may be the path of a zone file."""
    for folder in TZPATH:
        if name.startswith(folder + "/"):
            return name.removeprefix(folder + "/")
    return name


def _system_zone() -> ZoneInfo:
    import tzlocal

    try:
        with warnings.catch_warnings():
            # Without any setting it warns on stderr and says UTC, as the C library does.
            warnings.simplefilter("ignore")
            zone = tzlocal.reload_localzone()
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigurationError(
            "The system's time zone can't be told (/etc/timezone and /etc/localtime disagree); set ui.timezone"
        ) from None
    if zone.key and zone.key != "local":
        return zone
    return _zone_of_file(_LOCALTIME)


def _zone_of_file(path: Path) -> ZoneInfo:
    """Finds the name of a zone file that is a copy, as in containers: a schedule keeps the name, not the file."""
    content = path.read_bytes()
    for folder in map(Path, TZPATH):
        for name in sorted(available_timezones()):
            candidate = folder / name
            if candidate.is_file() and candidate.read_bytes() == content:
                return ZoneInfo(name)
    raise ConfigurationError(
        "The system's time zone has no name (/etc/localtime is a file of its own); set ui.timezone"
    )
