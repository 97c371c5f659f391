"""The task that asks the questions of one session, one after the other (design decision 2).

It owns the session's connection to Claude: opened for the first question, kept warm between questions, closed
when idle. A question is asked under the session's lease, after what other processes recorded was taken in;
when the session moved on without us, the connection is opened anew, so that Claude knows what was said
elsewhere.
"""

from __future__ import annotations

import asyncio
import logging
import shlex
from collections.abc import Callable
from contextlib import AsyncExitStack, aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

import anyio

from channelcoder_lsp.domain.agent import (
    Agent,
    AgentEvent,
    ConnectionRequest,
    Finished,
    Retrying,
    StructuredDelta,
    TextDelta,
    TextReplaced,
    ToolStarted,
)
from channelcoder_lsp.domain.errors import (
    AgentError,
    AgentGoneError,
    BudgetUsedUpError,
    ChannelCoderError,
    ContainerError,
    SpendingLimitError,
    dollars,
)
from channelcoder_lsp.domain.records import TurnFinished, TurnStarted
from channelcoder_lsp.domain.turn import Turn, TurnState
from channelcoder_lsp.services.compaction import left_usd, refuse_beyond_limit
from channelcoder_lsp.services.connected import SessionConnection
from channelcoder_lsp.services.events import ContextNearlyFull, TurnOver, TurnRunning, TurnStatus
from channelcoder_lsp.services.sensitive import agree_to_send
from channelcoder_lsp.services.turn_log import working_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from channelcoder_lsp.services.permissions import SessionPermissions
    from channelcoder_lsp.services.recorder import Recorder
    from channelcoder_lsp.services.warm import WarmConnections

logger = logging.getLogger(__name__)

Adjust = Callable[[ConnectionRequest], ConnectionRequest]
"""Makes a request for one question from the one for all."""
CLOSE_SECONDS = 10.0
"""How long an interrupted turn has to come to its end when the session is closed."""


class TurnWatcher(Protocol):
    """Takes in the structured answer of one turn. Dies with the process: what it must not lose it records."""

    @property
    def schema(self) -> Mapping[str, Any]:
        """The JSON schema that the answer is to have."""
        ...

    async def output(self, text: str, *, replace: bool) -> None:
        """Some more JSON of the answer came; with ``replace`` it begins anew."""
        ...

    async def accept(self, finished: Finished) -> Finished:
        """Take the whole answer in before its end is recorded; what is returned is: its text, its error."""
        ...

    def over(self, turn: Turn) -> None:
        """The turn came to its end, in whatever way."""
        ...


