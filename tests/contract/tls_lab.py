"""A certificate authority for tests, and servers' TLS contexts: good, for another host, expired, from nobody known."""

from __future__ import annotations

import hashlib
import ssl
from datetime import UTC, datetime, timedelta

import trustme


class TlsLab:
    """One authority that the accounts trust, and one that they don't."""

    def __init__(self) -> None:
        self._trusted = trustme.CA()
        self._rogue = trustme.CA()
        self.trust_pem = self._trusted.cert_pem.bytes().decode()

    def good(self) -> ssl.SSLContext:
        return self._context(self._trusted.issue_cert("127.0.0.1", "localhost"))

    def for_another_host(self) -> ssl.SSLContext:
        return self._context(self._trusted.issue_cert("mail.example.com"))

    def expired(self) -> ssl.SSLContext:
        return self._context(self._trusted.issue_cert("127.0.0.1", not_after=datetime.now(UTC) - timedelta(days=1)))

    def from_nobody_known(self) -> ssl.SSLContext:
        return self._context(self._rogue.issue_cert("127.0.0.1"))

    def only_old_protocols(self) -> ssl.SSLContext:
        context = self.good()
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
        return context

    def with_fingerprint(self) -> tuple[ssl.SSLContext, str]:
        """Returns a context for a certificate of nobody known, and that certificate's SHA-256."""
        leaf = self._rogue.issue_cert("other.example.com")
        der = ssl.PEM_cert_to_DER_cert(leaf.cert_chain_pems[0].bytes().decode())
        return self._context(leaf), hashlib.sha256(der).hexdigest()

    def _context(self, leaf: trustme.LeafCert) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        leaf.configure_cert(context)
        return context
