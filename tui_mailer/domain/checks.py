"""What a person should know before sending: pure findings on a message, none of which changes it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import PurePosixPath

from tui_mailer.domain.address import Address, parse_address
from tui_mailer.domain.domain_name import looks_mixed_script
from tui_mailer.domain.domain_typo import likely_meant
from tui_mailer.domain.errors import InvalidAddress
from tui_mailer.domain.message import Attachment, Message
from tui_mailer.domain.text import shorten

VISIBLE_RECIPIENT_LIMIT = 20
"""Above so many in To and Cc together, Bcc is proposed."""


class Severity(StrEnum):
    """How much a finding weighs."""

    ERROR = "error"
    """Sealing is refused."""
    WARNING = "warning"
    """Probably a slip."""
    INFO = "info"
    """Good to know."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to know about a message."""

    severity: Severity
    field: str | None
    """The compose field it belongs to, if one does."""
    code: str
    """Fixed words with hyphens, for scripts."""
    text: str
    """A sentence for a person; holds no control characters."""


def check_message(
    message: Message, *, body_typed: str, visible_limit: int = VISIBLE_RECIPIENT_LIMIT, is_kept_here: bool = False
) -> tuple[Finding, ...]:
    """Lists what is worth knowing about a message, errors first; ``body_typed`` is the body as the person wrote it.

    ``is_kept_here``: it doesn't leave this computer, so whether a domain can be reached doesn't matter.
    """
    found = [
        *_check_recipients(message, visible_limit),
        *_check_addresses((message.sender, *message.recipients(), *message.reply_to)),
        *(() if is_kept_here else _check_dots(message)),
        *_check_content(message, body_typed),
        *(finding for attachment in message.attachments for finding in _check_attachment(attachment)),
    ]
    weight = list(Severity)
    return tuple(sorted(found, key=lambda finding: weight.index(finding.severity)))


def check_attachment_path(path: str) -> Finding | None:
    """Warns of a path that looks like a key, a password file or the like; looks at the path only, never at the disk."""
    pure = PurePosixPath(path.casefold())
    if pure.suffix == ".pub":
        return None
    is_private = (
        pure.name in _PRIVATE_NAMES
        or pure.suffix in _PRIVATE_SUFFIXES
        or _PRIVATE_NAME.fullmatch(pure.name) is not None
        or not _PRIVATE_FOLDERS.isdisjoint(pure.parts[:-1])
    )
    if not is_private:
        return None
    return _warning(
        "attachments",
        "private-file",
        f"{shorten(path, 80)} looks like a private key or password file; attach it only if you mean to give it away",
    )


_PRIVATE_FOLDERS = frozenset({".ssh", ".gnupg", ".aws", ".password-store", ".kube", ".docker", "keyrings"})
_PRIVATE_NAMES = frozenset(
    {".netrc", ".pgpass", ".env", ".git-credentials", ".htpasswd", ".npmrc", ".pypirc", "shadow", "logins.json"}
)
_PRIVATE_SUFFIXES = frozenset({".key", ".pem", ".kdbx", ".p12", ".pfx", ".ppk", ".keystore", ".jks"})

_PRIVATE_NAME = re.compile(r"id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?|\.env\.\w+")

_EXECUTABLE_SUFFIX = re.compile(
    r"\.(?:ade|adp|app|apk|bat|chm|cmd|com|cpl|dll|dmg|exe|hta|ins|iso|jar|jse?|lib|lnk|mde|msc|msi|msp|mst|nsh"
    r"|pif|ps1|reg|scr|sct|sh|shb|sys|vb|vbe|vbs|vxd|wsc|wsf|wsh)"
)

_ADDRESS_LIKE = re.compile(r"[^\s()<>\[\]\",;:@]+@[^\s()<>\[\]\",;:@]+\w")

_MENTION = re.compile(
    r"""\b(?:
        attach(?:ed|ing|ments?)? | enclosed
        | angeh(?:ä|ae)ngt | anh(?:a|ä|ae)nge? | anbei | beigef(?:ü|ue)gt\w* | beiliegend\w* | (?:in\ der|als)\ anlage
        | pi(?:è|e)ces?[ -]jointes? | ci-joint(?:e|s|es)? | ci-inclus(?:e|es)?
        | adjunt(?:o|a|os|as|é|amos|ar) | (?:en\ el|como)\ anexo
    )\b""",
    re.IGNORECASE | re.VERBOSE,
)


