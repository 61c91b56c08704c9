"""Reading the configuration: what is allowed, and what is said about what isn't."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tui_mailer.accounts.configuration import Configuration, Paths
from tui_mailer.accounts.document import parse
from tui_mailer.accounts.identity import account_for_sender
from tui_mailer.accounts.load import error_at, find_paths, load, read_account
from tui_mailer.domain.address import parse_address
from tui_mailer.domain.draft import BodyFormat
from tui_mailer.domain.errors import ConfigurationError

WORK = """\
accounts:
  work:
    provider: smtp
    from: Ada Lovelace <ada@example.org>
    host: smtp.example.org
    port: 465
"""


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    return Paths(
        config_file=tmp_path / "config.yaml",
        data_dir=tmp_path / "data",
        state_dir=tmp_path / "state",
        cache_dir=tmp_path / "cache",
    )


def write(paths: Paths, text: str | bytes, *, settled: bool = True) -> None:
    """Writes the file as an editor would, with a time stamp old enough to be trusted by the snapshot."""
    content = text.encode() if isinstance(text, str) else text
    paths.config_file.write_bytes(content)
    paths.config_file.chmod(0o600)
    if settled:
        status = paths.config_file.stat()
        os.utime(paths.config_file, ns=(status.st_atime_ns, status.st_mtime_ns - 10_000_000_000))


def read(paths: Paths, text: str | bytes) -> Configuration:
    write(paths, text)
    return load(paths)


def complaints(paths: Paths, text: str | bytes) -> list[str]:
    """The lines of the error, without the folder."""
    with pytest.raises(ConfigurationError) as caught:
        read(paths, text)
    return str(caught.value).replace(str(paths.config_file.parent) + "/", "").splitlines()


def test_without_a_file_mail_is_kept_here(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    """With no configuration at all there is the account `local`, which sends as $EMAIL."""
    monkeypatch.setenv("EMAIL", "Ada <ada@example.org>")
    configuration = load(paths)
    assert configuration.path is None
    assert configuration.default_account == "local"
    account = configuration.accounts["local"]
    assert (account.provider, [str(one) for one in account.identities]) == ("maildir", ["Ada <ada@example.org>"])


@pytest.mark.parametrize("email", ["", "not an address"])
def test_without_an_address_the_login_sends(paths: Paths, monkeypatch: pytest.MonkeyPatch, email: str) -> None:
    """Where $EMAIL is missing or nonsense, the local account sends as the login at localhost."""
    monkeypatch.setenv("EMAIL", email)
    monkeypatch.setenv("LOGNAME", "ada")
    assert str(load(paths).accounts["local"].identities[0]) == "ada@localhost"


def test_a_login_that_no_address_can_have(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even a login with characters that no address can have gives a working account."""
    monkeypatch.delenv("EMAIL", raising=False)
    monkeypatch.setenv("LOGNAME", "a b\n<c>")
    assert str(load(paths).accounts["local"].identities[0]) == "user@localhost"


@pytest.mark.parametrize("text", ["", "# nothing\n", "accounts:\n", "accounts: {}\n", "ui: {mouse: false}\n"])
def test_a_file_without_accounts_has_the_local_one(paths: Paths, text: str) -> None:
    """A file that only sets other things still leaves a working account."""
    configuration = read(paths, text)
    assert list(configuration.accounts) == ["local"]
    assert configuration.path == paths.config_file
    assert configuration.ui.mouse is ("mouse" not in text)


def test_a_file_asked_for_by_name_must_exist(paths: Paths, tmp_path: Path) -> None:
    """A typing error in --config doesn't turn mail into mail that is sent to nobody."""
    named = find_paths(str(tmp_path / "missing.yaml"))
    with pytest.raises(ConfigurationError, match=r"missing\.yaml: there is no such file"):
        load(named)
    assert load(named, allow_missing=True).default_account == "local"


