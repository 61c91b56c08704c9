"""The JSON of frozen values (dataclasses and named tuples): written whole, read back by their annotations.

A field added to one later is stored and read without a change here; a missing one takes its default.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from tui_mailer.domain.errors import DamagedStore

T = TypeVar("T")
Encoder = Callable[[Any], Any]
Decoder = Callable[[Any], Any]
_LEAVES = frozenset({str, int, float, bool, NoneType})
_WRITE = json.JSONEncoder(separators=(",", ":")).encode
"""``json.dumps`` with separators makes such an encoder anew for every value."""


def to_json(value: object) -> str:
    """Writes a record, or a sequence of them, as one line of ASCII JSON."""
    # ASCII: a lone surrogate (a file name that isn't UTF-8) has an escape here and no UTF-8 form.
    return _WRITE(_plain(value))


def from_json(kind: type[T], text: str) -> T:
    """Reads what `to_json` wrote; raises `DamagedStore` when it is something else."""
    return _read(_decoder(kind), text)


def tuple_from_json(kind: type[T], text: str) -> tuple[T, ...]:
    """Reads a sequence that `to_json` wrote; raises `DamagedStore` when it is something else."""
    decode = _decoder(kind)
    return _read(lambda items: tuple(decode(one) for one in items), text)


def _read(decode: Callable[[Any], T], text: str) -> T:
    try:
        return decode(json.loads(text))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DamagedStore(
            "What is kept of a message isn't what was written. A disk or another program has changed it."
        ) from error


def _plain(value: Any) -> Any:
    kind = cast("type[Any]", type(value))
    return value if kind in _LEAVES else _encoder(kind)(value)


@cache
def _encoder(kind: type[Any]) -> Encoder:
    if _is_record(kind):
        return _record_encoder(kind)
    if issubclass(kind, StrEnum):
        return str
    if issubclass(kind, datetime):
        return datetime.isoformat
    if issubclass(kind, Mapping):
        return lambda value: {str(key): _plain(one) for key, one in value.items()}
    return lambda value: [_plain(one) for one in value]


def _record_encoder(kind: type[Any]) -> Encoder:
    """Leaves out what stands at its default: most fields of most messages do."""
    defaults = _defaults(kind)

    def encode(value: Any) -> dict[str, Any]:
        record: dict[str, Any] = {}
        for name, default in defaults.items():
            current = getattr(value, name)
            if current != default:
                record[name] = _plain(current)
        return record

    return encode


def _is_record(kind: type[Any]) -> bool:
    return is_dataclass(kind) or hasattr(kind, "_fields")


def _defaults(kind: type[Any]) -> dict[str, Any]:
    """The fields of a record, in order, with their defaults."""
    if is_dataclass(kind):
        return {one.name: _default(one) for one in fields(kind)}
    return {name: kind._field_defaults.get(name, MISSING) for name in kind._fields}


def _default(one: Field[Any]) -> Any:
    """A field's default; `MISSING`, which equals nothing else, where it has none."""
    return one.default if one.default_factory is MISSING else one.default_factory()


def _as_is(value: Any) -> Any:
    return value


@cache
def _decoder(kind: Any) -> Decoder:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return _optional(arguments)
    if origin is tuple:
        return _tuple(arguments)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _mapping(arguments[1])
    if isinstance(kind, type) and _is_record(cast("type[Any]", kind)):
        return _record(kind)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return kind
    return datetime.fromisoformat if kind is datetime else _as_is


def _optional(arguments: tuple[Any, ...]) -> Decoder:
    kinds = [one for one in arguments if one is not NoneType]
    if len(kinds) != 1:
        return _as_is
    decode = _decoder(kinds[0])
    return lambda value: None if value is None else decode(value)


def _tuple(arguments: tuple[Any, ...]) -> Decoder:
    if arguments[-1] is Ellipsis:
        decode = _decoder(arguments[0])
        return lambda value: tuple(decode(one) for one in value)
    decoders = [_decoder(one) for one in arguments]
    return lambda value: tuple(decode(one) for decode, one in zip(decoders, value, strict=True))


def _mapping(argument: Any) -> Decoder:
    decode = _decoder(argument)
    return lambda value: {key: decode(one) for key, one in value.items()}


def _record(kind: type[Any]) -> Decoder:
    hints = get_type_hints(kind)
    decoders = {name: _decoder(hints[name]) for name in _defaults(kind)}

    def decode(value: Mapping[str, Any]) -> Any:
        return kind(**{name: decoders[name](one) for name, one in value.items() if name in decoders})

    return decode
