"""The short schema notation of prompt files: ``name: string``, ``age?: number``, ``tags: string[]``, nested.

What a prompt file says under ``input`` and ``output`` becomes a pydantic model, which validates values and gives the
JSON schema.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr, create_model

from channelcoder_lsp.domain.errors import PromptError

_TYPES: dict[str, Any] = {
    "string": StrictStr,
    "number": StrictInt | StrictFloat,
    "integer": StrictInt,
    "boolean": StrictBool,
    "bool": StrictBool,
    "array": list[Any],
    "object": dict[str, Any],
    "any": Any,
}
_DETAILS = {"type", "optional", "nullable", "default", "min", "max", "enum", "items", "description"}
_DEEPEST = 30


def model_of(notation: object, where: str) -> type[BaseModel]:
    """The model of an object in the notation.

    Args:
        notation: names to types, as YAML gives it.
        where: what an error calls it: ``input``.

    Raises:
        PromptError: it isn't in the notation; the message names the key.
    """
    return _object(notation, where, 0)


def _object(notation: object, where: str, depth: int) -> type[BaseModel]:
    if not isinstance(notation, dict):
        raise PromptError(f"{where!r} is wrong: names and their types are expected, like `name: string`.")
    if depth > _DEEPEST:
        raise PromptError(f"{where!r} is wrong: it is nested more than {_DEEPEST} deep.")
    fields: dict[str, Any] = {}
    for key, given in notation.items():
        if not isinstance(key, str) or not key.removesuffix("?"):
            raise PromptError(f"{where!r} is wrong: {key!r} can't be a name.")
        name = key.removesuffix("?")
        fields[f"field_{len(fields)}"] = _field(given, name, f"{where}.{name}", depth, optional=key.endswith("?"))
    config = ConfigDict(extra="allow", validate_by_alias=True, serialize_by_alias=True)
    return create_model(where.replace(".", "_"), __config__=config, **fields)


def _field(given: object, name: str, where: str, depth: int, *, optional: bool) -> tuple[Any, Any]:
    details: dict[str, Any] = {}
    if isinstance(given, dict) and "type" in given and set(given) <= _DETAILS and isinstance(given["type"], str):
        details = given
        kind = _detailed(details, where, depth)
        optional = optional or bool(details.get("optional"))
    else:
        kind = _type(given, where, depth)
    if details.get("nullable") or optional:
        kind = kind | None if not isinstance(kind, str) else kind
    more: dict[str, Any] = {"alias": name, "description": details.get("description")}
    more |= _bounds(details, where)
    if "default" in details:
        return kind, Field(details["default"], **more)
    return kind, Field(None, **more) if optional else Field(**more)


def _detailed(details: dict[str, Any], where: str, depth: int) -> Any:
    choices = details.get("enum")
    if choices is not None:
        if not isinstance(choices, list) or not choices or not all(isinstance(one, (str, int)) for one in choices):
            raise PromptError(f"{where!r} is wrong: 'enum' takes a list of texts or numbers.")
        return Literal[tuple(choices)]
    if details["type"] == "array" and "items" in details:
        return list[_type(details["items"], f"{where}.items", depth + 1)]  # type: ignore[misc] # known when it runs
    return _type(details["type"], where, depth)


def _bounds(details: dict[str, Any], where: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    sized = str(details.get("type", "")).endswith(("string", "[]", "array"))
    for key, length, size in (("min", "min_length", "ge"), ("max", "max_length", "le")):
        if key in details:
            bound = details[key]
            if not isinstance(bound, (int, float)) or isinstance(bound, bool):
                raise PromptError(f"{where!r} is wrong: {key!r} takes a number.")
            found[length if sized else size] = int(bound) if sized else bound
    return found


def _type(given: object, where: str, depth: int) -> Any:
    match given:
        case str() if given.endswith("[]"):
            return list[_type(given[:-2].strip(), where, depth + 1)]  # type: ignore[misc] # known when it runs
        case str() if given.strip().lower() in _TYPES:
            return _TYPES[given.strip().lower()]
        case dict():
            return _object(given, where, depth + 1)
        case [only]:
            return list[_type(only, where, depth + 1)]  # type: ignore[misc] # known when it runs
    raise PromptError(
        f"{where!r} is wrong: {given!r} is no type. There are {', '.join(_TYPES)}, `string[]` and so on, a list of one "
        "type, and nested names."
    )