def test_a_dangling_link_is_an_error(paths: Paths) -> None:
    """A link to a file that has gone (an unmounted folder) is told, not taken for no configuration."""
    paths.config_file.symlink_to("/nowhere/config.yaml")
    with pytest.raises(ConfigurationError, match="points to nothing"):
        load(paths)


def test_an_account_with_everything(paths: Paths) -> None:
    """Every key of an account arrives where it belongs; the provider's own keys arrive raw, with their lines."""
    account = read(
        paths,
        WORK
        + "    credential: {command: \"pass show 'mail/my work'\"}\n"
        + "    ca_file: ca.pem\n    retries: 3\n    signature: |\n      Ada\n      London\n"
        + "    reply_to: [office@example.org, 'Boss <boss@example.org>']\n    bcc_self: true\n    keep: false\n"
        + "    tls: {ciphers: [a, b]}\n",
    ).accounts["work"]
    assert account.credential is not None
    assert (account.credential.kind, account.credential.value) == ("command", ("pass", "show", "mail/my work"))
    assert account.ca_file == paths.config_file.parent / "ca.pem"
    assert (account.retries, account.signature, account.bcc_self, account.keep) == (3, "Ada\nLondon\n", True, False)
    assert [str(one) for one in account.reply_to] == ["office@example.org", "Boss <boss@example.org>"]
    assert account.settings == {"host": "smtp.example.org", "port": 465, "tls": {"ciphers": ["a", "b"]}}
    assert (account.lines[""], account.lines["host"], account.lines["tls"]) == (2, 5, 16)


@pytest.mark.parametrize(
    ("written", "kind", "value"),
    [
        ("keyring", "keyring", ("tui-mailer", "work")),
        ("prompt", "prompt", ()),
        ("{keyring: https://mail.example.org/ada}", "keyring", ("https://mail.example.org", "ada")),
        ("{command: [pass, show, a b]}", "command", ("pass", "show", "a b")),
        ("{env: MAIL_SECRET}", "env", ("MAIL_SECRET",)),
        ("{file: /run/secrets/mail}", "file", ("/run/secrets/mail",)),
    ],
)
def test_credential_sources(paths: Paths, written: str, kind: str, value: tuple[str, ...]) -> None:
    """Each way to name a secret's source is understood."""
    credential = read(paths, f"{WORK}    credential: {written}\n").accounts["work"].credential
    assert credential is not None
    assert (credential.kind, credential.value) == (kind, value)


@pytest.mark.parametrize(
    "written",
    [
        "hunter2",
        "{keyring: hunter2}",
        "{password: hunter2}",
        "{command: hunter2, env: hunter2}",
        "[hunter2]",
        "{env: 'hunter2 hunter2'}",
        "{command: 'hunter2 \"'}",
        "{command: []}",
    ],
)
def test_a_secret_in_the_wrong_place_is_not_repeated(paths: Paths, written: str) -> None:
    """Whoever writes the password where its source belongs is told so without seeing it on the screen."""
    (said,) = complaints(paths, f"{WORK}    credential: {written}\n")
    assert said.startswith("config.yaml:7: accounts.work.credential: ")
    assert "hunter2" not in said


@pytest.mark.parametrize("key", ["password", "Passwd", "api_key", "token"])
def test_a_password_key_is_refused_with_the_way_out(paths: Paths, key: str) -> None:
    """An inline password is an unknown key, and the error tells how secrets are kept instead."""
    (said,) = complaints(paths, f"{WORK}    {key}: hunter2\n")
    assert said.startswith(f"config.yaml:7: accounts.work.{key}: unknown key")
    assert "set-secret" in said
    assert "hunter2" not in said


