"""Answers as workspace edits: versioned where the client has it, one undo step each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types as lsp

from channelcoder_lsp.domain.place import Position, Range
from channelcoder_lsp.services.fitting import fit, fitted, indent_of
from channelcoder_lsp.services.safe_text import code_blocks

if TYPE_CHECKING:
    from channelcoder_lsp.features.client import Client
    from channelcoder_lsp.services.placed import ThreadHere
    from channelcoder_lsp.services.threads import Document


def blocks_of(text: str) -> list[str]:
    """The code blocks of an answer, in order."""
    return [block.code for block in code_blocks(text)]


def insert_below(client: Client, document: Document, here: ThreadHere, code: str) -> lsp.WorkspaceEdit:
    """Put ``code`` on lines of its own below the code that the thread is about, indented like it."""
    last = here.range.last_line
    text = fit(code, indent_of(document.lines[here.range.start.line])).replace("\n", document.line_end)
    if last + 1 < len(document.lines):
        at = Position(last + 1, 0)
        text += document.line_end
    else:
        at = Position(last, len(document.lines[last]))
        text = document.line_end + text
    return _edit(client, document, Range(at, at), text)


def replace(client: Client, document: Document, here: ThreadHere, code: str) -> lsp.WorkspaceEdit:
    """Put ``code`` in the place of the code that the thread is about, indented like it."""
    text = fitted(document.lines, here.range, code)
    return _edit(client, document, here.range, text.replace("\n", document.line_end))


def remove(client: Client, document: Document, range_: Range) -> lsp.WorkspaceEdit:
    """Take the text of ``range_`` away."""
    return _edit(client, document, range_, "")


def _edit(client: Client, document: Document, range_: Range, text: str) -> lsp.WorkspaceEdit:
    edit = lsp.TextEdit(client.codec.client_range(document.lines, range_), text)
    if not client.versioned_edits:
        return lsp.WorkspaceEdit(changes={document.uri: [edit]})
    identifier = lsp.OptionalVersionedTextDocumentIdentifier(uri=document.uri, version=document.version)
    return lsp.WorkspaceEdit(document_changes=[lsp.TextDocumentEdit(identifier, [edit])])
