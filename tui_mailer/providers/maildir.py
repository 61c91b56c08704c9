"""Keeps mail in a Maildir on this computer: the embedded account that works without configuration or network.

The point of no return is the link into ``new/``. The file's name is made from the submission's ID, so that after a
crash the provider can be asked whether the file is there.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import secrets as random_source
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from tui_mailer.domain.errors import (
    ConfigurationError,
    DeliveryError,
    NotAuthorized,
    OutcomeUncertain,
    TryLater,
    Unsupported,
)
from tui_mailer.domain.mime import MimeMessage, build
from tui_mailer.domain.submission import Phase, Receipt, RecipientResult, RecipientStatus
from tui_mailer.domain.text import clean
from tui_mailer.providers import capability
from tui_mailer.providers.base import (
    AccountSettings,
    BytesSent,
    Capabilities,
    Identity,
    Outgoing,
    PolledStatus,
    Prepared,
    Progress,
    SecretSource,
    Step,
)
from tui_mailer.providers.preview import message_step

_FULL_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EMFILE, errno.ENFILE})
_NO_HARD_LINKS = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK, errno.ENOSYS})


class MaildirSettings(BaseModel):
    """An account's settings."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str | None = Field(
        default=None, description="The Maildir folder, absolute or from ~; left out: Maildir in the data dir."
    )