def test_a_public_key_is_a_setting(paths: Paths) -> None:
    """Mailjet's public key belongs into the file; only its private one is a secret."""
    text = "accounts:\n  news:\n    provider: mailjet\n    from: a@example.org\n    api_key: 0123456789abcdef\n"
    paths.config_file.write_text(text)
    assert load(paths).accounts["news"].settings == {"api_key": "0123456789abcdef"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("defualt_account: x\n", "config.yaml:1: defualt_account: unknown key; allowed here: default_account,"),
        ("compose: {feilds: [cc]}\n", "config.yaml:1: compose.feilds: unknown key; allowed here: format, fields,"),
        ("compose:\n  format: html\n", "config.yaml:2: compose.format: one of plain, markdown is wanted"),
        ("compose:\n  fields:\n  - cc\n  - bbc\n", "config.yaml:4: compose.fields: one of cc, bcc, reply_to is wanted"),
        ("compose:\n  fields:\n  - cc\n  - cc\n", "config.yaml:4: compose.fields: this is in the list twice"),
        ("compose: {undo_seconds: -1}\n", "config.yaml:1: compose.undo_seconds: a duration is wanted"),
        ("compose: {undo_seconds: 2d}\n", "config.yaml:1: compose.undo_seconds: a duration is wanted"),
        ("delivery: {connections: 0}\n", "config.yaml:1: delivery.connections: a whole number from 1 to 64 is wanted"),
        ("delivery: {connections: true}\n", "config.yaml:1: delivery.connections: a whole number from 1 to 64"),
        ("delivery: {max_age: 5 weeks}\n", "config.yaml:1: delivery.max_age: a duration is wanted"),
        ("delivery: {max_age: true}\n", "config.yaml:1: delivery.max_age: a duration is wanted"),
        ("delivery: {late: 99999999999d}\n", "config.yaml:1: delivery.late: a duration is wanted"),
        ("delivery: {uncertain: resent}\n", "config.yaml:1: delivery.uncertain: one of ask, resend, give_up is wanted"),
        ("history: {keep: {text: ever}}\n", "config.yaml:1: history.keep.text: a duration is wanted"),
        ("history: {keep: forever}\n", "config.yaml:1: history.keep: a mapping is wanted here (text, attachments)"),
        ("sendmail: {domain: 'a b'}\n", "config.yaml:1: sendmail.domain: a domain is wanted"),
        (
            "sendmail:\n  aliases:\n    root: nobody\n",
            "config.yaml:3: sendmail.aliases: root: an address list is wanted",
        ),
        ("ui: {mouse: yes}\n", "config.yaml:1: ui.mouse: true or false is wanted here, not 'yes'"),
        ("ui: {timezone: Europe/Berln}\n", "config.yaml:1: ui.timezone: 'Europe/Berln' is no time zone"),
        ("ui: {timezone: ../../etc/passwd}\n", "config.yaml:1: ui.timezone: '../../etc/passwd' is no time zone"),
        ("ui: {timezone: Europe}\n", "config.yaml:1: ui.timezone: 'Europe' is no time zone"),
        ("ui: {theme: 7}\n", "config.yaml:1: ui.theme: a text is wanted here, not a number; put it in quotes"),
        ("ui: []\n", "config.yaml:1: ui: a mapping is wanted"),
        ("accounts: [work]\n", "config.yaml:1: accounts: accounts by name are wanted here, not a list"),
        ("accounts: {work: smtp}\n", "config.yaml:1: accounts.work: the account's keys are wanted"),
        ("accounts: {'a b': {provider: smtp, from: a@b.test}}\n", "config.yaml:1: accounts.a b: a name is letters"),
        ("accounts:\n  work: {from: a@b.test}\n", "config.yaml:2: accounts.work: `provider` is missing"),
        ("accounts:\n  work: {provider: smtp}\n", "config.yaml:2: accounts.work: `from` is missing"),
        ("- a\n- b\n", "config.yaml:1: the file is sections (default_account,"),
        ("just a text\n", "config.yaml:1: the file is sections (default_account,"),
        (WORK + "    retries: -1\n", "config.yaml:7: accounts.work.retries: a whole number from 0 to 1000 is wanted"),
        (WORK + "    identities: [b@b.test]\n", "config.yaml:2: accounts.work: `from` and `identities` mean the same"),
        (WORK + "    fallback: other\n", "config.yaml:7: accounts.work.fallback: there is no account: other"),
        (WORK + "    fallback: work\n", "config.yaml:7: accounts.work.fallback: an account can't fall back on itself"),
        (WORK + "default_account: wrok\n", "config.yaml:7: default_account: there is no account of that name"),
        ("accounts: []\ndefault_account: work\n", "config.yaml:1: accounts: accounts by name are wanted here, not"),
        ("default_account: [a]\n", "config.yaml:1: default_account: a text is wanted here, not a list"),
        (
            "accounts:\n  work:\n    provider: smtp\n    identities:\n    - a@b.test\n    - nobody\n",
            "config.yaml:6: accounts.work.identities: one address is wanted",
        ),
        (
            "accounts:\n  work:\n    provider: smtp\n    identities: []\n",
            "config.yaml:4: accounts.work.identities: at least one address is wanted",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_line(paths: Paths, text: str, said: str) -> None:
    """An error names the file, the line, the key and what is allowed there."""
    (line,) = complaints(paths, text)
    assert line.startswith(said)


@pytest.mark.parametrize(
    ("text", "guess"),
    [
        ("defualt_account: x\n", "default_account"),
        ("delivery: {conections: 3}\n", "connections"),
        ("ui: {keymap: mut}\n", "mutt"),
        ("ui: {timezone: Europe/Berln}\n", "Europe/Berlin"),
        (WORK + "default_account: wrok\n", "work"),
    ],
)
def test_a_typing_error_gets_a_guess(paths: Paths, text: str, guess: str) -> None:
    """A near miss is answered with what was probably meant."""
    assert complaints(paths, text)[0].endswith(f"did you mean {guess}?")


def test_all_that_is_wrong_is_told_at_once(paths: Paths) -> None:
    """Three mistakes take one run to see, in the order of the file."""
    said = complaints(paths, WORK + "    retires: 3\n    retries: x\nui: {mouse: 1}\nfoo: 1\n")
    assert [line.split(": ")[0] for line in said] == ["config.yaml:8", "config.yaml:9", "config.yaml:10"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("accounts:\n\twork: 1\n", "config.yaml:2: there is a tab in the indentation"),
        ("ui:\n  mouse: true\n  mouse: false\n", "config.yaml:3: mouse: this key is here twice (first in line 2)"),
        ("ui: {theme: [1, 2}\n", "config.yaml:1: not valid YAML"),
        ("ui: {theme: 'x}\n", "config.yaml:2: not valid YAML"),
        ("ui: theme: dark\n", "config.yaml:1: a second ': ' in this line"),
        ("ui: {}\n---\nui: {}\n", "config.yaml:2: a second document begins here"),
        ("ui: *none\n", "config.yaml:1: found undefined alias 'none'"),
        ("ui: !!python/object:os.system {}\n", "config.yaml:1: the tag"),
        ("ui: {theme: !secret x}\n", "config.yaml:1: the tag"),
        ("? [a, b]\n: 1\n", "config.yaml:1: a key must be a plain word"),
        ("ui: {}\ncompose: {signature: \x01}\n", "config.yaml:2: there is a control character"),
        (b"ui: {}\nui2: \xff\n", "config.yaml:2: this line is not UTF-8"),
        ("ui: &a [*a]\n", "config.yaml:1: nested too deeply"),
        ("[" * 3000, "config.yaml: this file is nested too deeply"),
        ("ui: {theme: !!int abc}\n", "config.yaml:1: 'abc' is no number"),
        ("<<: 3\n", "config.yaml:1: <<: only a mapping"),
        ("x" * (1 << 20) + "y", "config.yaml: this file is larger than 1 MiB"),
        (
            "a: &a [x,x,x,x,x,x,x,x,x,x]\n"
            + "".join(f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 10)}]\n" for i in range(6)),
            "config.yaml:",
        ),
    ],
)
def test_bad_yaml_is_a_sentence(paths: Paths, text: str | bytes, said: str) -> None:
    """A file that isn't YAML, or is YAML made to hurt, gives one line with its place; never a traceback."""
    (line,) = complaints(paths, text)
    assert line.startswith(said)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(alphabet="ab01:-?&*!%@`|>#'\"[]{}, \n\t\\~.<é\u2028\x07", max_size=40))
