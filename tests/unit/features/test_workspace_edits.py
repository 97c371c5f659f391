"""Proposals as workspace edits."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types as lsp

from channelcoder_lsp.domain.errors import ProposalError
from channelcoder_lsp.domain.proposal import FileKind, Hunk, ProposedFile
from channelcoder_lsp.features.client import Client
from channelcoder_lsp.features.positions import PositionCodec
from channelcoder_lsp.features.workspace_edits import replacement, workspace_edit
from channelcoder_lsp.services.hunks import hunks_between, hunks_now
from channelcoder_lsp.services.proposals import FileNow, file_now
from channelcoder_lsp.services.proposed import Target
from channelcoder_lsp.services.threads import Document

from .editor import Editor, capabilities

URI = "file:///shop/a.py"
LINES = st.lists(st.sampled_from(["", "a", "aa", "ab", "🛒", "a🛒b", "é", "  a"]), min_size=1, max_size=6)


def can(**workspace_edit: Any) -> lsp.ClientCapabilities:
    client = capabilities()
    assert client.workspace is not None
    client.workspace.workspace_edit = lsp.WorkspaceEditClientCapabilities(**workspace_edit)
    return client


def client(able: lsp.ClientCapabilities, encoding: str = "utf-16") -> Client:
    return Client(Editor(able, encoding=encoding))  # type: ignore[arg-type]


ALL = can(
    document_changes=True,
    resource_operations=[lsp.ResourceOperationKind.Create, lsp.ResourceOperationKind.Delete],
    change_annotation_support=lsp.ChangeAnnotationsSupportOptions(),
)


def target(old: list[str], new: list[str], *, end: str = "\n", version: int | None = 3) -> Target:
    file = ProposedFile(uri=URI, base="x", hunks=hunks_between(old, new))
    document = Document(URI, "a.py", old, version=version, line_end=end) if version is not None else None
    return Target(file_now(file, "\n".join(old), old), URI, document, old, old, end)


def made(lines: list[str], edits: list[Any], encoding: str) -> list[str]:
    """``lines`` after edits that all count in the text before: as LSP has it, last first."""
    codec = PositionCodec(encoding)
    text = "\n".join(lines)
    starts = [sum(len(line) + 1 for line in lines[:number]) for number in range(len(lines))]
    spans = []
    for edit in edits:
        start, end = span = codec.range(lines, edit.range)
        assert codec.client_range(lines, span) == edit.range, "a place that there is"
        spans.append((starts[start.line] + start.character, starts[end.line] + end.character, edit.new_text))
    for (_, before, _), (after, _, _) in zip(sorted(spans), sorted(spans)[1:], strict=False):
        assert before <= after, "none overlaps another"
    for start, end, new in sorted(spans, reverse=True):
        text = text[:start] + new + text[end:]
    return text.split("\n")


class TestText:
    @given(LINES, LINES, st.sampled_from(["utf-8", "utf-16", "utf-32"]))
    def test_the_edits_make_the_proposed_text(self, old: list[str], new: list[str], encoding: str):
        """Whatever is at the ends of the file, in the client's count."""
        one = target(old, new)
        edit = workspace_edit(client(ALL, encoding), [(one, one.now.hunks)], label="Claude", confirm=True)
        (change,) = edit.document_changes or []
        assert isinstance(change, lsp.TextDocumentEdit)
        assert made(old, list(change.edits), encoding) == new

    def test_what_is_alike_is_left_alone(self):
        """So that what points there stays: a thread's place, a breakpoint."""
        range_, text = replacement(["    return a + b", "x"], 0, 1, ["    return a * b"])
        assert (range_, text) == (((0, 13), (0, 14)), "*")
        assert replacement(["aa"], 0, 1, ["a"]) == (((0, 1), (0, 2)), "")
        assert replacement(["a"], 0, 1, ["aa"]) == (((0, 1), (0, 1)), "a")

    def test_the_documents_line_ends_are_used(self):
        one = target(["a", "b", ""], ["a", "x", "y", ""], end="\r\n")
        edit = workspace_edit(client(ALL), [(one, one.now.hunks)], label="Claude", confirm=False)
        (change,) = edit.document_changes or []
        assert isinstance(change, lsp.TextDocumentEdit)
        assert [each.new_text for each in change.edits] == ["x\r\ny"]


