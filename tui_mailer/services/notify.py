"""Tells a service manager how we are: the sd_notify protocol (systemd's sd_notify(3)), without its library."""

from __future__ import annotations

import os
import socket
from collections.abc import MutableMapping


class Notifier:
    """Says ``READY=1``, ``STATUS=...`` and the like to whoever started us; to nobody where nobody listens."""

    def __init__(self, environ: MutableMapping[str, str] | None = None) -> None:
        # Taken out of the environment: a credential command started later doesn't speak for us.
        variables = os.environ if environ is None else environ
        address = variables.pop("NOTIFY_SOCKET", "")
        microseconds = variables.pop("WATCHDOG_USEC", "")
        pid = variables.pop("WATCHDOG_PID", "")
        self._address = "\0" + address[1:] if address.startswith("@") else address
        is_ours = not pid or pid == str(os.getpid())
        self.watchdog_seconds = int(microseconds) / 1e6 if is_ours and microseconds.isdigit() else None
        """We are taken for stuck unless ``WATCHDOG=1`` comes at least this often; None: nobody counts."""

    def tell(self, *assignments: str) -> None:
        """Sends assignments (``READY=1``) in one datagram; a manager that can't take them is no trouble of ours."""
        if not self._address:
            return
        text = "\n".join(one.replace("\n", " ") for one in assignments)
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
                sender.settimeout(1.0)
                sender.sendto(text.encode("utf-8", "replace"), self._address)
        except OSError:
            return
