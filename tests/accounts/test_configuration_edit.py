"""Changing the configuration file: only what was asked for, through links, durably, or not at all."""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui_mailer.accounts.configuration import Paths
from tui_mailer.accounts.document import parse
from tui_mailer.accounts.edit import (
    UnchangedConfiguration,
    add_account,
    block_for,
    change_account,
    remove_account,
    set_default_account,
)
from tui_mailer.accounts.load import load
from tui_mailer.domain.errors import ConfigurationError, NotFound

CRM: dict[str, object] = {"provider": "smtp", "from": "crm@example.org", "host": "smtp.example.org", "port": 465}

TENDED = """\
# my mail
default_account:   work   # the usual one

accounts:

    # the office
    work:   { provider: smtp, from: "ada@example.org" }   # one line

    # the club;   odd   spacing
    club:
        provider:   smtp
        identities: [a@club.test,
                     b@club.test]
        signature: |
            Ada

            # not a comment
        # the end of the club

  # out of line
ui: {mouse: off-ish}   # below
""".replace("{mouse: off-ish}", "{theme: dark}")


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    folder = tmp_path / "config"
    return Paths(
        config_file=folder / "config.yaml",
        data_dir=tmp_path / "data",
        state_dir=tmp_path / "state",
        cache_dir=tmp_path / "cache",
    )


def write(paths: Paths, text: str, mode: int = 0o600) -> None:
    paths.config_file.parent.mkdir(mode=0o700, exist_ok=True)
    paths.config_file.write_bytes(text.encode())
    paths.config_file.chmod(mode)


def changes(paths: Paths, before: str) -> list[str]:
    """The lines that differ, as a diff writes them."""
    after = paths.config_file.read_bytes().decode()
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
    return [line for line in lines if line[0] in "+-" and not line.startswith(("---", "+++"))]


def test_the_first_account_makes_the_file(paths: Paths) -> None:
    """Without a file, adding an account makes one that only its owner can read, and it is the default."""
    add_account(paths, "crm", CRM)
    configuration = load(paths)
    assert configuration.default_account == "crm"
    assert configuration.accounts["crm"].settings == {"host": "smtp.example.org", "port": 465}
    assert paths.config_file.stat().st_mode & 0o777 == 0o600
    assert paths.config_file.parent.stat().st_mode & 0o777 == 0o700


def test_adding_changes_nothing_else(paths: Paths) -> None:
    """A tended file keeps every comment, quote and blank: only the new account's lines are new."""
    write(paths, TENDED)
    add_account(paths, "crm", CRM)
    assert changes(paths, TENDED) == [
        "+    crm:",
        "+      provider: smtp",
        "+      from: crm@example.org",
        "+      host: smtp.example.org",
        "+      port: 465",
    ]
    assert list(load(paths).accounts) == ["work", "club", "crm"]


def test_adding_as_the_default(paths: Paths) -> None:
    """Made the default, the account's name replaces the old one in its line; the remark behind it stays."""
    write(paths, TENDED)
    add_account(paths, "crm", CRM, make_default=True)
    assert changes(paths, TENDED)[:2] == [
        "-default_account:   work   # the usual one",
        "+default_account:   crm   # the usual one",
    ]
    assert load(paths).default_account == "crm"


def test_changing_an_account_changes_the_lines_of_its_keys(paths: Paths) -> None:
    """A word in its line, the remark behind it kept; what takes several lines as a whole; a new key at the end."""
    tended = TENDED.replace("provider:   smtp", "provider:   smtp\n        host: 'old.test'   # theirs")
    write(paths, tended)
    changes_made = {"host": "new.test", "identities": ["c@club.test", "b@club.test"], "port": 587, "signature": None}
    change_account(paths, "club", changes_made)
    assert changes(paths, tended) == [
        "-        host: 'old.test'   # theirs",
        "-        identities: [a@club.test,",
        "-                     b@club.test]",
        "-        signature: |",
        "-            Ada",
        "-",
        "-            # not a comment",
        "+        host: new.test   # theirs",
        "+        identities:",
        "+          - c@club.test",
        "+          - b@club.test",
        "+        port: 587",
    ]
    assert load(paths).accounts["club"].settings == {"host": "new.test", "port": 587}


