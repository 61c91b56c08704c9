"""The providers' own API specs, where they lie beside the checkout: schemas with every reference put in place.

They aren't ours to ship: a test that wants one is skipped with a word where there is none.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from openapi_schema_validator import OAS31Validator

FOLDER = Path(os.environ.get("PROVIDER_SPECS", Path(__file__).parents[2].parent / "shared" / "contracts"))
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@cache
def spec(name: str) -> dict[str, Any]:
    """The whole document; skips the test where it isn't there."""
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"the provider's spec {name} isn't in {FOLDER} (or in the folder PROVIDER_SPECS names)")
    return yaml.load(path.read_text(encoding="utf-8"), _LOADER)


def schema_at(name: str, *keys: str) -> dict[str, Any]:
    """The schema at a place, references resolved; objects take no property that the spec doesn't name."""
    found: Any = _resolved(spec(name), spec(name))
    for key in keys:
        found = _resolved(found[key], spec(name))
    return _in_place(found, spec(name))


def troubles(schema: dict[str, Any], document: Any) -> list[str]:
    """What of a document breaks the schema."""
    return [f"{list(one.absolute_path)}: {one.message}" for one in OAS31Validator(schema).iter_errors(document)]


def _resolved(node: Any, root: dict[str, Any]) -> Any:
    while isinstance(node, dict) and "$ref" in node:
        target: Any = root
        for key in node["$ref"].removeprefix("#/").split("/"):
            target = target[key.replace("~1", "/").replace("~0", "~")]
        node = target
    return node


def _in_place(node: Any, root: dict[str, Any]) -> Any:
    node = _resolved(node, root)
    if isinstance(node, list):
        return [_in_place(one, root) for one in node]
    if not isinstance(node, dict):
        return node
    made = {key: _in_place(value, root) for key, value in node.items()}
    if isinstance(made.get("properties"), dict) and "type" in made:
        made.setdefault("additionalProperties", False)
    return made
