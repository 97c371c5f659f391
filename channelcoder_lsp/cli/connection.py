"""A language server's other side over stdio: its process, requests, notifications, as plain JSON."""

from __future__ import annotations

import asyncio
import json
import os
from typing import TYPE_CHECKING, Any

from channelcoder_lsp.domain.errors import ChannelCoderError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from typing_extensions import Self

Json = dict[str, Any]

ANSWER_SECONDS = 60.0


class ResponseError(ChannelCoderError):
    """The server answered with a JSON-RPC error."""

    def __init__(self, error: Json) -> None:
        super().__init__(f"{error.get('message')} (code {error.get('code')})")
        self.code: int = error["code"]
        self.text: str = error["message"]


class ServerGoneError(ChannelCoderError):
    """The server ended."""


class Connection:
    """A server that was started, and what it sends.

    Args:
        command: what starts the server.
        environment: variables for the server, over this process's own.
        check: called with every message that the server sends.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        check: Callable[[Json], None] | None = None,
    ) -> None:
        self.command = list(command)
        self.received: list[Json] = []
        self._environment = {**os.environ, **(environment or {})}
        self._check = check
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._next_id = 0
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._answering: set[asyncio.Task[None]] = set()
        self._news = asyncio.Condition()
        self.failure: BaseException | None = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.running:
            await self.quit()

    async def start(self) -> Any:
        """Start the server."""
        self._process = await asyncio.create_subprocess_exec(
            *self.command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, env=self._environment
        )
        self._reading = asyncio.create_task(self._read())

    @property
    def running(self) -> bool:
        """Whether the server's process lives."""
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self._running().pid

    async def quit(self) -> int:
        """Shut the server down as an editor does; its exit code."""
        await self.request("shutdown", None)
        self.notify("exit", None)
        return await self.wait()

    async def wait(self) -> int:
        """Wait for the server's end; its exit code."""
        process = self._running()
        code = await asyncio.wait_for(process.wait(), ANSWER_SECONDS)
        if self._reading is not None:
            await self._reading
        return code

    def kill(self) -> None:
        """Kill the server (SIGKILL)."""
        self._running().kill()

    def hang_up(self) -> None:
        """Close the server's input, as an editor that died."""
        stdin = self._running().stdin
        if stdin is not None:
            stdin.close()

    # Messages

    async def request(self, method: str, params: Any) -> Any:
        """The server's answer.

        Raises:
            ResponseError: the answer is an error.
            ServerGoneError: the server ended before it answered.
        """
        return await asyncio.wait_for(self.send_request(method, params), ANSWER_SECONDS)

    def send_request(self, method: str, params: Any) -> asyncio.Future[Any]:
        """Send a request without waiting for its answer."""
        self._next_id += 1
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting[self._next_id] = answer
        self._send({"jsonrpc": "2.0", "id": self._next_id, "method": method, "params": params})
        return answer

    def notify(self, method: str, params: Any) -> None:
        """Send a notification."""
        self._send({"jsonrpc": "2.0", "method": method, "params": params})

    async def wait_for(self, wanted: Callable[[Json], bool], *, after: int = 0) -> Json:
        """The first message from the server, from number ``after`` on, that is ``wanted``."""

        def found() -> Json | None:
            return next((message for message in self.received[after:] if wanted(message)), None)

        async def wait() -> Json:
            async with self._news:
                while (message := found()) is None:
                    if self.failure is not None or not self.running:
                        raise ServerGoneError("The server ended while it was waited for.") from self.failure
                    await self._news.wait()
                return message

        return await asyncio.wait_for(wait(), ANSWER_SECONDS)

    # The wire

    def _running(self) -> asyncio.subprocess.Process:
        if self._process is None:
            raise ServerGoneError("The server was not started.")
        return self._process

    def _send(self, message: Json) -> None:
        stdin = self._running().stdin
        if stdin is None:
            raise ServerGoneError("The server's input is closed.")
        body = json.dumps(message).encode()
        stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))

    async def _read(self) -> None:
        stdout = self._running().stdout
        try:
            while stdout is not None and (head := await stdout.readline()):
                if head.lower().startswith(b"content-length:"):
                    length = int(head.split(b":")[1])
                    while (await stdout.readline()).strip():
                        pass
                    await self._take(json.loads(await stdout.readexactly(length)))
        except BaseException as problem:
            self.failure = problem
            raise
        finally:
            for answer in self._waiting.values():
                if not answer.done():
                    answer.set_exception(ServerGoneError("The server ended before it answered."))
            async with self._news:
                self._news.notify_all()

    async def _take(self, message: Json) -> None:
        if self._check is not None:
            self._check(message)
        if "method" not in message:
            answer = self._waiting.pop(message["id"])
            if answer.done():
                return
            if "error" in message:
                answer.set_exception(ResponseError(message["error"]))
            else:
                answer.set_result(message["result"])
            return
        if "id" in message:
            task = asyncio.create_task(self._reply(message))
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)
        async with self._news:
            self.received.append(message)
            self._news.notify_all()

    async def _reply(self, message: Json) -> None:
        result = await self._answer(message["method"], message.get("params"))
        self._send({"jsonrpc": "2.0", "id": message["id"], "result": result})

    async def _answer(self, method: str, params: Any) -> Any:  # noqa: ARG002 - for those that have answers
        """What is said to one of the server's requests."""
        return None
