"""Asking a person before Claude uses a tool that does more than read.

Two uses of a tool are alike when the same consent holds for both: "for this session" is for what is alike, never for
all that a tool can do. A command is alike itself alone, to the letter; fetching from the web is alike for one host.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from channelcoder_lsp.domain.permission import Decision, Permission

if TYPE_CHECKING:
    from channelcoder_lsp.domain.turn import Turn

logger = logging.getLogger(__name__)

DETAIL_CHARS = 4_000
_STATUS_CHARS = 80
# Only what every parser of addresses reads alike: `https://a\@b` and `https://a<line end>b` are not.
_ADDRESS = re.compile(r"(https?://[A-Za-z0-9.-]+(?::\d+)?)[/?#]", re.IGNORECASE)


@dataclass(frozen=True)
class Use:
    """A use of a tool: its name, and in full what would run.

    Args:
        tool: the tool's name.
        detail: the command, the address with what is asked of it, or the arguments as JSON.
    """

    tool: str
    detail: str

    @property
    def host(self) -> str | None:
        """Where a WebFetch leads: ``https://docs.example``; None for other tools, and where it can't be told."""
        found = _ADDRESS.match(self.detail) if self.tool == "WebFetch" else None
        return found[1].lower() if found else None

    @property
    def alike(self) -> tuple[str, str | None]:
        """What uses have in common that one consent for the session covers.

        A search is like any other search. Of tools that aren't known here nobody can say what else they would do:
        they are like a command.
        """
        if self.tool == "WebSearch":
            return self.tool, None
        return self.tool, self.host or self.detail


AskPerson = Callable[["Turn", str, str], Awaitable["Decision | None"]]
"""Asks whether a turn may use a tool (its name, and what would run); None when nobody can be asked."""


def _say_nothing(_turn: Turn, _message: str) -> None:
    """Stands in where nobody watches."""


class SessionPermissions:
    """Decides for one session (:class:`~channelcoder_lsp.domain.permission.Permissions`).

    What was allowed for the session is forgotten with this object: when the session is closed, or the server ends.

    Args:
        ask: asks the person.
        seconds: how long they have; then the answer is no.
        status: told, in a few words, what a turn waits for and what came of it.
    """

    def __init__(
        self,
        ask: AskPerson,
        seconds: Callable[[], float],
        status: Callable[[Turn, str], None] = _say_nothing,
    ) -> None:
        self._ask = ask
        self._seconds = seconds
        self._status = status
        self._allowed: set[tuple[str, str | None]] = set()
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
        """Ask the person, unless such a use was allowed for the session.

        When it is cancelled, with its turn, the person is asked no more, and the answer was no.
        """
        turn = self._turn
        try:
            async with self._one_at_a_time:
                decision, reason = await self._decision(turn, Use(tool, detail))
        except asyncio.CancelledError:
            self._keep(turn, tool, detail, Decision.DENY, "the question was cancelled")
            raise
        return self._keep(turn, tool, detail, decision, reason)

    def _keep(self, turn: Turn | None, tool: str, detail: str, decision: Decision, reason: str | None) -> Permission:
        permission = Permission(tool=tool, detail=detail[:DETAIL_CHARS], decision=decision, reason=reason)
        if turn is self._turn:
            self._decided.append(permission)
        logger.info("%s: %s%s", tool, decision.value, f" ({reason})" if reason else "")
        return permission

    async def _decision(self, turn: Turn | None, use: Use) -> tuple[Decision, str | None]:
        if turn is None or turn is not self._turn:
            return Decision.DENY, "no question is being answered"
        if use.alike in self._allowed:
            return Decision.SESSION, "it was allowed for the session before"
        named = f"{use.tool} {' '.join(use.detail.split())}"[:_STATUS_CHARS]
        self._status(turn, f"waiting for your permission: {named}")
        decision, reason = await self._asked(turn, use)
        self._status(turn, f"{'denied' if decision is Decision.DENY else 'allowed'}: {named}")
        if decision is Decision.SESSION:
            self._allowed.add(use.alike)
        return decision, reason

    async def _asked(self, turn: Turn, use: Use) -> tuple[Decision, str | None]:
        seconds = self._seconds()
        try:
            decision = await asyncio.wait_for(self._ask(turn, use.tool, use.detail), seconds)
        except asyncio.TimeoutError:
            return Decision.DENY, f"nobody answered in {seconds:.0f} seconds"
        if decision is None:
            return Decision.DENY, "the editor could not ask, or the question was dismissed"
        return decision, None
