"""An editor in memory: what the features send to a client, and a face that works with real services."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from lsprotocol import types as lsp

from channelcoder_lsp.domain.text import split_lines
from channelcoder_lsp.domain.uri import uri_of
from channelcoder_lsp.features import text_sync
from channelcoder_lsp.features.client import Client
from channelcoder_lsp.features.face import Face
from channelcoder_lsp.features.positions import PositionCodec
from channelcoder_lsp.features.progress import TurnsShown
from channelcoder_lsp.services.checkouts import Checkouts
from channelcoder_lsp.services.projects import Projects
from channelcoder_lsp.services.prompt_library import PromptLibrary

if TYPE_CHECKING:
    from pathlib import Path

    from services.desk import Desk

CODE = "import os\n\n\ndef total(items):\n    result = sum(items)\n    return result\n\n\nprint(total([1]))\n"
TOTAL = (3, 0), (5, 17)


def capabilities(
    *,
    ours: dict[str, bool] | None = None,
    versioned: bool = True,
    resolve: bool = True,
    edits: bool = True,
    pulls: bool = True,
    fetches: bool = False,
) -> lsp.ClientCapabilities:
    """What a usual editor can do; one that ``fetches`` documents from the server shows them, too."""
    code_action = lsp.CodeActionClientCapabilities(
        resolve_support=lsp.ClientCodeActionResolveOptions(["edit"]) if resolve else None
    )
    return lsp.ClientCapabilities(
        workspace=lsp.WorkspaceClientCapabilities(
            apply_edit=edits,
            workspace_edit=lsp.WorkspaceEditClientCapabilities(document_changes=versioned),
            code_lens=lsp.CodeLensWorkspaceClientCapabilities(refresh_support=True),
            diagnostics=lsp.DiagnosticWorkspaceClientCapabilities(refresh_support=True),
            text_document_content=lsp.TextDocumentContentClientCapabilities() if fetches else None,
        ),
        text_document=lsp.TextDocumentClientCapabilities(
            code_action=code_action,
            diagnostic=lsp.DiagnosticClientCapabilities(related_information=True) if pulls else None,
            publish_diagnostics=lsp.PublishDiagnosticsClientCapabilities(related_information=False),
        ),
        window=lsp.WindowClientCapabilities(
            work_done_progress=True,
            show_document=lsp.ShowDocumentClientCapabilities(support=True) if fetches else None,
        ),
        experimental={"channelcoder": ours or {}},
    )


def span(start: tuple[int, int], end: tuple[int, int]) -> lsp.Range:
    return lsp.Range(lsp.Position(*start), lsp.Position(*end))


class Progress:
    """Stands in for pygls' work done progress."""

    def __init__(self) -> None:
        self.tokens: dict[Any, Any] = {}
        self.told: list[tuple[str, Any]] = []
        self.refuses = False

    async def create_async(self, token: str) -> None:
        self.told.append(("create", token))

    def begin(self, token: str, value: lsp.WorkDoneProgressBegin) -> None:
        self.told.append(("begin", value))

    def report(self, token: str, value: lsp.WorkDoneProgressReport) -> None:
        self.told.append(("report", value))

    def end(self, token: str, value: lsp.WorkDoneProgressEnd) -> None:
        self.told.append(("end", value))


