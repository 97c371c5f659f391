"""A tight LSP client: it blocks, keeps nothing, and treats every server alike, so that its own cost cancels out."""

from __future__ import annotations

import json
import os
import subprocess
from time import perf_counter
from typing import TYPE_CHECKING, Any

import psutil

from channelcoder_lsp.cli.editor import capabilities

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from typing_extensions import Self

Json = dict[str, Any]


class Wire:
    """One server process and the pipes to it.

    Args:
        command: what starts the server.
        environment: all of its environment.
        folder: the workspace folder.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], folder: Path) -> None:
        self._folder = folder
        self._next_id = 0
        self._started = perf_counter()
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=dict(environment), cwd=folder
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._to, self._from = self._process.stdin, self._process.stdout

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            if self._process.poll() is None:
                self.request("shutdown", None)
                self.notify("exit", None)
            self._process.wait(30)
        finally:
            self._process.kill()
            self._process.wait()

    @property
    def process(self) -> psutil.Process:
        """The server's process."""
        return psutil.Process(self._process.pid)

    def age(self) -> float:
        """Seconds since the start of the process."""
        return perf_counter() - self._started

    def initialize(self, *more: Path) -> float:
        """Shake hands; seconds from the start of the process to the answer to ``initialize``.

        Args:
            more: the workspace's folders beside its first.
        """
        folders = [{"uri": folder.as_uri(), "name": folder.name} for folder in (self._folder, *more)]
        self.request(
            "initialize",
            {
                "processId": os.getpid(),
                "rootUri": folders[0]["uri"],
                "capabilities": capabilities(turns=True),
                "workspaceFolders": folders,
            },
        )
        taken = self.age()
        self.notify("initialized", {})
        return taken

    def open(self, path: Path) -> str:
        """Open a document; its URI."""
        item = {"uri": path.as_uri(), "languageId": "python", "version": 1, "text": path.read_text("utf-8")}
        self.notify("textDocument/didOpen", {"textDocument": item})
        return path.as_uri()

    def hover(self, uri: str, line: int, character: int = 0) -> tuple[float, str]:
        """Hover at a place; the seconds it took, and the text (empty for none)."""
        params = {"textDocument": {"uri": uri}, "position": {"line": line, "character": character}}
        start = perf_counter()
        answer = self.request("textDocument/hover", params)
        taken = perf_counter() - start
        return taken, answer["contents"]["value"] if answer else ""

    def execute(self, command: str, argument: Json) -> Any:
        """Run a command of the server."""
        return self.request("workspace/executeCommand", {"command": command, "arguments": [argument]})

    def request(self, method: str, params: Any) -> Any:
        """The answer to a request; what else the server says meanwhile is dropped.

        Raises:
            RuntimeError: the answer is an error.
        """
        self._next_id += 1
        wanted = self._next_id
        self._send({"jsonrpc": "2.0", "id": wanted, "method": method, "params": params})
        answer = self.until(lambda message: message.get("id") == wanted and "method" not in message)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    def notify(self, method: str, params: Any) -> None:
        """Send a notification."""
        self._send({"jsonrpc": "2.0", "method": method, "params": params})

    def turn(self, turn_id: str, wanted: Callable[[Json], bool]) -> Json:
        """The next ``channelcoder/turn`` notification on a turn that is ``wanted``."""

        def is_it(message: Json) -> bool:
            if message.get("method") != "channelcoder/turn" or message["params"]["turnId"] != turn_id:
                return False
            return wanted(message["params"])

        found: Json = self.until(is_it)["params"]
        return found

    def until(self, wanted: Callable[[Json], bool]) -> Json:
        """The next message that is ``wanted``; requests of the server are answered on the way.

        Raises:
            RuntimeError: the server ended.
        """
        while True:
            length = 0
            while (line := self._from.readline()) != b"\r\n":
                if not line:
                    raise RuntimeError(f"the server ended with {self._process.wait()}")
                if line.startswith(b"Content-Length:"):
                    length = int(line[15:])
            message: Json = json.loads(self._from.read(length))
            if "id" in message and "method" in message:
                result: Any = [{}] if message["method"] == "workspace/configuration" else None
                self._send({"jsonrpc": "2.0", "id": message["id"], "result": result})
            if wanted(message):
                return message

    def _send(self, message: Json) -> None:
        body = json.dumps(message).encode()
        self._to.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self._to.flush()