def test_changing_what_is_not_written_as_lines(paths: Paths) -> None:
    """In braces a word can be changed and nothing else; the error says what to write and what to take out."""
    write(paths, TENDED)
    change_account(paths, "work", {"from": "eve@example.org"})
    assert changes(paths, TENDED) == [
        '-    work:   { provider: smtp, from: "ada@example.org" }   # one line',
        "+    work:   { provider: smtp, from: eve@example.org }   # one line",
    ]
    before = paths.config_file.read_text()
    with pytest.raises(UnchangedConfiguration) as caught:
        change_account(paths, "work", {"host": "smtp.example.org", "from": None})
    assert "take from out of account 'work', write under account 'work':" in str(caught.value)
    assert caught.value.block == "    host: smtp.example.org\n"
    assert paths.config_file.read_text() == before


def test_changing_to_what_cannot_be_changes_nothing(paths: Paths) -> None:
    """An unknown account, a value that isn't allowed, an anchor that others lean on."""
    text = "accounts:\n  a: {provider: smtp, from: &me a@example.org}\n  b:\n    provider: smtp\n    from: *me\n"
    write(paths, text)
    with pytest.raises(NotFound, match="no account 'c'"):
        change_account(paths, "c", {"host": "h.test"})
    with pytest.raises(ConfigurationError, match=r"accounts\.b\.retries"):
        change_account(paths, "b", {"retries": "often"})
    with pytest.raises(UnchangedConfiguration):
        change_account(paths, "a", {"from": "c@example.org"})
    assert paths.config_file.read_text() == text


def test_removing_takes_out_its_lines(paths: Paths) -> None:
    """Removing an account takes out its lines and none of its neighbours' comments."""
    write(paths, TENDED)
    remove_account(paths, "club")
    assert changes(paths, TENDED) == [f"-{line}" for line in TENDED.splitlines()[9:18]]
    assert list(load(paths).accounts) == ["work"]


def test_removing_the_default_account(paths: Paths) -> None:
    """When the default account goes, the first that is left becomes the default."""
    write(paths, TENDED)
    remove_account(paths, "work")
    assert load(paths).default_account == "club"
    assert "# the office" in paths.config_file.read_text()


def test_removing_the_last_account(paths: Paths) -> None:
    """When the last account goes, the file stays valid, and another can be added."""
    write(paths, TENDED)
    remove_account(paths, "work")
    remove_account(paths, "club")
    assert list(load(paths).accounts) == ["local"]
    add_account(paths, "crm", CRM)
    assert list(load(paths).accounts) == ["crm"]
    assert "theme: dark" in paths.config_file.read_text()


@pytest.mark.parametrize(
    "before", ["", "# only a remark\n", "ui: {}", "accounts:\n", "accounts: {}  # none\n", "accounts: ~\n"]
)
def test_adding_to_a_file_without_accounts(paths: Paths, before: str) -> None:
    """However an empty list of accounts is written, the first can be added, and remarks stay."""
    write(paths, before)
    add_account(paths, "crm", CRM, make_default=True)
    assert list(load(paths).accounts) == ["crm"]
    for remark in ("# only a remark", "# none"):
        assert (remark in paths.config_file.read_text()) is (remark in before)


def test_setting_the_default(paths: Paths) -> None:
    """The default can be set where there was none, and only to an account that exists."""
    before = "accounts:\n  a: {provider: smtp, from: a@b.test}\n  '1': {provider: smtp, from: b@b.test}\n"
    write(paths, before)
    set_default_account(paths, "1")
    assert changes(paths, before) == ["+default_account: '1'"]
    assert load(paths).default_account == "1"
    with pytest.raises(NotFound):
        set_default_account(paths, "none")


def test_windows_line_ends_stay(paths: Paths) -> None:
    """A file with CRLF keeps CRLF, in the new lines too."""
    write(paths, "accounts:\r\n  a: {provider: smtp, from: a@b.test}\r\n")
    add_account(paths, "crm", CRM)
    content = paths.config_file.read_bytes()
    assert content.count(b"\r\n") == content.count(b"\n") == 7


def test_links_stay_links(paths: Paths, tmp_path: Path) -> None:
    """A link into a folder of dotfiles stays one: the file it leads to is changed, with its mode."""
    target = tmp_path / "dotfiles" / "mail.yaml"
    target.parent.mkdir()
    target.write_text(TENDED)
    target.chmod(0o640)
    paths.config_file.parent.mkdir()
    paths.config_file.symlink_to("../dotfiles/mail.yaml")
    add_account(paths, "crm", CRM)
    assert paths.config_file.is_symlink()
    assert "crm:" in target.read_text()
    assert target.stat().st_mode & 0o777 == 0o640
    assert [file.name for file in target.parent.iterdir()] == ["mail.yaml"]


