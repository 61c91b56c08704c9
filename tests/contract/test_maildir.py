"""The embedded account: a Maildir that any mail reader can open."""

from __future__ import annotations

import asyncio
import email
import mailbox
import os
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tui_mailer.domain.address import Address
from tui_mailer.domain.errors import ConfigurationError, Fenced, NotAuthorized, TryLater
from tui_mailer.domain.message import Attachment
from tui_mailer.domain.submission import Phase
from tui_mailer.providers.base import AccountSettings
from tui_mailer.providers.maildir import MaildirProvider, MaildirSettings
from tui_mailer.providers.testing import (
    FixedSecret,
    MemoryContent,
    ProviderContract,
    Recorder,
    make_message,
    make_outgoing,
)


def make_provider(data_dir: Path, path: str | None = None) -> MaildirProvider:
    account = AccountSettings(
        account="local",
        settings=MaildirSettings(path=path),
        identities=(Address("ada", "example.org"),),
        data_dir=str(data_dir),
    )
    return MaildirProvider(account, FixedSecret())


def files_in(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.exists() else []


class TestMaildirContract(ProviderContract):
    """The contract of every provider."""

    @pytest.fixture
    def provider(self, tmp_path: Path) -> MaildirProvider:
        return make_provider(tmp_path)

    @pytest.fixture
    def count_stored(self, tmp_path: Path) -> Callable[[], int]:
        return lambda: len(files_in(tmp_path / "Maildir" / "new"))


async def test_a_mail_reader_finds_it(tmp_path: Path) -> None:
    """Mail to oneself is there for any program that reads Maildirs, with local line ends and its text."""
    provider = make_provider(tmp_path)
    await provider.send(provider.prepare(make_outgoing()), Recorder())
    reader = mailbox.Maildir(tmp_path / "Maildir", create=False)
    (message,) = list(reader)
    assert message["Subject"] == "Notes"
    assert "algebraic patterns" in message.get_payload()
    (file,) = files_in(tmp_path / "Maildir" / "new")
    assert b"\r" not in file.read_bytes()
    assert files_in(tmp_path / "Maildir" / "tmp") == []


async def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    """Folders are 0700 and mail is 0600, whatever the umask."""
    before = os.umask(0)
    try:
        provider = make_provider(tmp_path)
        await provider.send(provider.prepare(make_outgoing()), Recorder())
    finally:
        os.umask(before)
    folder = tmp_path / "Maildir"
    for directory in (folder, folder / "new", folder / "cur", folder / "tmp"):
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    (file,) = files_in(folder / "new")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


async def test_an_attachment_comes_back_whole(tmp_path: Path) -> None:
    """A file of some megabytes is streamed to the disk and reads back as it was."""
    octets = os.urandom(3_000_001)
    content = MemoryContent(octets)
    attachment = Attachment(
        name="noise.bin", media_type="application/octet-stream", size=content.size, sha256=content.sha256
    )
    message = replace(make_message(), attachments=(attachment,))
    provider = make_provider(tmp_path)
    sent: list[tuple[int, int]] = []
    prepared = provider.prepare(make_outgoing(message, (content,)))
    await provider.send(prepared, Recorder(), lambda done, total: sent.append((done, total)))
    (file,) = files_in(tmp_path / "Maildir" / "new")
    parts = list(email.message_from_bytes(file.read_bytes()).walk())
    assert parts[-1].get_payload(decode=True) == octets
    assert sent == sorted(sent)
    assert sent[-1][1] == prepared.size


async def test_raw_mail_is_kept_as_it_is(tmp_path: Path) -> None:
    """What came through sendmail, 8-bit bytes and all, is filed byte for byte but for local line ends."""
    raw = b"From: ada@example.org\r\nSubject: =?x?\r\n\r\n.caf\xe9\r\n\rlone\r\n"
    content = MemoryContent(raw)
    message = replace(make_message(), text=None, raw_sha256=content.sha256, raw_size=content.size)
    provider = make_provider(tmp_path)
    await provider.send(provider.prepare(make_outgoing(message, (content,))), Recorder())
    (file,) = files_in(tmp_path / "Maildir" / "new")
    assert file.read_bytes() == raw.replace(b"\r\n", b"\n")


async def test_a_second_attempt_makes_no_second_copy(tmp_path: Path) -> None:
    """A repeat after a crash finds its own file and leaves it as it is."""
    provider = make_provider(tmp_path)
    prepared = provider.prepare(make_outgoing())
    first = await provider.send(prepared, Recorder())
    second = await provider.send(prepared, Recorder())
    assert first.provider_id == second.provider_id
    assert len(files_in(tmp_path / "Maildir" / "new")) == 1


async def test_read_mail_is_still_found(tmp_path: Path) -> None:
    """After a reader has moved the mail to cur and flagged it, it counts as delivered, and isn't filed again."""
    provider = make_provider(tmp_path)
    outgoing = make_outgoing()
    receipt = await provider.send(provider.prepare(outgoing), Recorder())
    folder = tmp_path / "Maildir"
    (folder / "new" / str(receipt.provider_id)).rename(folder / "cur" / f"{receipt.provider_id}:2,RS")
    assert await provider.find(outgoing, {}) is not None
    await provider.send(provider.prepare(outgoing), Recorder())
    assert files_in(folder / "new") == []


async def test_a_foreign_file_is_never_overwritten(tmp_path: Path) -> None:
    """A file that has our name already keeps its content."""
    provider = make_provider(tmp_path)
    outgoing = make_outgoing()
    await provider.check()
    receipt = await provider.send(provider.prepare(outgoing), Recorder())
    file = tmp_path / "Maildir" / "new" / str(receipt.provider_id)
    file.write_bytes(b"mine")
    await provider.send(provider.prepare(outgoing), Recorder())
    assert file.read_bytes() == b"mine"


async def test_a_lost_lease_leaves_no_rubbish(tmp_path: Path) -> None:
    """Giving up half-way leaves neither mail nor a temporary file."""

    def lose(phase: Phase) -> None:
        if phase is Phase.INTENT:
            raise Fenced("taken over")

    provider = make_provider(tmp_path)
    with pytest.raises(Fenced):
        await provider.send(provider.prepare(make_outgoing()), Recorder(lose))
    assert files_in(tmp_path / "Maildir" / "tmp") == []
    assert files_in(tmp_path / "Maildir" / "new") == []


async def test_a_folder_that_is_a_file_holds_the_account(tmp_path: Path) -> None:
    """When the folder can't be made, the account is held with a sentence that names it; no mail is lost."""
    (tmp_path / "Maildir").write_text("not a folder")
    provider = make_provider(tmp_path)
    with pytest.raises(NotAuthorized, match="Nothing was kept"):
        await provider.send(provider.prepare(make_outgoing()), Recorder())
    with pytest.raises(NotAuthorized):
        await provider.check()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
async def test_a_full_disk_is_tried_again_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk defers the mail rather than failing it."""
    provider = make_provider(tmp_path)
    really_open = os.open

    def open_full(path: os.PathLike[str], flags: int, mode: int = 0o777) -> int:
        return really_open("/dev/full", os.O_WRONLY) if flags & os.O_EXCL else really_open(path, flags, mode)

    monkeypatch.setattr(os, "open", open_full)
    with pytest.raises(TryLater, match="No space left") as trouble:
        await provider.send(provider.prepare(make_outgoing()), Recorder())
    assert trouble.value.is_account_wide


async def test_a_cancel_during_the_link_waits_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cancel that comes while the file is being published returns only when it is settled: nothing moves later."""
    provider = make_provider(tmp_path)
    loop = asyncio.get_running_loop()
    really_link = os.link
    started = asyncio.Event()

    def slow_link(source: os.PathLike[str], target: os.PathLike[str]) -> None:
        loop.call_soon_threadsafe(started.set)
        asyncio.run_coroutine_threadsafe(canceled.wait(), loop).result(5)
        really_link(source, target)

    canceled = asyncio.Event()
    monkeypatch.setattr(os, "link", slow_link)
    sending = asyncio.ensure_future(provider.send(provider.prepare(make_outgoing()), Recorder()))
    await started.wait()
    sending.cancel()
    canceled.set()
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert len(files_in(tmp_path / "Maildir" / "new")) == 1


def test_a_path_of_ones_own(tmp_path: Path, shut_out_the_developer: Path) -> None:
    """The folder can be set, from ~ too; a relative path is refused with a sentence."""
    assert (
        f"{tmp_path}/mail/new/"
        in make_provider(tmp_path, f"{tmp_path}/mail").prepare(make_outgoing()).steps[0].lines[0]
    )
    from_home = make_provider(tmp_path, "~/mail").prepare(make_outgoing())
    assert from_home.steps[0].lines[0].startswith(f"{shut_out_the_developer}/mail/new/")
    with pytest.raises(ConfigurationError, match=r"accounts\.local\.path"):
        make_provider(tmp_path, "mail")
