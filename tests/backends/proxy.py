"""A network between a process and a server, which the test can break."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress

_SOME = 65536


class Proxy:
    """Passes on what is said on a port of its own to a server of this machine.

    Args:
        port: the server's.
    """

    def __init__(self, port: int) -> None:
        self._to = port
        self._listening: asyncio.Server | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._lose = 0
        self._open = asyncio.Event()
        self._open.set()
        self.port = 0
        self.lost = 0
        """How many answers were lost."""

    def url(self, server: str) -> str:
        """A server's URL, through here."""
        return server.replace(f":{self._to}", f":{self.port}")

    async def start(self) -> None:
        """Listen; again on the same port."""
        self._listening = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        self.port = self._listening.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Break all connections, and refuse others."""
        if self._listening is not None:
            self._listening.close()
            self._listening = None
        connections = list(self._connections)
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    def stall(self) -> None:
        """Pass on nothing more, and break nothing."""
        self._open.clear()

    def go_on(self) -> None:
        """Pass on what was held up."""
        self._open.set()

    def lose_answers(self, count: int = 1) -> None:
        """Let the server do what it is asked next, and break the connection instead of passing on its answer."""
        self._lose = count

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        to_server = None
        try:
            from_server, to_server = await asyncio.open_connection("127.0.0.1", self._to)
            asking = asyncio.ensure_future(self._pass_on(reader, to_server))
            answering = asyncio.ensure_future(self._pass_on(from_server, writer, answers=True))
            try:
                await asyncio.wait([asking, answering], return_when=asyncio.FIRST_COMPLETED)
            finally:
                asking.cancel()
                answering.cancel()
                await asyncio.gather(asking, answering, return_exceptions=True)
        except (OSError, asyncio.CancelledError):
            pass  # the server is away, or the connection is cut
        finally:
            self._connections.discard(task)
            for end in filter(None, (writer, to_server)):
                end.transport.abort()

    async def _pass_on(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, answers: bool = False
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(_SOME):
                await self._open.wait()
                if answers and self._lose:
                    self._lose -= 1
                    self.lost += 1
                    return
                writer.write(data)
                await writer.drain()


@asynccontextmanager
async def proxy_to(port: int):
    """A proxy, until the end of the context."""
    proxy = Proxy(port)
    await proxy.start()
    try:
        yield proxy
    finally:
        await proxy.cut()
