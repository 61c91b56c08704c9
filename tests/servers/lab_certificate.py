"""Certificates for the servers of these tests: a good one, and one for every way of being wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import trustme


@dataclass(frozen=True, slots=True)
class TlsFiles:
    """Where the certificates lie; every leaf file holds key and chain."""

    ca_file: Path
    """The authority that accounts under test trust."""
    good: Path
    """For ``localhost`` and ``127.0.0.1``."""
    wrong_host: Path
    """For another name."""
    expired: Path
    rogue: Path
    """For ``localhost``, by an authority that nobody trusts."""


def make_tls_files(folder: Path) -> TlsFiles:
    """Makes an authority, its certificates, and a rogue authority's."""
    authority, rogue_authority = trustme.CA(), trustme.CA()
    ca_file = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    past = datetime(2020, 1, 1, tzinfo=UTC)
    leaves = {
        "good": authority.issue_cert("localhost", "127.0.0.1"),
        "wrong_host": authority.issue_cert("elsewhere.example"),
        "expired": authority.issue_cert(
            "localhost", "127.0.0.1", not_before=datetime(2019, 1, 1, tzinfo=UTC), not_after=past
        ),
        "rogue": rogue_authority.issue_cert("localhost", "127.0.0.1"),
    }
    files = {name: folder / f"{name}.pem" for name in leaves}
    for name, leaf in leaves.items():
        leaf.private_key_and_cert_chain_pem.write_to_path(str(files[name]))
        files[name].chmod(0o600)
    return TlsFiles(ca_file=ca_file, **files)
