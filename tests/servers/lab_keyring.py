"""A real Secret Service without a screen: a session bus and an unlocked gnome-keyring of its own."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Generator, Mapping

from lab_process import installed, running, server_folder, wait_until


@contextlib.contextmanager
def gnome_keyring_running() -> Generator[Mapping[str, str]]:
    """Starts both daemons and yields the environment in which programs find the keyring; skips if not installed."""
    bus = installed("dbus-daemon", "dbus")
    owner = installed("dbus-send", "dbus")
    keyring = installed("gnome-keyring-daemon", "gnome-keyring")
    tool = installed("secret-tool", "libsecret-tools")
    with server_folder("keyring") as folder:
        folder.chmod(0o700)
        (folder / "run").mkdir(mode=0o700)
        environment = {
            "DBUS_SESSION_BUS_ADDRESS": f"unix:path={folder}/bus",
            "XDG_RUNTIME_DIR": str(folder / "run"),
        }
        own = {**environment, "HOME": str(folder), "XDG_DATA_HOME": str(folder / "data")}
        log = folder / "log"
        with running([bus, "--session", "--nofork", f"--address=unix:path={folder}/bus"], ports=[], log=log):
            wait_until((folder / "bus").exists, "the session bus has its socket")
            unlock = [keyring, "--foreground", "--unlock", "--components=secrets"]
            with running(unlock, ports=[], log=log, environment=own, stdin=b"lab"):
                # Asked before, the bus would start a second one, locked, which answers nobody.
                wait_until(lambda: _is_on_the_bus(owner, own), "the keyring is on the bus")
                wait_until(lambda: _answers(tool, own), "the keyring answers")
                yield environment


def _answers(tool: str, environment: Mapping[str, str]) -> bool:
    stored = subprocess.run(
        [tool, "store", "--label=probe", "probe", "probe"],
        input=b"probe",
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        timeout=20,
        check=False,
    )
    return stored.returncode == 0


def _is_on_the_bus(tool: str, environment: Mapping[str, str]) -> bool:
    question = ("--dest=org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus.NameHasOwner")
    asked = subprocess.run(
        [tool, "--session", "--print-reply", *question, "string:org.freedesktop.secrets"],
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        timeout=20,
        check=False,
    )
    return b"boolean true" in asked.stdout
