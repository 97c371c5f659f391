"""One CLI process, through the SDK's client.

A task of its own owns the client: it connects, reads every message as it comes, and disconnects. So the output of the
CLI is always drained (a hundred unread messages would block the SDK's reader, and with it interrupts), and neither
start nor end can be cut short by whoever happens to be cancelled.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from channelcoder_lsp.claude.faults import from_exception
from channelcoder_lsp.services.tasks import whole

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from claude_agent_sdk import ClaudeSDKClient

    from channelcoder_lsp.domain.errors import AgentError

logger = logging.getLogger(__name__)

_KEPT_LINES = 40
_SPAWNING_SECONDS = 0.01


@dataclass(frozen=True)
class Patience:
    """How long the CLI is waited for, in seconds, before it is dealt with more firmly."""

    interrupt: float = 5.0
    """For a turn to end after an interrupt."""
    exit: float = 2.0
    """For the process to end when its input is closed; then it is terminated, and as long after that, killed."""


class LastWords:
    """The last lines that the CLI wrote to its standard error."""

    def __init__(self) -> None:
        self.lines: deque[str] = deque(maxlen=_KEPT_LINES)

    def __call__(self, line: str) -> None:
        """Keep ``line``."""
        logger.debug("claude: %s", line)
        self.lines.append(line)


class CliProcess:
    """A CLI that is running, or about to.

    Args:
        client: the SDK's client, not yet connected.
        last_words: what the client's ``stderr`` callback fills.
        heard: called with every message of the CLI.
        ended: called once with the reason when there will be no more of them.
        patience: how long the CLI is waited for.
    """

    def __init__(
        self,
        client: ClaudeSDKClient,
        *,
        last_words: LastWords,
        heard: Callable[[Any], None],
        ended: Callable[[AgentError], None],
        patience: Patience,
    ) -> None:
        self._client = client
        self._last_words = last_words
        self._heard = heard
        self._ended = ended
        self._patience = patience
        self._up = asyncio.Event()
        self._stopping = asyncio.Event()
        self._owner: asyncio.Task[AgentError | None] | None = None

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        process = self._process()
        return None if process is None or process.returncode is not None else process.pid

    async def start(self) -> None:
        """Start the CLI and wait until it answers.

        Raises:
            AgentError: it did not come up. Nothing of it is left running then, nor when the caller is cancelled.
        """
        self._owner = asyncio.create_task(self._own(), name="claude cli")
        up = asyncio.create_task(self._up.wait())
        try:
            await asyncio.wait([up, self._owner], return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            await self.stop()
            raise
        finally:
            up.cancel()
        if self._owner.done() and (error := self._owner.result()) is not None:
            raise error

    @whole
    async def stop(self) -> None:
        """End the CLI. Done to its end even if the caller is cancelled."""
        if self._owner is not None:
            await self._stop(self._owner)

    async def send(self, message: dict[str, Any]) -> None:
        """Write ``message`` to the CLI.

        Raises:
            AgentError: it can't be written to any more.
        """
        try:
            await self._client.query(_only(message))
        except Exception as problem:
            raise from_exception(problem, self._last_words.lines, starting=False) from problem

    async def interrupt(self, *, unless: asyncio.Event) -> None:
        """Ask the CLI to end its turn, unless that is over already.

        The check and the place in the queue of writes are one step: an interrupt can't hit a later turn.
        """

        async def send() -> None:
            if not unless.is_set():
                await self._client.interrupt()

        sending = asyncio.create_task(send())
        # A CLI that is ended meanwhile answers nothing any more, and the SDK would wait on.
        until = {sending} if self._owner is None else {sending, self._owner}
        try:
            await asyncio.wait(until, timeout=self._patience.interrupt, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sending.cancel()
        (problem,) = await asyncio.gather(sending, return_exceptions=True)
        if problem is not None and not unless.is_set():  # it is gone, which the reader is told, or it hangs
            logger.warning("The turn could not be interrupted: %s", str(problem) or type(problem).__name__)

    async def _own(self) -> AgentError | None:
        """Connect, read until told to stop, disconnect; why it did not connect, if it didn't."""
        try:
            await self._client.connect()
        except Exception as problem:  # noqa: BLE001 - handed to the one who waits
            return from_exception(problem, self._last_words.lines, starting=True)
        self._up.set()
        listening = asyncio.create_task(self._listen())
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            await asyncio.wait([listening, stopping], return_when=asyncio.FIRST_COMPLETED)
        finally:
            listening.cancel()
            stopping.cancel()
            await self._disconnect()
        return None

    async def _listen(self) -> None:
        problem: Exception = EOFError("it closed its output")
        while True:
            try:
                async for message in self._client.receive_messages():
                    self._take_in(message)
            except Exception as raised:  # noqa: BLE001 - handed to whoever asks
                if type(raised).__name__ == "MessageParseError":  # of a newer CLI: what follows is well
                    logger.warning("A message of the Claude Code command line is not understood: %s", raised)
                    continue
                problem = raised
            self._ended(from_exception(problem, self._last_words.lines, starting=False))
            return

    def _take_in(self, message: Any) -> None:
        try:
            self._heard(message)
        except Exception:
            logger.exception("A %s of the Claude Code command line could not be taken in", type(message).__name__)

    async def _stop(self, owner: asyncio.Task[AgentError | None]) -> None:
        self._stopping.set()
        while not (self._up.is_set() or owner.done()):
            # Cancelled while it is being started, the SDK would lose sight of the process: it is killed instead.
            self._signal("kill")
            await asyncio.wait([owner], timeout=_SPAWNING_SECONDS)
        await asyncio.wait([owner])
        if not owner.cancelled() and (problem := owner.exception()) is not None:
            logger.error("The Claude Code command line was not ended well", exc_info=problem)

    async def _disconnect(self) -> None:
        """Close the CLI's input and wait for its end; terminate and kill it when it does not come."""
        process, loop = self._process(), asyncio.get_running_loop()
        more_firmly = [
            loop.call_later(self._patience.exit, self._signal, "terminate", process),
            loop.call_later(self._patience.exit * 2, self._signal, "kill", process),
        ]
        try:
            await self._client.disconnect()
        finally:
            for timer in more_firmly:
                timer.cancel()
            self._signal("kill", process)

    def _signal(self, how: str, process: Any = None) -> None:
        process = process or self._process()
        if process is not None and process.returncode is None:
            with suppress(ProcessLookupError):
                getattr(process, how)()

    def _process(self) -> Any:
        """The process, which the SDK keeps to itself. Needed to end it in bounded time."""
        return getattr(getattr(self._client, "_transport", None), "_process", None)


async def _only(message: dict[str, Any]) -> AsyncIterator[dict[str, Any]]:
    yield message