class Worker:
    """Asks the questions that are posted to it, in order.

    Args:
        recorder: where everything is recorded, and from where it is told.
        agent: the agent to ask, looked up anew for each connection.
        request: what to open a connection with, but for the Claude session.
        warm: the open connections of all sessions.
        permissions: decides about tools that need a person's consent.
        idle_seconds: how long a connection stays open without a question.
        full_share: how full Claude's context is, from 0 to 1, when the user is told; 0: never.
    """

    def __init__(
        self,
        recorder: Recorder,
        *,
        agent: Callable[[], Agent],
        request: Callable[[], ConnectionRequest],
        warm: WarmConnections,
        permissions: SessionPermissions,
        idle_seconds: Callable[[], float],
        full_share: Callable[[], float],
    ) -> None:
        self._recorder = recorder
        self._request = request
        self._warm = warm
        self._permissions = permissions
        self._idle_seconds = idle_seconds
        self._full_share = full_share
        self._queue: asyncio.Queue[str | None] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None
        self._claude = SessionConnection(recorder, agent=agent, warm=warm, worker=self)
        self._posted: dict[str, Turn] = {}
        """The questions whose end was not told yet."""
        self._ended = asyncio.Event()
        """Set when the end of one was told."""
        self._watchers: dict[str, TurnWatcher] = {}
        self._adjusted: dict[str, Adjust] = {}
        self._turn_id: str | None = None
        self._streaming = False
        self._quiet = asyncio.Event()
        """Set while no question is being asked."""
        self._quiet.set()
        self._waiting: anyio.CancelScope | None = None
        self._closing = False

    @property
    def busy(self) -> bool:
        """Whether a question is being asked or waits."""
        return self._turn_id is not None or not self._queue.empty()

    def has(self, turn_id: str) -> bool:
        """Whether the turn was posted here and has not come to its end."""
        return turn_id in self._posted

    @property
    def answering(self) -> Turn | None:
        """The turn whose answer is being streamed."""
        return self._recorder.turn(self._turn_id) if self._turn_id is not None and self._streaming else None

    def post(self, turn_id: str, watcher: TurnWatcher | None = None, adjust: Adjust | None = None) -> None:
        """Ask the recorded question ``turn_id`` when those before it are answered.

        Args:
            turn_id: the question.
            watcher: takes in its answer, which is to be structured; None: it is text.
            adjust: what this question's connection differs in.
        """
        if watcher is not None:
            self._watchers[turn_id] = watcher
        if adjust is not None:
            self._adjusted[turn_id] = adjust
        if turn := self._recorder.turn(turn_id):
            self._posted[turn_id] = turn
        self._queue.put_nowait(turn_id)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work(), name=f"session {self._recorder.journal.name}")

    def release(self) -> None:
        """Close the connection if nothing is being asked; the next question opens it again."""
        if self._task is not None and not self.busy:
            self._queue.put_nowait(None)

    async def cancel(self, turn_id: str) -> None:
        """End the turn ``turn_id``: interrupted if it is being answered, else never asked."""
        if turn_id == self._turn_id and self._streaming and self._claude.open is not None:
            await self._claude.open.interrupt()
            return
        if turn_id == self._turn_id and self._waiting is not None:
            self._waiting.cancel()
        await self._finish(turn_id, TurnState.CANCELLED)

    async def answered(self) -> None:
        """Wait until every question posted here has come to its end."""
        while self._posted:
            self._ended.clear()
            await self._ended.wait()

    async def drop(self) -> None:
        """End all questions posted here; returns when none is being answered any more."""
        for turn_id in reversed(list(self._posted)):
            await self.cancel(turn_id)
        if self._streaming:
            with anyio.move_on_after(CLOSE_SECONDS):
                await self._quiet.wait()

    async def close(self) -> None:
        """End the turn under way, leave the others unasked, and close the connection."""
        self._closing = True
        for turn_id in reversed(list(self._posted)):
            await self.cancel(turn_id)
        if self._task is not None:
            self._queue.put_nowait(None)
            _, late = await asyncio.wait({self._task}, timeout=CLOSE_SECONDS)
            for task in late:
                logger.error("%s: the turn under way did not end in time", self._recorder.journal.name)
                task.cancel()
            await asyncio.wait({self._task})
        for turn_id in list(self._posted):
            await self._finish(turn_id, TurnState.CANCELLED)

    async def _work(self) -> None:
        try:
            while not self._closing or not self._queue.empty():
                turn_id = await self._next()
                if turn_id is None:
                    await self._claude.close()
                else:
                    with working_at(turn_id):
                        await self._answer(turn_id)
                    self._warm.settle()
        finally:
            await self._claude.close()

    async def _next(self) -> str | None:
        """The next question; None when the connection should be closed."""
        if self._claude.open is None:
            return await self._queue.get()
        with anyio.move_on_after(self._idle_seconds()):
            return await self._queue.get()
        return None

    async def _answer(self, turn_id: str) -> None:
        if self._closing:
            await self._finish(turn_id, TurnState.CANCELLED)
        if self._is_over(turn_id):
            return
        self._turn_id = turn_id
        self._quiet.clear()
        try:
            async with AsyncExitStack() as lease:
                with anyio.CancelScope() as self._waiting:
                    await lease.enter_async_context(self._recorder.journal.lease())
                self._waiting = None
                if not self._is_over(turn_id):
                    await self._recorder.refresh()
                    await self._recorder.bury_the_dead()
                # What was taken in may have brought its end, or another object for it.
                turn = self._recorder.turn(turn_id)
                if self._is_over(turn_id) or turn is None:
                    return
                refuse_beyond_limit(self._recorder.head)
                self._permissions.begin(turn)
                with anyio.CancelScope() as self._waiting:
                    await agree_to_send(turn, self._permissions)
                self._waiting = None
                if self._is_over(turn_id):
                    return
                prompt, notes = await self._claude.prepare(turn, self._request_for(turn))
                if not self._is_over(turn_id):
                    await self._ask(turn, prompt, notes)
        except AgentError as problem:
            await self._claude.close()
            await self._finish(turn_id, TurnState.FAILED, problem)
        except ChannelCoderError as problem:
            await self._finish(turn_id, TurnState.FAILED, problem)
        except Exception as problem:
            logger.exception("turn %s failed", turn_id)
            await self._claude.close()
            await self._finish(
                turn_id,
                TurnState.FAILED,
                AgentError(f"Asking Claude failed ({problem!r}). The log has more; try again."),
            )
        finally:
            if (turn := self._recorder.turn(turn_id)) is not None and turn.compacts:
                await self._claude.close()  # it was a copy of the conversation, to be summarised
            self._turn_id = None
            self._waiting = None
            self._quiet.set()

    def _request_for(self, turn: Turn) -> ConnectionRequest:
        watcher = self._watchers.get(turn.id)
        request = self._request()
        request = replace(
            request,
            model=self._recorder.head.channelcoder.model or request.model,
            output_schema=watcher.schema if watcher is not None else None,
            permissions=self._permissions,
        )
        adjust = self._adjusted.get(turn.id)
        request = request if adjust is None else adjust(request)
        if request.container is None and self._recorder.head.channelcoder.container is not None:
            name = self._recorder.journal.name
            raise ContainerError(
                "This session works in a container, and an editor's questions can't. Ask in another session, or with "
                f"`channelcoder run --session {shlex.quote(name)}`."
            )
        return request

    async def _ask(self, turn: Turn, prompt: str, notes: list[str]) -> None:
        connection = self._claude.open
        if connection is None:  # pragma: no cover - it was just opened
            raise AgentGoneError("The connection to Claude is closed. Ask again.")
        recorder = self._recorder
        await recorder.record(
            TurnStarted(turn_id=turn.id, session_id=connection.session_id), durable=False, needed=False
        )
        if self._is_over(turn.id):
            return
        turn = recorder.turn(turn.id) or turn
        recorder.tell(TurnRunning(recorder.session, turn))
        logger.info("%s: a question of %d characters is sent to Claude", recorder.journal.name, len(prompt))
        logger.debug("turn %s is sent as:\n%s", turn.id, prompt)
        self._streaming = True
        finished: Finished | None = None
        try:
            async with aclosing(connection.ask(prompt)) as events:
                async for event in events:
                    if isinstance(event, Finished):
                        finished = event
                    else:
                        await self._heard(turn, event)
        finally:
            self._streaming = False
        if finished is None:
            raise AgentGoneError("Claude's command line ended before the answer was complete. Ask again.")
        if (watcher := self._watchers.get(turn.id)) is not None:
            finished = await watcher.accept(finished)
        await self._over(turn, finished, notes)
        self._claude.used()

    async def _heard(self, turn: Turn, event: AgentEvent) -> None:
        recorder = self._recorder
        match event:
            case TextDelta(text):
                await recorder.text(turn, text)
            case TextReplaced(text):
                await recorder.text(turn, text, replace=True)
            case StructuredDelta(text, anew):
                if (watcher := self._watchers.get(turn.id)) is not None:
                    await watcher.output(text, replace=anew)
            case ToolStarted(tool):
                recorder.tell(TurnStatus(recorder.session, turn, f"{tool.name} {tool.detail}".strip()))
            case Retrying():
                recorder.tell(TurnStatus(recorder.session, turn, _retry_message(event)))

    async def _over(self, turn: Turn, finished: Finished, notes: list[str]) -> None:
        state, error, notes = self._came_to(finished, notes)
        near_limit = not turn.compacts and self._nearly_full(finished)
        await self._recorder.finish(
            TurnFinished(
                turn_id=turn.id,
                state=state,
                answer=finished.answer,
                error=error.message if error else None,
                retryable=getattr(error, "retryable", True),
                notes=notes,
                model=finished.model,
                usage=finished.usage,
                cost_usd=finished.cost_usd,
                cumulative_cost_usd=finished.cumulative_cost_usd,
                tools=list(finished.tools),
                permissions=self._permissions.decided(turn.id),
                context=finished.context,
                near_limit=near_limit or None,
                session_id=finished.session_id,
            )
        )
        self._tell_over(turn.id)
        if near_limit and (ended := self._recorder.turn(turn.id)) is not None:
            self._recorder.tell(ContextNearlyFull(self._recorder.session, ended))

    def _came_to(self, finished: Finished, notes: list[str]) -> tuple[TurnState, ChannelCoderError | None, list[str]]:
        """How a turn ended. The session's limit is looked at between requests: an answer that is whole stays one."""
        error: ChannelCoderError | None = finished.error
        if finished.cancelled:
            return TurnState.CANCELLED, error, notes
        head = self._recorder.head
        left, limit = left_usd(head), head.channelcoder.limit_usd or 0.0
        if isinstance(error, BudgetUsedUpError) and left is not None and left <= finished.cost_usd:
            if error.complete:
                note = f"With this answer the {dollars(limit)} that the session may cost are used up."
                return TurnState.DONE, None, [*notes, note]
            error = SpendingLimitError(limit, limit - left + finished.cost_usd)
        return TurnState.FAILED if error is not None else TurnState.DONE, error, notes

    def _nearly_full(self, finished: Finished) -> bool:
        """Whether the user is to be told now that Claude's context is nearly full."""
        share = finished.context.share if finished.context is not None else None
        told, least = self._recorder.head.channelcoder.context_told, self._full_share()
        return share is not None and 0 < least <= share and not told

    async def _finish(self, turn_id: str, state: TurnState, problem: ChannelCoderError | None = None) -> None:
        """Record the end of a turn without a :class:`Finished`: what came of its answer is kept."""
        if self._is_over(turn_id):
            return
        await self._recorder.finish(
            TurnFinished(
                turn_id=turn_id,
                state=state,
                answer=self._recorder.text_so_far(turn_id),
                error=problem.message if problem else None,
                retryable=getattr(problem, "retryable", True),
                permissions=self._permissions.decided(turn_id),
            )
        )
        self._tell_over(turn_id)

    def _is_over(self, turn_id: str) -> bool:
        """Whether the turn came to its end, by whomever, or went with the history; its user is told, if not yet."""
        turn = self._recorder.turn(turn_id)
        if turn is not None and not turn.state.finished:
            return False
        if turn_id in self._posted:
            self._tell_over(turn_id)
        return True

    def _tell_over(self, turn_id: str) -> None:
        posted = self._posted.pop(turn_id, None)
        turn = self._recorder.turn(turn_id)
        if turn is None and posted is not None:
            turn = posted.model_copy(update={"state": TurnState.CANCELLED})
        watcher = self._watchers.pop(turn_id, None)
        self._adjusted.pop(turn_id, None)
        if turn is not None:
            logger.info("%s: turn %s is %s", self._recorder.journal.name, turn.id, turn.state.value)
            if watcher is not None:
                watcher.over(turn)
            self._recorder.tell(TurnOver(self._recorder.session, turn))
        self._ended.set()


def _retry_message(event: Retrying) -> str:
    return f"{event.reason}; trying again in {event.delay_seconds:.0f} s ({event.attempt} of {event.of})"
