"""Compares what a dry run prints with what a server was asked: the same requests, up to blanks, files and secrets."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from http_lab import LabRequest

from tui_mailer.domain.text import clean
from tui_mailer.providers.base import Outgoing, Step

UNSAID = {"host", "content-length", "user-agent", "accept", "accept-encoding", "connection"}
"""Headers that any client adds."""
_BLANK = re.compile(r"\\\{[a-z_]+(?:\\\[\d+\\\])?\\?\.[^{}]+\\\}")


def difference(step: Step, request: LabRequest, base_url: str, outgoing: Outgoing) -> str:
    """Says in what the two differ; empty: they don't."""
    title, _, _ = step.title.partition(" (only if ")
    target = request.headers["host"] + request.target
    pattern = _BLANK.sub("[^?]+", re.escape(re.sub(r"^(\w+) https?://", r"\1 ", title)))
    wanted = re.escape(f"{request.method} ") + ".*" if title.split(" ", 1)[1].startswith("{") else pattern
    if not re.fullmatch(wanted, f"{request.method} {target}"):
        return f"{title!r} is not {request.method} {base_url} {request.target}"
    head, body = _split(step.lines)
    return _header_difference(head, request) or _body_difference(body, request, outgoing)


def _split(lines: tuple[str, ...]) -> tuple[dict[str, str], list[str]]:
    at = lines.index("") if "" in lines else len(lines)
    head = dict(line.split(": ", 1) for line in lines[:at])
    return {name.lower(): value for name, value in head.items()}, list(lines[at + 1 :])


def _header_difference(head: Mapping[str, str], request: LabRequest) -> str:
    for name, value in head.items():
        if name not in request.headers:
            return f"header {name} is shown and wasn't sent"
        if "[" not in value and clean(request.headers[name]) != value:
            return f"header {name}: {value!r} is not {request.headers[name]!r}"
    unsaid = set(request.headers) - set(head) - UNSAID
    return f"headers sent and not shown: {unsaid}" if unsaid else ""


def _body_difference(shown: list[str], request: LabRequest, outgoing: Outgoing) -> str:
    names = {one.sha256: one for one in outgoing.message.attachments if one.sha256}

    def in_words(octets: bytes, name: str | None = None) -> str | None:
        digest = hashlib.sha256(octets).hexdigest()
        if digest not in names:
            return None
        return f"[{clean(name or names[digest].name)}: {len(octets)} bytes, sha256 {digest}]"

    kind = request.headers.get("content-type", "")
    if kind.startswith("application/json"):
        sent = json.dumps(_with_names(json.loads(request.body), in_words), ensure_ascii=False)
        return _json_difference(json.loads("\n".join(shown)), json.loads("\n".join(map(clean, sent.splitlines()))), "")
    if kind.startswith("multipart/form-data"):
        lines: list[str] = []
        for part in request.form:
            said = in_words(part.body, part.file_name) if part.file_name is not None else None
            text = said if said is not None else part.body.decode()
            lines += [f"{part.name}: {clean(line)}" for line in text.splitlines() or [""]]
        fixed = [line for line in shown if not line.startswith("{")]
        missing = [line for line in fixed if line not in lines]
        extra = [line for line in lines if line not in fixed] if fixed == shown else []
        return f"shown and not sent: {missing}; sent and not shown: {extra}" if missing or extra else ""
    return "" if not request.body and not shown else f"a body of {kind} is not compared"


def _with_names(value: Any, in_words: Any) -> Any:
    """Replaces files in Base64 by what a dry run shows for them."""
    if isinstance(value, dict):
        return {key: _with_names(one, in_words) for key, one in value.items()}
    if isinstance(value, list):
        return [_with_names(one, in_words) for one in value]
    if isinstance(value, str):
        try:
            return in_words(base64.b64decode(value, validate=True)) or value
        except (binascii.Error, ValueError):
            return value
    return value


def _json_difference(shown: Any, sent: Any, where: str) -> str:
    if isinstance(shown, str) and re.fullmatch(r"\{[a-z_]+(\[\d+\])?\.[^{}]+\}", shown):
        return ""
    if isinstance(shown, dict) and isinstance(sent, dict):
        if list(shown) != list(sent):
            return f"{where}: fields {list(shown)} are not {list(sent)}"
        return next(filter(None, (_json_difference(shown[key], sent[key], f"{where}.{key}") for key in shown)), "")
    if isinstance(shown, list) and isinstance(sent, list) and len(shown) == len(sent):
        pairs = enumerate(zip(shown, sent, strict=True))
        return next(filter(None, (_json_difference(a, b, f"{where}[{index}]") for index, (a, b) in pairs)), "")
    return "" if shown == sent else f"{where}: {shown!r} is not {unquote(repr(sent))}"