class TestClient:
    """What the client can do decides."""

    def edit(self, able: lsp.ClientCapabilities, *, confirm: bool = True, version: int | None = 3) -> lsp.WorkspaceEdit:
        one = target(["a", "b", "c", "d", "e"], ["A", "b", "c", "d", "E"], version=version)
        return workspace_edit(client(able), [(one, one.now.hunks)], label="Claude: why", confirm=confirm)

    def test_versions_and_confirmation(self):
        """One edit for the file, so one step to undo."""
        edit = self.edit(ALL)
        (change,) = edit.document_changes or []
        assert isinstance(change, lsp.TextDocumentEdit)
        assert change.text_document.version == 3
        assert len(change.edits) == 2
        assert all(isinstance(each, lsp.AnnotatedTextEdit) for each in change.edits)
        assert edit.change_annotations == {"claude": lsp.ChangeAnnotation(label="Claude: why", needs_confirmation=True)}

    def test_a_file_that_is_not_open_has_no_version(self):
        (change,) = self.edit(ALL, version=None).document_changes or []
        assert isinstance(change, lsp.TextDocumentEdit)
        assert change.text_document.version is None

    @pytest.mark.parametrize(("able", "confirm"), [(ALL, False), (can(document_changes=True), True)])
    def test_without_confirmation(self, able: lsp.ClientCapabilities, confirm: bool):
        """By a setting, or since the client knows no annotations."""
        edit = self.edit(able, confirm=confirm)
        (change,) = edit.document_changes or []
        assert isinstance(change, lsp.TextDocumentEdit)
        assert edit.change_annotations is None
        assert not any(isinstance(each, lsp.AnnotatedTextEdit) for each in change.edits)

    def test_without_versions(self):
        edit = self.edit(can(document_changes=False))
        assert edit.document_changes is None
        assert [each.new_text for each in (edit.changes or {})[URI]] == ["A", "E"]

    @pytest.mark.parametrize("kind", [FileKind.CREATE, FileKind.DELETE])
    def test_files_are_created_and_deleted_only_where_the_client_can(self, kind: FileKind):
        hunks = [Hunk(start=0, end=0, lines=["x", ""])] if kind is FileKind.CREATE else []
        file = ProposedFile(uri=URI, path="a.py", kind=kind, hunks=hunks)
        one = Target(FileNow(file, file_now(file, None, None).state), URI, None, None, None)
        first, *rest = workspace_edit(client(ALL), [(one, [])], label="x", confirm=True).document_changes or []
        expected = lsp.CreateFile if kind is FileKind.CREATE else lsp.DeleteFile
        assert first == expected(uri=URI, annotation_id="claude")
        assert len(rest) == len(hunks)
        for able in (can(document_changes=True), can(resource_operations=[lsp.ResourceOperationKind.Create])):
            with pytest.raises(ProposalError, match=f"This editor can't {kind.value} files for a server"):
                workspace_edit(client(able), [(one, [])], label="x", confirm=True)

    def test_the_order_is_create_edit_delete(self):
        """A text may move from a file that goes to one that comes."""
        files = [ProposedFile(uri=f"file:///{kind.value}", kind=kind) for kind in (FileKind.DELETE, FileKind.CREATE)]
        targets = [
            (Target(FileNow(file, file_now(file, None, None).state), file.uri, None, None, None), []) for file in files
        ]
        one = target(["a"], ["b"])
        edit = workspace_edit(client(ALL), [*targets, (one, one.now.hunks)], label="x", confirm=True)
        kinds = [type(change) for change in edit.document_changes or []]
        assert kinds == [lsp.CreateFile, lsp.TextDocumentEdit, lsp.TextDocumentEdit, lsp.DeleteFile]


def test_only_the_given_changes_are_made():
    """Change by change."""
    one = target(["a", "b", "c"], ["A", "b", "C"])
    (first, _) = hunks_now(one.now.file.hunks, ["a", "b", "c"], ["a", "b", "c"])
    edit = workspace_edit(client(ALL), [(one, [first])], label="x", confirm=True)
    (change,) = edit.document_changes or []
    assert isinstance(change, lsp.TextDocumentEdit)
    assert [each.new_text for each in change.edits] == ["A"]
