"""What providers need of a message when they write it into an API's own shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from tui_mailer.domain.errors import Unsupported
from tui_mailer.providers.base import Outgoing

M = TypeVar("M", bound=BaseModel)


def without_empty(mapping: Mapping[str, object]) -> dict[str, object]:
    """Leaves out what is None, empty text, or an empty list or object: most APIs refuse those."""
    return {key: value for key, value in mapping.items() if value is not None and value not in ("", [], {}, ())}


def options_of(outgoing: Outgoing, model: type[M]) -> M:
    """The message's options as the provider's own model; raises `Unsupported` for one that isn't valid any more."""
    try:
        return model.model_validate(dict(outgoing.message.options))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        name = ".".join(str(part) for part in first["loc"])
        said = first["msg"].removeprefix("Value error, ")
        raise Unsupported("options", f"Option '{name}': {said}.", "Change it or leave it out.") from None
