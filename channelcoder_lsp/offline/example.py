"""An example value for a JSON schema: what the offline model gives when a structured answer is asked for."""

from __future__ import annotations

from typing import Any

_TEXT = "An example of the offline model; no Claude was asked."
_DEEPEST = 12


def example_value(schema: dict[str, Any], *, text: str = _TEXT) -> Any:
    """The smallest sensible value that fits ``schema``: every property, one item per list.

    Args:
        schema: a JSON schema as tools and ``output_format`` carry it; references into ``$defs`` are followed.
        text: what a free string is filled with.
    """
    return _value(schema, schema, text, 0)


def _value(schema: dict[str, Any], root: dict[str, Any], text: str, depth: int) -> Any:
    """The example for ``schema``, a part of ``root``."""
    for key in ("const", "default"):
        if key in schema:
            return schema[key]
    if schema.get("enum"):
        return schema["enum"][0]
    part = _standing_for(schema, root)
    if part is not None:
        return _value(part, root, text, depth + 1) if depth < _DEEPEST else None
    kind = schema.get("type", "object" if "properties" in schema else "string")
    match kind[0] if isinstance(kind, list) else kind:
        case "object":
            properties: dict[str, Any] = schema.get("properties", {})
            return {name: _value(part, root, text, depth + 1) for name, part in properties.items()}
        case "array":
            count = max(1, schema.get("minItems", 1)) if "items" in schema and depth < _DEEPEST else 0
            return [_value(schema["items"], root, text, depth + 1) for _ in range(count)]
        case "string":
            return text.ljust(schema.get("minLength", 0), ".")[: schema.get("maxLength")]
        case "integer" | "number":
            return schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1)
        case other:
            return False if other == "boolean" else None


def _standing_for(schema: dict[str, Any], root: dict[str, Any]) -> dict[str, Any] | None:
    """The schema that a reference or a choice stands for, None where it is neither."""
    if "$ref" in schema:
        return _resolved(schema["$ref"], root)
    for key in ("anyOf", "oneOf", "allOf"):
        if schema.get(key):
            first: dict[str, Any] = schema[key][0]
            return first
    return None


def _resolved(reference: str, root: dict[str, Any]) -> dict[str, Any]:
    """What ``#/a/b`` points to in ``root``; an empty schema where it points nowhere."""
    part: Any = root
    for name in reference.removeprefix("#/").split("/"):
        part = part.get(name, {}) if isinstance(part, dict) else {}
    return part if isinstance(part, dict) else {}
