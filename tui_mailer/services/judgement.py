"""Judges every account's settings by its provider's model, once for each version of them.

The models cost a start 60 ms and more, so what they found right is remembered by a digest in the cache. Whoever builds
a provider judges its settings again: a forged mark gains nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from typing import TYPE_CHECKING

from tui_mailer import __version__
from tui_mailer.services.account import ProviderDirectory

if TYPE_CHECKING:
    from tui_mailer.accounts.configuration import Configuration, Paths

_MARK = "judged-settings"


def judge_settings(directory: ProviderDirectory, paths: Paths) -> None:
    """Raises `ConfigurationError` with file and line for the first account whose settings its provider refuses."""
    configuration = directory.configuration
    digest = _digest(configuration)
    mark = paths.cache_dir / _MARK
    with contextlib.suppress(OSError, ValueError):
        if mark.read_text(encoding="ascii") == digest:
            return
    for account in configuration.accounts.values():
        directory.settings(account)
    with contextlib.suppress(OSError):
        paths.cache_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        mark.write_text(digest, encoding="ascii")


def _digest(configuration: Configuration) -> str:
    accounts = [
        [one.name, one.provider, {key: repr(value) for key, value in sorted(one.settings.items())}]
        for one in configuration.accounts.values()
    ]
    return hashlib.sha256(json.dumps([__version__, accounts]).encode()).hexdigest()
