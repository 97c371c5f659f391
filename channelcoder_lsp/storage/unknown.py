"""Lines that a newer version has written."""

from __future__ import annotations

import json
from typing import Any, get_args

from channelcoder_lsp.domain.errors import StorageError
from channelcoder_lsp.domain.records import Record

_KNOWN = frozenset(model.model_fields["type"].default for model in get_args(get_args(Record)[0]))


def refuse_newer(line: str | bytes) -> None:
    """Raise a ``StorageError`` if a line is a record of a kind that this version doesn't know."""
    found = json_object(line)
    if found and isinstance(found.get("seq"), int) and isinstance(kind := found.get("type"), str):
        if kind in _KNOWN:
            return
        raise StorageError(
            f"A newer version of channelcoder-lsp has written {kind!r} into this session. Update this one."
        )


def json_object(line: str | bytes) -> dict[str, Any] | None:
    """The JSON object that a line is, or None if it is none."""
    try:
        found = json.loads(line)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