def test_no_text_makes_the_reader_crash(text: str) -> None:
    """Whatever is in the file, it is either read or refused with a sentence."""
    try:
        parse(text, Path("config.yaml"))
    except ConfigurationError as error:
        # Both outcomes are right; what matters is that there is no third.
        assert str(error).startswith("config.yaml")  # noqa: PT017
        assert str(error).isprintable()  # noqa: PT017


def test_terminal_escapes_in_keys_are_shown_harmlessly(paths: Paths) -> None:
    """A key that would program the terminal is shown, not sent."""
    (line,) = complaints(paths, '"\\e]0;gotcha\\a": 1\n')
    assert "gotcha" in line
    assert line.isprintable()


def test_yaml_anchors_serve_several_accounts(paths: Paths) -> None:
    """What accounts share can be written once, with an anchor and a merge."""
    accounts = read(
        paths,
        "accounts:\n  a: &base {provider: smtp, from: a@b.test, host: h.test, port: 25}\n"
        "  b: {<<: *base, from: b@b.test}\n",
    ).accounts
    assert accounts["b"].settings == {"host": "h.test", "port": 25}
    assert accounts["b"].identities[0].addr_spec == "b@b.test"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("90", timedelta(seconds=90)),
        ("'90'", timedelta(seconds=90)),
        ("90s", timedelta(seconds=90)),
        ("5m", timedelta(minutes=5)),
        ("2 h", timedelta(hours=2)),
        ("5d", timedelta(days=5)),
    ],
)
def test_durations(paths: Paths, written: str, meant: timedelta) -> None:
    """A duration is seconds, or a number with its unit."""
    assert read(paths, f"delivery: {{late: {written}}}\n").delivery.late == meant


