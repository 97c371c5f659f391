"""A session's connection to Claude: opened so that Claude knows the whole session, kept warm, opened anew when it must.

It is used by one task, the session's worker.
"""

from __future__ import annotations

import logging
import time
from contextlib import AsyncExitStack
from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from channelcoder_lsp.domain.errors import AgentError, ConversationLostError
from channelcoder_lsp.services.compaction import left_usd, since_compaction
from channelcoder_lsp.services.compose import replay
from channelcoder_lsp.services.events import TurnStatus
from channelcoder_lsp.services.turn_log import working_at

if TYPE_CHECKING:
    from collections.abc import Callable

    from channelcoder_lsp.domain.agent import Agent, AgentConnection, ConnectionRequest
    from channelcoder_lsp.domain.session import SessionHead
    from channelcoder_lsp.domain.turn import Turn
    from channelcoder_lsp.services.recorder import Recorder
    from channelcoder_lsp.services.warm import WarmConnections
    from channelcoder_lsp.services.worker import Worker

logger = logging.getLogger(__name__)


class SessionConnection:
    """The connection of one session.

    Args:
        recorder: the session's.
        agent: the agent to connect to, looked up anew for each connection.
        warm: the open connections of all sessions.
        worker: the session's worker, by which they know it.
    """

    def __init__(
        self,
        recorder: Recorder,
        *,
        agent: Callable[[], Agent],
        warm: WarmConnections,
        worker: Worker,
    ) -> None:
        self._recorder = recorder
        self._agent = agent
        self._warm = warm
        self._worker = worker
        self._stack = AsyncExitStack()
        self._opened_with: tuple[Agent, ConnectionRequest] | None = None
        self._limit_usd: float | None = None
        """The session's spending limit when it was opened."""
        self._known: str | None = None
        """The last turn that Claude knows of on this connection."""
        self._lost: set[str] = set()
        self.open: AgentConnection | None = None
        """The connection, while one is open."""

    async def prepare(self, turn: Turn, request: ConnectionRequest) -> tuple[str, list[str]]:
        """Have a connection that knows the whole session.

        When the session moved on without us, or another agent or other options are wanted, it is opened anew.

        Args:
            turn: the question to be asked.
            request: what to connect with, but for the Claude session.

        Returns:
            What to send, and notes for the user.

        Raises:
            AgentError: Claude can't be reached.
        """
        agent, head = self._agent(), self._recorder.head
        moved_on = self._known != head.channelcoder.last_finished
        moved_on = moved_on or self._limit_usd != head.channelcoder.limit_usd
        # What a question may cost the command line counts from its start; a summary is asked for in a copy.
        alone = turn.compacts or (request.options is not None and request.options.max_budget_usd is not None)
        if self.open is not None and (alone or moved_on or (agent, request) != self._opened_with):
            await self.close()
        if self.open is not None:
            return turn.prompt, []
        self._recorder.tell(TurnStatus(self._recorder.session, turn, "starting Claude"))
        self._warm.make_room(self._worker)
        resume = head.current_session_id
        if resume and resume not in self._lost:
            spent = head.channelcoder.spent.get(resume, 0.0)
            fork = bool(turn.compacts) or resume == head.channelcoder.forked_from
            try:
                await self._open(agent, replace(request, resume=resume, fork=fork, spent_usd=spent))
            except ConversationLostError as problem:
                logger.warning("%s: %s", self._recorder.journal.name, problem)
                self._lost.add(resume)
            else:
                return turn.prompt, []
        await self._open(agent, replace(request, session_id=new_session_id(self._recorder.journal.name, head)))
        return await self._replayed(turn)

    def used(self) -> None:
        """A question was asked and its end recorded: Claude knows of it."""
        self._known = self._recorder.head.channelcoder.last_finished
        self._warm.opened(self._worker)

    async def close(self) -> None:
        """Close the connection, if one is open."""
        self.open = None
        self._opened_with = None
        self._warm.closed(self._worker)
        stack, self._stack = self._stack, AsyncExitStack()
        start = time.monotonic()
        try:
            await stack.aclose()
        except Exception as problem:
            level = logging.WARNING if isinstance(problem, AgentError) else logging.ERROR
            logger.log(level, "closing the connection to Claude: %s", problem, exc_info=level == logging.ERROR)
        logger.debug("connection closed in %.2f s", time.monotonic() - start)

    async def _open(self, agent: Agent, request: ConnectionRequest) -> None:
        left, kept = left_usd(self._recorder.head), self._recorder.journal.transcripts
        given = replace(request, budget_usd=left, transcripts=kept)
        with working_at(None):  # it is there for the turns after this one too
            self.open = await self._stack.enter_async_context(agent.connect(given))
        self._opened_with = agent, replace(request, session_id=None, resume=None, fork=False, spent_usd=0.0)
        self._limit_usd = self._recorder.head.channelcoder.limit_usd
        self.used()

    async def _replayed(self, turn: Turn) -> tuple[str, list[str]]:
        if self._recorder.head.message_count <= len(self._recorder.head.unfinished()):
            return turn.prompt, []
        state = await self._recorder.journal.state()
        # Of that same moment: another question may have been recorded while the history was read.
        waiting = {unfinished.id for unfinished in state.unfinished()}
        messages = [message for message in state.messages if message.turn_id not in waiting]
        summary, since = since_compaction(self._recorder.head, messages)
        prompt, repeated = replay(since, turn.prompt, summary)
        if repeated:
            besides = " the summary and" if summary is not None else ""
            given = f"it was given{besides} the last {repeated} messages again"
            return prompt, [f"Claude's own copy of this conversation is gone; {given}."]
        return prompt, [] if summary is None else ["Claude goes on from the summary of this conversation."]


def new_session_id(name: str, head: SessionHead) -> str:
    """The id of a new Claude session: for an unnamed session's first one, the name it is stored under.

    Args:
        name: the session's.
        head: the session.
    """
    # After a clear the name is the id of a Claude session that there was.
    if not head.session_chain and not head.channelcoder.cleared and _is_uuid(name):
        return name
    return str(uuid4())


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False
