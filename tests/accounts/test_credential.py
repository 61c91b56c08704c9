"""Where secrets come from, without a keyring: commands, variables, files, a person; and how failures are told."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tui_mailer.accounts.configuration import Account, CredentialSource
from tui_mailer.accounts.credential import Credentials
from tui_mailer.accounts.keychain import Keychain
from tui_mailer.accounts.secret import Secret
from tui_mailer.domain.address import parse_address
from tui_mailer.domain.errors import ConfigurationError, CredentialUnavailable

KEYRING = CredentialSource(kind="keyring", value=("tui-mailer", "work"))


def account(credential: CredentialSource | None) -> Account:
    return Account(name="work", provider="smtp", identities=(parse_address("a@b.test"),), credential=credential)


def by_command(*argv: str) -> Account:
    return account(CredentialSource(kind="command", value=argv))


def by_file(path: Path) -> Account:
    return account(CredentialSource(kind="file", value=(str(path),)))


async def refusal(credentials: Credentials, one: Account) -> str:
    """What a person is told; every such sentence says that the mail waits."""
    with pytest.raises(CredentialUnavailable) as caught:
        await credentials.source(one).get()
    said = str(caught.value)
    assert said.startswith("Account 'work': ")
    assert "Its mail stays queued." in said
    assert said.isprintable()
    return said


async def test_a_command_gives_its_first_line() -> None:
    """The first line a program prints is the secret; the rest is for whoever wrote it."""
    secret = await Credentials().source(by_command("printf", "pass word\\r\\nlogin: ada\\n")).get()
    assert secret == "pass word"


async def test_a_command_has_no_shell_no_terminal_and_no_input(monkeypatch: pytest.MonkeyPatch) -> None:
    """A credential command can neither be read as shell text nor take the terminal or what is typed there."""
    monkeypatch.setenv("GPG_TTY", "/dev/pts/0")
    assert await Credentials().source(by_command("echo", "$HOME; `id`")).get() == "$HOME; `id`"
    probe = "import os,sys; print(os.getsid(0) == os.getpid(), sys.stdin.read() == '', os.environ.get('GPG_TTY'))"
    assert await Credentials().source(by_command(sys.executable, "-c", probe)).get() == "True True None"


async def test_a_command_that_fails_says_how_and_nothing_of_its_words() -> None:
    """What it complains of may hold the secret, and is kept with the hold: whoever runs it by hand reads that."""
    one = by_command("sh", "-c", "echo x; echo 'gpg: no key for hunter2' >&2; exit 2")
    said = await refusal(Credentials(), one)
    assert "credential command sh ended with status 2;" in said or "credential command sh ended with status 2." in said
    assert "hunter2" not in said
    assert "Run the command by hand to see what it says" in said
    assert "tui-mailer account release work" in said


@pytest.mark.parametrize(
    ("argv", "why"),
    [
        (("no-such-program-anywhere",), "didn't start: No such file or directory"),
        (("/",), "didn't start: Permission denied"),
        (("true",), "gave an empty first line"),
        (("printf", "\\nx\\n"), "gave an empty first line"),
        (("printf", "\\377\\n"), "gave something that is not UTF-8"),
        (("sh", "-c", "kill -9 $$"), "was ended by signal 9"),
        (("sh", "-c", "head -c 70000 /dev/zero | tr '\\0' x"), "gave a first line of more than 64 KiB"),
    ],
)
async def test_what_a_command_can_do_wrong(argv: tuple[str, ...], why: str) -> None:
    """Each way in which a command gives no secret is told as what it is."""
    assert why in await refusal(Credentials(), by_command(*argv))


async def test_a_talkative_command_is_heard_out() -> None:
    """A command that prints more than a pipe holds is not stopped in the middle."""
    one = by_command("sh", "-c", "echo secret; head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2")
    assert await Credentials().source(one).get() == "secret"


async def test_a_command_that_hangs_is_ended_with_all_it_started(tmp_path: Path) -> None:
    """A hanging command is killed at the deadline together with its children."""
    one = by_command("sh", "-c", f"sleep 60 & echo $! > {tmp_path}/child; wait")
    assert "didn't end within 0.5 s" in await refusal(Credentials(command_seconds=0.5), one)
    child = int((tmp_path / "child").read_text())
    for _ in range(100):
        if not is_running(child):
            break
        await asyncio.sleep(0.05)  # killed, but not yet gone: the kernel ends it when it next has the processor
    assert not is_running(child)


def is_running(process: int) -> bool:
    """Whether a process is neither gone nor a zombie that its parent has still to hear of."""
    try:
        return Path(f"/proc/{process}/stat").read_text().split()[2] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


async def test_a_variable() -> None:
    """A secret can come from the environment; a missing one is told by its name."""
    one = account(CredentialSource(kind="env", value=("MAIL_SECRET",)))
    assert await Credentials(environ={"MAIL_SECRET": "s\nx"}).source(one).get() == "s"
    assert "environment variable MAIL_SECRET, which holds its secret, isn't set" in await refusal(
        Credentials(environ={}), one
    )


async def test_a_file(tmp_path: Path) -> None:
    """A secret can come from the first line of a file that only its owner can read."""
    path = tmp_path / "secret"
    path.write_text("pass word \nsecond\n")
    path.chmod(0o600)
    assert await Credentials().source(by_file(path)).get() == "pass word "


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
async def test_a_file_open_to_others_is_not_used(tmp_path: Path, mode: int) -> None:
    """A secret that others could read or replace isn't used, and the remedy is told."""
    path = tmp_path / "secret"
    path.write_text("hunter2\n")
    path.chmod(mode)
    said = await refusal(Credentials(), by_file(path))
    assert "can be read or written by others, so it isn't used" in said
    assert "chmod 600" in said
    assert "hunter2" not in said


