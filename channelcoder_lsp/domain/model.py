"""The base of everything that is stored: camelCase at rest, snake_case in code, unknown keys kept."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, PlainSerializer
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticSerializationError


class Model(BaseModel):
    """A stored value.

    Keys that this version doesn't know are kept through a load and a save, so that a newer version (or
    ChannelCoder itself) loses nothing when an older one touches its file.
    """

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="allow",
        defer_build=True,
    )

    def to_json(self, *, exclude: Any = None, indent: int | None = None) -> str:
        """The value at rest: camelCase, without what is None, every text :func:`well_formed`.

        Args:
            exclude: what to leave out, as pydantic takes it.
            indent: how far to indent, or None for one line.
        """
        try:
            return self.model_dump_json(by_alias=True, exclude_none=True, exclude=exclude, indent=indent)
        except PydanticSerializationError:
            data = self.model_dump(mode="json", by_alias=True, exclude_none=True, exclude=exclude)
            separators = (",", ":") if indent is None else None
            return json.dumps(well_formed(data), ensure_ascii=False, indent=indent, separators=separators)


def well_formed(data: Any) -> Any:
    """``data``, as JSON has it, with U+FFFD for each half of a surrogate pair that stands alone.

    Editors that count UTF-16 units can cut a character in two; UTF-8 has no place for the halves.
    """
    match data:
        case str():
            return data.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        case list():
            return [well_formed(item) for item in data]
        case dict():
            return {well_formed(key): well_formed(value) for key, value in data.items()}
    return data


def now() -> datetime:
    """The present moment, aware, in UTC, to the millisecond (what JavaScript's Date keeps)."""
    moment = datetime.now(timezone.utc)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def iso(moment: datetime) -> str:
    """``moment`` as JavaScript's ``Date.toJSON`` writes it: ``2024-01-15T10:30:00.000Z``."""
    return moment.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


Timestamp = Annotated[datetime, AfterValidator(_aware), PlainSerializer(iso, return_type=str, when_used="json")]
"""An aware datetime; one without a zone is taken as UTC. At rest as ``Date.toJSON`` writes it."""
