"""What a journal's bytes say."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from typing import NamedTuple

from pydantic import ValidationError

from channelcoder_lsp.domain.errors import StorageError
from channelcoder_lsp.domain.records import Record, SessionCleared, TurnDelta, TurnFinished, dump_record, parse_record
from channelcoder_lsp.storage.file.disk import Stamp
from channelcoder_lsp.storage.unknown import json_object, refuse_newer

VERSION = 1
CARRIED_BYTES = 256 * 1024
"""How much of what is folded in already a new journal keeps."""


@dataclass(frozen=True)
class Header:
    """The first line of a journal."""

    session: str
    """An id of the session, to tell it from a later one of the same name."""
    seq: int
    """The last record that the snapshot held when this journal was started."""
    snapshot: Stamp
    """The snapshot that this journal was started on."""
    edits: int = 0
    """How often the session was changed by other means than records: by ChannelCoder, or by a save."""
    carried: int = 0
    """The bytes after this line that are folded in already."""
    first: int = 0
    """The number of the first record in this journal, if any is carried; else what comes next."""
    length: int = field(default=0, compare=False)
    """The bytes of this line."""

    def line(self) -> bytes:
        """The header as it stands in the file."""
        data = asdict(replace(self, length=0))
        del data["length"]
        return json.dumps({"type": "journal", "version": VERSION, **data}).encode() + b"\n"

    @classmethod
    def parse(cls, data: bytes) -> Header | None:
        """The header at the start of ``data``, or None if there is none.

        Raises:
            StorageError: a newer version wrote it.
        """
        line, end, _ = data.partition(b"\n")
        found = json_object(line) if end else None
        if found is None or found.pop("type", None) != "journal":
            return None
        if found.pop("version", None) != VERSION:
            raise StorageError(
                "A newer version of channelcoder-lsp has written this session's journal. Update this one."
            )
        try:
            found["snapshot"] = Stamp(*found["snapshot"])
            return cls(**found, length=len(line) + 1)
        except (KeyError, TypeError):
            return None


@dataclass
class Parsed:
    """Some of a journal's lines, read."""

    records: list[Record]
    good: int
    """The bytes that could be read."""
    torn: bool = False
    """Whether a line without its end follows: its writer died."""
    problem: str | None = None
    """Why a line that has its end could not be read."""


def parse_lines(data: bytes, *, after: int = 0) -> Parsed:
    """Read records from whole lines, leaving out those up to number ``after``.

    Raises:
        StorageError: a newer version wrote one of them.
    """
    records: list[Record] = []
    good = 0
    while (end := data.find(b"\n", good)) >= 0:
        line = data[good:end]
        try:
            record = parse_record(line)
        except ValidationError as error:
            refuse_newer(line)
            first = error.errors(include_url=False, include_input=False)[0]
            return Parsed(records, good, problem=str(first["msg"]))
        if record.seq > after:
            records.append(record)
        good = end + 1
    return Parsed(records, good, torn=good < len(data))


def dump_lines(records: list[Record]) -> bytes:
    """Records as lines."""
    return b"".join(dump_record(record).encode() + b"\n" for record in records)


class Carried(NamedTuple):
    """What a new journal starts with."""

    lines: bytes
    first: int
    """The number of the record from which on nothing is missing; 0 when there was none to carry."""


def carried_lines(records: list[Record]) -> Carried:
    """The last of ``records``, in ``CARRIED_BYTES``; without the deltas of turns whose end is among them.

    Nothing that was cleared is carried: it is to be gone once the session is at rest.
    """
    ended = {record.turn_id for record in records if isinstance(record, TurnFinished)}
    lines: list[bytes] = []
    room = CARRIED_BYTES
    first = records[-1].seq + 1 if records else 0
    for record in reversed(records):
        if not (isinstance(record, TurnDelta) and record.turn_id in ended):
            line = dump_lines([record])
            room -= len(line)
            if room < 0:
                break
            lines.append(line)
        first = record.seq
        if isinstance(record, SessionCleared):
            break
    return Carried(b"".join(reversed(lines)), first)
