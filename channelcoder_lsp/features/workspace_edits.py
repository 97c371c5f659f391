"""Proposals as workspace edits (LSP 3.17, "WorkspaceEdit"): versioned, and confirmed by a person where it can be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lsprotocol import types as lsp

from channelcoder_lsp.domain.errors import ProposalError
from channelcoder_lsp.domain.place import Position, Range
from channelcoder_lsp.domain.proposal import FileKind
from channelcoder_lsp.services.proposals import new_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from channelcoder_lsp.features.client import Client
    from channelcoder_lsp.services.hunks import HunkNow
    from channelcoder_lsp.services.proposed import Target

_ANNOTATION = "claude"
Change = lsp.TextDocumentEdit | lsp.CreateFile | lsp.RenameFile | lsp.DeleteFile
"""What ``documentChanges`` holds."""


def workspace_edit(
    client: Client, targets: Sequence[tuple[Target, Sequence[HunkNow]]], *, label: str, confirm: bool
) -> lsp.WorkspaceEdit:
    """One edit for all of ``targets``; of edited files the given open changes, each file one step to undo.

    Open documents are named with their version, so that a client refuses the edit once it has moved on. A client
    without ``documentChanges`` can't be told a version: it gets plain ``changes``, made for the text as it was when
    they were sent, and no more is possible there.

    Args:
        client: whose positions and abilities count.
        targets: the files, as they are at this moment.
        label: what a person is asked to confirm.
        confirm: whether a person is to be asked, where the client can.

    Raises:
        ProposalError: the client can't create or delete files.
    """
    annotation = _ANNOTATION if confirm and client.confirms_edits else None
    ordered = sorted(targets, key=lambda each: _ORDER[each[0].now.file.kind])
    changes = [change for target, hunks in ordered for change in _changes(client, target, hunks, annotation)]
    if not client.versioned_edits:
        plain = [change for change in changes if isinstance(change, lsp.TextDocumentEdit)]
        return lsp.WorkspaceEdit(
            changes={
                change.text_document.uri: [edit for edit in change.edits if isinstance(edit, lsp.TextEdit)]
                for change in plain
            }
        )
    annotations = {_ANNOTATION: lsp.ChangeAnnotation(label=label, needs_confirmation=True)} if annotation else None
    return lsp.WorkspaceEdit(document_changes=changes, change_annotations=annotations)


_ORDER = {FileKind.CREATE: 0, FileKind.EDIT: 1, FileKind.DELETE: 2}


def _changes(client: Client, target: Target, hunks: Sequence[HunkNow], annotation: str | None) -> list[Change]:
    version = target.document.version if target.document is not None else None
    identifier = lsp.OptionalVersionedTextDocumentIdentifier(uri=target.uri, version=version)
    match target.now.file.kind:
        case FileKind.CREATE:
            _require(client, lsp.ResourceOperationKind.Create, target, "create")
            text = "\n".join(new_lines(target.now.file))
            start = lsp.Position(0, 0)
            create = lsp.CreateFile(uri=target.uri, annotation_id=annotation)
            fill = _text_edit(lsp.Range(start, start), text, annotation)
            return [create, lsp.TextDocumentEdit(identifier, [fill])]
        case FileKind.DELETE:
            _require(client, lsp.ResourceOperationKind.Delete, target, "delete")
            return [lsp.DeleteFile(uri=target.uri, annotation_id=annotation)]
    lines = target.lines or [""]
    edits = []
    for hunk in sorted(hunks, key=lambda hunk: hunk.start):
        range_, text = replacement(lines, hunk.start, hunk.end, hunk.hunk.lines)
        at = client.codec.client_range(lines, range_)
        edits.append(_text_edit(at, text.replace("\n", target.line_end), annotation))
    return [lsp.TextDocumentEdit(identifier, edits)]


def _require(client: Client, operation: lsp.ResourceOperationKind, target: Target, verb: str) -> None:
    if not client.changes_files(operation):
        raise ProposalError(
            f"This editor can't {verb} files for a server, so {target.name} has to be {verb}d by hand. Nothing was "
            "applied; the preview shows what it is about, and the other files can be applied one by one."
        )


def _text_edit(at: lsp.Range, text: str, annotation: str | None) -> lsp.TextEdit | lsp.AnnotatedTextEdit:
    if annotation is None:
        return lsp.TextEdit(at, text)
    return lsp.AnnotatedTextEdit(annotation_id=annotation, range=at, new_text=text)


def replacement(lines: Sequence[str], start: int, end: int, put: Sequence[str]) -> tuple[Range, str]:
    r"""The range to replace, and the text (``\n`` between lines), so that ``put`` takes the place of whole lines.

    What the old and the new lines begin and end with alike is left alone, so that what points there stays.

    Args:
        lines: the document's lines without their ends.
        start: the first line that is replaced.
        end: the line after the last; the same as ``start`` for an insertion.
        put: the new lines.
    """
    if start == end:
        if start < len(lines):
            return _at(start, 0, start, 0), "".join(f"{line}\n" for line in put)
        last = len(lines) - 1
        return _at(last, len(lines[last]), last, len(lines[last])), "".join(f"\n{line}" for line in put)
    if not put:
        if end < len(lines):
            return _at(start, 0, end, 0), ""
        before = (start - 1, len(lines[start - 1])) if start else (0, 0)
        return _at(*before, end - 1, len(lines[end - 1])), ""
    head = _alike(lines[start], put[0])
    room = min(
        len(lines[end - 1]) - (head if start == end - 1 else 0),
        len(put[-1]) - (head if len(put) == 1 else 0),
    )
    tail = min(room, _alike(lines[end - 1][::-1], put[-1][::-1]))
    text = "\n".join(put)
    return _at(start, head, end - 1, len(lines[end - 1]) - tail), text[head : len(text) - tail]


def _alike(one: str, other: str) -> int:
    """How many characters the two begin with alike."""
    count = 0
    for left, right in zip(one, other, strict=False):
        if left != right:
            break
        count += 1
    return count


def _at(*place: int) -> Range:
    return Range(Position(*place[:2]), Position(*place[2:]))
