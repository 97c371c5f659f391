"""Whatever a client sends, the server lives, answers each request once, and says nothing that LSP doesn't know."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from e2e.server.checking import check_message
from e2e.server.conftest import SOURCE
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from lsprotocol import types as lsp

from channelcoder_lsp.cli.editor import capabilities

from .messages import Messages, json_values, raw

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e.server.conftest import Machine

MESSAGES = int(os.environ.get("CHANNELCODER_TEST_MESSAGES", "1000"))
"""How many messages are sent at least; `make soak` sends twenty thousand."""
AT_ONCE = 40
"""So many at most before it is seen whether the server is there."""
PATIENCE = 90.0
ENOUGH_FOR_MEMORY = 10_000
GROWTH = 1.5


class Client:
    """Sends messages and bytes, and answers the server's requests with what it is given."""

    def __init__(self, machine: Machine) -> None:
        self.opened = [machine.write(name).as_uri() for name in ("shop.py", "märz 🙂.py")]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "channelcoder_lsp.cli.lsp"],
            env=os.environ | machine.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.answers: list[Any] = []
        self.sent = 0
        self._received: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()
        folder = {"uri": machine.project.as_uri(), "name": "shop"}
        client = capabilities(turns=True, changes=True, input=True)
        self._begin(
            "initialize", {"processId": None, "rootUri": None, "capabilities": client, "workspaceFolders": [folder]}
        )
        self._end()
        self._message({"jsonrpc": "2.0", "method": "initialized", "params": {}})
        for uri in self.opened:
            document = {"uri": uri, "languageId": "python", "version": 1, "text": SOURCE}
            self._message({"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": {"textDocument": document}})

    def exchange(self, messages: list[dict[str, Any] | bytes]) -> list[int]:
        """Send them all; the ids of the requests that were not answered just once."""
        due: dict[int, int] = {}
        for message in messages:
            self.sent += 1
            if isinstance(message, bytes):
                self._bytes(message)
            elif message["request"]:
                due[self._begin(message["method"], message["params"])] = 0
            else:
                call = {key: message[key] for key in ("method", "params")}
                if call["method"] == lsp.CANCEL_REQUEST and due and isinstance(call["params"], dict):
                    call["params"] = {"id": next(reversed(due))}
                self._message({"jsonrpc": "2.0", **call})
        for number in self._end(due):
            due[number] = due.get(number, 0) + 1
        return [number for number, times in due.items() if times != 1]

    @property
    def memory(self) -> int:
        """Bytes of the server alone."""
        return psutil.Process(self.process.pid).memory_info().rss

    def close(self) -> int:
        """End it as an editor does; its exit code."""
        self._begin("shutdown", None)
        self._message({"jsonrpc": "2.0", "method": "exit"})
        return self.process.wait(PATIENCE)

    def end(self) -> None:
        """End it, however it is."""
        with self.process:  # which closes what leads to it
            self.process.kill()
            self._reading.join()

    def _begin(self, method: str, params: Any) -> int:
        self._number = getattr(self, "_number", 0) + 1
        self._message({"jsonrpc": "2.0", "id": self._number, "method": method, "params": params})
        return self._number

    def _end(self, due: dict[int, int] | None = None) -> Iterator[int]:
        """Ask for something that is sure to be answered; the ids of all that was answered until all is.

        Answers may be late: the last one is waited for as long as one is due.
        """
        last = self._begin("workspace/executeCommand", {"command": "channelcoder.status"}) if due is not None else 1
        waiting = {*(due or {}), last}
        answered = []
        while waiting:
            message = self._received.get(timeout=PATIENCE)
            assert message is not None, f"the server is gone: {self.process.wait()}"
            check_message(message)
            if "method" in message and "id" in message:
                answer = {"result": None} if not self.answers else self.answers.pop()
                self._message({"jsonrpc": "2.0", "id": message["id"], **answer})
            elif "method" not in message and message["id"] is not None:
                waiting.discard(message["id"])
                answered += [message["id"]] if message["id"] != last else []
        return iter(answered)

    def _message(self, message: dict[str, Any]) -> None:
        body = json.dumps(message).encode()
        self._bytes(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))

    def _bytes(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def _read(self) -> None:
        stdout = self.process.stdout
        assert stdout is not None
        while head := stdout.readline():
            while stdout.readline().strip():
                pass
            self._received.put(json.loads(stdout.read(int(head.partition(b":")[2]))))
        self._received.put(None)


@pytest.mark.timeout(120 + MESSAGES // 4)
async def test_any_messages_are_answered_and_survived(machine: Machine):
    """Each batch goes to the same server, which has seen all before."""
    client = Client(machine)
    messages = Messages(client.opened)
    batches = st.lists(st.one_of(messages.calls(), messages.calls(), raw()), min_size=10, max_size=AT_ONCE)
    error = st.fixed_dictionaries({"error": st.one_of(json_values, st.just({"code": -32603, "message": "no"}))})
    replies = st.lists(st.one_of(error, st.fixed_dictionaries({"result": json_values})), max_size=4)
    sizes: list[int] = []

    @settings(
        max_examples=MESSAGES // 20,
        deadline=None,
        database=None,
        phases=[Phase.generate],  # a server that hangs can't be tried again
        suppress_health_check=list(HealthCheck),
    )
    @given(batches, replies)
    def holds(batch: list[dict[str, Any] | bytes], answers: list[Any]) -> None:
        client.answers = list(answers)
        assert client.exchange(batch) == []
        sizes.append(client.memory)

    try:
        holds()
        assert client.sent >= MESSAGES // 2
        assert client.close() == 0
    finally:
        client.end()
    if client.sent >= ENOUGH_FOR_MEMORY:
        assert sizes[-1] < GROWTH * sizes[len(sizes) // 4]
