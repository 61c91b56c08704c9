"""Real mail servers and a real keyring, started once for these tests, each on ports of its own."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from pathlib import Path

import pytest
from lab_certificate import TlsFiles, make_tls_files
from lab_dovecot import Dovecot, dovecot_running
from lab_exim import exim_running
from lab_keyring import gnome_keyring_running
from lab_postfix import Greylist, postfix_running
from lab_process import free_ports
from lab_server import MailServer
from program import Program


def pytest_itemcollected(item: pytest.Item) -> None:
    """Marks the tests of this folder."""
    item.add_marker(pytest.mark.servers)


@pytest.fixture(scope="session")
def tls_files(tmp_path_factory: pytest.TempPathFactory) -> TlsFiles:
    """Certificates: good, for the wrong host, expired, and by an authority nobody trusts."""
    return make_tls_files(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="session")
def relay_port() -> int:
    """The port that postfix will listen on for dovecot, which has to know it first."""
    return free_ports(1)[0]


@pytest.fixture(scope="session")
def dovecot(tls_files: TlsFiles, relay_port: int) -> Generator[Dovecot]:
    """Dovecot as a submission server; mail passes only while postfix runs."""
    with dovecot_running(tls_files, relay_port=relay_port) as server:
        yield server


@pytest.fixture(scope="session")
def _greylist_serving() -> Generator[tuple[Greylist, int]]:
    greylist = Greylist()
    with greylist.serving() as port:
        yield greylist, port


@pytest.fixture
def greylist(_greylist_serving: tuple[Greylist, int]) -> Generator[Greylist]:
    """Postfix' greylist for grey@lab.test, in force at the start of each test."""
    greylist, _ = _greylist_serving
    greylist.restore()
    yield greylist
    greylist.restore()


@pytest.fixture(scope="session")
def postfix(
    tls_files: TlsFiles, relay_port: int, dovecot: Dovecot, _greylist_serving: tuple[Greylist, int]
) -> Generator[MailServer]:
    """Postfix with TLS, STARTTLS and AUTH."""
    with postfix_running(
        tls_files, plain_port=relay_port, sasl_port=dovecot.sasl_port, policy_port=_greylist_serving[1]
    ) as server:
        yield server


@pytest.fixture(scope="session")
def exim(tls_files: TlsFiles) -> Generator[MailServer]:
    """Exim with TLS, STARTTLS and AUTH."""
    with exim_running(tls_files) as server:
        yield server


@pytest.fixture(scope="session")
def gnome_keyring() -> Generator[Mapping[str, str]]:
    """The environment in which a program finds an unlocked Secret Service."""
    with gnome_keyring_running() as environment:
        yield environment


@pytest.fixture
def program(tmp_path: Path) -> Program:
    """The program with an empty data dir and no configuration yet."""
    return Program(tmp_path)
