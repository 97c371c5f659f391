"""Answers as workspace edits: indented like the code, with its line ends, in one piece."""

from __future__ import annotations

import pytest
from lsprotocol import types as lsp

from channelcoder_lsp.domain.place import AnchorState, Position, Range
from channelcoder_lsp.domain.text import split_lines
from channelcoder_lsp.features import edits
from channelcoder_lsp.features.client import Client
from channelcoder_lsp.services.placed import ThreadHere
from channelcoder_lsp.services.places import Place
from channelcoder_lsp.services.threads import Document

from .editor import Editor, capabilities

URI = "file:///p/a.py"


def applied(make, text: str, span: tuple[int, int, int, int], code: str, **client) -> str:
    """The text after the edit that ``make`` gives for the code at ``span``."""
    encoding = client.pop("encoding", "utf-16")
    editor = Editor(capabilities(**client), encoding=encoding, buffers={URI: text}, versions={URI: 7})
    end = "\r\n" if "\r\n" in text else "\n"
    document = Document(URI, "a.py", split_lines(text), version=7, line_end=end)
    place = Range(Position(*span[:2]), Position(*span[2:]))
    here = ThreadHere(None, None, [], Place(place, AnchorState.EXACT))  # type: ignore[arg-type]
    edit = make(Client(editor), document, here, code)  # type: ignore[arg-type]
    (change,) = edit.document_changes or [lsp.TextDocumentEdit(None, edit.changes[URI])]
    if edit.document_changes:
        assert change.text_document == lsp.OptionalVersionedTextDocumentIdentifier(version=7, uri=URI)
    (only,) = change.edits
    lines = text.splitlines(keepends=True)
    from_editor = editor.encoding
    assert from_editor

    def offset(position: lsp.Position) -> int:
        before = "".join(lines[: position.line])
        line = lines[position.line] if position.line < len(lines) else ""
        width = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}[from_editor]
        return len(before) + len(line.encode(width[0])[: position.character * width[1]].decode(width[0]))

    return text[: offset(only.range.start)] + only.new_text + text[offset(only.range.end) :]


METHOD = "class A:\n    def f(self):\n        return 1\n\n    def g(self):\n        pass\n"


class TestReplace:
    """In the place of the code."""

    @pytest.mark.parametrize("indent", ["", "  ", "    ", "\t"], ids=["none", "two", "four", "tab"])
    @pytest.mark.parametrize("start", [0, 4], ids=["whole lines", "from the first character"])
    def test_the_code_is_indented_like_what_it_replaces(self, indent: str, start: int):
        """However the model indented it."""
        code = f"{indent}def f(self):\n{indent}    return 2\n"
        after = applied(edits.replace, METHOD, (1, start, 2, 16), code)
        assert after == METHOD.replace("return 1", "return 2")

    def test_a_range_that_begins_within_the_indentation(self):
        """It counts as a part of it."""
        after = applied(edits.replace, METHOD, (1, 2, 2, 16), "def f(self):\n    return 2")
        assert after == METHOD.replace("return 1", "return 2")

    def test_a_range_that_ends_at_the_next_line(self):
        """Whole lines stay whole lines, and empty ones in the code stay empty."""
        after = applied(edits.replace, METHOD, (1, 0, 3, 0), "def f(self):\n\n    return 2")
        assert after == METHOD.replace("def f(self):\n        return 1", "def f(self):\n\n        return 2")

    def test_part_of_a_line(self):
        """What stands before and behind it stays; further lines are indented like the first."""
        assert applied(edits.replace, "    x = f(1) + 2\n", (0, 8, 0, 12), "g(\n    1,\n)") == (
            "    x = g(\n        1,\n    ) + 2\n"
        )

    def test_the_documents_line_ends_are_used(self):
        """A file with CRLF stays one."""
        text = METHOD.replace("\n", "\r\n")
        after = applied(edits.replace, text, (1, 4, 2, 16), "def f(self):\n    return 2\n")
        assert after == text.replace("return 1", "return 2")

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
    def test_places_are_sent_as_the_client_counts(self, encoding: str):
        """After an emoji too."""
        after = applied(edits.replace, "a = '🙂é'; b = 1\n", (0, 10, 0, 15), "b = 2", encoding=encoding)
        assert after == "a = '🙂é'; b = 2\n"

    def test_without_versions_it_is_a_plain_change(self):
        """For clients that have no ``documentChanges``."""
        assert applied(edits.replace, "x\n", (0, 0, 0, 1), "y", versioned=False) == "y\n"


class TestInsert:
    """On lines of its own below the code."""

    def test_below_and_indented_like_it(self):
        """The code stays as it is."""
        after = applied(edits.insert_below, METHOD, (1, 4, 2, 16), "def h(self):\n    pass\n")
        assert after == METHOD.replace("return 1\n", "return 1\n    def h(self):\n        pass\n")

    def test_below_a_range_that_ends_at_the_next_line(self):
        """Not one line further."""
        after = applied(edits.insert_below, "a\nb\nc\n", (0, 0, 1, 0), "x")
        assert after == "a\nx\nb\nc\n"

    def test_below_a_last_line_without_a_line_end(self):
        """It gets one; the file still ends without."""
        assert applied(edits.insert_below, "a\nb", (1, 0, 1, 1), "x\ny\n") == "a\nb\nx\ny"

    def test_below_the_last_line(self):
        """Before the empty line that a final line end opens."""
        assert applied(edits.insert_below, "a\nb\n", (1, 0, 1, 1), "x") == "a\nb\nx\n"

    def test_the_documents_line_ends_are_used(self):
        """Also at the end of the file."""
        assert applied(edits.insert_below, "a\r\nb", (1, 0, 1, 1), "x\ny") == "a\r\nb\r\nx\r\ny"
        assert applied(edits.insert_below, "a\r\nb\r\n", (0, 0, 0, 1), "x\ny") == "a\r\nx\r\ny\r\nb\r\n"

    def test_between_tabs(self):
        """Tabs before tabs."""
        assert applied(edits.insert_below, "\tf()\n", (0, 1, 0, 4), "if x:\n\tg()") == "\tf()\n\tif x:\n\t\tg()\n"


def test_blocks_of_an_answer():
    """In their order, without fences."""
    assert edits.blocks_of("One:\n```python\na = 1\n```\ntwo:\n~~~\nb\n~~~\n") == ["a = 1\n", "b\n"]
    assert edits.blocks_of("No code, `only` this.") == []
