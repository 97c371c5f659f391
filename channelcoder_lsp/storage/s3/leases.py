"""The lease on a session's card, without anybody's clock.

A bucket has no clock that could be asked, and the clocks of machines differ. So a lease has ended when whoever wants it
has seen it unrenewed for as long as it lasts: time passes at one pace everywhere. Each renewal leaves another mark on
the card, so a look that was long ago says as much as many looks in between.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from uuid import uuid4

if TYPE_CHECKING:
    from channelcoder_lsp.storage.s3.card import Card

_WAITING_SECONDS = 2.0
"""For how long a free lease is kept for who is next."""
_REMEMBERED = 200


class Leases:
    """What this process has seen of leases."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[object, float]] = {}

    def wanted(self, card: Card, holder: str, seconds: float) -> dict[str, Any] | None:
        """What somebody who wants the lease changes in the card: takes it, or the place of the next; None: nothing."""
        mine = card.waiting in (None, holder)
        if card.holder is None:
            if mine or self._unchanged_for((card.fence, card.waiting), card.key) >= _WAITING_SECONDS:
                return self._taken(card, holder, seconds)
            return None
        if self._unchanged_for((card.fence, card.beat), card.key) >= card.lasts:
            # Whoever is next looks as often as others do: it is for the first of them who sees it.
            return self._taken(card, holder, seconds)
        return {"waiting": holder} if card.waiting is None else None

    def renewed(self, card: Card, fence: int, seconds: float) -> dict[str, Any] | None:
        """What its holder changes to have it for longer; None: it is not held any more."""
        if card.fence != fence or card.holder is None:
            return None
        return {"beat": uuid4().hex, "lasts": seconds}

    def released(self, card: Card, fence: int) -> dict[str, Any] | None:
        """What its holder changes to let go of it."""
        return {"holder": None} if card.fence == fence and card.holder is not None else None

    def _taken(self, card: Card, holder: str, seconds: float) -> dict[str, Any]:
        return {
            "fence": card.fence + 1,
            "holder": holder,
            "beat": uuid4().hex,
            "lasts": seconds,
            "waiting": None,
        }

    def _unchanged_for(self, state: object, key: str) -> float:
        now = time.monotonic()
        before = self._seen.get(key)
        if before is None or before[0] != state:
            while len(self._seen) >= _REMEMBERED:
                self._seen.pop(next(iter(self._seen)))
            self._seen[key] = (state, now)
            return 0.0
        return now - before[1]
