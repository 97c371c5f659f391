"""textDocument and notebookDocument synchronisation: the services' documents follow the editor's buffers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio.to_thread
from lsprotocol import types as lsp

from channelcoder_lsp.domain.text import split_lines
from channelcoder_lsp.domain.uri import path_of
from channelcoder_lsp.services.files import holds
from channelcoder_lsp.services.threads import Document

if TYPE_CHECKING:
    from channelcoder_lsp.features.face import Face
    from channelcoder_lsp.services.project import Project


async def opened(face: Face, item: lsp.TextDocumentItem) -> None:
    """A document or a notebook cell was opened."""
    project = face.projects.of(item.uri)
    document = Document(
        uri=item.uri,
        path=project.relative(item.uri),
        lines=split_lines(item.text),
        language=item.language_id,
        version=item.version,
        line_end=_line_end(item.text),
    )
    await project.opened(document)
    face.client.refresh()
    path = path_of(item.uri) if item.uri.startswith("file:") else None
    if path is None or not await anyio.to_thread.run_sync(holds, path, list(document.lines)):
        document.unsaved = True


def changed(
    face: Face,
    uri: str,
    version: int | None,
    changes: list[lsp.TextDocumentContentChangeEvent],
) -> None:
    """The text of an open document changed; each change is relative to the text after the one before it."""
    project = face.projects.of(uri)
    document = project.documents.get(uri)
    if document is None:
        return
    with project.documents.together(uri):
        for change in changes:
            if isinstance(change, lsp.TextDocumentContentChangeWholeDocument):
                project.documents.replaced(uri, change.text)
                document.line_end = _line_end(change.text)
                continue
            edited = face.client.codec.range(document.lines, change.range)
            project.documents.edit(uri, edited, change.text)
    document.version = version
    document.unsaved = True
    face.findings.edited(uri)
    if document.behind:
        face.client.spawn(_catch_up(face, project, document))


async def _catch_up(face: Face, project: Project, document: Document) -> None:
    await project.placed.catch_up(document)
    face.client.refresh()


async def closed(face: Face, uri: str) -> None:
    """A document was closed."""
    await face.projects.of(uri).closed(uri)


async def saved(face: Face, uri: str) -> None:
    """A document was saved."""
    if (path := path_of(uri)) is not None and face.prompts.holds(path):
        await face.reload_prompts()
    project = face.projects.of(uri)
    await project.placed.saved(uri)
    if (document := project.documents.get(uri)) is not None:
        document.unsaved = False
        await project.proposed.saved(document)


async def notebook_changed(face: Face, params: lsp.DidChangeNotebookDocumentParams) -> None:
    """Cells came, went, or changed their text."""
    if (cells := params.change.cells) is None:
        return
    if cells.structure is not None:
        for item in cells.structure.did_open or []:
            await opened(face, item)
        for gone in cells.structure.did_close or []:
            await closed(face, gone.uri)
    for text in cells.text_content or []:
        changed(face, text.document.uri, text.document.version, list(text.changes))


def _line_end(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"
