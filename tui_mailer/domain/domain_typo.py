"""Domains that look like a slip of the finger: one letter off from one that half the world writes to."""

from __future__ import annotations

_POPULAR = frozenset(
    {
        *("gmail.com", "googlemail.com", "outlook.com", "hotmail.com", "hotmail.co.uk", "hotmail.fr", "live.com"),
        *("yahoo.com", "yahoo.co.uk", "yahoo.de", "yahoo.fr", "icloud.com", "protonmail.com", "fastmail.com"),
        *("web.de", "gmx.de", "gmx.net", "t-online.de", "freenet.de", "posteo.de", "mailbox.org", "orange.fr"),
        *("wanadoo.fr", "laposte.net", "libero.it", "comcast.net", "verizon.net", "btinternet.com", "yandex.ru"),
    }
)
_ALSO_REAL = frozenset(
    {"mail.com", "gmx.com", "ymail.com", "live.co", "gmx.at", "yahoo.ca", "fastmail.fm", "hotmail.ca"}
)
"""One letter off, and somebody's domain all the same."""
_SLIPS = {
    **dict.fromkeys(("con", "cmo", "ocm", "comm", "vom", "xom"), "com"),
    "ogr": "org",
    "nte": "net",
}
"""Endings that no registry gives out, and what was meant."""
_SHORTEST = 7
"""Shorter names have too many real neighbours (web.de, wes.de)."""


def likely_meant(domain: str) -> str | None:
    """The domain that was probably meant; None where nothing looks wrong."""
    name = domain.lower()
    if name in _POPULAR or name in _ALSO_REAL:
        return None
    stem, _, ending = name.rpartition(".")
    if stem and ending in _SLIPS:
        return f"{stem}.{_SLIPS[ending]}"
    for popular in sorted(_POPULAR):
        if len(popular) >= _SHORTEST and _is_one_slip_off(name, popular):
            return popular
    return None


def _is_one_slip_off(typed: str, meant: str) -> bool:
    """One character missing, too many, another, or two in the wrong order."""
    if abs(len(typed) - len(meant)) > 1:
        return False
    start = 0
    while start < min(len(typed), len(meant)) and typed[start] == meant[start]:
        start += 1
    rest, wanted = typed[start:], meant[start:]
    swapped = len(rest) > 1 and rest[1::-1] == wanted[:2] and rest[2:] == wanted[2:]
    return swapped or rest[1:] == wanted[1:] or rest[1:] == wanted or rest == wanted[1:]
