"""What a program's sessions work with: settings, the agent, and an ear for what the sessions tell."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from channelcoder_lsp.configuration import Configuration
from channelcoder_lsp.execution.git import GitRepository
from channelcoder_lsp.services.checkouts import Checkout, Checkouts
from channelcoder_lsp.services.compaction import nearly_full
from channelcoder_lsp.services.events import ContextNearlyFull, Trouble, TroubleOver, TurnQueued
from channelcoder_lsp.services.session import SessionPorts
from channelcoder_lsp.services.warm import WarmConnections
from channelcoder_lsp.settings import state_folder

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from channelcoder_lsp.domain.permission import Decision
    from channelcoder_lsp.domain.turn import Turn
    from channelcoder_lsp.services.events import SessionEvent

logger = logging.getLogger(__name__)


class Runtime:
    """Everything that one library session needs besides its storage.

    Args:
        forced: settings that hold whatever environment and file say.
    """

    def __init__(self, forced: Mapping[str, object] | None = None) -> None:
        self._configuration = Configuration(forced or {})
        self._listening: dict[str, asyncio.Queue[SessionEvent]] = {}
        self.ports = SessionPorts(
            agent=self._configuration.agent,
            settings=lambda: self._configuration.settings,
            warm=WarmConnections(lambda: self._configuration.settings.max_open),
            tell=self._tell,
            ask_person=self._nobody,
            repositories=GitRepository,
            deny_list=self._configuration.deny_list,
        )

    def listen(self, turn: Turn) -> asyncio.Queue[SessionEvent]:
        """What is told of a turn, from its beginning on."""
        return self._listening[turn.id]

    def stop_listening(self, turn: Turn) -> None:
        """Nobody wants to hear of the turn any more."""
        self._listening.pop(turn.id, None)

    @property
    def configuration(self) -> Configuration:
        """The settings in force, and how Claude is started with them."""
        return self._configuration

    @staticmethod
    def trusts(folder: Path) -> bool:
        """Whether the user trusts the folder."""
        return Checkouts(state_folder()).is_trusted(Checkout.of(folder))

    async def close(self) -> None:
        """End what was started."""
        await self._configuration.close()

    def _tell(self, event: SessionEvent) -> None:
        if isinstance(event, Trouble):
            logger.error("%s", event.message)
            return
        if isinstance(event, TroubleOver):
            logger.info("%s", event.message)
            return
        if isinstance(event, ContextNearlyFull):
            if event.turn.context is not None:
                logger.warning("%s: %s", event.session.name, nearly_full(event.turn.context))
            return
        turn = getattr(event, "turn", None)
        if isinstance(event, TurnQueued):
            self._listening[event.turn.id] = asyncio.Queue()
        elif turn is not None and (queue := self._listening.get(turn.id)) is not None:
            queue.put_nowait(event)

    @staticmethod
    async def _nobody(_turn: Turn, _tool: str, _detail: str) -> Decision | None:
        """A program has nobody to ask; what it allows it says by ``tools``."""
        return None
