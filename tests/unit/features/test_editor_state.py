"""What the editor tells of itself, and which buffers are unsaved."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from lsprotocol import types as lsp

from channelcoder_lsp.domain.place import Severity
from channelcoder_lsp.features import text_sync
from channelcoder_lsp.features.code_actions import code_actions
from channelcoder_lsp.features.editor_state import editor_told

from .editor import CODE, Editor, span

if TYPE_CHECKING:
    from pathlib import Path

    from channelcoder_lsp.services.project import Project

WIDE = "x = '🙂'; y = 1\n"


def project(editor: Editor, uri: str) -> Project:
    return editor.face.projects.of(uri)


class TestUnsaved:
    """Whether a buffer may differ from the disk: then Claude is to read the buffer."""

    @pytest.mark.parametrize(
        ("on_disk", "unsaved"),
        [
            (CODE.encode(), False),
            (CODE.replace("\n", "\r\n").encode(), False),
            (b"\xef\xbb\xbf" + CODE.encode(), False),
            (b"something else\n", True),
            (b"\xff", True),
            (None, True),
        ],
        ids=["same", "other line ends", "byte order mark", "other text", "no text", "no file"],
    )
    async def test_when_it_is_opened(self, editor: Editor, tmp_path: Path, on_disk: bytes | None, unsaved: bool):
        path = tmp_path / "shop" / "a.py"
        if on_disk is not None:
            path.write_bytes(on_disk)
        uri = await editor.open(path, CODE)
        document = editor.face.document(uri)
        assert document is not None
        assert document.unsaved is unsaved

    async def test_from_an_edit_until_it_is_saved(self, editor: Editor, tmp_path: Path):
        path = tmp_path / "shop" / "a.py"
        path.write_text(CODE)
        uri = await editor.open(path, CODE)
        session = await project(editor, uri).session_to_ask_in()
        tools = session._request().editor
        assert tools is not None
        assert not tools.is_unsaved(path)
        editor.change(uri, [(span((0, 0), (0, 0)), "# new\n")])
        assert tools.is_unsaved(path)
        await text_sync.saved(editor.face, uri)
        assert not tools.is_unsaved(path)


class TestTold:
    """Selection and diagnostics, in the client's positions."""

    async def told(self, editor: Editor, params: dict[str, Any]) -> None:
        editor_told(editor.face, _as_the_library_has_it(params))

    @pytest.mark.parametrize(("encoding", "character"), [("utf-8", 10), ("utf-16", 8), ("utf-32", 7)])
    async def test_by_notification(self, start, tmp_path: Path, encoding: str, character: int):
        """All of the document's diagnostics, each time."""
        editor = await start(encoding=encoding)
        uri = await editor.open(tmp_path / "shop" / "a.py", WIDE)
        range_ = {"start": {"line": 0, "character": character}, "end": {"line": 0, "character": character + 1}}
        found = {"range": range_, "message": "odd", "severity": 2, "code": 7}
        params = {"activeUri": uri, "selection": range_, "diagnostics": [{"uri": uri, "diagnostics": [found]}]}
        await self.told(editor, params)
        told, document = project(editor, uri).told, editor.face.document(uri)
        assert document is not None
        assert told.selected_now(document) == ((0, 7), (0, 8))
        (diagnostic,) = told.diagnostics(document)
        assert (diagnostic.range, diagnostic.severity, diagnostic.code) == (((0, 7), (0, 8)), Severity.WARNING, "7")
        await self.told(editor, {"diagnostics": [{"uri": uri, "diagnostics": []}]})
        assert told.diagnostics(document) == []
        assert told.selected_now(document) is not None, "what is left out stays"

    @pytest.mark.parametrize(
        "params", [None, {"activeUri": 5}, {"x": 1}, {"activeUri": "file:///none", "selection": None}]
    )
    async def test_what_does_not_fit_is_left_out(self, editor: Editor, tmp_path: Path, params: Any):
        """It is only logged: a notification has no answer."""
        uri = await editor.open(tmp_path / "shop" / "a.py", CODE)
        await self.told(editor, params)
        assert project(editor, uri).told.selected is None

    async def test_by_a_request_for_code_actions(self, editor: Editor, tmp_path: Path):
        """Those on the range take the place of those that were told of it before."""
        uri = await editor.open(tmp_path / "shop" / "a.py", CODE)
        document = editor.face.document(uri)
        assert document is not None
        one = lsp.Diagnostic(span((4, 4), (4, 10)), "one")
        two = lsp.Diagnostic(span((5, 4), (5, 10)), "two")
        for found, where, expected in (
            ([one, two], span((4, 0), (5, 17)), ["one", "two"]),
            ([], span((4, 0), (4, 10)), ["two"]),
            ([one], span((4, 0), (4, 10)), ["one", "two"]),
        ):
            params = lsp.CodeActionParams(lsp.TextDocumentIdentifier(uri), where, lsp.CodeActionContext(found))
            code_actions(editor.face, params)
            assert [each.message for each in project(editor, uri).told.diagnostics(document)] == expected
        assert project(editor, uri).told.selected_now(document) == ((4, 0), (4, 10))


def _as_the_library_has_it(params: Any) -> Any:
    """Objects with attributes: what comes for a method that the protocol's library doesn't know."""
    if isinstance(params, dict):
        fields = {key: _as_the_library_has_it(value) for key, value in params.items()}
        return SimpleNamespace(**fields, _asdict=lambda: fields)
    return [_as_the_library_has_it(item) for item in params] if isinstance(params, list) else params
