"""Domain names: A-labels for the wire, U-labels for the eye, and the ones that deceive it. Never looks one up."""

from __future__ import annotations

import re
import unicodedata
from typing import Never

from tui_mailer.domain.address_token import quote_for_person, refuse_controls
from tui_mailer.domain.errors import InvalidAddress

DOMAIN_LIMIT = 255
"""Octets of a domain (RFC 5321 section 4.5.3.1.2)."""
LABEL_LIMIT = 63
"""Octets of one label of a domain, as an A-label (RFC 1035)."""

_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?")
_DOTTED_NUMBER = re.compile(r"\d+(?:\.\d+){3}")
_CONFUSABLE_SCRIPTS = frozenset({"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE"})
_LATIN_LOOKALIKES = frozenset("аеорсухіјѕԁԛԝһӏьѵ" + "οανυκιρτχγ")


def to_a_label(domain: str) -> str:
    """Turns a domain into lower-case A-labels (IDNA 2008, UTS 46 non-transitional), an address literal into itself.

    A single label and a trailing dot (dropped) are fine; raises `InvalidAddress`.
    """
    refuse_controls(domain, where="A domain")
    if domain.startswith("["):
        return _checked_literal(domain)
    ascii_domain = domain.lower().removesuffix(".")
    if not ascii_domain.isascii() or "xn--" in ascii_domain:
        ascii_domain = _encode_labels(domain)
    if len(ascii_domain) > DOMAIN_LIMIT:
        _refuse(f"The domain {quote_for_person(domain)} is longer than {DOMAIN_LIMIT} characters", domain)
    for label in ascii_domain.split("."):
        _check_label(label, domain)
    if _DOTTED_NUMBER.fullmatch(ascii_domain):
        _refuse(f"An IP address as a domain needs brackets: [{ascii_domain}]", domain)
    return ascii_domain


def to_unicode(domain: str) -> str:
    """Turns A-labels into U-labels; what can't be decoded stays as it is."""
    if "xn--" not in domain:
        return domain
    import idna

    try:
        return idna.decode(domain)
    except (idna.IDNAError, UnicodeError):
        return domain


def looks_mixed_script(domain: str) -> bool:
    """Says whether a label mixes Latin, Cyrillic, Greek or Armenian letters, or imitates Latin with another script's.

    Takes A-labels or U-labels. A whole label of Cyrillic or Greek letters that all look Latin counts as well.
    """
    if domain.isascii() and "xn--" not in domain:
        return False
    return any(_is_label_suspect(label) for label in to_unicode(domain).split("."))


def _is_label_suspect(label: str) -> bool:
    letters = [character for character in label if character.isalpha()]
    scripts = {unicodedata.name(letter, "?").split(" ", 1)[0] for letter in letters} & _CONFUSABLE_SCRIPTS
    if len(scripts) > 1:
        return True
    return bool(letters) and scripts != {"LATIN"} and all(letter in _LATIN_LOOKALIKES for letter in letters)


def _checked_literal(domain: str) -> str:
    import ipaddress

    inner = domain[1:-1] if domain.endswith("]") and "%" not in domain else ""
    try:
        if inner[:5].lower() == "ipv6:":
            return f"[IPv6:{ipaddress.IPv6Address(inner[5:])}]"
        return f"[{ipaddress.IPv4Address(inner)}]"
    except ValueError:
        _refuse(f"{quote_for_person(domain)} is no IP address; write [192.0.2.1] or [IPv6:2001:db8::1]", domain)


def _encode_labels(domain: str) -> str:
    import idna

    try:
        encoded = idna.encode(domain, uts46=True, std3_rules=True, transitional=False).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        _refuse(f"The domain {quote_for_person(domain)} is not a possible international domain name", domain)
    return encoded.lower().removesuffix(".")


def _check_label(label: str, domain: str) -> None:
    if _LABEL.fullmatch(label) and len(label) <= LABEL_LIMIT:
        return
    shown = quote_for_person(domain)
    if not domain.strip("."):
        _refuse("There is no domain after the @", domain)
    if not label:
        _refuse(f"The domain {shown} has an empty part between its dots", domain)
    if len(label) > LABEL_LIMIT:
        _refuse(f"A part of the domain {shown} is longer than {LABEL_LIMIT} characters", domain)
    if label[0] == "-" or label[-1] == "-":
        _refuse(f"{quote_for_person(label)} in the domain {shown} can't start or end with a hyphen", domain)
    wrong = next((character for character in label if not _LABEL.fullmatch(character) and character != "-"), label)
    _refuse(f"The domain {shown} can't hold {quote_for_person(wrong) if wrong.strip() else 'a space'}", domain)


def _refuse(text: str, part: str) -> Never:
    raise InvalidAddress(text, part=part)
