"""Takes a secret out of any text a server sends back, however it was encoded on the way."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator

REDACTED = "[secret]"
_SHORTEST = 6
"""Shorter pieces would be found by chance everywhere."""


class Redactor:
    """Knows one secret in its plain, quoted, JSON, hex and Base64 forms, also where white space breaks them up.

    A server may break its words anywhere, and quotes what it likes of an address: each character counts as itself, as
    what percent-encoding or JSON makes of it, and what lies between two counts for nothing if it is white space.
    """

    def __init__(self, *secrets: str) -> None:
        forms = {form for secret in secrets if secret for form in _forms(secret)}
        longest_first = sorted(forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(longest_first), re.IGNORECASE) if forms else None

    def __call__(self, text: str) -> str:
        """Returns the text with the secret replaced."""
        return text if self._pattern is None else self._pattern.sub(REDACTED, text)


def _forms(secret: str) -> Iterator[str]:
    """Yields patterns."""
    between = r"\s*" if len(secret) >= _SHORTEST else ""
    yield between.join(map(_ways_to_write, secret))
    encoded = secret.encode()
    for packed in (encoded.hex(), *_base64_forms(encoded)):
        if len(packed) >= _SHORTEST:
            yield r"\s*".join(map(re.escape, packed))


def _ways_to_write(character: str) -> str:
    ways = {
        character,
        "".join(f"%{octet:02X}" for octet in character.encode()),
        character.replace(" ", "+"),
        json.dumps(character)[1:-1],
        json.dumps(character, ensure_ascii=False)[1:-1],
        character.replace("/", "\\/"),
    }
    return f"(?:{'|'.join(map(re.escape, sorted(ways, key=len, reverse=True)))})"


def _base64_forms(secret: bytes) -> Iterator[str]:
    """Yields what stays of the secret in Base64 whatever stands before and behind it (``user:secret``)."""
    for alphabet in (base64.b64encode, base64.urlsafe_b64encode):
        for offset in range(3):
            whole = alphabet(b"\0" * offset + secret).decode().rstrip("=")
            first = -(-offset * 8 // 6)
            last = (offset + len(secret)) * 8 // 6
            yield whole[first:last]