def test_every_section_arrives(paths: Paths) -> None:
    """What the sections say is what the program sees."""
    configuration = read(
        paths,
        "compose: {format: markdown, fields: [bcc], undo_seconds: 1m, signature: x, date_zone: utc}\n"
        "delivery: {max_age: 1d, max_attempts: 7, uncertain: resend, connections: 8}\n"
        "history: {keep: {text: 30d, attachments: forever}}\n"
        "sendmail: {domain: münchen.example, aliases: {root: 'a@b.test, c@d.test'}}\n"
        "ui: {theme: dark, keymap: mutt, keys: {compose.send: f9}, timezone: Asia/Tokyo, terminal_cursor: true}\n",
    )
    assert configuration.compose.format is BodyFormat.MARKDOWN
    assert (configuration.compose.fields, configuration.compose.undo_seconds) == (("bcc",), 60)
    assert (configuration.delivery.max_age, configuration.delivery.max_attempts) == (timedelta(days=1), 7)
    assert configuration.history.keep_text == timedelta(days=30)
    assert configuration.history.keep_attachments is None
    assert configuration.sendmail.domain == "xn--mnchen-3ya.example"
    assert configuration.sendmail.aliases == {"root": "a@b.test, c@d.test"}
    assert (configuration.ui.keys, configuration.ui.timezone) == ({"compose.send": "f9"}, "Asia/Tokyo")


def test_settings_without_effect_are_told(paths: Paths) -> None:
    """A setting that changes nothing in this version is accepted, and there is a sentence that says so."""
    configuration = read(paths, WORK + "    window: mon-fri\n    sent_copy: Sent\n")
    assert [notice.rpartition("/")[2] for notice in configuration.notices] == [
        "config.yaml:8: accounts.work.sent_copy: has no effect in this version yet",
    ]
    assert read(paths, WORK).notices == ()


