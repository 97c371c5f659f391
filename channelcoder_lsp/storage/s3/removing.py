"""Removing a session's objects, also those that a process left behind that died."""

from __future__ import annotations

import asyncio
import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from channelcoder_lsp.storage.s3 import paths

if TYPE_CHECKING:
    from channelcoder_lsp.storage.s3.bucket import Bucket, Listed
    from channelcoder_lsp.storage.s3.card import Card
    from channelcoder_lsp.storage.s3.cards import Cards
    from channelcoder_lsp.storage.s3.listing import Listing
    from channelcoder_lsp.storage.s3.names import Names
    from channelcoder_lsp.storage.shared.backend import Handle

LEFT_BEHIND = timedelta(hours=1)
"""What belongs to nothing for so long is nobody's: a session that is being made is done by then."""
_ROUNDS = 5
_LOOK_SECONDS = 600.0
"""How often, at most, somebody who uses the sessions looks for those that are to be removed."""


class Removing:
    """Removes what one tenant has.

    Args:
        bucket: where that is.
        names: the tenant's names.
        cards: its cards.
        listing: its rows.
        retention: seconds after which a session is removed that nobody changed; None: never.
    """

    def __init__(self, bucket: Bucket, names: Names, cards: Cards, listing: Listing, retention: float | None) -> None:
        self._bucket = bucket
        self._names = names
        self._cards = cards
        self._listing = listing
        self._retention = retention
        self._look_at = 0.0

    async def end(self, handle: Handle) -> None:
        """Remove a session.

        Raises:
            SessionNotFoundError: it has gone, or has another name by now.
        """

        async def gone(card: Card) -> dict[str, Any]:
            return _gone(card)

        await self._cards.change(handle, gone)
        await self.finish(handle.key, handle.name)

    async def end_old(self) -> bool:
        """Remove the sessions that are not to be kept any longer; whether there were some.

        In one in which somebody asks the lease is renewed, which changes its card.
        """
        if self._retention is None or time.monotonic() < self._look_at:
            return False
        self._look_at = time.monotonic() + _LOOK_SECONDS
        ended = False
        if listed := await self._bucket.list(paths.CARDS):
            now = await self._now()
            for each in listed:
                if (now - each.modified).total_seconds() > self._retention:
                    ended |= await self._ended_as_listed(each)
        return ended

    async def _ended_as_listed(self, listed: Listed) -> bool:
        known = await self._cards.read(listed.path.removeprefix(paths.CARDS))
        if known is None or known.found.e_tag != listed.e_tag:  # somebody has just used it
            return False
        if not known.card.gone and not await self._cards.write(known, **_gone(known.card)):
            return False
        await self.finish(known.card.key, known.card.name)
        return True

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


def _gone(card: Card) -> dict[str, Any]:
    """What says in a card that its session has gone."""
    row = card.row.model_copy(update={"first_question": None})
    return {"gone": True, "row": row, "tail": (), "holder": None, "waiting": None}
