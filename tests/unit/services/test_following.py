"""Places follow every edit of an open document, and come back with what an undo puts back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from channelcoder_lsp.domain.place import AnchorState, Position, Range, Selection
from channelcoder_lsp.domain.text import clamp, split_lines, text_in
from channelcoder_lsp.services.threads import Document, OpenDocuments, anchor_now, thread_about

URI = "file:///a.py"
TEXT = "import os\n\n\ndef total(items):\n    result = 0\n    return result\n\n\ndef other():\n    pass\n"
TOTAL = Range(Position(3, 0), Position(5, 17))


class Buffer:
    """An open document with one thread in it, edited as an editor edits it."""

    def __init__(self, text: str = TEXT, span: Range = TOTAL) -> None:
        selection = Selection(uri=URI, range=span, text="", document=text)
        self.thread = thread_about(selection)
        self.documents = OpenDocuments()
        self.document = Document(URI, "a.py", split_lines(text))
        self.documents.add(self.document)
        self.documents.follow(URI, self.thread)

    @property
    def text(self) -> str:
        return "\n".join(self.document.lines)

    def edit(self, span: Range, text: str) -> tuple[Range, str]:
        """Make an edit; what undoes it."""
        span = clamp(self.document.lines, span)
        before = text_in(self.document.lines, span)
        self.documents.edit(URI, span, text)
        lines = split_lines(text)
        width = len(lines[-1]) + (span.start.character if len(lines) == 1 else 0)
        return Range(span.start, Position(span.start.line + len(lines) - 1, width)), before

    @property
    def place(self) -> tuple[Range | None, AnchorState]:
        place = self.document.places[self.thread.id]
        place.settle(self.thread.anchor, self.document.lines)
        return place.range, place.state


def at(line: int, character: int, end_line: int | None = None, end_character: int | None = None) -> Range:
    start = Position(line, character)
    return Range(start, start if end_line is None else Position(end_line, end_character or 0))


class TestEdits:
    def test_above_move_it(self):
        buffer = Buffer()
        buffer.edit(at(0, 0), "# one\n# two\n")
        assert buffer.place == (Range(Position(5, 0), Position(7, 17)), AnchorState.EXACT)

    def test_below_and_beside_leave_it(self):
        buffer = Buffer()
        buffer.edit(at(8, 0, 9, 8), "")
        assert buffer.place == (TOTAL, AnchorState.EXACT)

    def test_within_make_it_edited_and_an_undo_makes_it_exact_again(self):
        buffer = Buffer()
        back = buffer.edit(at(4, 13, 4, 14), "0.0\n    # comment")
        assert buffer.place == (Range(Position(3, 0), Position(6, 17)), AnchorState.EDITED)
        buffer.edit(*back)
        assert buffer.place == (TOTAL, AnchorState.EXACT)

    def test_that_delete_it_orphan_it_and_an_undo_brings_it_back(self):
        buffer = Buffer()
        back = buffer.edit(at(2, 0, 6, 0), "")
        assert buffer.place[1] is AnchorState.ORPHANED
        buffer.edit(*back)
        assert buffer.place == (TOTAL, AnchorState.EXACT)

    def test_that_cut_and_paste_it_move_it(self):
        buffer = Buffer()
        code = text_in(buffer.document.lines, TOTAL)
        buffer.edit(at(3, 0, 6, 0), "")
        buffer.edit(at(7, 0), f"{code}\n")
        assert buffer.place == (Range(Position(7, 0), Position(9, 17)), AnchorState.MOVED)

    def test_that_replace_exactly_it_keep_it_on_what_came(self):
        buffer = Buffer()
        buffer.edit(TOTAL, "total = sum")
        assert buffer.place == (Range(Position(3, 0), Position(3, 11)), AnchorState.EDITED)

    def test_of_the_whole_text_find_it_again(self):
        """A formatter or a reload replaces everything at once."""
        buffer = Buffer()
        formatted = "# formatted\n" + TEXT.replace("    ", "  ")
        buffer.documents.replaced(URI, formatted)
        assert buffer.place == (Range(Position(4, 0), Position(6, 15)), AnchorState.EDITED)
        buffer.documents.replaced(URI, TEXT)
        assert buffer.place == (TOTAL, AnchorState.EXACT)


def test_what_is_recorded_says_what_is_there_now():
    buffer = Buffer()
    buffer.edit(at(4, 13, 4, 14), "1")
    anchor = anchor_now(buffer.thread, buffer.document)
    assert anchor.state is AnchorState.EDITED
    assert anchor.current == "def total(items):\n    result = 1\n    return result"
    assert anchor.quote == "def total(items):\n    result = 0\n    return result"


POSITIONS = st.builds(Position, st.integers(0, 12), st.integers(0, 20))
SPANS = st.builds(lambda a, b: Range(min(a, b), max(a, b)), POSITIONS, POSITIONS)
EDITS = st.lists(st.tuples(SPANS, st.sampled_from(["", "x", "\n", "a\nb", "    y = 1\n", "é🎉"])), max_size=8)


@given(EDITS)
def test_any_edits_keep_the_place_within_the_text(edits):
    buffer = Buffer()
    for span, text in edits:
        buffer.edit(span, text)
        place, _ = buffer.place
        assert place is None or clamp(buffer.document.lines, place) == place


@given(EDITS)
def test_undoing_all_edits_restores_text_and_place(edits):
    buffer = Buffer()
    undo = [buffer.edit(span, text) for span, text in edits]
    for span, text in reversed(undo):
        buffer.edit(span, text)
    assert buffer.text == TEXT
    assert buffer.place == (TOTAL, AnchorState.EXACT)
