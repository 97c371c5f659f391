"""Whatever comes over the wire, the server answers as LSP 3.17 and JSON-RPC 2.0 have it, and goes on."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest

from .checking import check_message
from .wire import INITIALIZE, Wire, framed, notification, request

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from .conftest import Machine

PARSE, INVALID, NO_METHOD, PARAMS, NOT_INITIALIZED = -32700, -32600, -32601, -32602, -32002
HOVER = "textDocument/hover"
AT = {"textDocument": {"uri": "file:///a.py"}, "position": {"line": 0, "character": 0}}


def at(line: Any) -> dict[str, Any]:
    return AT | {"position": {"line": line, "character": 0}}


@asynccontextmanager
async def wired(machine: Machine, *, initialized: bool = True) -> AsyncIterator[Wire]:
    async with Wire(machine.environment, check_message) as wire:
        if initialized:
            await wire.initialize()
        yield wire


def quiet(wire: Wire) -> bool:
    """Whether the person at the editor was left in peace."""
    return not [message for message in wire.received if message.get("method", "").startswith("window/")]


async def refusal(wire: Wire, data: bytes, number: Any) -> int:
    """The code that something is refused with; nothing else comes of it, and the server goes on."""
    before = len(wire.received)
    await wire.send(data)
    assert await wire.is_there()
    [answer] = [message for message in wire.received[before:] if message.get("id") == number]
    wire.received.remove(answer)
    assert answer["error"]["message"]
    code: int = answer["error"]["code"]
    return code


async def test_requests_that_do_not_fit_are_refused_by_their_id(machine: Machine):
    async with wired(machine) as wire:
        for params in ({}, None, [1, 2], "x", at(-1), at(2**70), at("a"), at(None)):
            assert await refusal(wire, framed(request(1, HOVER, params)), 1) == PARAMS, params
        assert await refusal(wire, framed(b'{"jsonrpc": "2.0", "id": 1, "method": "textDocument/hover"}'), 1) == PARAMS
        nan = b'{"jsonrpc":"2.0","id":1,"method":"textDocument/hover","params":{"position":{"line":NaN}}}'
        assert await refusal(wire, framed(nan), 1) == PARAMS
        for method in ("shop/sell", "$/sell", "sell\ud800", "window/showMessage"):
            assert await refusal(wire, framed(request("a", method, {})), "a") == NO_METHOD, method
        assert await refusal(wire, framed(request("a", "shop/sell", {})), "a") == NO_METHOD
        assert await refusal(wire, framed(request("\ud800", "shop/sell", {})), "\ud800") == NO_METHOD
        assert await refusal(wire, framed(request(10**400, "shop/sell", {})), 10**400) == NO_METHOD
        for method in (7, None, ["textDocument/hover"], {}):
            assert await refusal(wire, framed(request(1, method, {})), 1) == INVALID, method
        assert quiet(wire)


async def test_the_place_of_what_does_not_fit_is_named_as_the_client_knows_it(machine: Machine):
    async with wired(machine) as wire:
        await wire.send(framed(request(1, HOVER, {"textDocument": {}, "position": {"line": 0, "character": 0}})))
        message = (await wire.answer(1))["error"]["message"]
        assert message.startswith(f"'{HOVER}': ")
        assert "$.params.textDocument.uri" in message or "$.params.textDocument" in message


NO_MESSAGES = [
    (b'{"jsonrpc":', PARSE),
    (b'{"jsonrpc": "2.0", "id": 1, "method": "\xff\xfe"}', PARSE),
    (b"[" * 100_000 + b"]" * 100_000, PARSE),
    (b'{"jsonrpc": "2.0", "id": 1, "params": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001, PARSE),
    (b"5", INVALID),
    (b"null", INVALID),
    (b"{}", INVALID),
    (b'{"jsonrpc": "2.0"}', INVALID),
    (b'{"id": 1, "method": "shutdown"}', INVALID),
    (b'{"jsonrpc": "1.0", "id": 1, "method": "shutdown"}', INVALID),
    (b'[{"jsonrpc": "2.0", "id": 1, "method": "shutdown"}]', INVALID),
    (b'{"jsonrpc": "2.0", "id": null, "method": "shutdown"}', INVALID),
    (b'{"jsonrpc": "2.0", "id": 1.5, "method": "shutdown"}', INVALID),
    (b'{"jsonrpc": "2.0", "id": [1], "method": "shutdown"}', INVALID),
    (b'{"jsonrpc": "2.0", "id": true, "method": "shutdown"}', INVALID),
]


async def test_what_is_no_message_is_refused_without_an_id(machine: Machine):
    async with wired(machine) as wire:
        for data, code in NO_MESSAGES:
            assert await refusal(wire, framed(data), None) == code, data[:80]
        assert quiet(wire)


async def test_notifications_and_answers_that_do_not_fit_are_passed_over(machine: Machine):
    async with wired(machine) as wire:
        before = len(wire.received)
        for message in (
            notification("shop/sell", {"a": 1}),
            notification("$/sell"),
            notification("textDocument/didOpen", {"textDocument": {"uri": 5}}),
            notification(
                "textDocument/didChange",
                {"textDocument": {"uri": "file:///never.py", "version": 1}, "contentChanges": [{"text": "x"}]},
            ),
            notification("textDocument/didClose", {"textDocument": {"uri": "file:///never.py"}}),
            notification("$/cancelRequest", {"id": 99}),
            notification("$/cancelRequest", {}),
            {"jsonrpc": "2.0", "id": "of nobody", "result": None},
            {"jsonrpc": "2.0", "id": "of nobody", "error": {"code": 1, "message": "x"}},
            {"jsonrpc": "2.0", "id": "of nobody", "error": 5},
        ):
            await wire.send(framed(message))
        assert await wire.is_there()
        assert [message.get("method") for message in wire.received[before:-1]] == []


async def test_headers_are_read_as_they_come(machine: Machine):
    """Names in any case, other fields, bare line feeds, pieces; what is no header is passed over."""
    body = framed(request(1, "shop/sell", {})).partition(b"\r\n\r\n")[2]
    length = b"%d" % len(body)
    async with wired(machine) as wire:
        for head in (
            b"content-length: " + length + b"\r\n\r\n",
            b"CONTENT-LENGTH:" + length + b"  \r\n\r\n",
            b"Content-Type: application/vscode-jsonrpc; charset=utf-8\r\nContent-Length: " + length + b"\r\n\r\n",
            b"Content-Length: " + length + b"\r\nContent-Type: application/vscode-jsonrpc\r\n\r\n",
            b"Content-Length: " + length + b"\n\n",
            b"\r\n\r\nContent-Length: 0\r\n\r\nContent-Length: " + length + b"\r\n\r\n",
            b"Content-Length: -5\r\n\r\nContent-Length: five\r\n\r\nContent-Length: " + length + b"\r\n\r\n",
            b"\x00\x01\xff garbage\r\nContent-Length: " + length + b"\r\n\r\n",
            b"x" * 200_000 + b"\r\nContent-Length: " + length + b"\r\n\r\n",
        ):
            assert await refusal(wire, head + body, 1) == NO_METHOD, head[-80:]
        for piece in framed(request(2, "shop/sell", {})):
            await wire.send(bytes([piece]))
        assert (await wire.answer(2))["error"]["code"] == NO_METHOD


class TestLifecycle:
    async def test_before_initialize_requests_are_refused_and_notifications_passed_over(self, machine: Machine):
        async with wired(machine, initialized=False) as wire:
            opened = {"uri": "file:///a.py", "languageId": "python", "version": 1, "text": ""}
            await wire.send(framed(notification("textDocument/didOpen", {"textDocument": opened})))
            for number, method in enumerate([HOVER, "shop/sell", "shutdown"]):
                await wire.send(framed(request(number, method, AT if method == HOVER else None)))
                assert (await wire.answer(number))["error"]["code"] == NOT_INITIALIZED
            await wire.initialize()
            assert await wire.is_there()

    async def test_an_initialize_that_does_not_fit_can_be_sent_again(self, machine: Machine):
        async with wired(machine, initialized=False) as wire:
            await wire.send(framed(request(1, "initialize", {"capabilities": 5})))
            assert (await wire.answer(1))["error"]["code"] == PARAMS
            await wire.initialize()
            assert await wire.is_there()

    async def test_initialize_is_taken_once(self, machine: Machine):
        async with wired(machine) as wire:
            assert await refusal(wire, framed(request(1, "initialize", INITIALIZE)), 1) == INVALID

    async def test_after_shutdown_requests_are_refused_and_exit_is_a_good_end(self, machine: Machine):
        async with wired(machine) as wire:
            await wire.send(framed(request(1, "shutdown")) + framed(request(2, HOVER, AT)))
            assert (await wire.answer(2))["error"]["code"] == INVALID
            assert "error" not in await wire.answer(1)
            await wire.send(framed(notification("exit")))
            assert await wire.process.wait() == 0

    @pytest.mark.parametrize("initialized", [True, False])
    async def test_exit_without_shutdown_is_a_bad_end(self, machine: Machine, *, initialized: bool):
        async with wired(machine, initialized=initialized) as wire:
            await wire.send(framed(notification("exit")))
            assert await wire.process.wait() == 1
