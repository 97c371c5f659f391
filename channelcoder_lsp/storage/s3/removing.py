"""Removing a session's objects, also those that a process left behind that died."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING
from uuid import uuid4

from channelcoder_lsp.storage.s3 import paths

if TYPE_CHECKING:
    from channelcoder_lsp.storage.s3.bucket import Bucket
    from channelcoder_lsp.storage.s3.cards import Cards
    from channelcoder_lsp.storage.s3.listing import Listing
    from channelcoder_lsp.storage.s3.names import Names

LEFT_BEHIND = timedelta(hours=1)
"""What belongs to nothing for so long is nobody's: a session that is being made is done by then."""
_ROUNDS = 5


class Removing:
    """Removes what one tenant has."""

    def __init__(self, bucket: Bucket, names: Names, cards: Cards, listing: Listing) -> None:
        self._bucket = bucket
        self._names = names
        self._cards = cards
        self._listing = listing

    async def finish(self, key: str, name: str) -> None:
        """Remove all of a session whose card says that it has gone; any number of times, by anybody."""
        await self._names.drop(name, key)
        await self._listing.forget(key)
        await self._empty(key)
        await self._bucket.delete([paths.card(key)])
        self._cards.forget(key)

    async def sweep(self) -> None:
        """Remove what belongs to no session, and has for long."""
        seen, listed, folders = await asyncio.gather(
            self._names.read(), self._bucket.list(paths.CARDS), self._bucket.folders(paths.DATA)
        )
        cards = {each.path.removeprefix(paths.CARDS): each for each in listed}
        names, named = seen.names, set(seen.names.values())
        suspects = ({*cards, *folders} - named) if (cards or folders) else set()
        if not suspects:
            return
        now = await self._now()
        for key in suspects:
            objects = [*await self._bucket.list(paths.data(key)), *filter(None, [cards.get(key)])]
            if any(now - each.modified < LEFT_BEHIND for each in objects):
                continue
            known = await self._cards.read(key)
            if known is None:
                await self._empty(key)
            elif known.card.gone:
                await self.finish(key, known.card.name)
            elif known.card.name not in names:  # who made it died before the last step
                await self._names.give(seen, known.card.name, key)

    async def _now(self) -> datetime:
        """What the server's clock says at least: when it wrote an object a moment ago."""
        await self._bucket.put(paths.CHANGED, uuid4().hex.encode())
        found = await self._bucket.get(paths.CHANGED)
        return found.modified if found is not None else datetime.min.replace(tzinfo=timezone.utc)

    async def _empty(self, key: str) -> None:
        for _ in range(_ROUNDS):  # what was on its way meanwhile goes, too; what comes later, by the sweep
            if not (listed := await self._bucket.list(paths.data(key))):
                return
            await self._bucket.delete(each.path for each in listed)
