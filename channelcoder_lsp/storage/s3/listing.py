"""The rows of all sessions, without a look at each of them.

A list of the cards tells the ETag of each. An object remembers, for each ETag, the row that was read: only cards that
have changed since are read. It is worth no more than its ETags, so it may be behind, be overwritten or be missing.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, ValidationError

from channelcoder_lsp.domain.session import SessionInfo
from channelcoder_lsp.storage.s3 import paths

if TYPE_CHECKING:
    from collections.abc import Mapping

    from channelcoder_lsp.storage.s3.bucket import Bucket
    from channelcoder_lsp.storage.s3.cards import Cards
    from channelcoder_lsp.storage.s3.names import Names

_WORTH_IT = 20
"""So many rows, or a tenth of all, must be behind before the object is written anew."""


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True)

    e_tag: str
    name: str
    row: SessionInfo


class _Rows(BaseModel):
    rows: dict[str, _Row] = {}


class Listing:
    """The list of one tenant's sessions."""

    def __init__(self, bucket: Bucket, names: Names, cards: Cards) -> None:
        self._bucket = bucket
        self._names = names
        self._cards = cards

    async def rows(self) -> list[SessionInfo]:
        """The rows, each with its name."""
        seen, listed, kept = await asyncio.gather(
            self._names.read(), self._bucket.list(paths.CARDS), self._remembered()
        )
        names = seen.names
        tags = {each.path.removeprefix(paths.CARDS): each.e_tag for each in listed}
        keys = {key for key in names.values() if key in tags}
        rows = {key: kept[key] for key in keys if key in kept and kept[key].e_tag == tags[key]}
        behind = [key for key in keys if key not in rows]
        rows.update(await self._read(behind))
        if len(behind) >= max(_WORTH_IT, len(keys) // 10) or kept.keys() - keys:
            await self._bucket.put(paths.ROWS, _Rows(rows=rows).model_dump_json().encode())
        return [
            row.row.model_copy(update={"name": row.name, "path": f"{self._bucket.address}/{row.name}"})
            for key, row in rows.items()
            if names.get(row.name) == key
        ]

    async def forget(self, key: str) -> None:
        """Drop the row of a session that was removed."""
        kept = await self._remembered()
        if kept.pop(key, None) is not None:
            await self._bucket.put(paths.ROWS, _Rows(rows=kept).model_dump_json().encode())

    async def _remembered(self) -> dict[str, _Row]:
        found = await self._bucket.get(paths.ROWS)
        if found is None:
            return {}
        try:
            return _Rows.model_validate_json(found.data).rows
        except ValidationError:  # another version's: it is made anew
            return {}

    async def _read(self, keys: list[str]) -> Mapping[str, _Row]:
        found = await asyncio.gather(*(self._cards.read(key) for key in keys))
        return {
            key: _Row(e_tag=known.found.e_tag, name=known.card.name, row=known.card.row)
            for key, known in zip(keys, found, strict=True)
            if known is not None and not known.card.gone
        }
