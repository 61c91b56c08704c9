"""What an account of a provider is made of, as the rows of a form."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from tui_mailer.accounts.configuration import Account
from tui_mailer.providers import registry
from tui_mailer.services.model_form import FormField, form_fields
from tui_mailer.tui.widgets.field import LABEL_WIDTH

_ACRONYMS = frozenset({"dkim", "dsn", "ehlo", "id", "ip", "tls", "url"})
_SMTP_ROWS = (
    ("host", "Host", "smtp.example.org"),
    ("username", "User", "ada@example.org; empty: no password is sent"),
    ("password", "Password", ""),
    ("security", "Security", "tls, starttls or none"),
    ("port", "Port", ""),
)
"""What people know an SMTP account by, in the order in which they have it on paper."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountShape:
    """What an account of a provider is made of."""

    provider: str
    fields: tuple[FormField, ...]
    account: Account | None = None
    """The one that is changed; None: one is added."""

    @property
    def takes_secret(self) -> bool:
        """Whether there is anything to sign in with."""
        return self.provider != "maildir"

    @property
    def title(self) -> str:
        """What the form is called."""
        if self.account is not None:
            return f"Change account {self.account.name}: {self.provider}"
        return "Add an SMTP account" if self.provider == "smtp" else f"Add an account: {self.provider}"

    def guess_name(self, domain: str) -> str:
        """What an account of an address there is called until a person says otherwise."""
        return domain.partition(".")[0] if self.provider == "smtp" else self.provider

    def rows(self) -> tuple[tuple[str, str, str], ...]:
        """Key, label and hint of the rows that are always shown."""
        sender = ("from", "From", "Ada Lovelace <ada@example.org>")
        name = () if self.account is not None else (("name", "Name", "what you call it: work, home ..."),)
        if self.provider == "smtp":
            rows = (sender, *_SMTP_ROWS, *name)
        else:
            needed = tuple(_row_of(field) for field in self.fields if field.is_required)
            secret = (("password", "API key", ""),) if self.takes_secret else ()
            rows = (sender, *needed, *secret, *name)
        if self.account is None or self.account.credential is None:
            return rows
        stays = "left empty it stays as it is"
        return tuple((key, label, stays if key == "password" else hint) for key, label, hint in rows)

    def values(self) -> dict[str, str]:
        """What stands in the file, by row, as a person would type it."""
        if self.account is None:
            return {}
        known = {key: _spelt(value) for key, value in self.account.settings.items()}
        return {"from": str(self.account.identities[0]), **known}

    def spare_rows(self) -> tuple[tuple[str, str, str], ...]:
        """The rows that F6 shows."""
        shown = {key for key, _, _ in self.rows()}
        return tuple(_row_of(field) for field in self.fields if field.name not in shown)


def shape_of(provider: str, account: Account | None = None) -> AccountShape:
    """Reads the provider's model; imports the provider: not for the event loop. Raises `NotFound`."""
    return AccountShape(provider=provider, fields=form_fields(registry.load(provider).Settings), account=account)


def _row_of(field: FormField) -> tuple[str, str, str]:
    words = field.choices or (("yes", "no") if field.kind == "switch" else ())
    if field.default:
        others = ", ".join(word for word in words if word != field.default)
        hint = f"{field.default} if left out" + (f"; or: {others}" if others else "")
    else:
        hint = ", ".join(words)
    return field.name, _label_of(field.name), hint


def _label_of(name: str) -> str:
    """A setting's name as a person would write it."""
    first, *rest = (word.upper() if word in _ACRONYMS else word for word in name.split("_"))
    return " ".join((first[0].upper() + first[1:], *rest))


def label_width(rows: Iterable[tuple[str, str, str]]) -> int:
    """Cells; the settings of some providers have longer names."""
    return max(LABEL_WIDTH, *(len(label) + 1 for _, label, _ in rows))


def _spelt(value: object) -> str:
    """As a person types it: `typed_value` reads it back."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def typed_value(field: FormField, typed: str) -> object:
    """As it would stand in the file: YAML's own words where the model wants no text."""
    if field.kind == "switch":
        return {"yes": True, "true": True, "no": False, "false": False}.get(typed.lower(), typed)
    if field.kind in {"number", "json"}:
        try:
            return json.loads(typed)
        except ValueError:
            return typed
    return typed
