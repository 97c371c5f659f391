"""Sessions that a project went on from while something was being asked in them."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from channelcoder_lsp.services.tasks import end

if TYPE_CHECKING:
    from collections.abc import Iterator

    from channelcoder_lsp.services.session import Session

logger = logging.getLogger(__name__)


@dataclass
class _Left:
    session: Session
    closing: bool = False


class LeftSessions:
    """They stay open until their questions are answered, and are closed then."""

    def __init__(self) -> None:
        self._left: dict[asyncio.Task[None], _Left] = {}

    def __iter__(self) -> Iterator[Session]:
        return iter([left.session for left in self._left.values()])

    def leave(self, session: Session) -> None:
        """Have ``session`` closed as soon as nothing is being asked in it."""
        left = _Left(session)
        task = asyncio.create_task(self._close_in_time(left), name=f"answers in {session.name}")
        self._left[task] = left
        task.add_done_callback(self._left.pop)

    async def take_back(self, name: str) -> Session | None:
        """The session ``name``, to be used again; None if it isn't among them, or not any more."""
        for task, left in list(self._left.items()):
            if left.session.name == name:
                if not left.closing:
                    await end([task])
                    return left.session
                await asyncio.wait({task})
        return None

    async def close(self, name: str | None = None) -> None:
        """End what is being asked in the session ``name``, or without a name in all of them, and close it."""
        for session in list(self):
            if name in (None, session.name) and (ours := await self.take_back(session.name)) is not None:
                await ours.close()

    async def _close_in_time(self, left: _Left) -> None:
        await left.session.answered()
        left.closing = True
        try:
            await left.session.close()
        except Exception:
            logger.exception("closing the session %s, whose questions are answered", left.session.name)
