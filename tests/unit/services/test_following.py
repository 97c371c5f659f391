"""Places follow every edit of an open document, and come back with what an undo puts back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from channelcoder_lsp.domain.place import AnchorState, Position, Range, Selection
from channelcoder_lsp.domain.text import clamp, split_lines, text_in
from channelcoder_lsp.services.threads import Document, OpenDocuments, anchor_now, thread_about

if TYPE_CHECKING:
    from collections.abc import Sequence

URI = "file:///a.py"
TEXT = "import os\n\n\ndef total(items):\n    result = 0\n    return result\n\n\ndef other():\n    pass\n"
TOTAL = Range(Position(3, 0), Position(5, 17))


class Buffer:
    """An open document with threads in it, edited as an editor edits it."""

    def __init__(self, text: str = TEXT, *spans: Range) -> None:
        self.documents = OpenDocuments()
        self.document = Document(URI, "a.py", split_lines(text))
        self.documents.add(self.document)
        self.threads = []
        for span in spans or (TOTAL,):
            self.threads.append(thread_about(Selection(uri=URI, range=span, text="", document=text)))
            self.documents.follow(URI, self.threads[-1])
        self.thread = self.threads[0]

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

    def step(self, edits: Sequence[tuple[Range, str]]) -> list[tuple[Range, str]]:
        """Make several edits in one notification; what undoes them, in the order in which it does."""
        with self.documents.together(URI):
            return [self.edit(span, text) for span, text in edits][::-1]

    @property
    def place(self) -> tuple[Range | None, AnchorState]:
        return self.places[0]

    @property
    def places(self) -> list[tuple[Range | None, AnchorState]]:
        found = []
        for thread in self.threads:
            place = self.document.places[thread.id]
            place.settle(thread.anchor, self.document.lines)
            found.append((place.range, place.state))
        return found


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


class TestUndo:
    def test_in_one_go_of_what_was_typed_letter_by_letter(self):
        """Editors undo in portions of their own."""
        buffer = Buffer()
        buffer.edit(at(4, 0, 6, 0), "")
        for step, letter in enumerate("pass"):
            buffer.edit(at(4, step), letter)
        buffer.edit(at(3, 0, 4, 4), "")
        assert buffer.place[1] is AnchorState.ORPHANED
        buffer.edit(at(3, 0), "def total(items):\n    result = 0\n    return result\n")
        assert buffer.text == TEXT
        assert buffer.place == (TOTAL, AnchorState.EXACT)

    def test_that_puts_equal_lines_back_elsewhere(self):
        """An editor that compares texts may say that the other of two equal lines came or went."""
        text = "pass\n" * 9
        buffer = Buffer(text, at(4, 0, 4, 4))
        buffer.edit(at(0, 0), "pass\n")
        buffer.edit(at(8, 0, 9, 0), "")
        assert buffer.place == (at(4, 0, 4, 4), AnchorState.EXACT)

    def test_of_several_cursors_at_once_and_redo(self):
        buffer = Buffer(TEXT, TOTAL, at(4, 4, 4, 10), at(8, 0, 9, 8))
        undo = buffer.step([(at(8, 0, 9, 8), ""), (at(4, 4, 4, 10), "value"), (at(2, 0, 5, 4), "x")])
        after = buffer.places
        redo = buffer.step(undo)
        assert buffer.places == [(span, AnchorState.EXACT) for span in (TOTAL, at(4, 4, 4, 10), at(8, 0, 9, 8))]
        buffer.step(redo)
        assert buffer.places == after

    def test_of_one_step_too_many_leaves_the_thread_that_came_meanwhile(self):
        buffer = Buffer()
        back = buffer.edit(at(0, 0), "# one\n")
        later = thread_about(Selection(uri=URI, range=at(9, 0, 10, 8), text="", document=buffer.text))
        buffer.documents.follow(URI, later)
        buffer.edit(*back)
        assert buffer.document.places[later.id].range == at(8, 0, 9, 8)

    def test_is_remembered_within_bounds(self):
        buffer = Buffer("x\n" * 50, *(at(line, 0, line, 1) for line in range(40)))
        for number in range(1000):
            buffer.edit(at(0, 0), f"{number}\n" * 5000)
        history = buffer.document.history
        assert len(history._steps) < 1000
        assert sum(len(edit.put) for step in history._steps for edit in step.edits) < 4_000_000


POSITIONS = st.builds(Position, st.integers(0, 12), st.integers(0, 20))
SPANS = st.builds(lambda one, other: Range(min(one, other), max(one, other)), POSITIONS, POSITIONS)
CHANGES = st.tuples(SPANS, st.sampled_from(["", "x", "\n", "a\nb", "    y = 1\r\n", "é🎉", "\r", TEXT, TEXT[24:60]]))
STEPS = st.lists(st.lists(CHANGES, min_size=1, max_size=3), max_size=8)
TEXTS = st.sampled_from([TEXT, "", "x\n" * 9, TEXT.replace("\n", "\r\n"), TEXT.replace("total", "tötäl🎉")])


@st.composite
def buffers(draw: st.DrawFn) -> Buffer:
    text = draw(TEXTS)
    lines = split_lines(text)
    return Buffer(text, *(clamp(lines, span) for span in draw(st.lists(SPANS, min_size=1, max_size=4))))


@given(buffers(), STEPS)
def test_any_edits_keep_the_places_within_the_text(buffer: Buffer, steps):
    for step in steps:
        buffer.step(step)
        for place, state in buffer.places:
            assert place is None or clamp(buffer.document.lines, place) == place
            assert place is not None or state is AnchorState.ORPHANED


@given(buffers(), STEPS)
def test_undoing_step_by_step_restores_every_place_and_so_does_redoing(buffer: Buffer, steps):
    """Also with several cursors, and again after a redo: a person sees the same thing at the same text."""
    seen, undo = [(buffer.text, buffer.places)], []
    for step in steps:
        undo.append(buffer.step(step))
        if buffer.text != seen[-1][0]:
            seen.append((buffer.text, buffer.places))
        else:
            undo.pop()
    for _ in range(2):
        redo = []
        for number in reversed(range(len(undo))):
            redo.append(buffer.step(undo[number]))
            assert buffer.text == seen[number][0]
            assert first_time(seen, number) == buffer.places
        for number, step in enumerate(reversed(redo), start=1):
            buffer.step(step)
            assert buffer.text == seen[number][0]
            assert first_time(seen, number) == buffer.places


def first_time(seen, number: int):
    """What was seen when the text was there first: a text that comes back brings the places of then."""
    text = seen[number][0]
    return next(places for earlier, places in seen if earlier == text)


@given(buffers(), STEPS)
def test_undoing_all_edits_restores_every_place(buffer: Buffer, steps):
    """Whether or not anybody looked meanwhile."""
    text, spans = buffer.text, [thread.anchor.range for thread in buffer.threads]
    undo = [buffer.step(step) for step in steps]
    for back in reversed(undo):
        buffer.step(back)
    assert buffer.text == text
    assert buffer.places == [(span, AnchorState.EXACT) for span in spans]


@given(buffers(), st.lists(CHANGES, max_size=8))
def test_undoing_all_edits_at_once_restores_every_place(buffer: Buffer, edits):
    """As a reload from disk does."""
    text, spans = buffer.text, [thread.anchor.range for thread in buffer.threads]
    for span, put in edits:
        buffer.edit(span, put)
    buffer.documents.replaced(URI, text)
    assert buffer.text == text
    assert buffer.places == [(span, AnchorState.EXACT) for span in spans]


class TestWaitingForAnEdit:
    async def test_ends_with_the_edit(self):
        documents = OpenDocuments()
        documents.add(Document("file:///a.py", "a.py", ["one"]))
        waiting = asyncio.create_task(documents.changed({"file:///a.py": 0, "file:///closed.py": 0}, 3600))
        await asyncio.sleep(0)
        documents.edit("file:///a.py", Range(Position(0, 0), Position(0, 3)), "two")
        assert await asyncio.wait_for(waiting, 10)

    async def test_an_edit_that_came_before_is_seen(self):
        documents = OpenDocuments()
        documents.add(Document("file:///a.py", "a.py", ["one"]))
        documents.edit("file:///a.py", Range(Position(0, 0), Position(0, 3)), "two")
        assert await documents.changed({"file:///a.py": 0}, 3600)

    async def test_is_bounded(self):
        documents = OpenDocuments()
        documents.add(Document("file:///a.py", "a.py", ["one"]))
        assert not await documents.changed({"file:///a.py": 0}, 0.01)
