"""What can be set for an SMTP account and for one message, and how long each answer is waited for."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, replace
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from tui_mailer.domain.domain_name import to_a_label

DeliveryNotice = Literal["default", "never", "failure", "success"]
"""What to be told by mail (RFC 3461 NOTIFY): the server's habit, nothing, failures and delays, or arrival too."""

_DEFAULT_PORTS = {"tls": 465, "starttls": 587, "none": 25}
_EHLO_NAME = re.compile(r"[A-Za-z0-9._-]{1,255}|\[[A-Za-z0-9.:]{2,64}\]")


class SmtpSettings(BaseModel):
    """An account's settings."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field(description="The server's name or IP address.")
    port: int | None = Field(
        default=None, ge=1, le=65535, description="Left out: 465 with tls, 587 with starttls, 25 with none."
    )
    security: Literal["tls", "starttls", "none"] = Field(
        description="tls from the first byte, starttls required, or none spelt out; never opportunistic."
    )
    username: str | None = Field(default=None, min_length=1, description="Who signs in; left out: nobody (no AUTH).")
    auth: Literal["auto", "plain", "login", "cram-md5", "xoauth2", "oauthbearer"] = Field(
        default="auto",
        description="How to sign in; auto: the first of plain, login and cram-md5 that the server offers. "
        "For xoauth2 and oauthbearer the credential is the access token.",
    )
    ehlo: str = Field(default="localhost", description="The name this computer introduces itself by.")
    fingerprint: str | None = Field(
        default=None,
        description="SHA-256 of the server's certificate, 64 hex digits with or without colons: accepts that "
        "certificate and no other, whoever has signed it.",
    )
    insecure_auth: bool = Field(default=False, description="Allow the password to travel without TLS.")
    timeout_seconds: float = Field(
        default=300,
        ge=1,
        le=3600,
        description="How long an answer to a command is waited for; the one to the whole message has at least 600 s.",
    )
    dsn: DeliveryNotice = Field(
        default="default",
        description="Which delivery notices to ask for, where the server can: default (its own habit), never, "
        "failure (and delay), success (arrival too).",
    )

    @field_validator("host")
    @classmethod
    def _check_host(cls, host: str) -> str:
        host = host.strip()
        if "@" in host or "/" in host:
            # A URL may hold a password: it isn't repeated.
            raise ValueError("must be a name or an IP address alone, without smtp://, user or path")
        if _ip_address(host) is None:
            to_a_label(host)
        return host

    @field_validator("ehlo")
    @classmethod
    def _check_ehlo(cls, name: str) -> str:
        if not _EHLO_NAME.fullmatch(name):
            raise ValueError("must be a host name or an [address literal]")
        return name

    @field_validator("fingerprint")
    @classmethod
    def _normalise_fingerprint(cls, fingerprint: str | None) -> str | None:
        if fingerprint is None:
            return None
        digits = re.sub(r"[:\s]", "", fingerprint).lower()
        if not re.fullmatch(r"[0-9a-f]{64}", digits):
            raise ValueError("must be a SHA-256 fingerprint: 64 hex digits, with or without colons")
        return digits

    @model_validator(mode="after")
    def _check_fingerprint_has_tls(self) -> Self:
        if self.fingerprint is not None and self.security == "none":
            raise ValueError("fingerprint needs security: tls or starttls")
        return self

    @property
    def host_label(self) -> str:
        """The host as it is looked up and verified: A-labels, or an IP address without brackets."""
        address = _ip_address(self.host)
        return to_a_label(self.host) if address is None else str(address)

    @property
    def effective_port(self) -> int:
        """The port to connect to: the configured one, or the usual one for the security."""
        return self.port if self.port is not None else _DEFAULT_PORTS[self.security]

    @property
    def is_loopback(self) -> bool:
        """Whether the bytes don't leave this computer."""
        address = _ip_address(self.host)
        return self.host_label == "localhost" if address is None else address.is_loopback


class SmtpOptions(BaseModel):
    """A message's options."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dsn: DeliveryNotice | None = Field(
        default=None, description="Which delivery notices to ask for; left out: as the account does."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """Seconds to wait, by what for (RFC 5321 section 4.5.3.2)."""

    connect: float = 30
    """TCP and TLS."""
    greeting: float = 300
    command: float = 300
    data: float = 120
    """For 354."""
    block: float = 180
    """Until the server has taken a block of the body: a measure of progress, not of the whole upload."""
    final: float = 600
    """For the answer to the whole message; shorter makes duplicates (RFC 1047)."""
    quit: float = 5
    idle: float = 30
    """How long an unused connection is kept."""

    def within(self, seconds: float) -> Timeouts:
        """Returns these with the waits for a command's answer set to ``seconds``."""
        return replace(
            self,
            connect=min(self.connect, seconds),
            greeting=seconds,
            command=seconds,
            data=min(self.data, seconds),
            final=max(self.final, seconds),
        )


def _ip_address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        return None
