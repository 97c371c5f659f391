"""A small editor without a screen: enough of an LSP client to use the server as an editor would.

The demo and the tests drive the real server with it. Messages are plain JSON on both sides, so nothing is lost or
mended on the way.
"""

from __future__ import annotations

import asyncio
import json
import os
from typing import TYPE_CHECKING, Any

from channelcoder_lsp.domain.errors import ChannelCoderError
from channelcoder_lsp.domain.text import split_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from typing_extensions import Self

Json = dict[str, Any]

ANSWER_SECONDS = 60.0
_UNITS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}


class ResponseError(ChannelCoderError):
    """The server answered with a JSON-RPC error."""

    def __init__(self, error: Json) -> None:
        super().__init__(f"{error.get('message')} (code {error.get('code')})")
        self.code: int = error["code"]
        self.text: str = error["message"]


class ServerGoneError(ChannelCoderError):
    """The server ended."""


def capabilities(encoding: str = "utf-16", **ours: bool) -> Json:
    """What a capable client announces; ``ours`` goes to ``experimental.channelcoder``."""
    return {
        "general": {"positionEncodings": [encoding]},
        "workspace": {
            "applyEdit": True,
            "configuration": True,
            "workspaceFolders": True,
            "workspaceEdit": {"documentChanges": True},
            "codeLens": {"refreshSupport": True},
            "fileOperations": {"didRename": True},
        },
        "textDocument": {
            "hover": {"contentFormat": ["markdown", "plaintext"]},
            "codeAction": {
                "codeActionLiteralSupport": {"codeActionKind": {"valueSet": ["quickfix", "refactor"]}},
                "dataSupport": True,
                "resolveSupport": {"properties": ["edit"]},
            },
            "codeLens": {},
            "synchronization": {"didSave": True},
        },
        "notebookDocument": {"synchronization": {}},
        "window": {"workDoneProgress": True, "showDocument": {"support": True}},
        "experimental": {"channelcoder": ours},
    }