@pytest.mark.parametrize("kind", ["missing", "folder", "fifo", "empty", "foreign"])
async def test_what_can_be_wrong_with_a_file(tmp_path: Path, kind: str) -> None:
    """A missing, empty or foreign file, a folder and a FIFO are refused at once, each with its reason."""
    path = tmp_path / "secret"
    if kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path, 0o600)
    elif kind != "missing":
        path.write_text("")
        path.chmod(0o600)
    if kind == "foreign":
        if os.geteuid() != 0:
            pytest.skip("only root can give a file away")
        os.chown(path, 12345, 12345)
    why = {
        "missing": "can't be read: No such file",
        "folder": "is no regular file",
        "fifo": "is no regular file",
        "empty": "gave an empty first line",
        "foreign": "belongs to somebody else",
    }
    assert why[kind] in await refusal(Credentials(), by_file(path))


async def test_a_prompt_waits_for_a_person() -> None:
    """Until somebody types it the account says what it needs; then the secret is in memory, until refused."""
    credentials = Credentials()
    one = account(CredentialSource(kind="prompt"))
    assert "it needs its password" in await refusal(credentials, one)
    assert credentials.describe(one) == "asked for in each session, not asked yet"
    credentials.provide("work", "hunter2")
    source = credentials.source(one)
    assert await source.get() == "hunter2"
    assert credentials.describe(one) == "typed in this session, kept in memory only"
    source.invalidate()
    await refusal(credentials, one)


async def test_a_typed_secret_helps_where_the_source_fails() -> None:
    """When a source can't be used, a person may type the secret for this session instead."""
    credentials = Credentials()
    one = by_command("false")
    await refusal(credentials, one)
    credentials.provide("work", "typed")
    assert await credentials.source(one).get() == "typed"


async def test_an_account_without_credential() -> None:
    """An account that needs a secret and names no source is told how to get one."""
    said = await refusal(Credentials(), account(None))
    assert "no credential in the configuration" in said
    assert "tui-mailer account set-secret work" in said


async def test_a_source_is_asked_once_until_the_server_refuses(tmp_path: Path) -> None:
    """The secret is fetched once and kept, and fetched anew after a refusal."""
    counter = tmp_path / "asked"
    one = by_command("sh", "-c", f"echo >> {counter}; wc -l < {counter}")
    source = Credentials().source(one)
    assert [await source.get(), await source.get()] == ["1", "1"]
    source.invalidate()
    assert await source.get() == "2"


async def test_a_changed_source_is_asked_anew() -> None:
    """When the configuration names another source, the old one's secret isn't used any more."""
    credentials = Credentials()
    assert await credentials.source(by_command("echo", "old")).get() == "old"
    assert await credentials.source(by_command("echo", "new")).get() == "new"


async def test_a_secret_is_for_the_server_it_was_had_for(tmp_path: Path) -> None:
    """Once the account has another server, nothing that was typed or fetched for the old one is shown there."""
    credentials = Credentials()
    counter = tmp_path / "asked"
    one = by_command("sh", "-c", f"echo >> {counter}; wc -l < {counter}")
    moved = one._replace(settings={"host": "smtp.elsewhere.example"})
    assert await credentials.source(one).get() == "1"
    assert await credentials.source(moved).get() == "2"
    credentials.provide("work", "typed")
    assert await credentials.source(one).get() == "typed"
    assert await credentials.source(moved).get() != "typed"


async def test_a_file_is_read_each_time(tmp_path: Path) -> None:
    """A new secret in the file is used from the next connection on."""
    path = tmp_path / "secret"
    source = Credentials().source(by_file(path))
    for secret in ("old", "new"):
        path.write_text(secret)
        path.chmod(0o600)
        assert await source.get() == secret


