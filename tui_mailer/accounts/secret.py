"""Secrets that aren't in the keyring: from a command, the environment or a file. The first line is the secret."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Mapping
from pathlib import Path

from tui_mailer.accounts.trusted_file import Distrusted, open_trusted, readable_by_others
from tui_mailer.domain.errors import CredentialUnavailable
from tui_mailer.domain.text import shorten

MAX_BYTES = 64 * 1024
"""The longest secret (and the most of an error output) that is looked at."""


class Secret:
    """A secret that doesn't show itself in a traceback, a log or a debugger's list of locals."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def __repr__(self) -> str:
        return "Secret(...)"

    def reveal(self) -> str:
        """Returns the secret itself."""
        return self._text


def unavailable(account: str, what: str, remedy: str) -> CredentialUnavailable:
    """Makes the error: what happened, that the mail waits, what to do."""
    return CredentialUnavailable(f"Account '{account}': {what}. Its mail stays queued. {remedy}", what=what)


async def read_command(account: str, argv: tuple[str, ...], *, timeout_seconds: float = 30.0) -> Secret:
    """Runs a program without a shell, terminal or input and takes the first line it prints.

    It runs in a session of its own, so that a pinentry can't take our terminal; raises `CredentialUnavailable`.
    """
    program = shorten(argv[0], 60)
    remedy = f"Run the command by hand to see what it says, then: tui-mailer account release {account}"
    # With GPG_TTY a pinentry finds the terminal in spite of the new session.
    environ = {name: value for name, value in os.environ.items() if name != "GPG_TTY"}
    try:
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
            env=environ,
        )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it can't be run"
        raise unavailable(account, f"its credential command {program} didn't start: {reason}", remedy) from None
    try:
        async with asyncio.timeout(timeout_seconds):
            output = await _keep_start(process.stdout)
            status = await process.wait()
    except TimeoutError:
        said = f"its credential command {program} didn't end within {timeout_seconds:g} s and was stopped"
        raise unavailable(account, said, remedy) from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
    if status != 0:
        how = f"ended with status {status}" if status > 0 else f"was ended by signal {-status}"
        # Not its own words: they may hold the secret, and this is kept as the reason of a hold.
        raise unavailable(account, f"its credential command {program} {how}", remedy)
    return _first_line(output, account, f"its credential command {program}", remedy)


def read_variable(account: str, name: str, environ: Mapping[str, str]) -> Secret:
    """Takes an environment variable; raises `CredentialUnavailable`."""
    remedy = f"Set {name} for the program that delivers (also for the delivery service), and start it again."
    value = environ.get(name)
    if value is None:
        raise unavailable(account, f"the environment variable {name}, which holds its secret, isn't set", remedy)
    return _first_line(os.fsencode(value), account, f"the environment variable {name}", remedy)


def read_file(account: str, path: Path) -> Secret:
    """Takes the first line of a file that nobody else can read; raises `CredentialUnavailable`.

    The file is ours with mode 0600 or stricter, or root's, unreadable for others and writable for root only.
    """
    place = shorten(str(path), 200)
    remedy = f"Put the secret into the first line of {place}, readable only for you (chmod 600)."
    try:
        with open_trusted(path, readable_by_others) as file:
            content = file.read(MAX_BYTES)
    except Distrusted as error:
        raise unavailable(account, f"its secret file {place} {error}, so it isn't used", remedy) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it has no usable name"
        raise unavailable(account, f"its secret file {place} can't be read: {reason}", remedy) from None
    return _first_line(content, account, f"its secret file {place}", remedy)


def _first_line(content: bytes, account: str, source: str, remedy: str) -> Secret:
    line = content.partition(b"\n")[0].removesuffix(b"\r")
    if not line:
        raise unavailable(account, f"{source} gave an empty first line", remedy)
    if len(line) >= MAX_BYTES:
        raise unavailable(account, f"{source} gave a first line of more than {MAX_BYTES // 1024} KiB", remedy)
    try:
        return Secret(line.decode("utf-8"))
    except UnicodeDecodeError:
        raise unavailable(account, f"{source} gave something that is not UTF-8", remedy) from None


async def _keep_start(stream: asyncio.StreamReader | None) -> bytes:
    """Reads to the end, so that the program isn't stopped by a full pipe, and keeps only the start."""
    assert stream is not None
    kept = bytearray()
    while block := await stream.read(MAX_BYTES):
        kept += block[: MAX_BYTES - len(kept)]
    return bytes(kept)
