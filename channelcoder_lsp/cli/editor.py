"""A small editor without a screen: enough of an LSP client to use the server as an editor would.

The demo and the tests drive the real server with it. Messages are plain JSON on both sides, so nothing is lost or
mended on the way.
"""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING, Any

from channelcoder_lsp.cli.connection import Connection, Json
from channelcoder_lsp.domain.errors import ChannelCoderError
from channelcoder_lsp.domain.text import split_lines
from channelcoder_lsp.domain.uri import path_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

_UNITS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}


def capabilities(encoding: str = "utf-16", **ours: bool) -> Json:
    """What a capable client announces; ``ours`` goes to ``experimental.channelcoder``."""
    return {
        "general": {"positionEncodings": [encoding]},
        "workspace": {
            "applyEdit": True,
            "configuration": True,
            "workspaceFolders": True,
            "workspaceEdit": {
                "documentChanges": True,
                "resourceOperations": ["create", "delete"],
                "changeAnnotationSupport": {},
            },
            "diagnostics": {"refreshSupport": True},
            "didChangeWatchedFiles": {"dynamicRegistration": True},
            "symbol": {},
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


class Editor(Connection):
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
        super().__init__(command, environment=environment, check=check)
        self.folders = list(folders)
        self.capabilities = client if client is not None else capabilities()
        self.settings = settings or {}
        self.texts: dict[str, str] = {}
        self.versions: dict[str, int] = {}
        self.initialized: Json = {}
        self.process_id = os.getpid()
        """The process that the server is told to end with."""
        self.trace = "off"
        """How much the server is asked to tell of what it does: ``off``, ``messages`` or ``verbose``."""
        self.choice: str | None = None
        """The title that is chosen in ``window/showMessageRequest``; None: the message is dismissed."""
        self.first_choice: str | None = None
        """A title that is chosen before that one where it is offered."""
        self.slow = False
        """Whether nobody looks at ``window/showMessageRequest`` until :meth:`answer_now`."""
        self._looked = asyncio.Event()
        self.takes_edits = True
        """Whether ``workspace/applyEdit`` is applied; the person may have said no."""

    async def start(self) -> Json:
        """Start the server and shake hands; what ``initialize`` was answered with."""
        await super().start()
        folders = [{"uri": folder.as_uri(), "name": folder.name} for folder in self.folders]
        self.initialized = await self.request(
            "initialize",
            {
                "processId": self.process_id,
                "rootUri": folders[0]["uri"] if folders else None,
                "capabilities": self.capabilities,
                "trace": self.trace,
                "workspaceFolders": folders or None,
            },
        )
        self.notify("initialized", {})
        return self.initialized

    def answer_now(self) -> None:
        """Somebody looks at the messages that wait for an answer."""
        self._looked.set()

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
        """Choose a code action: its edit is resolved and applied, then its command run; what that returned."""
        if "edit" not in action and "data" in action:
            action = await self.request("codeAction/resolve", action)
        if "edit" in action:
            self.apply(action["edit"])
        if "command" in action:
            return await self.execute(action["command"]["command"], action["command"]["arguments"][0])
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
            if "kind" in change:
                self._change_file(change)
                continue
            uri, version = change["textDocument"]["uri"], change["textDocument"]["version"]
            if version is not None and version != self.versions[uri]:
                raise ChannelCoderError(f"{uri} has version {self.versions[uri]}, the edit is for {version}.")
            self._edit(uri, change["edits"])
        for uri, edits in (edit.get("changes") or {}).items():
            self._edit(uri, edits)

    def _change_file(self, change: Json) -> None:
        """Create or delete a file."""
        path = path_of(change["uri"])
        if path is None:
            raise ChannelCoderError(f"{change['uri']} is not a file.")
        match change["kind"]:
            case "create":
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch(exist_ok=False)
            case "delete":
                path.unlink()
                if change["uri"] in self.texts:
                    self.close(change["uri"])

    def _edit(self, uri: str, edits: list[Json]) -> None:
        if uri not in self.texts and (path := path_of(uri)) is not None:
            self.open(path, language=path.suffix.removeprefix("."))
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

    async def _answer(self, method: str, params: Any) -> Any:
        """What this editor says to the server's requests."""
        match method:
            case "workspace/configuration":
                return [self.settings for _ in params["items"]]
            case "workspace/applyEdit":
                if self.takes_edits:
                    self.apply(params["edit"])
                return {"applied": self.takes_edits}
            case "window/showMessageRequest":
                if self.slow:
                    await self._looked.wait()
                offered = {action["title"]: action for action in params["actions"]}
                return offered.get(self.first_choice or "", offered.get(self.choice or ""))
            case "window/showDocument":
                return {"success": True}
            case _:
                return None


def _position(place: tuple[int, int]) -> Json:
    return {"line": place[0], "character": place[1]}


def _tuple(position: Json) -> tuple[int, int]:
    return position["line"], position["character"]
