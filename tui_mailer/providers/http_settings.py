"""What every HTTP account can set, and which addresses a secret may be sent to."""

from __future__ import annotations

import ipaddress
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from tui_mailer.domain.domain_name import to_a_label


def check_base_url(url: str) -> str:
    """Returns the URL without a slash at its end; raises `ValueError` unless it is https, or http to loopback.

    A user, password, query or fragment in it is refused without being repeated: it may be a secret.
    """
    parts = urlsplit(url.strip())
    host = parts.hostname
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError("must be scheme, host and path alone: a secret belongs into the credential")
    if parts.scheme not in ("https", "http") or not host:
        raise ValueError("must be a URL like https://api.example.com")
    is_address = _ip_address(host) is not None
    if not is_address:
        to_a_label(host)
    if parts.port == 0:
        raise ValueError("must name a port from 1 to 65535")
    if parts.scheme == "http" and not is_loopback(host):
        raise ValueError("must be https; http is only for this computer (localhost)")
    return url.strip().rstrip("/")


def is_loopback(host: str) -> bool:
    """Says whether bytes for the host stay on this computer."""
    address = _ip_address(host)
    return host.lower() == "localhost" if address is None else address.is_loopback


def check_proxy(proxy: str) -> str:
    """Returns the word ``environment`` or a proxy's URL; raises `ValueError` for anything else."""
    parts = urlsplit(proxy)
    if proxy == "environment":
        return proxy
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise ValueError("must be 'environment', or a URL like http://proxy.example.com:3128 without user or password")
    return proxy


def _ip_address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


BaseUrl = Annotated[str, AfterValidator(check_base_url)]
"""An https URL, or http to loopback."""


class HttpSettings(BaseModel):
    """The settings that all HTTP providers have; each adds its own."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: BaseUrl | None = Field(
        default=None,
        description="Where the API is; left out: the provider's own address. https, or http to this computer.",
    )
    timeout_seconds: float = Field(
        default=60,
        ge=0.1,
        le=3600,
        description="How long an answer is waited for once a request has been sent; uploads are bounded by progress.",
    )
    proxy: Annotated[str, AfterValidator(check_proxy)] | None = Field(
        default=None,
        description="A proxy's URL, or 'environment' to use HTTPS_PROXY and NO_PROXY; left out: none is used.",
    )


class HttpOptions(BaseModel):
    """The message options that all HTTP providers have: none; each adds its own."""

    model_config = ConfigDict(extra="forbid", frozen=True)