@pytest.mark.parametrize(("mode", "is_trusted"), [(0o600, True), (0o644, True), (0o620, False), (0o602, False)])
def test_a_file_others_may_write_is_not_trusted(paths: Paths, mode: int, is_trusted: bool) -> None:
    """Who can write the configuration can run commands as you, so a file open to others is refused."""
    write(paths, WORK)
    paths.config_file.chmod(mode)
    if is_trusted:
        assert "work" in load(paths).accounts
        return
    with pytest.raises(ConfigurationError, match=r"may be written to by others \(chmod go-w"):
        load(paths)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_somebody_elses_file_is_not_trusted(paths: Paths) -> None:
    """A configuration that belongs to another user is refused, naming whose it is."""
    write(paths, WORK)
    os.chown(paths.config_file, 12345, 12345)
    with pytest.raises(ConfigurationError, match="belongs to user 12345"):
        load(paths)


def test_a_fifo_does_not_stop_the_start(paths: Paths) -> None:
    """A FIFO or a folder in the file's place is refused at once."""
    os.mkfifo(paths.config_file)
    with pytest.raises(ConfigurationError, match="no regular file"):
        load(paths)
    paths.config_file.unlink()
    paths.config_file.mkdir()
    with pytest.raises(ConfigurationError, match="no regular file"):
        load(paths)


def test_dev_null_is_an_empty_configuration() -> None:
    """`--config /dev/null` is the usual way to ask for none."""
    assert load(find_paths("/dev/null")).default_account == "local"


def test_where_things_are(shut_out_the_developer: Path, tmp_path: Path) -> None:
    """Options come before the environment, the environment before the platform's folders."""
    home = shut_out_the_developer
    usual = find_paths(environ={})
    assert usual.config_file == home / "config/tui-mailer/config.yaml"
    assert (usual.data_dir, usual.state_dir) == (home / "data/tui-mailer", home / "state/tui-mailer")
    assert not usual.config_is_explicit
    environ = {"TUI_MAILER_CONFIG": "~/c.yaml", "TUI_MAILER_DATA_DIR": str(tmp_path)}
    assert find_paths(environ=environ).config_file == home / "c.yaml"
    assert find_paths(environ=environ).config_is_explicit
    assert find_paths("d.yaml", "data", environ=environ).config_file == Path.cwd() / "d.yaml"
    assert find_paths("d.yaml", "data", environ=environ).data_dir == Path.cwd() / "data"


def test_the_second_start_reads_no_yaml(paths: Paths) -> None:
    """After a valid start the next one imports neither the YAML reader nor pydantic, and sees the same."""
    before = read(paths, WORK + "    credential: keyring\nui: {keys: {a.b: f9}}\nhistory: {keep: {text: forever}}\n")
    program = (
        "import sys, pathlib\n"
        "from tui_mailer.accounts.load import load\n"
        "from tui_mailer.accounts.configuration import Paths\n"
        "home = pathlib.Path(sys.argv[1])\n"
        "folders = {'data_dir': home, 'state_dir': home, 'cache_dir': home / 'cache'}\n"
        "print(load(Paths(config_file=home / 'config.yaml', **folders)))\n"
        "heavy = ('ruamel.yaml', 'pydantic', 'keyring', 'tzlocal', 'asyncio')\n"
        "print([name for name in heavy if name in sys.modules])\n"
    )
    command = [sys.executable, "-c", program, str(paths.config_file.parent)]
    configuration, loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert configuration == repr(before)
    assert loaded == "[]"


def snapshot_of(paths: Paths) -> Path:
    (snapshot,) = paths.cache_dir.glob("configuration-*.json")
    return snapshot


def test_a_snapshot_is_private_and_holds_no_secret(paths: Paths) -> None:
    """The snapshot in the cache can be read by its owner only."""
    read(paths, WORK)
    assert snapshot_of(paths).stat().st_mode & 0o777 == 0o600
    assert paths.cache_dir.stat().st_mode & 0o777 == 0o700