def test_a_secret_does_not_show_itself() -> None:
    """A secret shows itself neither in a traceback's locals nor in a log line."""
    credentials = Credentials()
    credentials.provide("work", "hunter2")
    assert "hunter2" not in f"{Secret('hunter2')} {Secret('hunter2')!r} {vars(credentials)!r}"


def test_only_a_keyring_entry_can_be_set() -> None:
    """Setting a secret that comes from elsewhere stores nothing and says where it comes from."""
    with pytest.raises(ConfigurationError, match=r"from: command: pass \.\.\.\. Nothing was stored"):
        Credentials().store(by_command("pass", "show", "work"), "x")
    with pytest.raises(ConfigurationError, match="Nothing was stored"):
        Credentials().delete(account(None))


@pytest.mark.parametrize("secret", ["", "two\nlines", "nul\0", "x" * 70_000])
def test_an_odd_secret_is_not_stored(secret: str) -> None:
    """An empty secret, or one of several lines, is refused before the keyring is asked."""
    with pytest.raises(CredentialUnavailable, match="Nothing was stored"):
        Credentials().store(account(KEYRING), secret)


@pytest.mark.parametrize(
    ("credential", "said"),
    [
        (None, "none"),
        (KEYRING, "service and user: tui-mailer/work"),
        (CredentialSource(kind="command", value=("pass", "show", "hunter2")), "command: pass ..."),
        (CredentialSource(kind="env", value=("MAIL",)), "environment variable MAIL"),
        (CredentialSource(kind="file", value=("/x\x1b[2J",)), "file /x[2J"),
    ],
)
def test_the_source_in_use_is_named(credential: CredentialSource | None, said: str) -> None:
    """One can see where an account's secret comes from, without seeing anything secret."""
    assert Credentials().describe(account(credential)).endswith(said)


async def test_no_session_bus_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without any D-Bus (SSH, cron) nothing is tried: the sentence names the reason and another way."""
    if Path(f"/run/user/{os.getuid()}/bus").exists():
        pytest.skip("this machine has a session bus")
    began = time.monotonic()
    said = await refusal(Credentials(), account(KEYRING))
    assert time.monotonic() - began < 5, "a bus that is asked and doesn't answer takes 25 s"
    assert "there is no D-Bus session bus" in said
    assert "{command: ...}, {file: PATH} or prompt" in said
    with pytest.raises(CredentialUnavailable, match=r"no D-Bus session bus.*nothing was stored"):
        Credentials().store(account(KEYRING), "x")


@pytest.fixture
def hung_bus(tmp_path: Path) -> Iterator[Path]:
    """A session bus that takes connections and never answers."""
    path = tmp_path / "bus"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(8)
        yield path


async def test_a_hung_bus_costs_the_deadline_and_no_more(hung_bus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bus that never answers is given up after the deadline, for reading and for storing alike."""
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={hung_bus}")
    credentials = Credentials(keychain=Keychain(deadline_seconds=0.3))
    assert "the keyring didn't answer within 0.3 s" in await refusal(credentials, account(KEYRING))
    with pytest.raises(CredentialUnavailable, match=r"didn't answer within 0\.3 s.*the secret isn't stored yet"):
        await credentials.store_async(account(KEYRING), "x")


def test_a_hung_bus_does_not_keep_the_program(hung_bus: Path) -> None:
    """The program ends at once though a call into the keyring still hangs."""
    import subprocess

    program = (
        "import asyncio\n"
        "from tui_mailer.accounts.keychain import Keychain, KeychainError\n"
        "try: asyncio.run(Keychain(deadline_seconds=0.3).get('tui-mailer', 'work'))\n"
        "except KeychainError as error: print(error)\n"
    )
    environ = {**os.environ, "DBUS_SESSION_BUS_ADDRESS": f"unix:path={hung_bus}"}
    ended = subprocess.run(
        [sys.executable, "-c", program], env=environ, capture_output=True, text=True, timeout=30, check=False
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "didn't answer within 0.3 s" in ended.stdout


async def test_the_bus_in_the_runtime_folder_is_found(hung_bus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the variable is missing, the bus in the session's runtime folder is asked (as after `su` or in cron)."""
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(hung_bus.parent))
    assert stat.S_ISSOCK(hung_bus.stat().st_mode)
    said = await refusal(Credentials(keychain=Keychain(deadline_seconds=0.3)), account(KEYRING))
    assert "didn't answer within" in said


async def test_a_bus_that_is_gone_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address where no bus is any more (a session that has ended) is told as a failure of the keyring."""
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path}/gone")
    assert "the keyring failed: " in await refusal(Credentials(), account(KEYRING))
