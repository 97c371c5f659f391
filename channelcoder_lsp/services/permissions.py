"""Asking a person before Claude uses a tool that does more than read."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from channelcoder_lsp.domain.permission import Decision, Permission

if TYPE_CHECKING:
    from channelcoder_lsp.domain.turn import Turn

logger = logging.getLogger(__name__)

DETAIL_CHARS = 4_000
AskPerson = Callable[["Turn", str, str], Awaitable[Decision | None]]
"""Asks whether a turn may use a tool (its name, and what would run); None when nobody can be asked."""


class SessionPermissions:
    """Decides for one session (:class:`~channelcoder_lsp.domain.permission.Permissions`).

    Args:
        ask: asks the person.
        seconds: how long they have; then the answer is no.
    """

    def __init__(self, ask: AskPerson, seconds: Callable[[], float]) -> None:
        self._ask = ask
        self._seconds = seconds
        self._allowed: set[str] = set()
        self._turn: Turn | None = None
        self._decided: list[Permission] = []
        self._one_at_a_time = asyncio.Lock()

    def begin(self, turn: Turn) -> None:
        """What is asked from here on is for ``turn``."""
        self._turn = turn
        self._decided = []

    def decided(self, turn_id: str) -> list[Permission]:
        """What was decided for a turn so far, if it is the one under way."""
        return list(self._decided) if self._turn is not None and self._turn.id == turn_id else []

    async def decide(self, tool: str, detail: str) -> Permission:
        """Ask the person, unless the tool was allowed for the session."""
        async with self._one_at_a_time:
            decision, reason = await self._decision(tool, detail)
        permission = Permission(tool=tool, detail=detail[:DETAIL_CHARS], decision=decision, reason=reason)
        self._decided.append(permission)
        if decision is Decision.SESSION:
            self._allowed.add(tool)
        logger.info("%s: %s%s", tool, decision.value, f" ({reason})" if reason else "")
        return permission

    async def _decision(self, tool: str, detail: str) -> tuple[Decision, str | None]:
        if tool in self._allowed:
            return Decision.SESSION, None
        if self._turn is None:
            return Decision.DENY, "no question is being answered"
        seconds = self._seconds()
        try:
            decision = await asyncio.wait_for(self._ask(self._turn, tool, detail), seconds)
        except asyncio.TimeoutError:
            return Decision.DENY, f"nobody answered in {seconds:.0f} seconds"
        if decision is None:
            return Decision.DENY, "the editor could not ask, or the question was dismissed"
        return decision, None