def test_a_changed_file_is_read_again(paths: Paths) -> None:
    """A change counts at once, also one that keeps the file's size and time stamp."""
    assert read(paths, WORK).accounts["work"].settings["port"] == 465
    status = paths.config_file.stat()
    paths.config_file.write_text(WORK.replace("465", "587"))
    os.utime(paths.config_file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert load(paths).accounts["work"].settings["port"] == 587


def test_a_file_just_written_is_not_snapshot(paths: Paths) -> None:
    """A file that may change again within its time stamp's grain isn't remembered."""
    write(paths, WORK, settled=False)
    load(paths)
    assert not paths.cache_dir.exists()


@pytest.mark.parametrize("damage", ["garbage", "shape", "open", "link", "foreign"])
def test_a_snapshot_that_is_not_ours_is_not_used(paths: Paths, damage: str) -> None:
    """A snapshot that is damaged, open to others, a link or somebody else's is as good as none."""
    read(paths, WORK)
    snapshot = snapshot_of(paths)
    forged = snapshot.read_text().replace("smtp.example.org", "evil.example.org")
    assert "evil" in forged
    if damage == "garbage":
        snapshot.write_text("{" * 100_000)
    elif damage == "shape":
        kept = json.loads(snapshot.read_text())
        snapshot.write_text(json.dumps(kept | {"document": [1, {"accounts": 7}]}))
    else:
        snapshot.write_text(forged)
        assert load(paths).accounts["work"].settings["host"] == "evil.example.org"
    if damage == "open":
        snapshot.chmod(0o640)
    elif damage == "link":
        snapshot.rename(snapshot.with_suffix(".moved"))
        snapshot.symlink_to(snapshot.with_suffix(".moved"))
    elif damage == "foreign":
        if os.geteuid() != 0:
            pytest.skip("only root can give a file away")
        os.chown(snapshot, 12345, 12345)
    assert load(paths).accounts["work"].settings["host"] == "smtp.example.org"


def test_a_cache_that_cannot_be_written_is_no_trouble(paths: Paths) -> None:
    """Without a usable cache folder the configuration is read all the same."""
    paths.cache_dir.write_text("a file where the folder should be")
    assert "work" in read(paths, WORK).accounts


def test_an_account_is_judged_before_it_is_written(tmp_path: Path) -> None:
    """An account typed into the form is judged by the same rules as one in the file."""
    mapping: dict[str, object] = {"provider": "smtp", "from": "a@b.test", "host": "h.test", "reply_to": ("c@d.test",)}
    account = read_account("work", mapping, tmp_path)
    assert account.settings == {"host": "h.test"}
    with pytest.raises(ConfigurationError, match=r"accounts\.work\.from: one address is wanted"):
        read_account("work", mapping | {"from": "nobody"}, tmp_path)


def test_the_sender_picks_the_account(paths: Paths) -> None:
    """A From address picks the account that may use it: the default one first, then the file's order."""
    configuration = read(
        paths,
        "default_account: c\naccounts:\n"
        "  a: {provider: smtp, from: x@b.test}\n"
        "  b: {provider: smtp, identities: [y@b.test, z@b.test]}\n"
        "  c: {provider: smtp, identities: [c@b.test, Z@b.test]}\n",
    )

    def chosen(text: str) -> str | None:
        account = account_for_sender(configuration, parse_address(text))
        return account and account.name

    assert chosen("X <X@B.test>") == "a"
    assert chosen("y@b.test") == "b"
    assert chosen("z@b.test") == "c"
    assert chosen("nobody@b.test") is None


def test_errors_found_later_look_the_same() -> None:
    """What a provider's model finds is told with the line the key had."""
    assert (
        str(error_at(Path("c.yaml"), 7, "accounts.work.port", "too large")) == "c.yaml:7: accounts.work.port: too large"
    )


def test_accounts_that_fall_back_on_each_other_in_a_circle_are_refused(paths: Paths) -> None:
    """The circle is named; a chain without one is fine."""
    spare = "  spare:\n    provider: maildir\n    from: ada@example.org\n"
    with pytest.raises(ConfigurationError, match="in a circle: work -> spare -> work"):
        read(paths, WORK + "    fallback: [spare]\n" + spare + "    fallback: work\n")
    assert read(paths, WORK + "    fallback: [spare]\n" + spare).accounts["work"].fallback == ("spare",)
