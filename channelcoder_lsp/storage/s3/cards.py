"""Reading a session's card, and changing it in one step."""

from __future__ import annotations

import asyncio
import random
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import uuid4
from weakref import WeakValueDictionary

from channelcoder_lsp.domain.errors import ChannelCoderError, SessionNotFoundError, StorageUnreachableError
from channelcoder_lsp.storage.s3 import paths
from channelcoder_lsp.storage.s3.card import Card, parse_card

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from channelcoder_lsp.storage.s3.bucket import Bucket, Found
    from channelcoder_lsp.storage.shared.backend import Handle

    Decide = Callable[[Card], Awaitable[dict[str, Any] | None]]
    CameThrough = Callable[[Card, str], Awaitable[bool]]

_REMEMBERED = 200
"""Cards that are kept in memory, so that one that has not changed needs not be sent."""
_LONGEST_PAUSE = 0.2


@dataclass(frozen=True)
class Known:
    """A card, and what it was read from."""

    card: Card
    found: Found


class Cards:
    """The cards of one tenant.

    Args:
        bucket: where they are.
        changed: called when one was changed here.
    """

    def __init__(self, bucket: Bucket, changed: Callable[[], None]) -> None:
        self._bucket = bucket
        self._changed = changed
        self._known: OrderedDict[str, Known] = OrderedDict()
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def read(self, key: str) -> Known | None:
        """A card as it is now, whatever it says; None: there is none."""
        known = self._known.get(key)
        found = await self._bucket.get(paths.card(key), unless=known.found if known else None)
        if found is None:
            self._known.pop(key, None)
            return None
        if known is None or found is not known.found:
            known = self._remember(key, Known(parse_card(found.data), found))
        return known

    async def of(self, handle: Handle) -> Card:
        """A session's card as it is now.

        Raises:
            SessionNotFoundError: the session has gone, or has another name by now.
        """
        return _checked(await self.read(handle.key), handle)

    async def write(self, known: Known, **changes: Any) -> bool:
        """Change a card that was read; whether it was still as it was read."""
        card = known.card.model_copy(update={**changes, "token": uuid4().hex})
        try:
            tag = await self._bucket.put_if(paths.card(card.key), card.model_dump_json().encode(), known.found.e_tag)
        finally:
            self._known.pop(card.key, None)  # its ETag is known, its date is not
        if tag is None:
            now = await self.read(card.key)
            if now is None or now.card.token != card.token:
                return False
        self._changed()
        return True

    async def make(self, card: Card) -> bool:
        """Write a new session's card; whether its key was free."""
        tag = await self._bucket.put_if(paths.card(card.key), card.model_dump_json().encode(), None)
        return tag is not None

    async def change(
        self, handle: Handle, decide: Decide, came_through: CameThrough | None = None
    ) -> tuple[Card, Card] | None:
        """Change a session's card, however often others are faster.

        Args:
            handle: the session.
            decide: what to change in the card as it is; None: nothing. It may be asked again and again.
            came_through: whether the change that had this token is in what the card is now. Without it, only the
                card's own token tells.

        Returns:
            The card before and after; None when nothing was to be changed.

        Raises:
            SessionNotFoundError: the session has gone, or has another name by now.
        """
        lock = self._locks.setdefault(handle.key, asyncio.Lock())
        async with lock:
            # What is remembered will do to begin with: if it is not true any more, nothing can be changed by it.
            known, fresh, lost, pause = self._known.get(handle.key), False, 0, 0.005
            while True:
                if known is None:
                    known, fresh = await self.read(handle.key), True
                try:
                    before = _checked(known, handle)
                    changes = await decide(before)
                except ChannelCoderError:
                    if fresh:
                        raise
                    known = None
                    continue
                if known is None or changes is None:
                    if fresh:
                        return None
                    known = None
                    continue
                card = before.model_copy(update={**changes, "token": uuid4().hex})
                if await self._put(known, card, last=bool(lost)):
                    self._changed()
                    return before, card
                lost += 1
                self._bucket.expect_an_end(lost)
                known, fresh = await self.read(handle.key), True
                if known is not None and (
                    known.card.token == card.token
                    or (came_through is not None and await came_through(known.card, card.token))
                ):
                    self._changed()
                    return before, card
                await asyncio.sleep(random.uniform(0, pause))  # noqa: S311 - so that those who collide don't again
                pause = min(pause * 2, _LONGEST_PAUSE)

    def forget(self, key: str) -> None:
        """Forget a card that was deleted."""
        self._known.pop(key, None)

    async def _put(self, known: Known, card: Card, *, last: bool) -> bool:
        data = card.model_dump_json().encode()
        try:
            tag = await self._bucket.put_if(paths.card(card.key), data, known.found.e_tag)
        except StorageUnreachableError:
            if last:
                raise
            return False  # it may have come through: whoever looks at the card now will know
        if tag is None:
            return False
        self._remember(card.key, Known(card, type(known.found)(data, tag, known.found.modified)))
        return True

    def _remember(self, key: str, known: Known) -> Known:
        self._known[key] = known
        self._known.move_to_end(key)
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return known


def _checked(known: Known | None, handle: Handle) -> Card:
    if known is None or known.card.gone or known.card.name != handle.name:
        raise SessionNotFoundError(handle.name)
    return known.card
