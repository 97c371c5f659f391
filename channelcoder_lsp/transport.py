"""How a server and its client reach each other: the standard streams, or a socket on the loopback address."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from typing import TYPE_CHECKING, BinaryIO, cast

from channelcoder_lsp.rpc import Frames

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from io import BufferedReader

    from channelcoder_lsp.server import ChannelCoderServer

logger = logging.getLogger(__name__)

_PARENT_SECONDS = 5.0
_CHUNK = 65_536
"""Bytes that are read at once: what a pipe holds."""


async def serve_stdio(server: ChannelCoderServer) -> None:
    """Serve one client on the standard streams, until it says ``exit``, goes away, or its process is gone."""
    server.protocol.set_writer(_Output(sys.stdout.buffer))
    watch = asyncio.create_task(_end_with_parent(server))
    try:
        loop, stdin = asyncio.get_running_loop(), cast("BufferedReader", sys.stdin.buffer)
        await _serve(server, lambda: loop.run_in_executor(server.thread_pool, stdin.read1, _CHUNK))
    except SystemExit:
        # `exit` after `shutdown` is a good end, answered or not (LSP 3.17, "Exit Notification").
        if not server.shutdown_requested:
            raise
    finally:
        watch.cancel()
        await server.stop()


async def serve_tcp(server: ChannelCoderServer, host: str, port: int, ready: Callable[[int], None]) -> None:
    """Serve one client on a socket.

    What does not speak LSP from its first line on is cut off, so that no web page can post commands.

    Args:
        server: the server.
        host: the address to listen on.
        port: the port; 0 for a free one.
        ready: told the port once it can be connected to.

    Raises:
        OSError: the address can't be listened on.
    """
    over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    taken = False

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal taken
        first = await reader.readline()
        if taken or not first.lower().startswith(b"content-"):
            logger.warning("a connection that does not speak LSP, or a second one, was refused")
            writer.close()
            return
        taken = True
        server.protocol.set_writer(writer)
        try:
            await _serve(server, lambda: reader.read(_CHUNK), first)
        finally:
            if not over.done():
                over.set_result(None)

    listener = await asyncio.start_server(serve, host, port)
    ready(listener.sockets[0].getsockname()[1])
    try:
        await over
    finally:
        listener.close()
        await server.stop()


async def _serve(server: ChannelCoderServer, read: Callable[[], Awaitable[bytes]], begun: bytes = b"") -> None:
    """Handle messages until the stream ends.

    Args:
        server: the server.
        read: the next bytes; none at the end.
        begun: what was read already.
    """
    frames = Frames()
    data = begun or await read()
    while data:
        for body in frames.feed(data):
            try:
                server.protocol.take(body)
            except Exception:
                logger.exception("a message could not be handled")
            await asyncio.sleep(0)  # it is begun with before the next one is looked at
        data = await read()


async def _end_with_parent(server: ChannelCoderServer) -> None:
    """End when the editor's process is gone without closing our input."""
    await asyncio.sleep(_PARENT_SECONDS)
    import psutil  # noqa: PLC0415 - after initialize was answered

    while server.process_id is None or psutil.pid_exists(server.process_id):  # noqa: ASYNC110 - no event tells it
        await asyncio.sleep(_PARENT_SECONDS)
    logger.warning("the editor's process %s is gone", server.process_id)
    await server.stop()
    # A thread still waits for the input that never comes: nothing but this ends it.
    os._exit(1)


class _Output:
    """The standard output; what is written after the client said ``exit`` has nobody to read it."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, data: bytes) -> None:
        if not self._stream.closed:
            self._stream.write(data)
            self._stream.flush()

    def close(self) -> None:
        self._stream.close()
