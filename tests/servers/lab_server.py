"""A running mail server as a test sees it: where it listens, whom it knows, what it accepted and stored."""

from __future__ import annotations

import re
import smtplib
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from lab_mailbox import StoredMail, read_maildirs
from lab_process import wait_until

HOST = "localhost"
USER, PASSWORD, TOKEN = "user", "pass", "tok123"
OAUTH_USER = "oauth"
SIZE_LIMIT = 2 * 1024 * 1024
"""Bytes; what the servers announce by SIZE. Small, so that a refused upload is cheap to ask for."""

_probes = count(1)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """A real server on the loopback address, for mail to ``@lab.test``."""

    starttls_port: int
    tls_port: int
    plain_port: int
    """No AUTH is needed for ``@lab.test`` here."""
    ca_file: Path
    mailboxes: Path
    log: Path
    accepted_pattern: str
    """Regular expression that finds the acceptance of a Message-ID (``{id}``, without brackets) in the log."""

    def stored(self, message_id: str) -> list[StoredMail]:
        """Every stored copy of a message, as of now."""
        return [mail for mail in read_maildirs(self.mailboxes) if mail.message_id == message_id]

    def wait_for(self, message_id: str, *recipients: str) -> list[StoredMail]:
        """Waits until each recipient has a copy, and returns all copies."""

        def copies() -> list[StoredMail]:
            found = self.stored(message_id)
            reached = frozenset[str]().union(*(mail.envelope_recipients for mail in found))
            return found if found and reached >= set(recipients) else []

        return wait_until(copies, f"{message_id} is stored for {', '.join(recipients) or 'anybody'}")

    def count_accepted(self, message_id: str) -> int:
        """How often the server took responsibility for a message.

        Sends a message of its own behind it and waits for that, so that nothing is still on its way.
        """
        probe = f"<probe-{next(_probes)}@lab.test>"
        with smtplib.SMTP("127.0.0.1", self.plain_port, local_hostname="localhost") as client:
            client.sendmail("probe@lab.test", ["c@lab.test"], f"Message-ID: {probe}\r\nSubject: probe\r\n\r\n")
        wait_until(lambda: self._accepted(probe), f"{probe} appears in {self.log.name}")
        return self._accepted(message_id)

    def _accepted(self, message_id: str) -> int:
        pattern = self.accepted_pattern.format(id=re.escape(message_id.strip("<>")))
        return len(re.findall(pattern, self.log.read_text(errors="replace"), re.MULTILINE | re.DOTALL))
