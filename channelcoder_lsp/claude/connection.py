"""A conversation with one CLI: questions one after the other, each with its events."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from channelcoder_lsp.claude.messages import AnswerReader
from channelcoder_lsp.claude.process import CliProcess, LastWords, Patience
from channelcoder_lsp.claude.turn import OngoingTurn
from channelcoder_lsp.domain.agent import Finished
from channelcoder_lsp.domain.errors import AgentError, AgentGoneError
from channelcoder_lsp.services.tasks import whole

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Coroutine
    from pathlib import Path

    from claude_agent_sdk import ClaudeSDKClient

    from channelcoder_lsp.domain.agent import AgentEvent

logger = logging.getLogger(__name__)


class ClaudeConnection:
    """A warm CLI with one conversation (:class:`~channelcoder_lsp.domain.agent.AgentConnection`).

    Whoever asks may read slowly, leave, or be cancelled: the CLI is read on regardless, and what is left of a
    question is ended before the next one.

    Args:
        client: the SDK's client, not yet connected.
        cwd: the folder asked about.
        session_id: the Claude session.
        model: the model that was asked for.
        spent_usd: what the Claude session has cost so far.
        structured: whether answers are to have a JSON schema.
        last_words: what the client's ``stderr`` callback fills.
        patience: how long the CLI is waited for.
    """

    def __init__(
        self,
        client: ClaudeSDKClient,
        *,
        cwd: Path,
        session_id: str,
        model: str | None,
        spent_usd: float,
        structured: bool = False,
        last_words: LastWords,
        patience: Patience,
    ) -> None:
        self._cli = CliProcess(client, last_words=last_words, heard=self._heard, ended=self._end, patience=patience)
        self._cwd = cwd
        self._session_id = session_id
        self._model = model
        self._spent = spent_usd
        self._structured = structured
        self._patience = patience
        self._asked: OngoingTurn | None = None
        """What was asked last; an interrupt is meant for it."""
        self._turn: OngoingTurn | None = None
        """What the CLI was sent last; what it tells belongs to it."""
        self._gone: AgentError | None = None
        self._errands: set[asyncio.Task[None]] = set()

    @property
    def session_id(self) -> str:
        """The Claude session."""
        return self._session_id

    @property
    def pid(self) -> int | None:
        """The CLI's process id while it runs."""
        return self._cli.pid

    async def open(self) -> None:
        """Start the CLI and wait until it answers.

        Raises:
            AgentError: it did not come up; nothing of it is left running.
        """
        await self._cli.start()

    @whole
    async def close(self) -> None:
        """Interrupt what is under way and end the CLI. Done to its end even if the caller is cancelled."""
        turn = self._turn
        if turn is not None and not turn.over.is_set():
            # A CLI that is left in the middle of a turn runs it to its end.
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._ended(turn), self._patience.interrupt)
        for errand in self._errands:
            errand.cancel()
        self._end(AgentGoneError("The connection to the Claude Code command line is closed. Ask again."))
        await self._cli.stop()

    def ask(self, prompt: str) -> AsyncGenerator[AgentEvent, None]:
        """Send ``prompt``; see :meth:`channelcoder_lsp.domain.agent.AgentConnection.ask`.

        A question that its reader left before the end is interrupted first, and its rest is dropped.
        """
        turn = self._asked = OngoingTurn(self._reader())
        return self._events(turn, prompt)

    async def interrupt(self) -> None:
        """End the turn under way; nothing happens when there is none."""
        if self._asked is not None:
            await self._cancel(self._asked)

    async def _events(self, turn: OngoingTurn, prompt: str) -> AsyncGenerator[AgentEvent, None]:
        try:
            if self._turn is not None:
                await self._settle(self._turn)
            await self._send(turn, prompt)
            while True:
                event = await turn.next()
                yield event
                if isinstance(event, Finished):
                    return
        finally:
            if not turn.over.is_set():  # the reader left
                self._later(self._cancel(turn))

    async def _send(self, turn: OngoingTurn, prompt: str) -> None:
        if self._gone is not None:
            turn.fail(self._gone)
        elif not prompt.strip():
            # The CLI would answer this itself.
            error = AgentError("The question is empty. Type one and ask again.", retryable=False)
            turn.put(Finished(answer="", session_id=self._session_id, error=error))
        elif turn.cancelled:
            turn.put(Finished(answer="", session_id=self._session_id, cancelled=True))
        else:
            turn.reader = self._reader()
            self._turn = turn
            try:
                await self._cli.send(_message(turn.id, prompt))
            except AgentError as error:
                self._end(error)

    async def _settle(self, turn: OngoingTurn) -> None:
        """Bring a turn that was left by its reader to its end, so that nothing of it reaches the next one."""
        if turn.over.is_set():
            return
        await self._cancel(turn)
        try:
            await asyncio.wait_for(turn.over.wait(), self._patience.interrupt)
        except asyncio.TimeoutError:
            self._end(AgentGoneError("The Claude Code command line does not react any more. Ask again."))

    async def _cancel(self, turn: OngoingTurn) -> None:
        """Interrupt ``turn``; while the CLI has not begun with it, see to it that it will be."""
        turn.cancelled = True
        if turn.begun:
            await self._cli.interrupt(unless=turn.over)

    def _heard(self, message: Any) -> None:
        turn = self._turn
        if turn is None or turn.over.is_set():
            logger.debug("Heard outside of a turn: %s", type(message).__name__)
            return
        if type(message).__name__ == "ResultMessage" and not _answers(message, turn.id):
            logger.warning("The Claude Code command line ended a turn that nobody waits for")
            return
        for event in turn.reader.read(message):
            if isinstance(event, Finished):
                self._session_id = event.session_id
                if event.cumulative_cost_usd is not None:
                    self._spent = event.cumulative_cost_usd
            turn.put(event)
        if _begins(message):
            turn.begun = True
            if turn.cancelled and not turn.over.is_set():
                # Before the CLI is at work it takes note of an interrupt and forgets it: it is told now.
                self._later(self._cancel(turn))

    def _end(self, error: AgentError) -> None:
        """Nothing more will be heard: tell it to the reader, now and later."""
        if self._gone is None:
            self._gone = error
        for turn in (self._turn, self._asked):
            if turn is not None:
                turn.fail(self._gone)

    async def _ended(self, turn: OngoingTurn) -> None:
        await self._cancel(turn)
        await turn.over.wait()

    def _later(self, errand: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(errand)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    def _reader(self) -> AnswerReader:
        return AnswerReader(cwd=self._cwd, spent_usd=self._spent, model=self._model, structured=self._structured)


def _message(turn_id: str, prompt: str) -> dict[str, Any]:
    """The question with an id of ours, by which its result is known."""
    return {
        "type": "user",
        "uuid": turn_id,
        "message": {"role": "user", "content": prompt},
        "parent_tool_use_id": None,
    }


def _begins(message: Any) -> bool:
    """Whether the CLI is at work on a question when it tells this; what comes late of the last one is not it."""
    match type(message).__name__:
        case "SystemMessage":
            return message.subtype in ("init", "api_retry")
        case "StreamEvent":
            return bool(message.event.get("type") == "message_start")
    return False


def _answers(result: Any, turn_id: str) -> bool:
    named = {result.user_message_uuid, *(result.user_message_uuids or ())} - {None}
    return not named or turn_id in named