def _check_recipients(message: Message, visible_limit: int) -> Iterator[Finding]:
    if not message.recipients():
        yield Finding(Severity.ERROR, "to", "no-recipient", "Nobody would get this message: fill in To, Cc or Bcc")
    visible = len(message.to) + len(message.cc)
    if visible > visible_limit:
        yield _warning(
            "to",
            "many-visible-recipients",
            f"All {visible} people in To and Cc will see each other's addresses; Bcc would hide them",
        )
    places: dict[str, list[str]] = {}
    shown: dict[str, Address] = {}
    for field, addresses in (("To", message.to), ("Cc", message.cc), ("Bcc", message.bcc)):
        for address in addresses:
            places.setdefault(address.mailbox_key, []).append(field)
            shown.setdefault(address.mailbox_key, address)
    for key, fields in places.items():
        if len(fields) > 1:
            where = " and ".join(dict.fromkeys(fields))
            yield _warning(
                fields[-1].lower(),
                "duplicate-recipient",
                f"{_shown(shown[key])} is named {_times(len(fields))} in {where}",
            )


def _check_addresses(addresses: Sequence[Address]) -> Iterator[Finding]:
    for address in dict.fromkeys(addresses):
        if looks_mixed_script(address.domain):
            yield _warning(
                None,
                "lookalike-domain",
                f"The domain {shorten(address.unicode_domain, 60)} imitates Latin letters with others; "
                f"its real name is {address.domain}",
            )
        if meant := likely_meant(address.domain):
            yield _warning(
                None,
                "doubtful-domain",
                f"{_shown(address)}: did you mean {meant}?",
            )
        if (named := _address_in_name(address)) and named.mailbox_key != address.mailbox_key:
            yield _warning(
                None,
                "name-is-another-address",
                f"The name says {_shown(named)}, but the message goes to {_shown(address)}",
            )
        if address.needs_smtputf8:
            yield Finding(
                Severity.INFO,
                None,
                "needs-smtputf8",
                f"{_shown(address)} can only be reached through mail servers that know SMTPUTF8",
            )


def _check_dots(message: Message) -> Iterator[Finding]:
    """Of a domain that only a network of one's own could know; the sender's shows which that is."""
    domains = dict.fromkeys(one.domain for one in message.recipients())
    for domain in domains:
        is_local_name = "." not in domain and not domain.startswith("[")
        if is_local_name and domain != message.sender.domain and likely_meant(domain) is None:
            shown = shorten(domain, 60)
            yield _warning(None, "domain-without-dot", f"{shown} has no dot: a host of your own network?")


def _check_content(message: Message, body_typed: str) -> Iterator[Finding]:
    if message.raw_sha256 is not None:
        return
    is_by_template = message.template is not None
    if not message.subject.strip() and not is_by_template:
        yield _warning("subject", "empty-subject", "The subject is empty")
    has_body = (message.text or "").strip() or message.html or body_typed.strip()
    if not has_body and not is_by_template:
        yield _warning("body", "empty-body", "The message has no text")
    if not message.attachments and (word := _attachment_mention(f"{message.subject}\n{body_typed}")):
        yield _warning("attachments", "attachment-missing", f"You wrote '{word}', but nothing is attached")


def _check_attachment(attachment: Attachment) -> Iterator[Finding]:
    name = shorten(attachment.name, 60)
    if attachment.size == 0:
        yield _warning("attachments", "empty-attachment", f"The attachment {name} is empty (0 bytes)")
    suffix = PurePosixPath(attachment.name.casefold().rstrip(". ")).suffix
    if _EXECUTABLE_SUFFIX.fullmatch(suffix):
        yield _warning(
            "attachments", "executable-attachment", f"{name} looks like a program; many mail servers refuse those"
        )


def _attachment_mention(text: str) -> str | None:
    """Finds a word that promises an attachment, outside quoted lines and the signature."""
    for line in text.splitlines():
        if line == "-- ":
            return None
        if not line.lstrip().startswith(">") and (match := _MENTION.search(line)):
            return match[0]
    return None


def _address_in_name(address: Address) -> Address | None:
    if "@" not in address.display_name or (match := _ADDRESS_LIKE.search(address.display_name)) is None:
        return None
    try:
        return parse_address(match[0])
    except InvalidAddress:
        return None


def _shown(address: Address) -> str:
    return shorten(Address(address.local_part, address.domain).readable, 60)


def _times(count: int) -> str:
    return "twice" if count == 2 else f"{count} times"


def _warning(field: str | None, code: str, text: str) -> Finding:
    return Finding(Severity.WARNING, field, code, text)
