"""A client that sends bytes: what an editor's library would never let through."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import TYPE_CHECKING, Any

from anyio import fail_after

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from typing_extensions import Self

SECONDS = 60.0
_LIMIT = 64 * 1024 * 1024


def framed(message: Any) -> bytes:
    """A message with its header; bytes as they are, anything else as JSON."""
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


def request(number: Any, method: Any, params: Any = None) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


def notification(method: str, params: Any = None) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": method, "params": params}


INITIALIZE = {"processId": None, "rootUri": None, "capabilities": {}}


class Wire:
    """One server on the standard streams.

    Args:
        environment: its variables, over this process's.
        check: called with each message that the server sends.
    """

    def __init__(self, environment: Mapping[str, str], check: Callable[[dict[str, Any]], None]) -> None:
        self._environment = {**os.environ, **environment}
        self._check = check
        self._news = asyncio.Condition()
        self._number = 0
        self.received: list[dict[str, Any]] = []

    async def __aenter__(self) -> Self:
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "channelcoder_lsp.cli.lsp"),
            env=self._environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            limit=_LIMIT,
        )
        self._reading = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.process.returncode is None:
            self.process.kill()
        await self.process.wait()
        await self._reading

    async def send(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        await self.process.stdin.drain()

    async def initialize(self) -> None:
        await self.send(framed(request("initialize", "initialize", INITIALIZE)))
        assert "result" in await self.answer("initialize")
        await self.send(framed(notification("initialized", {})))

    async def answer(self, number: Any) -> dict[str, Any]:
        """The answer to the request of that id."""
        return await self.wait_for(lambda message: "method" not in message and message["id"] == number)

    async def is_there(self) -> bool:
        """Whether it answers what can be answered; what was sent before is handled then."""
        self._number += 1
        number = f"there? {self._number}"
        await self.send(framed(request(number, "workspace/executeCommand", {"command": "channelcoder.status"})))
        return "result" in await self.answer(number)

    async def wait_for(self, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        with fail_after(SECONDS):
            async with self._news:
                while True:
                    for message in self.received:
                        if wanted(message):
                            return message
                    assert not self._reading.done(), "the server is gone"
                    await self._news.wait()

    async def _read(self) -> None:
        stdout = self.process.stdout
        assert stdout is not None
        try:
            while head := await stdout.readline():
                name, _, length = head.partition(b":")
                assert name == b"Content-Length", head
                while (await stdout.readline()).strip():
                    pass
                message = json.loads(await stdout.readexactly(int(length)))
                self._check(message)
                async with self._news:
                    self.received.append(message)
                    self._news.notify_all()
        finally:
            async with self._news:
                self._news.notify_all()
