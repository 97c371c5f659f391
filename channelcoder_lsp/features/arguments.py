"""From the JSON of ``workspace/executeCommand`` to the types that the protocol declares, and back."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar

from channelcoder_lsp.domain.errors import ArgumentsError
from channelcoder_lsp.protocol import Command, camel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import TypeAdapter

A = TypeVar("A")
R = TypeVar("R")


def parse(command: Command[A, R], given: Sequence[Any]) -> A:
    """The command's argument.

    Raises:
        ArgumentsError: it does not fit; the message names the field.
    """
    from pydantic import ValidationError  # noqa: PLC0415 - not loaded before the first command

    if len(given) > 1:
        raise ArgumentsError(f"{command.name} takes one argument, an object; {len(given)} were given.")
    try:
        adapter = _adapter(command.arguments)  # type: ignore[arg-type] # every class is hashable
        argument: A = adapter.validate_python(given[0] if given else {})
    except ValidationError as problem:
        first = problem.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the argument"
        raise ArgumentsError(
            f"{command.name}: {where}: {first['msg']}. docs/protocol.md describes the command."
        ) from problem
    return argument


def parse_as(kind: type[A], given: Any) -> A:
    """The parameters of a notification of ours.

    Raises:
        ArgumentsError: they do not fit; the message names the field.
    """
    from pydantic import ValidationError  # noqa: PLC0415 - likewise

    try:
        parsed: A = _adapter(kind).validate_python(given)  # type: ignore[arg-type] # every class is hashable
    except ValidationError as problem:
        first = problem.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "the parameters"
        raise ArgumentsError(f"{where}: {first['msg']}.") from problem
    return parsed


def as_json(value: Any) -> Any:
    """A result as JSON, its fields in camelCase."""
    if is_dataclass(value) and not isinstance(value, type):
        return {camel(field.name): as_json(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, (list, tuple)):
        return [as_json(item) for item in value]
    return value


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter  # noqa: PLC0415 - likewise

    return TypeAdapter(kind)
