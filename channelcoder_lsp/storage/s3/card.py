"""A session's card, as it is stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, ValidationError

from channelcoder_lsp.domain.errors import SessionCorruptError, StorageError
from channelcoder_lsp.domain.session import SessionInfo
from channelcoder_lsp.storage.shared.backend import Line
from channelcoder_lsp.storage.unknown import json_object

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FORMAT = 1
FULL_BYTES = 32_768
"""With so much in its tail a card takes no more records: they are moved out first."""


class _Stored(BaseModel):
    model_config = ConfigDict(frozen=True)


class Entry(_Stored):
    """Records that were added together."""

    token: str
    """The card's, when they were."""
    lines: tuple[tuple[int, str], ...]


class Card(_Stored):
    """What there is to know about a session without its history, and its last records."""

    format: int = FORMAT
    token: str
    """Another one each time the card is written: no two states of a card have one ETag, and who was not told whether
    a write came through finds it here."""
    key: str
    name: str
    gone: bool = False
    """The session was removed; what it had is being deleted."""
    generation: int
    seq: int
    row: SessionInfo
    base: str
    base_seq: int
    head: str
    head_seq: int
    moved: int
    """The last record that is not in the tail any more."""
    tail: tuple[Entry, ...] = ()
    fence: int = 0
    holder: str | None = None
    beat: str = ""
    """Another one each time the lease is given or renewed."""
    lasts: float = 0.0
    """Seconds after which a lease that was not renewed has ended."""
    waiting: str | None = None
    """Who is next to have the lease."""

    @property
    def full(self) -> bool:
        """Whether the tail must be moved before more is added. Then it is what it is for good."""
        return sum(len(text) for entry in self.tail for _, text in entry.lines) >= FULL_BYTES


def dump_entries(entries: Iterable[Entry]) -> bytes:
    """Entries as an object of their own."""
    return b"[" + b",".join(entry.model_dump_json().encode() for entry in entries) + b"]"


def parse_card(data: bytes) -> Card:
    """A card as it was read.

    Raises:
        StorageError: a newer version has written it.
        SessionCorruptError: it can't be read.
    """
    try:
        return Card.model_validate_json(data)
    except ValidationError as error:
        refuse_newer_format(data)
        raise SessionCorruptError(
            "What the bucket has of a session can't be read. It was left as it is; restore it from a backup."
        ) from error


def refuse_newer_format(data: bytes) -> None:
    """Raise a ``StorageError`` if an object is of a format that this version doesn't know."""
    found = json_object(data)
    if found and isinstance(number := found.get("format"), int) and number > FORMAT:
        raise StorageError("A newer version of channelcoder-lsp keeps its sessions in this bucket. Update this one.")


def lines_after(entries: Iterable[Entry], seq: int) -> list[Line]:
    """The records after one."""
    return [Line(number, text) for entry in entries for number, text in entry.lines if number > seq]


def without(entries: Iterable[Entry], drop: Sequence[int] | set[int]) -> tuple[Entry, ...]:
    """Entries without some records; those of which nothing is left stay, for their tokens."""
    unwanted = set(drop)
    return tuple(
        entry.model_copy(update={"lines": tuple(line for line in entry.lines if line[0] not in unwanted)})
        for entry in entries
    )
