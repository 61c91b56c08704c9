"""Which machine uses a data directory that others can reach: on a network file system one at a time.

Leases and liveness are this kernel's business (boot clock, flock): another machine's deliverer would be taken for dead,
and its mail sent again. On a local file system there is nothing to claim.
"""

from __future__ import annotations

import json
import os
import socket
import time
from contextlib import suppress
from pathlib import Path

from tui_mailer.domain.errors import StorageError
from tui_mailer.domain.text import clean
from tui_mailer.storage.file_system import create_private_file, is_on_network, reason

SILENCE_SECONDS = 15 * 60.0
"""After this long without a sign of life another machine may take the directory over."""
_KEEP_SECONDS = 30.0


class Host:
    """This machine's claim, ``<data dir>/host.json``; its time stamp, by the file server's clock, is a sign of life."""

    def __init__(self, directory: Path | None) -> None:
        self._path = directory / "host.json" if directory is not None and is_on_network(directory) else None
        self._me = _this_machine() if self._path else {}
        self._kept_at = 0.0
        self.is_taken = False
        """Whether there is anything to give free."""

    def take(self) -> None:
        """Claims the directory for this machine; raises `StorageError` while another uses it."""
        if self._path is None:
            return
        known = self._read()
        if known is not None and known != self._me:
            silent = self._silent_seconds()
            if silent < SILENCE_SECONDS:
                raise StorageError(
                    f"{self._path.parent} is on a network file system and {_name(known)} has used it "
                    f"{max(0, int(silent))} s ago: two machines can't share it, mail might go out twice. Stop "
                    f"tui-mailer there and try again (after {SILENCE_SECONDS / 60:.0f} minutes if it was cut off), or "
                    "choose a data directory on this machine (--data-dir). Nothing was changed."
                )
        self._write()
        self.is_taken = True

    def require(self) -> None:
        """Gives a sign of life now and then; raises `StorageError` when another machine has taken over meanwhile."""
        if self._path is None:
            return
        known = self._read()
        if known != self._me:
            raise StorageError(
                f"{_name(known or {})} has taken {self._path.parent} over while this machine was silent: nothing is "
                "sent from here. Stop tui-mailer here, or there."
            )
        if time.monotonic() - self._kept_at > _KEEP_SECONDS:
            self._kept_at = time.monotonic()
            with suppress(OSError):
                os.utime(self._path)

    def leave(self) -> None:
        """Gives the directory free; for the last process of this machine."""
        if self._path is not None and self._read() == self._me:
            self.is_taken = False
            with suppress(OSError):
                self._path.unlink()

    def _read(self) -> dict[str, str] | None:
        assert self._path is not None
        try:
            return dict(json.loads(self._path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def _write(self) -> None:
        assert self._path is not None
        fresh = self._path.with_name(f"host.json.{self._me['machine'][:8]}-{os.getpid()}")
        try:
            create_private_file(fresh)
            fresh.write_text(json.dumps(self._me), encoding="utf-8")
            fresh.replace(self._path)
        except OSError as error:
            raise StorageError(f"{self._path} can't be written: {reason(error)}. Nothing was stored.") from None

    def _silent_seconds(self) -> float:
        """Measures by the file server's clock alone: this machine's may be wrong."""
        assert self._path is not None
        probe = self._path.with_name(f"host.json.probe-{os.getpid()}")
        try:
            create_private_file(probe)
            os.utime(probe)
            return probe.stat().st_mtime - self._path.stat().st_mtime
        except OSError as error:
            raise StorageError(f"{probe} can't be written: {reason(error)}. Nothing was stored.") from None
        finally:
            with suppress(OSError):
                probe.unlink()


def _this_machine() -> dict[str, str]:
    name = socket.gethostname()
    try:
        machine = Path("/etc/machine-id").read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        machine = ""
    return {"host": name, "machine": machine or name}


def _name(machine: dict[str, str]) -> str:
    return clean(str(machine.get("host", "another machine")))