class Editor:
    """One editor with one server.

    Args:
        command: what starts the server.
        folders: the workspace folders.
        environment: variables for the server, over this process's own.
        client: the client's capabilities.
        settings: what ``workspace/configuration`` is answered with.
        check: called with every message that the server sends.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        folders: Sequence[Path] = (),
        environment: Mapping[str, str] | None = None,
        client: Json | None = None,
        settings: Json | None = None,
        check: Callable[[Json], None] | None = None,
    ) -> None:
        self.command = list(command)
        self.folders = list(folders)
        self.capabilities = client if client is not None else capabilities()
        self.settings = settings or {}
        self.texts: dict[str, str] = {}
        self.versions: dict[str, int] = {}
        self.received: list[Json] = []
        self.initialized: Json = {}
        self.process_id = os.getpid()
        """The process that the server is told to end with."""
        self._environment = {**os.environ, **(environment or {})}
        self._check = check
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._next_id = 0
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._news = asyncio.Condition()
        self.failure: BaseException | None = None

    # Starting and ending

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.running:
            await self.quit()

    @property
    def running(self) -> bool:
        """Whether the server's process lives."""
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int:
        """The server's process id."""
        return self._running().pid

    async def start(self) -> Json:
        """Start the server and shake hands; what ``initialize`` was answered with."""
        self._process = await asyncio.create_subprocess_exec(
            *self.command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, env=self._environment
        )
        self._reading = asyncio.create_task(self._read())
        folders = [{"uri": folder.as_uri(), "name": folder.name} for folder in self.folders]
        self.initialized = await self.request(
            "initialize",
            {
                "processId": self.process_id,
                "rootUri": folders[0]["uri"] if folders else None,
                "capabilities": self.capabilities,
                "workspaceFolders": folders or None,
            },
        )
        self.notify("initialized", {})
        return self.initialized

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

    # Documents

    def open(self, path: Path, *, language: str = "python", text: str | None = None) -> str:
        """Open a file; its URI."""
        uri = path.as_uri()
        self.open_text(uri, path.read_bytes().decode("utf-8") if text is None else text, language=language)
        return uri

    def open_text(self, uri: str, text: str, *, language: str = "python") -> None:
        """Open a buffer."""
        self.texts[uri] = text
        self.versions[uri] = 1
        item = {"uri": uri, "languageId": language, "version": 1, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": item})

    def change(self, uri: str, start: tuple[int, int], end: tuple[int, int], text: str) -> None:
        """Replace a range; positions in the negotiated encoding."""
        range_ = {"start": _position(start), "end": _position(end)}
        self._edit(uri, [{"range": range_, "newText": text}])

    def save(self, uri: str) -> None:
        """Tell that the buffer was saved."""
        self.notify("textDocument/didSave", {"textDocument": {"uri": uri}})

    def close(self, uri: str) -> None:
        """Close a buffer."""
        self.texts.pop(uri)
        self.notify("textDocument/didClose", {"textDocument": {"uri": uri}})

    # What a user does

    async def hover(self, uri: str, line: int, character: int = 0) -> str | None:
        """The hover's text at a place."""
        params = {"textDocument": {"uri": uri}, "position": _position((line, character))}
        answer = await self.request("textDocument/hover", params)
        return None if answer is None else str(answer["contents"]["value"])

    async def code_actions(self, uri: str, start: tuple[int, int], end: tuple[int, int], **context: Any) -> list[Json]:
        """The code actions for a range."""
        params = {
            "textDocument": {"uri": uri},
            "range": {"start": _position(start), "end": _position(end)},
            "context": {"diagnostics": [], **context},
        }
        answer: list[Json] = await self.request("textDocument/codeAction", params) or []
        return answer

    async def code_lenses(self, uri: str) -> list[Json]:
        """The code lenses of a document."""
        answer: list[Json] = await self.request("textDocument/codeLens", {"textDocument": {"uri": uri}}) or []
        return answer

    async def execute(self, command: str, argument: Json | None = None) -> Any:
        """Run one of the server's commands."""
        arguments = [] if argument is None else [argument]
        return await self.request("workspace/executeCommand", {"command": command, "arguments": arguments})

    async def choose(self, action: Json) -> Any:
        """Choose a code action: its edit is resolved and applied, or its command run."""
        if "command" in action:
            return await self.execute(action["command"]["command"], action["command"]["arguments"][0])
        if "edit" not in action:
            action = await self.request("codeAction/resolve", action)
        self.apply(action["edit"])
        return None

    async def finished(self, turn_id: str) -> Json:
        """The ``channelcoder/turn`` notification that says that a turn is over."""
        over = {"done", "failed", "cancelled"}

        def is_it(message: Json) -> bool:
            params = message.get("params") or {}
            return message.get("method") == "channelcoder/turn" and (
                params["turnId"] == turn_id and params["state"] in over
            )

        found: Json = (await self.wait_for(is_it))["params"]
        return found

    def apply(self, edit: Json) -> None:
        """Apply a workspace edit to the buffers and tell the server."""
        for change in edit.get("documentChanges") or []:
            uri, version = change["textDocument"]["uri"], change["textDocument"]["version"]
            if version is not None and version != self.versions[uri]:
                raise ChannelCoderError(f"{uri} has version {self.versions[uri]}, the edit is for {version}.")
            self._edit(uri, change["edits"])
        for uri, edits in (edit.get("changes") or {}).items():
            self._edit(uri, edits)

    def _edit(self, uri: str, edits: list[Json]) -> None:
        for edit in sorted(edits, key=lambda edit: _tuple(edit["range"]["start"]), reverse=True):
            start, end = edit["range"]["start"], edit["range"]["end"]
            text = self.texts[uri]
            self.texts[uri] = text[: self._offset(text, start)] + edit["newText"] + text[self._offset(text, end) :]
        self.versions[uri] += 1
        changes = [
            {"range": edit["range"], "text": edit["newText"]}
            for edit in sorted(edits, key=lambda edit: _tuple(edit["range"]["start"]), reverse=True)
        ]
        document = {"uri": uri, "version": self.versions[uri]}
        self.notify("textDocument/didChange", {"textDocument": document, "contentChanges": changes})

    def _offset(self, text: str, position: Json) -> int:
        encoding = self.initialized["capabilities"].get("positionEncoding", "utf-16")
        lines = split_lines(text)
        number = min(position["line"], len(lines) - 1)
        before = 0
        for line in lines[:number]:
            before += len(line)
            before += 2 if text[before : before + 2] == "\r\n" else 1
        name, width = _UNITS[encoding]
        column = len(lines[number].encode(name)[: position["character"] * width].decode(name))
        return before + (column if position["line"] < len(lines) else len(lines[number]))

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
            result = self._answer(message["method"], message.get("params"))
            self._send({"jsonrpc": "2.0", "id": message["id"], "result": result})
        async with self._news:
            self.received.append(message)
            self._news.notify_all()

    def _answer(self, method: str, params: Any) -> Any:
        """What this editor says to the server's requests."""
        match method:
            case "workspace/configuration":
                return [self.settings for _ in params["items"]]
            case "workspace/applyEdit":
                self.apply(params["edit"])
                return {"applied": True}
            case "window/showDocument":
                return {"success": True}
            case _:
                return None


def _position(place: tuple[int, int]) -> Json:
    return {"line": place[0], "character": place[1]}


def _tuple(position: Json) -> tuple[int, int]:
    return position["line"], position["character"]
