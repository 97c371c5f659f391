"""Changes to sessions: told by one small object, looked for in the list of the cards.

Whoever changes something writes that object anew, in the background and a few times a second at most. Who watches asks
for it twice a second, which costs a request without an answer's body while nothing changes. What nobody told, because
its process died right after it was recorded, is found by a look at the list every now and then.
"""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING
from uuid import uuid4

from channelcoder_lsp.domain.errors import StorageError
from channelcoder_lsp.services.tasks import end
from channelcoder_lsp.storage.s3 import paths

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from channelcoder_lsp.storage.s3.bucket import Bucket, Found
    from channelcoder_lsp.storage.s3.cards import Cards
    from channelcoder_lsp.storage.s3.names import Names

logger = logging.getLogger(__name__)

POLL_SECONDS = 0.5
IDLE_POLL_SECONDS = 1.0
_IDLE_AFTER = 60.0
_LOOK_SECONDS = 30.0
_RETRY_SECONDS = 2.0
_TELL_SECONDS = 0.2
_LAST_SECONDS = 2.0

_State = tuple[str, object]


class Bell:
    """Tells those who watch that something changed."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._due = False
        self._task: asyncio.Task[None] | None = None

    def ring(self) -> None:
        """Tell it, soon."""
        self._due = True
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._tell(), name="bucket-changed")

    async def rung(self) -> None:
        """Wait a moment until all was told."""
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=_LAST_SECONDS)
            await end([self._task])

    async def _tell(self) -> None:
        while self._due:
            self._due = False
            try:
                await self._bucket.put(paths.CHANGED, uuid4().hex.encode())
            except StorageError as problem:
                logger.info("others will see a change later: %s", problem)
                return
            await asyncio.sleep(_TELL_SECONDS)


class Watch:
    """One look after the other at all sessions of a tenant."""

    def __init__(self, bucket: Bucket, names: Names, cards: Cards) -> None:
        self._bucket = bucket
        self._names = names
        self._cards = cards
        self._at: dict[str, _State] = {}
        """By key: a card's ETag, and how far the session is; that is not known before a card has changed."""

    async def changes(self) -> AsyncGenerator[str, None]:
        """The names of sessions that changed."""
        seen: dict[str, _State] | None = None
        heard: Found | None = None
        looked = changed = time.monotonic()
        while True:
            pause = POLL_SECONDS if time.monotonic() - changed < _IDLE_AFTER else IDLE_POLL_SECONDS
            try:
                told = await self._bucket.get(paths.CHANGED, unless=heard)
                if seen is None or told is not heard or time.monotonic() - looked > _LOOK_SECONDS:
                    now = await self._look()
                    heard, looked = told, time.monotonic()
                    before, seen = seen, now
                    for name in [] if before is None else _difference(before, now):
                        changed = looked
                        yield name
            except StorageError as problem:
                logger.info("changes by others are not seen for a while: %s", problem)
                pause = _RETRY_SECONDS
            await asyncio.sleep(pause)

    async def _look(self) -> dict[str, _State]:
        seen, listed = await asyncio.gather(self._names.read(), self._bucket.list(paths.CARDS))
        names = seen.names
        tags = {each.path.removeprefix(paths.CARDS): each.e_tag for each in listed}
        there = {key for key in names.values() if key in tags}
        changed = [key for key in there if key in self._at and self._at[key][0] != tags[key]]
        found = await asyncio.gather(*(self._cards.read(key) for key in changed))
        at: dict[str, _State] = {key: self._at.get(key, (tags[key], tags[key])) for key in there}
        for key, known in zip(changed, found, strict=True):
            if known is None or known.card.gone:
                del at[key]
            else:
                at[key] = (known.found.e_tag, (known.card.generation, known.card.seq))
        self._at = at
        return {name: (key, at[key][1]) for name, key in names.items() if key in at}


def _difference(before: dict[str, _State], now: dict[str, _State]) -> list[str]:
    return [name for name in {**before, **now} if before.get(name) != now.get(name)]
