"""The base of everything that is stored: camelCase at rest, snake_case in code, unknown keys kept."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, PlainSerializer
from pydantic.alias_generators import to_camel


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
