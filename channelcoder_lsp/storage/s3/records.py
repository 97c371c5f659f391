"""The records of a session: those in its card, and those that were moved out of it."""

from __future__ import annotations

import asyncio
from bisect import bisect_left
from itertools import groupby
from typing import TYPE_CHECKING

from pydantic import TypeAdapter, ValidationError

from channelcoder_lsp.domain.errors import SessionCorruptError
from channelcoder_lsp.storage.s3 import paths
from channelcoder_lsp.storage.s3.card import Entry, dump_entries, lines_after, without

if TYPE_CHECKING:
    from collections.abc import Sequence

    from channelcoder_lsp.storage.s3.bucket import Bucket
    from channelcoder_lsp.storage.s3.card import Card
    from channelcoder_lsp.storage.shared.backend import Line

_ENTRIES = TypeAdapter(tuple[Entry, ...])


class VanishedError(Exception):
    """An object that a card speaks of is not there: the card is not true any more, or was never whole."""


class Records:
    """The records of one tenant's sessions."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    async def after(self, card: Card, seq: int) -> list[Line]:
        """The records after one, as of a card.

        Raises:
            VanishedError: the session was removed or saved anew since the card was read.
        """
        entries = [*await self._moved(card, seq), *card.tail]
        return lines_after(entries, seq)

    async def has(self, card: Card, after: int, token: str) -> bool:
        """Whether what was added with a token, after a record, is there."""
        try:
            return any(entry.token == token for entry in [*card.tail, *await self._moved(card, after)])
        except VanishedError:
            return False

    async def move(self, card: Card) -> str:
        """Write what a full card has in its tail to an object of its own; its path.

        A full tail stays as it is until it is moved. So whoever moves it, and however often, writes the same.
        """
        path = f"{paths.records(card.key, card.generation)}{paths.record_name(card.seq)}"
        await self._bucket.put(path, dump_entries(entry for entry in card.tail if entry.lines))
        return path

    async def drop(self, card: Card, unwanted: Sequence[int]) -> None:
        """Take records out of the objects that have them."""
        out = sorted(seq for seq in unwanted if seq <= card.moved)
        if not out:
            return
        folder = paths.records(card.key, card.generation)
        listed = await self._bucket.list(folder, after=paths.record_name(out[0] - 1))
        ends = [_end(each.path) for each in listed]
        for index, mine in groupby(out, key=lambda seq: bisect_left(ends, seq)):
            if index < len(listed):
                await self._rewrite(listed[index].path, set(mine))

    async def _rewrite(self, path: str, unwanted: set[int]) -> None:
        found = await self._bucket.get(path)
        if found is None:
            return
        left = [entry for entry in without(_parsed(found.data), unwanted) if entry.lines]
        if left:
            await self._bucket.put(path, dump_entries(left))
        else:
            await self._bucket.delete([path])

    async def _moved(self, card: Card, seq: int) -> list[Entry]:
        if seq >= card.moved:
            return []
        folder = paths.records(card.key, card.generation)
        # What is moved a second time after its records were dropped ends with the same number: it is that object.
        listed = await self._bucket.list(folder, after=paths.record_name(seq))
        wanted = [each.path for each in listed if _end(each.path) <= card.moved]
        found = await asyncio.gather(*(self._bucket.get(path) for path in wanted))
        if any(each is None for each in found):
            raise VanishedError
        return [entry for each in found if each is not None for entry in _parsed(each.data)]


def _end(path: str) -> int:
    return int(path.rpartition("/")[2])


def _parsed(data: bytes) -> tuple[Entry, ...]:
    try:
        return _ENTRIES.validate_json(data)
    except ValidationError as error:
        raise SessionCorruptError(
            "What the bucket has of a session's records can't be read. It was left as it is; restore it from a backup."
        ) from error
