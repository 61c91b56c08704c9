"""Takes a secret out of any text a server sends back, however it was encoded on the way."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

REDACTED = "[secret]"
_SHORTEST = 6
"""Shorter pieces would be found by chance everywhere."""


class Redactor:
    """Knows one secret in its plain, quoted, JSON, hex and Base64 forms."""

    def __init__(self, *secrets: str) -> None:
        forms = {form for secret in secrets if secret for form in _forms(secret)}
        longest_first = sorted(forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first)), re.IGNORECASE) if forms else None

    def __call__(self, text: str) -> str:
        """Returns the text with the secret replaced."""
        return text if self._pattern is None else self._pattern.sub(REDACTED, text)


def _forms(secret: str) -> Iterator[str]:
    yield secret
    encoded = secret.encode()
    variants = (
        quote(secret, safe=""),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        encoded.hex(),
        *_base64_forms(encoded),
    )
    yield from (form for form in variants if len(form) >= _SHORTEST)


def _base64_forms(secret: bytes) -> Iterator[str]:
    """Yields what stays of the secret in Base64 whatever stands before and behind it (``user:secret``)."""
    for alphabet in (base64.b64encode, base64.urlsafe_b64encode):
        for offset in range(3):
            whole = alphabet(b"\0" * offset + secret).decode().rstrip("=")
            first = -(-offset * 8 // 6)
            last = (offset + len(secret)) * 8 // 6
            yield whole[first:last]
