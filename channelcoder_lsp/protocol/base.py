"""What all of the protocol is made of: positions and ranges as the client has them, and how names are written."""

from __future__ import annotations

from dataclasses import dataclass


def camel(name: str) -> str:
    """``thread_id`` as ``threadId``."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


STRICT = {"alias_generator": camel, "extra": "forbid"}
LENIENT = {"extra": "ignore"}
"""For LSP's own types, of which a client may send more than we use."""


@dataclass(frozen=True)
class ClientPosition:
    """LSP's Position: ``character`` counts in the encoding that was negotiated."""

    __pydantic_config__ = LENIENT
    line: int
    character: int


@dataclass(frozen=True)
class ClientRange:
    """LSP's Range."""

    __pydantic_config__ = LENIENT
    start: ClientPosition
    end: ClientPosition


@dataclass(frozen=True)
class ClientDiagnostic:
    """LSP's Diagnostic, as far as Claude is told of it."""

    __pydantic_config__ = LENIENT
    range: ClientRange
    message: str
    severity: int | None = None
    source: str | None = None
    code: str | int | None = None