@pytest.mark.parametrize("has_accounts", [True, False])
def test_a_read_only_file_is_left_alone(paths: Paths, has_accounts: bool) -> None:
    """A read-only file isn't replaced behind its owner's back: the block to paste is in the error, and it works."""
    before = TENDED if has_accounts else "ui: {}\n"
    write(paths, before, 0o400)
    with pytest.raises(UnchangedConfiguration, match="read-only; nothing was changed") as caught:
        add_account(paths, "crm", CRM)
    assert changes(paths, before) == []
    assert str(caught.value).endswith(caught.value.block)
    pasted = caught.value.block if not has_accounts else "accounts:\n" + caught.value.block
    document = parse(pasted, Path("pasted"))
    assert document
    assert document.plain() == {"accounts": {"crm": CRM}}


def test_removing_from_a_read_only_file(paths: Paths) -> None:
    """Removing from a read-only file says what to do by hand."""
    write(paths, TENDED, 0o400)
    with pytest.raises(UnchangedConfiguration, match="Take account 'club' out by hand"):
        remove_account(paths, "club")


@pytest.mark.parametrize(
    "before",
    [
        "{accounts: {a: {provider: smtp, from: a@b.test}}}\n",
        "accounts: {a: {provider: smtp, from: a@b.test}}\n",
        "accounts:\n  a: &a {provider: smtp, from: a@b.test}\n  b: *a\n...\n",
    ],
)
def test_a_file_written_in_another_way_is_left_alone(paths: Paths, before: str) -> None:
    """Where lines can't simply be added, nothing is guessed: the file stays and the block is shown."""
    write(paths, before)
    try:
        add_account(paths, "crm", CRM)
    except UnchangedConfiguration as error:
        assert "only a person can add to" in str(error)  # noqa: PT017 - the last one may also be changed rightly
        assert changes(paths, before) == []
    else:
        assert list(load(paths).accounts)[-1] == "crm"


def test_a_name_that_is_taken(paths: Paths) -> None:
    """An account isn't replaced by adding another of its name."""
    write(paths, TENDED)
    with pytest.raises(ConfigurationError, match="there is such an account already"):
        add_account(paths, "work", CRM)
    assert changes(paths, TENDED) == []


@pytest.mark.parametrize("mapping", [{"provider": "smtp"}, CRM | {"password": "hunter2"}, CRM | {"keep": "maybe"}])
def test_an_account_that_would_be_refused_is_not_written(paths: Paths, mapping: dict[str, object]) -> None:
    """What couldn't be read again isn't written."""
    with pytest.raises(ConfigurationError) as caught:
        add_account(paths, "crm", mapping)
    assert "hunter2" not in str(caught.value)
    assert not paths.config_file.exists()


def test_an_account_others_fall_back_on_stays(paths: Paths) -> None:
    """An account isn't removed from under another that names it."""
    before = "accounts:\n  a: {provider: smtp, from: a@b.test, fallback: b}\n  b: {provider: smtp, from: b@b.test}\n"
    write(paths, before)
    with pytest.raises(ConfigurationError, match=r"accounts\.a\.fallback: there is no account: b"):
        remove_account(paths, "b")
    assert changes(paths, before) == []


def test_a_broken_file_is_not_changed(paths: Paths) -> None:
    """A file with mistakes in it is told about, not built upon."""
    write(paths, "acounts: {}\n")
    with pytest.raises(ConfigurationError, match="did you mean accounts"):
        add_account(paths, "crm", CRM)
    assert paths.config_file.read_text() == "acounts: {}\n"


def test_removing_what_is_not_there(paths: Paths) -> None:
    """Removing an unknown account, or the embedded one, says that the file has none of that name."""
    with pytest.raises(NotFound, match="no account 'local'"):
        remove_account(paths, "local")


@settings(max_examples=150, deadline=None)
@given(
    st.dictionaries(
        st.text("abc_1", min_size=1, max_size=5),
        st.text(max_size=30) | st.integers() | st.booleans() | st.lists(st.text("a:#- '\"\n", max_size=5), max_size=3),
        max_size=5,
    )
)
def test_a_block_says_what_it_was_made_from(mapping: dict[str, object]) -> None:
    """Whatever stands in an account, its block is YAML that says the same."""
    text = "accounts:\n" + block_for("x", mapping)
    document = parse(text, Path("block"))
    assert document
    assert document.plain() == {"accounts": {"x": mapping}}
