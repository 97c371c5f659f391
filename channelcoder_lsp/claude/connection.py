"""One CLI process and the conversation with it.

A task of its own owns the SDK's client: it connects, reads every message as it comes, and disconnects. So
the output of the CLI is always drained (a hundred unread messages would block the SDK's reader, and with it
interrupts), whoever asks may be slow, leave or be cancelled, and the clean-up can't be cancelled half way.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from channelcoder_lsp.claude.faults import from_exception
from channelcoder_lsp.claude.messages import AnswerReader
from channelcoder_lsp.claude.turn import OngoingTurn
from channelcoder_lsp.domain.agent import Finished
from channelcoder_lsp.domain.errors import AgentError, AgentGoneError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine
    from pathlib import Path

    from claude_agent_sdk import ClaudeSDKClient

    from channelcoder_lsp.domain.agent import AgentEvent

logger = logging.getLogger(__name__)

_KEPT_LINES = 40


@dataclass(frozen=True)
class Patience:
    """How long the CLI is waited for, in seconds, before it is dealt with more firmly."""

    interrupt: float = 5.0
    """For a turn to end after an interrupt."""
    exit: float = 2.0
    """For the process to end when its input is closed; then it is terminated, as long after that, killed."""


class LastWords:
    """The last lines that the CLI wrote to its standard error."""

    def __init__(self) -> None:
        self.lines: deque[str] = deque(maxlen=_KEPT_LINES)

    def __call__(self, line: str) -> None:
        """Keep ``line``."""
        logger.debug("claude: %s", line)
        self.lines.append(line)


class ClaudeConnection:
    """A warm CLI with one conversation (:class:`~channelcoder_lsp.domain.agent.AgentConnection`).

    Args:
        client: the SDK's client, not yet connected.
        cwd: the folder asked about.
        session_id: the Claude session.
        model: the model that was asked for.
        spent_usd: what the Claude session has cost so far.
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
        last_words: LastWords,
        patience: Patience,
    ) -> None:
        self._client = client
        self._cwd = cwd
        self._session_id = session_id
        self._model = model
        self._spent = spent_usd
        self._last_words = last_words
        self._patience = patience
        self._turn: OngoingTurn | None = None
        self._gone: AgentGoneError | None = None
        self._owner: asyncio.Task[None] | None = None
        self._errands: set[asyncio.Task[None]] = set()

    @property
    def session_id(self) -> str:
        """The Claude session."""
        return self._session_id

    @property
    def pid(self) -> int | None:
        """The CLI's process id while it runs."""
        process = self._process()
        return None if process is None or process.returncode is not None else process.pid

    async def open(self) -> None:
        """Start the CLI and wait until it answers.

        Raises:
            AgentError: it did not come up; nothing of it is left running.
        """
        connected: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._owner = asyncio.create_task(self._own(connected), name="claude connection")
        try:
            await asyncio.shield(connected)
        except BaseException:
            connected.cancel()
            await self.close()
            raise

    async def close(self) -> None:
        """Interrupt what is under way and end the CLI. Done to its end even if the caller is cancelled."""
        if self._owner is not None:
            await _to_its_end(self._close(self._owner))

    def ask(self, prompt: str) -> AsyncIterator[AgentEvent]:
        """Send ``prompt``; see :meth:`channelcoder_lsp.domain.agent.AgentConnection.ask`.

        A turn that its reader left before the end is interrupted first, and its rest is dropped.
        """
        before, turn = self._turn, self._new_turn()
        self._turn = turn
        return self._events(turn, before, prompt)

    async def interrupt(self) -> None:
        """End the turn under way; nothing happens when there is none."""
        turn = self._turn
        if turn is None or turn.over.is_set():
            return
        turn.cancelled = True
        if turn.begun:
            await self._interrupt(turn)

    # The reader's side

    async def _events(
        self, turn: OngoingTurn, before: OngoingTurn | None, prompt: str
    ) -> AsyncIterator[AgentEvent]:
        try:
            if before is not None:
                await self._settle(before)
            await self._send(turn, prompt)
            while True:
                event = await turn.next()
                yield event
                if isinstance(event, Finished):
                    return
        finally:
            if not turn.over.is_set():  # the reader left
                turn.cancelled = True
                if turn.begun:
                    self._later(self._interrupt(turn))

    async def _settle(self, turn: OngoingTurn) -> None:
        """Bring a turn that was left by its reader to its end, so that nothing of it reaches the next one."""
        if not turn.sent or turn.over.is_set():
            return
        turn.cancelled = True
        if turn.begun:
            await self._interrupt(turn)
        try:
            await asyncio.wait_for(turn.over.wait(), self._patience.interrupt)
        except asyncio.TimeoutError:
            self._end(AgentGoneError("The Claude Code command line does not react any more. Ask again."))

    async def _send(self, turn: OngoingTurn, prompt: str) -> None:
        if self._gone is not None:
            turn.fail(self._gone)
        elif not prompt.strip():
            error = AgentError("The question is empty. Type one and ask again.", retryable=False)
            turn.put(Finished(answer="", session_id=self._session_id, error=error))
        elif turn.cancelled:
            turn.put(Finished(answer="", session_id=self._session_id, cancelled=True))
        else:
            turn.reader = AnswerReader(cwd=self._cwd, spent_usd=self._spent, model=self._model)
            turn.sent = True
            try:
                await self._client.query(_message(turn.id, prompt))
            except Exception as problem:  # noqa: BLE001 - whatever it is, the CLI can't be written to
                self._end(from_exception(problem, self._last_words.lines, starting=False))

    # The owner's side

    async def _own(self, connected: asyncio.Future[None]) -> None:
        """Connect, read to the end, disconnect."""
        try:
            try:
                await self._client.connect()
            except Exception as problem:  # noqa: BLE001 - told to the one who waits
                if not connected.done():
                    connected.set_exception(from_exception(problem, self._last_words.lines, starting=True))
                return
            if not connected.done():
                connected.set_result(None)
            await self._listen()
        finally:
            self._end(AgentGoneError("The connection to the Claude Code command line is closed. Ask again."))
            await self._disconnect()

    async def _listen(self) -> None:
        while True:
            try:
                async for message in self._client.receive_messages():
                    self._heard(message)
            except Exception as problem:  # noqa: BLE001 - told to whoever asks
                if type(problem).__name__ == "MessageParseError":  # of a newer CLI: what follows is well
                    logger.warning("A message of the Claude Code command line is not understood: %s", problem)
                    continue
                self._end(from_exception(problem, self._last_words.lines, starting=False))
            else:
                self._end(
                    from_exception(EOFError("it closed its output"), self._last_words.lines, starting=False)
                )
            return

    def _heard(self, message: Any) -> None:
        turn = self._turn
        if turn is None or not turn.sent or turn.over.is_set():
            logger.debug("Heard outside of a turn: %s", type(message).__name__)
            return
        is_result = type(message).__name__ == "ResultMessage"
        if is_result and not _answers(message, turn.id):
            logger.warning("The Claude Code command line ended a turn that nobody waits for")
            return
        begun, turn.begun = turn.begun, True
        for event in turn.reader.read(message):
            if isinstance(event, Finished):
                self._session_id = event.session_id
                if event.cumulative_cost_usd is not None:
                    self._spent = event.cumulative_cost_usd
            turn.put(event)
        if turn.cancelled and not begun and not turn.over.is_set():
            # It was to be interrupted before the CLI had taken it up: only now is the interrupt heard.
            self._later(self._interrupt(turn))

    async def _interrupt(self, turn: OngoingTurn) -> None:
        try:
            await asyncio.wait_for(self._client.interrupt(), self._patience.interrupt)
        except Exception as problem:  # noqa: BLE001 - the CLI is gone or hangs: its reader is told
            if not turn.over.is_set():
                logger.warning("The turn could not be interrupted: %s", problem)

    def _end(self, error: Any) -> None:
        """Nothing more will be heard: tell it to the reader, now and later."""
        if self._gone is None:
            self._gone = error
        if self._turn is not None:
            self._turn.fail(self._gone)

    async def _close(self, owner: asyncio.Task[None]) -> None:
        turn = self._turn
        if turn is not None and turn.sent and not turn.over.is_set() and not owner.done():
            # A CLI that is left in the middle of a turn runs it to its end.
            turn.cancelled = True
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._ended(turn), self._patience.interrupt)
        for errand in self._errands:
            errand.cancel()
        owner.cancel()
        await asyncio.wait([owner])
        if not owner.cancelled() and (problem := owner.exception()) is not None:
            logger.error(
                "The connection to the Claude Code command line was not closed well", exc_info=problem
            )

    async def _ended(self, turn: OngoingTurn) -> None:
        if turn.begun:
            await self._interrupt(turn)
        await turn.over.wait()

    async def _disconnect(self) -> None:
        """Close the CLI's input and wait for its end; terminate and kill it when it does not come."""
        process = self._process()
        loop = asyncio.get_running_loop()
        firmly = []
        if process is not None:
            firmly = [
                loop.call_later(self._patience.exit, _signal, process.terminate),
                loop.call_later(self._patience.exit * 2, _signal, process.kill),
            ]
        try:
            await self._client.disconnect()
        finally:
            for timer in firmly:
                timer.cancel()
            if process is not None and process.returncode is None:
                _signal(process.kill)

    def _process(self) -> Any:
        """The CLI's process, which the SDK keeps to itself. Needed to end it in bounded time."""
        return getattr(getattr(self._client, "_transport", None), "_process", None)

    def _later(self, errand: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(errand)
        self._errands.add(task)
        task.add_done_callback(self._errands.discard)

    def _new_turn(self) -> OngoingTurn:
        return OngoingTurn(AnswerReader(cwd=self._cwd, spent_usd=self._spent, model=self._model))


async def _message(turn_id: str, prompt: str) -> AsyncIterator[dict[str, Any]]:
    """The question with an id of ours, by which its result is known."""
    yield {
        "type": "user",
        "uuid": turn_id,
        "message": {"role": "user", "content": prompt},
        "parent_tool_use_id": None,
    }


def _answers(result: Any, turn_id: str) -> bool:
    named = {result.user_message_uuid, *(result.user_message_uuids or ())} - {None}
    return not named or turn_id in named


def _signal(send: Callable[[], None]) -> None:
    with suppress(ProcessLookupError):
        send()


async def _to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Run ``work`` to its end; a cancellation of the caller takes effect after it."""
    from anyio import CancelScope  # noqa: PLC0415 - the SDK has loaded it

    task = asyncio.create_task(work)
    cancelled: asyncio.CancelledError | None = None
    with CancelScope(shield=True):
        while not task.done():
            try:
                await asyncio.wait([task])
            except asyncio.CancelledError as problem:
                cancelled = problem
    task.result()
    if cancelled is not None:
        raise cancelled
