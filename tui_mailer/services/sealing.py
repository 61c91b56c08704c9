"""From a draft to a sealed message: parse, choose the identity, take in attachments, check, fix the Message-ID.

The same code serves the review and the dry run, which only look at files, and sealing, which copies them into the
spool: the two differ in the `Intake` they are given.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, cast

from tui_mailer.accounts.configuration import Account, ComposeSettings
from tui_mailer.domain import body as bodies
from tui_mailer.domain.address import Address, parse_address, parse_address_list
from tui_mailer.domain.draft import BodyFormat, Draft, DraftAttachment
from tui_mailer.domain.errors import InvalidMessage
from tui_mailer.domain.message import Attachment, Message
from tui_mailer.domain.mime import check_custom_header
from tui_mailer.domain.submission import Kind, Recipient

MSG_ID = re.compile(r"<[^<>\s@]+@[^<>\s@]+>")


class Intake(Protocol):
    """How an attachment that a person named becomes one that can be sent."""

    def __call__(self, wanted: DraftAttachment) -> Attachment:
        """Raises `InvalidAttachment` with a sentence."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SealingPlan:
    """What, besides the draft, decides how it is sealed."""

    submission_id: str
    account: Account
    compose: ComposeSettings
    options: Mapping[str, object]
    recipient_option: str | None = None
    """An option that names the recipient in place of To (`Capabilities.recipient_option`)."""
    may_use_any_sender: bool = False


def message_from(draft: Draft, plan: SealingPlan, intake: Intake) -> Message:
    """Makes the message that would be sealed; raises `InvalidMessage` for the first thing that can't be right."""
    sender = choose_sender(draft.sender, plan.account, may_use_any=plan.may_use_any_sender)
    to = parse_address_list(draft.to, field="to")
    cc = parse_address_list(draft.cc, field="cc")
    bcc = parse_address_list(draft.bcc, field="bcc")
    if plan.account.bcc_self and sender.addr_spec not in {a.addr_spec for a in to + cc + bcc}:
        bcc = (*bcc, sender._replace(display_name=""))
    if not (to or cc or bcc) and plan.recipient_option not in plan.options:
        raise InvalidMessage("There is no recipient: fill in To, Cc or Bcc.", field="to")
    in_reply_to = _one_message_id(draft.in_reply_to)
    text, html = _bodies(draft, plan)
    return Message(
        id=plan.submission_id,
        message_id=f"<{plan.submission_id}@{sender.domain}>",
        sender=sender,
        to=to,
        cc=cc,
        bcc=bcc,
        reply_to=parse_address_list(draft.reply_to, field="reply_to") or plan.account.reply_to,
        subject=_one_line(draft.subject, "subject", "The subject"),
        text=text,
        html=html,
        attachments=tuple(intake(wanted) for wanted in draft.all_attachments()),
        in_reply_to=in_reply_to,
        references=_references(draft.references, in_reply_to),
        headers=tuple(_header(name, value) for name, value in draft.headers),
        tags=draft.tags,
        metadata=dict(draft.metadata),
        template=draft.template or None,
        variables=dict(draft.variables),
        options=dict(plan.options),
    )


def choose_sender(typed: str, account: Account, *, may_use_any: bool = False) -> Address:
    """Takes the From address as typed if the account may use it, else its first identity for an empty one.

    Raises `InvalidMessage` naming the identities the account has.
    """
    default = account.identities[0]
    if not typed.strip():
        return default
    wanted = parse_address(typed, field="from")
    for identity in account.identities:
        if identity.addr_spec.lower() == wanted.addr_spec.lower():
            return identity._replace(display_name=wanted.display_name or identity.display_name)
    if may_use_any:
        return wanted
    allowed = ", ".join(identity.addr_spec for identity in account.identities)
    raise InvalidMessage(
        f"Account '{account.name}' may not send as {wanted.addr_spec}. It may send as: {allowed}.", field="from"
    )


def recipients_of(message: Message, recipient_option: str | None = None) -> tuple[Recipient, ...]:
    """Makes the envelope: each address once, the most visible kind first.

    Whom the option names comes before them, as it is (``id:123``).
    """
    named = message.options.get(recipient_option) if recipient_option is not None else None
    seen = {one.address: one for one in _named_by_option(named)}
    for kind, addresses in ((Kind.TO, message.to), (Kind.CC, message.cc), (Kind.BCC, message.bcc)):
        for address in addresses:
            seen.setdefault(_envelope_key(address), Recipient(address=address.addr_spec, kind=kind))
    return tuple(seen.values())


def _named_by_option(value: object) -> Iterator[Recipient]:
    """Reads `Capabilities.recipient_option`'s value."""
    if isinstance(value, str) and value:
        yield Recipient(address=value, kind=Kind.TO)
    elif isinstance(value, list):
        for one in cast("list[object]", value):
            if isinstance(one, Mapping):
                known = cast("Mapping[str, object]", one)
                yield Recipient(address=f"id:{known.get('id')}", kind=Kind(str(known.get("type", "to"))))


def frozen_date(created_at: datetime, not_before: datetime) -> datetime:
    """The Date header: the later of sealing and due time."""
    return max(created_at, not_before)


def _envelope_key(address: Address) -> str:
    return f"{address.local_part}@{address.domain.lower()}"


def _bodies(draft: Draft, plan: SealingPlan) -> tuple[str | None, str | None]:
    if draft.html is not None:
        return (draft.body or bodies.text_from_html(draft.html), draft.html)
    if draft.template and not draft.body:
        return (None, None)
    signature = plan.account.signature if plan.account.signature is not None else plan.compose.signature
    text = bodies.append_signature(draft.body, signature) if signature else draft.body
    if draft.body_format is BodyFormat.MARKDOWN:
        return (text, bodies.html_from_markdown(text))
    return (text, None)


def _one_line(text: str, field: str, name: str) -> str:
    if re.search(r"[\r\n\x00]", text):
        raise InvalidMessage(f"{name} must be a single line.", field=field)
    return text.strip()


def _header(name: str, value: str) -> tuple[str, str]:
    check_custom_header(name, value)
    return (name, value)


def _one_message_id(text: str) -> str | None:
    ids = _message_ids(text, "in_reply_to", "In-Reply-To")
    if len(ids) > 1:
        raise InvalidMessage("In-Reply-To takes one Message-ID.", field="in_reply_to")
    return ids[0] if ids else None


def _references(text: str, in_reply_to: str | None) -> tuple[str, ...]:
    ids = _message_ids(text, "references", "References")
    if in_reply_to and in_reply_to not in ids:
        ids.append(in_reply_to)
    return tuple(ids)


def _message_ids(text: str, field: str, name: str) -> list[str]:
    """Reads Message-IDs with or without their angle brackets (RFC 5322 section 3.6.4)."""
    ids: list[str] = []
    for word in text.replace("><", "> <").replace(",", " ").split():
        candidate = word if word.startswith("<") else f"<{word}>"
        if not MSG_ID.fullmatch(candidate) or not candidate.isascii():
            raise InvalidMessage(f"{name}: '{word}' is no Message-ID; it looks like <id@example.org>.", field=field)
        ids.append(candidate)
    return ids
