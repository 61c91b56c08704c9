"""What the real servers of these tests share: a folder that every user may enter, free ports, start and stop."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

import pytest

LAB = Path(os.environ.get("TUI_MAILER_LAB", Path(__file__).parents[2] / ".lab"))
"""Where ``.ci/run`` unpacks the servers that can't be installed side by side."""

Truth = TypeVar("Truth")


def need_root() -> None:
    """Skips where mail servers can't change to their own users."""
    if os.geteuid() != 0:
        pytest.skip("needs root: mail servers change to users of their own (.ci/run does it)")


def installed(program: str, package: str) -> str:
    """Finds a program, or skips with the package that brings it."""
    found = shutil.which(program, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if found is None:
        pytest.skip(f"{program} is not installed: apt-get install {package} (.ci/run does it)")
    return found


def unpacked(package: str, folder: Path) -> Path:
    """Copies an unpacked Debian package into a server's folder, so that its own user reaches it; skips if missing."""
    source = LAB / "x" / package
    if not source.is_dir():
        pytest.skip(f"{package} is not unpacked in {LAB}/x (.ci/run does it)")
    return shutil.copytree(source, folder / "package", symlinks=True)


def ensure_user(name: str) -> None:
    """Adds a system user with a group of its own, as the server's package would; repeats while another adds one."""
    command = [installed("useradd", "passwd"), "--system", "--no-create-home", "--shell", "/usr/sbin/nologin"]

    def exists() -> bool:
        with contextlib.suppress(KeyError):
            return bool(pwd.getpwnam(name))
        return not subprocess.run([*command, "--user-group", name], capture_output=True, check=False).returncode

    wait_until(exists, f"the user {name} is added")


@contextlib.contextmanager
def server_folder(name: str) -> Generator[Path]:
    """Makes a folder with a short path (Unix sockets allow 107 bytes) that other users may enter."""
    folder = Path(tempfile.mkdtemp(prefix=f"tm-{name}-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def free_ports(count: int) -> list[int]:
    """Finds ports on the loopback address that nobody listens on; all are different."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def wait_until(ask: Callable[[], Truth], what: str, *, deadline_seconds: float = 30.0) -> Truth:
    """Asks until the answer is true and returns it; fails with ``what`` at the deadline."""
    end = time.monotonic() + deadline_seconds
    pause = threading.Event()
    while not (answer := ask()):
        if time.monotonic() > end:
            pytest.fail(f"waited {deadline_seconds:.0f} s in vain: {what}")
        pause.wait(0.02)
    return answer


def is_listening(port: int) -> bool:
    """Tells whether somebody answers on a loopback port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextlib.contextmanager
def running(
    command: Sequence[str | Path],
    *,
    ports: Sequence[int],
    log: Path,
    environment: Mapping[str, str] | None = None,
    stdin: bytes | None = None,
) -> Generator[subprocess.Popen[bytes]]:
    """Runs a server in the foreground until the block ends; it also ends if the tests are killed."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            list(map(str, command)),
            stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **(environment or {})},
            start_new_session=True,
        )
    # ends the server should the tests be killed: its read returns when our end of the pipe is gone
    watchdog = subprocess.Popen(
        ["/bin/sh", "-c", f"read -r _; kill -TERM -{process.pid}"], stdin=subprocess.PIPE, start_new_session=True
    )
    try:
        if stdin is not None and process.stdin is not None:
            process.stdin.write(stdin)
            process.stdin.close()
        for port in ports:
            wait_until(
                lambda port=port: is_listening(port) or process.poll() is not None, f"{command[0]} listens on {port}"
            )
        if process.poll() is not None:
            pytest.fail(f"{command[0]} ended with {process.returncode}:\n{log.read_text(errors='replace')[-4000:]}")
        yield process
    finally:
        watchdog.kill()
        watchdog.communicate()
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
