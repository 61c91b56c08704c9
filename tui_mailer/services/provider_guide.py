"""What each provider can carry, in words, from its own code: for ``provider list|show`` and ``docs/providers.md``.

Run as a module it prints that page: ``python -m tui_mailer.services.provider_guide > docs/providers.md``.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from tui_mailer.domain.errors import ConfigurationError
from tui_mailer.providers import registry
from tui_mailer.providers.base import AccountSettings, Capabilities, Provider
from tui_mailer.providers.capability import megabytes
from tui_mailer.services.json_view import provider_view

Words = Callable[[Capabilities], str]
"""Says one thing in a few words; empty where there is nothing to say."""


def usual_capabilities(kind: type[Provider], data_dir: str = "/") -> Capabilities | None:
    """What it can carry with every setting left out; None where that can't be said without them."""
    settings: Any = kind.Settings
    try:
        unjudged = settings.model_construct(**_placeholders(settings.model_json_schema()))
        account = AccountSettings(account="", settings=unjudged, identities=(), data_dir=data_dir)
        return kind(account, _NoSecret()).capabilities
    except (AssertionError, AttributeError, ConfigurationError, KeyError, TypeError, ValueError):
        # A provider may look at settings that nobody has judged here.
        return None


class _NoSecret:
    """Stands in where nothing will be sent."""

    async def get(self) -> str:
        return ""

    def invalidate(self) -> None:
        """There is nothing to forget."""


