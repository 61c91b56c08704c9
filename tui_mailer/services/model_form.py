"""Forms from pydantic models: what a provider's settings and options look like to a person who fills them in."""

from __future__ import annotations

from dataclasses import dataclass
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, Union, get_args, get_origin

from tui_mailer.domain.text import clean

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

Kind = Literal["text", "choice", "switch", "number", "json"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FormField:
    """One field of a model."""

    name: str
    """As the model and the wire have it."""
    help: str
    """One sentence or two."""
    kind: Kind
    choices: tuple[str, ...] = ()
    """The allowed words of a ``choice``."""
    default: str = ""
    """What an empty field means, in words; empty: nothing is sent."""
    is_required: bool = False


def form_fields(model: type[BaseModel]) -> tuple[FormField, ...]:
    """The fields of a model in its order, those that must be filled in first.

    One that is never sent (``exclude``: it exists to be refused with its reason) isn't offered.
    """
    fields = [_form_field(name, info) for name, info in model.model_fields.items() if not info.exclude]
    return tuple(sorted(fields, key=lambda field: not field.is_required))


def _form_field(name: str, info: FieldInfo) -> FormField:
    kind, choices = _kind_of(info.annotation)
    return FormField(
        name=name,
        help=clean(info.description or ""),
        kind=kind,
        choices=choices,
        default=_say_default(info),
        is_required=info.is_required(),
    )


def _say_default(info: FieldInfo) -> str:
    value: object = None if info.is_required() else info.get_default(call_default_factory=True, validated_data={})
    if not value and not isinstance(value, bool | int | float):
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return clean(str(value))


def _kind_of(annotation: Any) -> tuple[Kind, tuple[str, ...]]:
    """Looks through ``Optional`` and ``Annotated``; what is no plain value is written as JSON."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _kind_of(get_args(annotation)[0])
    if origin in (Union, UnionType):
        members = [one for one in get_args(annotation) if one is not NoneType]
        kinds = {_kind_of(one) for one in members}
        # A word or something more: what is typed is read either way.
        return kinds.pop() if len(kinds) == 1 else ("text", ()) if str in members else ("json", ())
    if origin is Literal:
        return "choice", tuple(str(one) for one in get_args(annotation))
    if annotation is bool:
        return "switch", ()
    if annotation in (int, float):
        return "number", ()
    return ("text", ()) if annotation is str else ("json", ())
