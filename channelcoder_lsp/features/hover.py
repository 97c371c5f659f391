"""textDocument/hover: the answers about the code under the cursor, from memory only."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types as lsp

from channelcoder_lsp.domain.place import Range
from channelcoder_lsp.features.render import hover_markdown

if TYPE_CHECKING:
    from channelcoder_lsp.features.face import Face


def hover(face: Face, params: lsp.HoverParams) -> lsp.Hover | None:
    """The threads at the position, the innermost first."""
    uri = params.text_document.uri
    project = face.projects.of(uri)
    if not face.settings().hover or (document := project.documents.get(uri)) is None:
        return None
    position = face.client.codec.position(document.lines, params.position)
    found = project.placed.threads_at(uri, Range(position, position))
    if not found:
        return None
    kind = lsp.MarkupKind.Markdown if face.client.hover_markdown else lsp.MarkupKind.PlainText
    return lsp.Hover(
        lsp.MarkupContent(kind, hover_markdown(face, found)),
        range=face.client.codec.client_range(document.lines, found[0].range),
    )