def _placeholders(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Stands in for required settings: a name that belongs to nobody (RFC 2606), a number, or the first choice."""
    required: list[str] = schema.get("required", [])
    return {name: _placeholder(schema["properties"][name]) for name in required}


def _placeholder(shape: Mapping[str, Any]) -> object:
    if shape.get("type") == "integer":
        return 1
    return shape.get("enum", ["example.invalid"])[0]


def rows_of(can: Capabilities) -> list[tuple[str, str]]:
    """Says everything a provider can carry, and what it can't, a row each."""
    return [(name, said) for name, words in ROWS if (said := words(can))]


def _bodies(can: Capabilities) -> str:
    if can.needs_both_bodies:
        said = "text and HTML; the missing one is made"
    elif can.html and can.text:
        said = "HTML, or text where there is no HTML" if can.one_body_only else "text and HTML"
    else:
        said = "HTML only" if can.html else "text only"
    return said if can.max_body is None else f"{said}; at most {can.max_body} characters"


def _recipients(can: Capabilities) -> str:
    parts = [
        f"{most} {name}"
        for name, most in (("To", can.max_to), ("Cc", can.max_cc), ("Bcc", can.max_bcc))
        if most is not None
    ]
    missing = [name for name, has in (("Cc", can.cc), ("Bcc", can.bcc)) if not has]
    if can.max_recipients is not None:
        parts.append(f"{can.max_recipients} in all")
    said = f"at most {', '.join(parts)}" if parts else "no limit known"
    if missing:
        said += f"; no {' or '.join(missing)}"
    if can.recipient_option is not None:
        said += f"; option {can.recipient_option} names them, too"
    return said + ("; a To is needed" if can.needs_to else "")


def _sender(can: Capabilities) -> str:
    said = {
        "free": "any of the account's identities",
        "identities": "identities verified there",
        "local_part": "the channel's domain, any local part",
        "fixed": "the channel's own",
    }[can.sender]
    return said if can.sender_name else f"{said}, without a name"


def _headers(can: Capabilities) -> str:
    if not can.custom_headers:
        return "no"
    parts = [f"at most {can.max_headers}"] if can.max_headers is not None else []
    if can.header_prefixes:
        parts.append(f"only {', '.join(f'{one}*' for one in can.header_prefixes)}")
    if can.reserved_headers:
        parts.append("some reserved")
    return ", ".join(parts) or "yes"


def _attachments(can: Capabilities) -> str:
    said = {"bytes": "files", "url": "links (URLs)", "both": "files and links", "none": "none"}[can.attachments]
    if can.attachment_references:
        said += ", resources (ref:TYPE/ID)" if can.attachments != "none" else ""
        said = "resources (ref:TYPE/ID)" if can.attachments == "none" else said
    limits = [
        f"{can.max_attachments} at most" if can.max_attachments is not None else "",
        f"{megabytes(can.max_attachment_size)} each" if can.max_attachment_size is not None else "",
        f"{megabytes(can.max_attachments_size)} together" if can.max_attachments_size is not None else "",
        f"only {', '.join(can.attachment_types)}" if can.attachment_types else "",
        "some file types refused" if can.refused_extensions else "",
    ]
    return ", ".join([said, *filter(None, limits)])


def _schedule(can: Capabilities) -> str:
    if can.schedule_min is None:
        return "no: the outbox keeps it"
    most = "any time" if can.schedule_max is None else duration(can.schedule_max)
    said = f"{duration(can.schedule_min)} to {most} ahead"
    return said + (f", within {duration(can.schedule_accuracy)}" if can.schedule_accuracy else "")


def _tags(can: Capabilities) -> str:
    if can.tags == 0:
        return "no"
    said = "any number" if can.tags is None else f"at most {can.tags}"
    return said + (", with values" if can.needs_tag_values else ", values too" if can.tag_values else "")


def _metadata(can: Capabilities) -> str:
    if not can.metadata:
        return "kept here only"
    limits = [
        f"{can.max_metadata} entries" if can.max_metadata is not None else "",
        f"{can.max_metadata_size} bytes" if can.max_metadata_size is not None else "",
    ]
    return ", ".join(filter(None, limits)) or "yes"


def _templates(can: Capabilities) -> str:
    if not can.templates:
        return "no"
    without = [
        word
        for word, has in (
            ("variables", can.template_variables),
            ("attachments", can.template_with_attachments),
            ("schedule", can.template_with_schedule),
        )
        if not has
    ]
    return "yes" + (f", without {', '.join(without)}" if without else "")


def _repeats(can: Capabilities) -> str:
    lifetime = f", for {duration(can.idempotency_lifetime)}" if can.idempotency_lifetime else ""
    return {
        "key": f"known by a key{lifetime}: repeated once by itself",
        "client_id": "known by our own ID",
        "findable": "the provider is asked",
        "none": "uncertain: a person decides",
    }[can.idempotency]


def duration(span: timedelta) -> str:
    """Says a span in its largest whole unit."""
    seconds = int(span.total_seconds())
    for unit, length in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length * (2 if unit == "days" else 1) and seconds % length == 0:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"


def _limit(most: int | None, unit: str) -> str:
    return "" if most is None else f"at most {most} {unit}"


def _yes(has: bool) -> str:
    return "yes" if has else "no"


ROWS: tuple[tuple[str, Words], ...] = (
    ("Text", _bodies),
    ("Recipients", _recipients),
    ("From", _sender),
    ("Reply-To", lambda can: _yes(can.reply_to) if can.max_reply_to is None else f"at most {can.max_reply_to}"),
    ("Subject", lambda can: _limit(can.max_subject, "characters") or ("needed" if can.needs_subject else "yes")),
    ("Custom headers", _headers),
    (
        "Replies in a thread",
        lambda can: {"header": "by In-Reply-To", "provider_id": "by the provider's ID", "none": "no"}[can.threading],
    ),
    ("Attachments", _attachments),
    ("Inline images", lambda can: _yes(can.inline_images)),
    ("Whole message", lambda can: "" if can.max_size is None else f"at most {megabytes(can.max_size)}"),
    ("Own schedule", _schedule),
    ("Taken back", lambda can: _yes(can.cancel_scheduled) if can.schedule_min is not None else ""),
    ("Tags", _tags),
    ("Metadata", _metadata),
    ("Templates", _templates),
    ("No answer", _repeats),
    ("Status afterwards", lambda can: _yes(can.status_polling)),
    ("Ready-made mail (sendmail)", lambda can: _yes(can.raw)),
    ("Delivers", lambda can: "yes" if can.delivers else "no: kept on this computer, sent to nobody"),
    ("Also", lambda can: " ".join((can.sandbox, *can.effects)).strip()),
)
"""What is told, in this order."""


def page() -> str:
    """Makes ``docs/providers.md``."""
    return "\n".join(_page()) + "\n"


def _page() -> Iterator[str]:
    yield "# Providers"
    yield ""
    yield "Made from the code by `python -m tui_mailer.services.provider_guide > docs/providers.md`; a test compares"
    yield "them. What a provider can't carry is refused before sending, with a way out. Fields of other tools and ours"
    yield "side by side: [provider-fields.md](provider-fields.md). A provider of your own:"
    yield "[adding-a-provider.md](adding-a-provider.md)."
    yield ""
    kinds = {name: registry.load(name) for name in registry.built_in()}
    cans = {name: usual_capabilities(kind) for name, kind in kinds.items()}
    yield from _matrix({name: can for name, can in cans.items() if can is not None})
    for name, kind in kinds.items():
        yield from _section(name, kind, cans[name])


def _matrix(cans: Mapping[str, Capabilities]) -> Iterator[str]:
    columns: tuple[tuple[str, Words], ...] = (
        ("html", lambda can: _mark(can.html)),
        ("to", lambda can: str(can.max_to or can.max_recipients or "")),
        ("cc bcc", lambda can: _mark(can.cc and can.bcc)),
        ("reply-to", lambda can: _mark(can.reply_to)),
        ("headers", lambda can: _mark(can.custom_headers)),
        ("files", lambda can: _mark(can.attachments in ("bytes", "both"))),
        ("links", lambda can: _mark(can.attachments in ("url", "both"))),
        ("inline", lambda can: _mark(can.inline_images)),
        (
            "schedule",
            lambda can: (
                "" if can.schedule_min is None else "any" if can.schedule_max is None else duration(can.schedule_max)
            ),
        ),
        ("cancel", lambda can: _mark(can.cancel_scheduled)),
        ("tags", lambda can: "any" if can.tags is None else str(can.tags or "")),
        ("metadata", lambda can: _mark(can.metadata)),
        ("templates", lambda can: _mark(can.templates)),
        (
            "key",
            lambda can: (
                duration(can.idempotency_lifetime) if can.idempotency_lifetime else can.idempotency.replace("none", "")
            ),
        ),
        ("status", lambda can: _mark(can.status_polling)),
    )
    yield f"| provider | {' | '.join(name for name, _ in columns)} |"
    yield "|---" * (len(columns) + 1) + "|"
    for name, can in cans.items():
        yield f"| [{name}](#{name}) | {' | '.join(words(can) for _, words in columns)} |"
    yield ""
    yield "`to`: how many recipients at most; `schedule`: how far ahead the provider keeps mail (else the outbox does);"
    yield "`key`: how a request without an answer is settled, or for how long its key is remembered."
    yield ""


def _mark(has: bool) -> str:
    return "x" if has else ""


def _section(name: str, kind: type[Provider], can: Capabilities | None) -> Iterator[str]:
    view = provider_view(name, settings=kind.Settings, options=kind.Options, capabilities=can, accounts=())
    yield f"## {name}"
    yield ""
    for row, said in rows_of(can) if can else ():
        yield f"* {row}: {said}"
    for title, key in (("Settings of an account", "settings"), ("Options of a message", "options")):
        if view[key]:
            yield ""
            yield f"{title}:"
            yield ""
            yield "| key | type | |"
            yield "|---|---|---|"
            for each in view[key]:
                needed = " (required)" if each["required"] else ""
                kind_said = str(each["type"]).replace("|", "\\|")
                said = " ".join(str(each["description"] or "").split()).replace("|", "\\|")
                yield f"| `{each['name']}`{needed} | {kind_said} | {said} |"
    yield ""


if __name__ == "__main__":
    sys.stdout.write(page())
