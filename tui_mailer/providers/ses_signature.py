"""AWS Signature Version 4 over an httpx request: botocore's own signer, with the digest of a body that is streamed."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from tui_mailer.providers.http_client import Request

if TYPE_CHECKING:
    from tui_mailer.providers.http_body import Payload

SERVICE = "ses"
_SIGNED = ("X-Amz-Date", "Authorization")


async def sign(request: Request, *, key_id: str, secret: str, region: str) -> Mapping[str, str]:
    """Makes ``X-Amz-Date`` and ``Authorization``; the body is read once for its digest.

    Raises `DamagedStore` when a file isn't what was sealed.
    """
    digest = await _digest(request.payload)
    # In a thread: botocore takes a tenth of a second to load.
    signed = await asyncio.to_thread(_signed, request, digest, key_id=key_id, secret=secret, region=region)
    return {name: signed[name] for name in _SIGNED}


def _signed(request: Request, digest: str, *, key_id: str, secret: str, region: str) -> Mapping[str, str]:
    from botocore.auth import SigV4Auth  # pyright: ignore[reportMissingTypeStubs]
    from botocore.awsrequest import AWSRequest  # pyright: ignore[reportMissingTypeStubs]
    from botocore.credentials import Credentials  # pyright: ignore[reportMissingTypeStubs]

    class DigestAuth(SigV4Auth):
        """Takes the digest that is known already instead of the body."""

        def payload(self, request: Any) -> str:  # noqa: ARG002 - botocore's signature
            return digest

    aws_request = AWSRequest(method=request.method, url=request.url, headers=dict(request.headers))
    DigestAuth(Credentials(key_id, secret), SERVICE, region).add_auth(aws_request)  # pyright: ignore[reportUnknownMemberType]
    return dict(aws_request.headers.items())


async def _digest(payload: Payload | None) -> str:
    made = sha256()
    if payload is not None:
        async for piece in payload.stream():
            made.update(piece)
    return made.hexdigest()
