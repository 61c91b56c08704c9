"""Secrets in a real keyring: gnome-keyring on a private session bus, without a desktop."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tui_mailer.accounts.configuration import Account, CredentialSource
from tui_mailer.accounts.credential import Credentials
from tui_mailer.accounts.keychain import Keychain
from tui_mailer.domain.address import parse_address
from tui_mailer.domain.errors import CredentialUnavailable

NEEDED = ("dbus-daemon", "gnome-keyring-daemon")
MISSING = [program for program in NEEDED if shutil.which(program) is None]

pytestmark = [
    pytest.mark.servers,
    pytest.mark.skipif(bool(MISSING), reason=f"needs {', '.join(MISSING)} (apt install gnome-keyring dbus)"),
]

WORK = Account(
    name="work",
    provider="smtp",
    identities=(parse_address("a@b.test"),),
    credential=CredentialSource(kind="keyring", value=("tui-mailer", "work")),
)


class Session:
    """A private session bus with a keyring on it; everything it starts ends with it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._children: list[subprocess.Popen[bytes]] = []
        runtime = folder / "runtime"
        runtime.mkdir(mode=0o700)
        self.environ = {
            **os.environ,
            "HOME": str(folder),
            "XDG_RUNTIME_DIR": str(runtime),
            "XDG_DATA_HOME": str(folder / "data"),
        }
        # The stock configuration would start services of the machine's own on demand, desktop prompters among them.
        configuration = folder / "bus.conf"
        configuration.write_text(
            "<busconfig><type>session</type><listen>unix:path=" + str(runtime / "bus") + "</listen>"
            "<auth>EXTERNAL</auth><policy context='default'><allow send_destination='*' eavesdrop='true'/>"
            "<allow eavesdrop='true'/><allow own='*'/></policy>"
            "</busconfig>"
        )
        self._start("dbus-daemon", "--config-file", str(configuration), "--nofork", "--print-address=1")
        self.environ["DBUS_SESSION_BUS_ADDRESS"] = self._line_from(self._children[-1])

    def start_keyring(self, *, password: bytes | None) -> None:
        """Starts the daemon with the login keyring unlocked, or (None) as it is after an automatic login: locked."""
        unlocking = ["--unlock"] if password is not None else []
        daemon = self._start("gnome-keyring-daemon", "--foreground", "--components=secrets", *unlocking)
        assert daemon.stdin
        daemon.stdin.write(password or b"")
        daemon.stdin.close()
        self._await_service()

    def pause_keyring(self) -> None:
        self._children[-1].send_signal(signal.SIGSTOP)

    def resume_keyring(self) -> None:
        self._children[-1].send_signal(signal.SIGCONT)

    def stop_keyring(self) -> None:
        self._stop(self._children.pop())

    def close(self) -> None:
        while self._children:
            self._stop(self._children.pop())

    def _start(self, *argv: str) -> subprocess.Popen[bytes]:
        child = subprocess.Popen(
            argv,
            env=self.environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self._folder,
        )
        self._children.append(child)
        return child

    def _stop(self, child: subprocess.Popen[bytes]) -> None:
        child.send_signal(signal.SIGTERM)
        child.wait(timeout=10)
        for stream in (child.stdin, child.stdout):
            if stream and not stream.closed:
                stream.close()

    @staticmethod
    def _line_from(child: subprocess.Popen[bytes]) -> str:
        assert child.stdout
        return child.stdout.readline().decode().strip()

    def _await_service(self) -> None:
        """Blocks until the bus has the service's name: a call to it waits in the bus for nothing else."""
        from jeepney import DBusAddress, new_method_call
        from jeepney.bus_messages import DBus, MatchRule
        from jeepney.io.blocking import open_dbus_connection

        with open_dbus_connection(self.environ["DBUS_SESSION_BUS_ADDRESS"]) as bus:
            address = DBusAddress("/org/freedesktop/DBus", "org.freedesktop.DBus", "org.freedesktop.DBus")
            rule = MatchRule(type="signal", interface="org.freedesktop.DBus", member="NameOwnerChanged")
            rule.add_arg_condition(0, "org.freedesktop.secrets")
            bus.send_and_get_reply(DBus().AddMatch(rule))
            asked = new_method_call(address, "NameHasOwner", "s", ("org.freedesktop.secrets",))
            with bus.filter(rule) as changes:
                if not bus.send_and_get_reply(asked).body[0]:
                    bus.recv_until_filtered(changes, timeout=20)


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    """A session bus that this process uses; no keyring on it yet."""
    one = Session(tmp_path)
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", one.environ["DBUS_SESSION_BUS_ADDRESS"])
    yield one
    one.close()


@pytest.fixture
def unlocked(session: Session) -> Session:
    session.start_keyring(password=b"login password")
    return session


