"""Limits in the form, for each mail API: what is over one is named beside its field while the message is written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tui_mailer.accounts.configuration import Account, Configuration, CredentialSource, Paths
from tui_mailer.accounts.credential import Credentials
from tui_mailer.domain.address import parse_address
from tui_mailer.domain.draft import Draft, DraftAttachment
from tui_mailer.providers import registry
from tui_mailer.services.account import ProviderDirectory
from tui_mailer.services.form_check import FormCheck, check_form

SETTINGS: Mapping[str, Mapping[str, object]] = {
    "bird": {"region": "eu1"},
    "bird_channels": {"workspace_id": "w", "channel_id": "c"},
    "mailgun": {"domain": "mg.example.org"},
    "mailjet": {"api_key": "k"},
    "rebilly": {"organization_id": "o"},
    "respond_io": {"channel_id": 7},
    "ses": {"region": "eu-west-1", "access_key_id": "AKIDEXAMPLE"},
    "whippy": {"channel": "ada@example.org"},
}
APIS = sorted(set(registry.built_in()) - {"smtp", "maildir"})
NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)


def check(folder: Path, name: str, draft: Draft, sizes: Mapping[str, int] | None = None) -> FormCheck:
    """The form's judgement with an account of that provider."""
    account = Account(
        name="work",
        provider=name,
        identities=(parse_address("Ada <ada@example.org>"),),
        settings=SETTINGS.get(name, {}),
        credential=CredentialSource(kind="prompt"),
    )
    paths = Paths(
        config_file=folder / "config.yaml", data_dir=folder / "d", state_dir=folder / "s", cache_dir=folder / "c"
    )
    configuration = Configuration(path=None, default_account="work", accounts={"work": account})
    directory = ProviderDirectory(configuration=configuration, paths=paths, credentials=Credentials())
    return check_form(directory, draft, sizes or {}, NOW)


def people(count: int) -> str:
    """That many addresses."""
    return ", ".join(f"p{n}@example.net" for n in range(count))


def test_there_are_twelve() -> None:
    """None is forgotten."""
    assert len(APIS) == 12


@pytest.mark.parametrize("name", APIS)
@pytest.mark.parametrize("field", ["to", "cc", "bcc"])
def test_one_recipient_too_many_is_named_with_the_number(tmp_path: Path, name: str, field: str) -> None:
    """As many as the provider takes are fine; one more is refused beside the field, with the number it takes."""
    can = check(tmp_path, name, Draft()).capabilities
    assert can is not None
    carries = {"to": True, "cc": can.cc, "bcc": can.bcc}[field]
    own = {"to": can.max_to, "cc": can.max_cc, "bcc": can.max_bcc}[field]
    others = 0 if field == "to" else 1
    all_in_all = None if can.max_recipients is None else can.max_recipients - others
    limits = [one for one in (own, all_in_all) if one is not None]
    if not carries:
        limits = [0]
    if not limits:
        return  # no limit known: nothing to count down
    most = min(limits)

    def complaints(count: int) -> str:
        values = {"to": "dee@example.net"} | {field: people(count)}
        found = check(tmp_path, name, Draft(subject="s", body="b", **values)).complaints
        return " ".join(found.get(key, "") for key in (field, "to"))

    assert complaints(most).strip() == ""
    over = complaints(most + 1)
    assert "work" in over
    assert "has no" in over if not carries else str(limits[0] if own is not None else can.max_recipients) in over


@pytest.mark.parametrize("name", APIS)
def test_a_file_over_the_limit_is_named_before_it_is_sent(tmp_path: Path, name: str) -> None:
    """A file within the limits stands there in peace; one over them, or one where no file goes, is told at once."""
    can = check(tmp_path, name, Draft()).capabilities
    assert can is not None

    def complaint(size: int) -> str:
        draft = Draft(
            to="bob@example.net", subject="s", body="b", attachments=(DraftAttachment(source="/x/report.pdf"),)
        )
        return check(tmp_path, name, draft, {"/x/report.pdf": size}).complaints.get("attachments", "")

    if can.attachments not in ("bytes", "both"):
        assert ("links, not files" if can.attachments == "url" else "neither files nor links") in complaint(10)
        return
    limits = [one for one in (can.max_attachment_size, can.max_attachments_size, can.max_size) if one is not None]
    assert complaint(1000) == ""
    if limits:
        assert "MB" in complaint(min(limits) + 1)