class MaildirOptions(BaseModel):
    """A message's options: there are none."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class _Payload:
    mime: MimeMessage
    file_name: str


class MaildirProvider:
    """Files one copy of a message, whatever its recipients; sends it to nobody."""

    name: ClassVar[str] = "maildir"
    Settings: ClassVar[type[BaseModel]] = MaildirSettings
    Options: ClassVar[type[BaseModel]] = MaildirOptions

    def __init__(self, account: AccountSettings, secrets: SecretSource) -> None:  # noqa: ARG002 - the contract's signature
        """Takes the settings; ``secrets`` is never asked."""
        settings = account.settings
        assert isinstance(settings, MaildirSettings)
        self._account = account.account
        self._identities = account.identities
        self._folder = _folder(settings.path, account)

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(delivers=False, raw=True, idempotency="findable")

    async def check(self) -> list[Identity]:
        """Makes the folder where it is missing and proves that it can be written."""
        try:
            await asyncio.to_thread(_prove_writable, self._folder)
        except OSError as error:
            raise _delivery_error(error, self._folder) from error
        return [Identity(address=address.addr_spec, detail=address.display_name) for address in self._identities]

    def prepare(self, outgoing: Outgoing) -> Prepared:
        mime = build(outgoing.message, date=outgoing.date, contents=outgoing.contents)
        capability.require(outgoing.message, self.capabilities, account=self._account, size=mime.size)
        file_name = _file_name(outgoing)

        def describe() -> tuple[Step, ...]:
            lines = (f"{self._folder}/new/{file_name}", "kept on this computer, sent to nobody")
            return (Step(title="Maildir", lines=lines), message_step(outgoing.message, mime.header))

        return Prepared(
            outgoing=outgoing,
            describe=describe,
            size=mime.size,
            payload=_Payload(mime, file_name),
        )

    async def send(self, prepared: Prepared, progress: Progress, bytes_sent: BytesSent | None = None) -> Receipt:
        """Writes to ``tmp/``, makes it durable, then links it into ``new/``, where no file is ever overwritten."""
        payload = prepared.payload
        assert isinstance(payload, _Payload)
        # A name of its own in tmp/: another process that has lost its lease may still be writing there.
        temporary = self._folder / "tmp" / f"{payload.file_name}.{os.getpid()}.{random_source.token_hex(4)}"
        try:
            await progress(Phase.BODY)
            try:
                await self._write(temporary, payload.mime, bytes_sent)
            except OSError as error:
                raise _delivery_error(error, self._folder) from error
            await progress(Phase.INTENT)
            await self._publish(temporary, payload.file_name)
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink()
        return _receipt(prepared.outgoing, payload.file_name)

    async def status(self, receipt: Receipt) -> list[PolledStatus]:  # noqa: ARG002 - the contract's signature
        raise Unsupported("status", "A Maildir has no status to ask for.", "There is nothing to do.")

    async def cancel(self, receipt: Receipt) -> None:  # noqa: ARG002 - the contract's signature
        raise Unsupported("cancel", "A Maildir keeps nothing for later.", "Delete the file.")

    async def find(self, outgoing: Outgoing, note: Mapping[str, str]) -> Receipt | None:  # noqa: ARG002 - the contract's signature
        """Looks for the file in ``new/`` and, under any flags, in ``cur/``."""
        file_name = _file_name(outgoing)
        try:
            is_there = await asyncio.to_thread(_is_filed, self._folder, file_name)
        except OSError as error:
            raise _delivery_error(error, self._folder) from error
        return _receipt(outgoing, file_name) if is_there else None

    async def close(self) -> None:
        """Holds nothing open."""

    async def _write(self, temporary: Path, mime: MimeMessage, bytes_sent: BytesSent | None) -> None:
        file = await asyncio.to_thread(_create, self._folder, temporary)
        try:
            written = 0
            async for block in _local_lines(mime):
                await asyncio.to_thread(file.write, block)
                written += len(block)
                if bytes_sent is not None:
                    bytes_sent(min(written, mime.size), mime.size)
            await asyncio.to_thread(_make_durable, file)
        finally:
            file.close()

    async def _publish(self, temporary: Path, file_name: str) -> None:
        # Shielded: a canceled caller must not leave while the link may still happen behind its back.
        publishing = asyncio.ensure_future(asyncio.to_thread(_link_into_new, self._folder, temporary, file_name))
        try:
            await asyncio.shield(publishing)
        except asyncio.CancelledError:
            await asyncio.wait({publishing})
            raise
        except OSError as error:
            if await asyncio.to_thread(_is_filed, self._folder, file_name):
                text = f"The file is in {self._folder}, but the disk didn't confirm it: {error.strerror}."
                raise OutcomeUncertain(text) from error
            raise _delivery_error(error, self._folder) from error


def _folder(configured: str | None, account: AccountSettings) -> Path:
    if configured is None:
        if not account.data_dir:
            raise ConfigurationError(f"accounts.{account.account}: path is missing, and there is no data dir.")
        return Path(account.data_dir) / "Maildir"
    try:
        path = Path(configured).expanduser()
    except RuntimeError:
        path = Path(configured)
    if not path.is_absolute():
        raise ConfigurationError(f"accounts.{account.account}.path must be absolute or start with ~: {configured!r}.")
    return path


def _file_name(outgoing: Outgoing) -> str:
    """Names the file ``seconds.unique.host`` as Maildirs do, the same at every attempt."""
    unique = "".join(letter if letter.isalnum() else "_" for letter in outgoing.submission_id)
    return f"{int(outgoing.date.timestamp())}.{unique}.tui-mailer"


async def _local_lines(mime: MimeMessage) -> AsyncIterator[bytes]:
    """Yields the message with the line ends of local files (LF), which Maildir readers expect."""
    small = mime.small_body()
    if small is not None:
        yield (mime.header + small).replace(b"\r\n", b"\n")
        return
    kept = b""
    async for block in mime.stream():
        joined = kept + block
        kept = b"\r" if joined.endswith(b"\r") else b""
        yield (joined[:-1] if kept else joined).replace(b"\r\n", b"\n")
    if kept:
        yield kept


def _make_tree(folder: Path) -> None:
    for directory in (folder, folder / "tmp", folder / "new", folder / "cur"):
        if not directory.is_dir():
            directory.mkdir(mode=0o700, parents=directory == folder, exist_ok=True)
            _sync_directory(directory.parent)


def _create(folder: Path, temporary: Path) -> BinaryIO:
    _make_tree(folder)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    return os.fdopen(descriptor, "wb")


def _make_durable(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _link_into_new(folder: Path, temporary: Path, file_name: str) -> None:
    """Links the file into ``new/``; one of this name there already is this submission's, from an attempt before."""
    if _is_filed(folder, file_name):
        return
    target = folder / "new" / file_name
    try:
        os.link(temporary, target)
    except FileExistsError:
        return
    except OSError as error:
        if error.errno not in _NO_HARD_LINKS:
            raise
        temporary.rename(target)
    _sync_directory(folder / "new")


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_filed(folder: Path, file_name: str) -> bool:
    if (folder / "new" / file_name).exists() or (folder / "cur" / file_name).exists():
        return True
    try:
        with os.scandir(folder / "cur") as entries:
            return any(entry.name.startswith(f"{file_name}:") for entry in entries)
    except FileNotFoundError:
        return False


def _prove_writable(folder: Path) -> None:
    temporary = folder / "tmp" / f"check.{os.getpid()}.{random_source.token_hex(4)}"
    _create(folder, temporary).close()
    temporary.unlink()


def _delivery_error(error: OSError, folder: Path) -> DeliveryError:
    reason = clean(error.strerror or str(error))
    if error.errno in _FULL_DISK:
        return TryLater(f"Nothing was kept: writing to {folder} failed ({reason}).", is_account_wide=True)
    return NotAuthorized(f"Nothing was kept: {folder} can't be written ({reason}). Mend the folder or `path`.")


def _receipt(outgoing: Outgoing, file_name: str) -> Receipt:
    return Receipt(
        recipients=tuple(
            RecipientResult(
                address=recipient.address, status=RecipientStatus.ACCEPTED, text="kept on this computer, sent to nobody"
            )
            for recipient in outgoing.recipients
        ),
        provider_id=file_name,
        response_text="kept on this computer, sent to nobody",
    )
