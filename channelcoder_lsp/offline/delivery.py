"""Carrying out the steps of a reply on a connection."""

from __future__ import annotations

import socket
import struct
import uuid
from asyncio import BaseTransport, Transport
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import anyio
from uvicorn.protocols.http.h11_impl import H11Protocol

from channelcoder_lsp.offline.steps import Close, Hold, Pause, Start, Step
from channelcoder_lsp.offline.steps import Send as SendBytes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from starlette.types import Message, Receive, Scope, Send

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER: on, no time


class Connections:
    """The open connections by the client's address: ASGI itself has no way to break one."""

    def __init__(self) -> None:
        self._transports: dict[Any, Transport] = {}

    def protocol(self) -> type[H11Protocol]:
        """The protocol for uvicorn's ``http`` setting, which keeps this object up to date."""
        transports = self._transports

        class Tracked(H11Protocol):
            def connection_made(self, transport: BaseTransport) -> None:
                if isinstance(transport, Transport):
                    transports[_address(transport)] = transport
                super().connection_made(transport)  # type: ignore[arg-type]

            def connection_lost(self, exc: Exception | None) -> None:
                transports.pop(_address(self.transport), None)
                super().connection_lost(exc)

        return Tracked

    def close_all(self) -> None:
        """Close every connection; what is being answered on them is given up."""
        for transport in self._transports.values():
            transport.close()

    def close(self, client: Any, *, reset: bool) -> None:
        """Close the client's connection, what was sent so far going out first unless it is a ``reset``."""
        transport = self._transports.get(tuple(client))
        if transport is None:
            return
        if reset:
            connection = transport.get_extra_info("socket")
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        transport.close()


def _address(transport: BaseTransport) -> Any:
    """Host and port of the client, as ASGI has them."""
    peer = transport.get_extra_info("peername")
    return tuple(peer[:2]) if peer else None


@dataclass
class Gate:
    """What a reply's holds wait for: each ``release`` opens the next one, even before it is reached."""

    _open: int = 0
    _passed: int = 0
    _for_good: bool = False
    _moved: anyio.Event = field(default_factory=anyio.Event)

    def release(self) -> None:
        """Let the reply go on at its next hold."""
        self._open += 1
        self._moved.set()

    def release_for_good(self) -> None:
        """Let the reply go on at every hold."""
        self._for_good = True
        self._moved.set()

    async def passage(self) -> None:
        """Return when this hold is open."""
        self._passed += 1
        while self._open < self._passed and not self._for_good:
            self._moved = anyio.Event()
            await self._moved.wait()


class Delivery:
    """A reply on its way: an ASGI application for one request.

    Args:
        steps: what to do.
        gate: what its holds wait for.
        connections: where to find the connection when it has to be broken.
    """

    def __init__(self, steps: Iterable[Step], gate: Gate, connections: Connections) -> None:
        self._steps = steps
        self._gate = gate
        self._connections = connections
        self.complete = False
        """Whether every step was carried out before the client left."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Carry out the steps; stop when the client leaves."""
        async with anyio.create_task_group() as group:

            async def leave_with_client() -> None:
                while (await receive())["type"] != "http.disconnect":
                    pass
                group.cancel_scope.cancel()

            group.start_soon(leave_with_client)
            if await self._carry_out(scope["client"], send):
                group.cancel_scope.cancel()

    async def _carry_out(self, client: Any, send: Send) -> bool:
        """Whether the response is finished; if not, it ends with the connection."""
        for step in self._steps:
            match step:
                case Start():
                    await send(_head(step))
                case SendBytes():
                    await send({"type": "http.response.body", "body": step.data, "more_body": True})
                case Pause():
                    await anyio.sleep(step.seconds)
                case Hold():
                    await self._gate.passage()
                case Close():
                    self.complete = True
                    self._connections.close(client, reset=step.reset)
                    return False
        await send({"type": "http.response.body", "body": b""})
        self.complete = True
        return True


def _head(step: Start) -> Message:
    headers = {"request-id": f"req_{uuid.uuid4().hex}", **step.headers}
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    return {"type": "http.response.start", "status": step.status, "headers": raw}