def fresh() -> Credentials:
    """Nothing in memory, as in a new process; patient, for a machine that has other things to do."""
    return Credentials(keychain=Keychain(deadline_seconds=30))


async def get() -> str:
    return await fresh().source(WORK).get()


async def test_a_secret_is_stored_found_and_removed(unlocked: Session) -> None:
    """What is stored for an account is found again, replaced by the next one, and gone once removed."""
    credentials = fresh()
    credentials.store(WORK, "first, with ünïcode and spaces ")
    assert await get() == "first, with ünïcode and spaces "
    await credentials.store_async(WORK, "second")
    assert await get() == "second"
    assert credentials.delete(WORK) is True
    assert credentials.delete(WORK) is False
    with pytest.raises(CredentialUnavailable, match=r"no secret for it .*Store it: tui-mailer account set-secret work"):
        await get()


async def test_an_entry_of_another_program_is_used_and_never_removed(unlocked: Session) -> None:
    """An account may live on another program's entry; removing the account leaves that entry alone."""
    borrowed = WORK._replace(credential=CredentialSource(kind="keyring", value=("other-program", "ada")))
    fresh().store(borrowed, "shared")
    assert fresh().delete(borrowed) is False
    assert await fresh().source(borrowed).get() == "shared"


async def test_storing_replaces_what_is_in_memory(unlocked: Session) -> None:
    """A new secret serves from the next attempt on, though the old one had been fetched."""
    credentials = fresh()
    credentials.store(WORK, "old")
    assert await credentials.source(WORK).get() == "old"
    credentials.store(WORK, "new")
    assert await credentials.source(WORK).get() == "new"


async def test_what_keyring_set_writes_is_found(unlocked: Session) -> None:
    """`keyring set tui-mailer work` in a shell is as good as our own command."""
    command = [sys.executable, "-m", "keyring", "set", "tui-mailer", "work"]
    subprocess.run(command, input=b"from the shell\n", env=unlocked.environ, check=True, capture_output=True)
    assert await get() == "from the shell"


@pytest.mark.skipif(shutil.which("secret-tool") is None, reason="needs secret-tool (apt install libsecret-tools)")
async def test_another_programs_entry_does_not_shadow_ours(unlocked: Session) -> None:
    """An older entry that another program made under the same name doesn't hide the secret just stored."""
    command = ["secret-tool", "store", "--label=x", "service", "tui-mailer", "username", "work"]
    subprocess.run(command, input=b"stale", env=unlocked.environ, check=True, capture_output=True)
    assert await get() == "stale"
    fresh().store(WORK, "fresh")
    assert await get() == "fresh"
    assert fresh().delete(WORK)


@pytest.mark.parametrize("guess", ["keyring.backends.null.Keyring", "keyring.backends.fail.Keyring", "no.such.Backend"])
async def test_a_backend_from_the_environment_is_ignored(
    unlocked: Session, monkeypatch: pytest.MonkeyPatch, guess: str
) -> None:
    """PYTHON_KEYRING_BACKEND can't turn storing a secret into losing it silently."""
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", guess)
    fresh().store(WORK, "kept")
    assert await get() == "kept"


async def test_a_locked_keyring_is_told_and_recovers(session: Session) -> None:
    """A locked keyring gives a sentence, not a hang; once unlocked the secret is there again."""
    session.start_keyring(password=b"login password")
    fresh().store(WORK, "kept")
    session.stop_keyring()
    session.start_keyring(password=None)
    with pytest.raises(CredentialUnavailable, match=r"keyring is locked.*Its mail stays queued.*Unlock the keyring"):
        await get()
    with pytest.raises(CredentialUnavailable, match="nothing was stored"):
        fresh().store(WORK, "other")
    session.stop_keyring()
    session.start_keyring(password=b"login password")
    assert await get() == "kept"


async def test_a_keyring_that_answers_late(unlocked: Session) -> None:
    """A keyring that hangs costs the deadline; the answer it gives later serves the next attempt."""
    fresh().store(WORK, "kept")
    hasty = Credentials(keychain=Keychain(deadline_seconds=1.0))
    unlocked.pause_keyring()
    try:
        with pytest.raises(CredentialUnavailable, match=r"didn't answer within 1 s.*Its mail stays queued"):
            await hasty.source(WORK).get()
        with pytest.raises(CredentialUnavailable, match="the secret isn't stored yet"):
            Credentials(keychain=Keychain(deadline_seconds=1.0)).store(WORK, "late")
    finally:
        unlocked.resume_keyring()
    assert await get() in {"kept", "late"}
    assert await hasty.source(WORK).get() in {"kept", "late"}


async def test_a_bus_without_a_keyring_is_told(session: Session) -> None:
    """A session bus with no keyring on it gives a sentence with another way."""
    with pytest.raises(CredentialUnavailable, match=r"Its mail stays queued.*use another source"):
        await fresh().source(WORK).get()