@dataclass
class Editor:
    """Stands in for pygls' server with an editor behind it: it holds buffers and applies edits to them."""

    client_capabilities: lsp.ClientCapabilities
    encoding: str = "utf-16"
    buffers: dict[str, str] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)
    notified: list[dict[str, Any]] = field(default_factory=list)
    settings: dict[str, Any] | None = None
    published: list[lsp.PublishDiagnosticsParams] = field(default_factory=list)
    refreshed: list[str] = field(default_factory=list)
    """What was to be asked for anew: ``diagnostics``, or a document."""
    news: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when something was published or is to be asked for anew."""
    shown: list[str] = field(default_factory=list)
    face: Face = field(init=False)

    def __post_init__(self) -> None:
        self.workspace = SimpleNamespace(position_encoding=self.encoding)
        self.work_done_progress = Progress()
        self.protocol = SimpleNamespace(
            trace=lsp.TraceValue.Off,
            notify=lambda method, params: self.notified.append(params),
            send_request_async=self._asked,
        )

    def window_show_message(self, params: lsp.ShowMessageParams) -> None:
        self.messages.append(params.message)

    async def workspace_code_lens_refresh_async(self, params: None) -> None:
        return None

    async def workspace_diagnostic_refresh_async(self, params: None) -> None:
        self.refreshed.append("diagnostics")
        self.news.set()

    async def workspace_text_document_content_refresh_async(self, params: lsp.TextDocumentContentRefreshParams) -> None:
        self.refreshed.append(params.uri)
        self.news.set()

    def text_document_publish_diagnostics(self, params: lsp.PublishDiagnosticsParams) -> None:
        self.published.append(params)
        self.news.set()

    async def window_show_document_async(self, params: lsp.ShowDocumentParams) -> lsp.ShowDocumentResult:
        self.shown.append(params.uri)
        return lsp.ShowDocumentResult(success=True)

    def _asked(self, method: str, params: lsp.ApplyWorkspaceEditParams) -> asyncio.Future[lsp.ApplyWorkspaceEditResult]:
        assert method == lsp.WORKSPACE_APPLY_EDIT

        async def apply() -> lsp.ApplyWorkspaceEditResult:
            self.apply(params.edit)
            return lsp.ApplyWorkspaceEditResult(applied=True)

        return asyncio.ensure_future(apply())

    async def open(self, path: Path, text: str, language: str = "python") -> str:
        uri = uri_of(path)
        self.buffers[uri], self.versions[uri] = text, 1
        await text_sync.opened(self.face, lsp.TextDocumentItem(uri, language, 1, text))
        return uri

    def apply(self, edit: lsp.WorkspaceEdit) -> None:
        """Apply an edit to the buffers and say so, as an editor does."""
        for change in edit.document_changes or []:
            assert isinstance(change, lsp.TextDocumentEdit)
            assert change.text_document.version == self.versions[change.text_document.uri]
            self.change(change.text_document.uri, [(each.range, each.new_text) for each in change.edits])
        for uri, edits in (edit.changes or {}).items():
            self.change(uri, [(each.range, each.new_text) for each in edits])

    def change(self, uri: str, changes: list[tuple[lsp.Range, str]]) -> None:
        """Type: each change is relative to the text after the one before."""
        codec = PositionCodec(self.encoding)
        for where, new in changes:
            text = self.buffers[uri]
            lines = split_lines(text)
            offsets = []
            for position in codec.range(lines, where):
                before = text.splitlines(keepends=True)[: position.line]
                offsets.append(len("".join(before)) + position.character)
            self.buffers[uri] = text[: offsets[0]] + new + text[offsets[1] :]
        self.versions[uri] += 1
        events = [lsp.TextDocumentContentChangePartial(range=where, text=new) for where, new in changes]
        text_sync.changed(self.face, uri, self.versions[uri], events)


async def make_face(desk: Desk, editor: Editor) -> Face:
    """A face for ``editor``, with ``desk``'s agent, storage and settings, on the folder of the desk."""
    client = Client(editor)  # type: ignore[arg-type]
    turns = TurnsShown(client)

    def tell(event: Any) -> None:
        desk.heard(event)
        turns(event)

    object.__setattr__(desk.ports, "tell", tell)
    projects = Projects(desk.storage, Checkouts(desk.folder / "state"), desk.ports, desk.folder / "scratch")

    async def close() -> None:
        return None

    editor.face = Face(
        client=client,
        projects=projects,
        prompts=PromptLibrary(desk.folder / "prompts", projects.checkouts, client.say),
        settings=lambda: desk.settings,
        apply_settings=lambda values: [],
        shown_folder=desk.folder / "shown",
        turns=turns,
        close=close,
    )
    project = desk.folder / "shop"
    project.mkdir(exist_ok=True)
    await projects.add(project)
    return editor.face
