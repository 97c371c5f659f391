"""Ranges follow the edits of a document."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channelcoder_lsp.anchoring import end_of_insert, shift, shift_all
from channelcoder_lsp.anchoring.lines import split_lines

SPAN = ((2, 4), (3, 6))


def put(text, start, end, inserted):
    """The text after an edit."""
    return text[: offset(text, start)] + inserted + text[offset(text, end) :]


def offset(text, point):
    return sum(len(line) + 1 for line in text.split("\n")[: point[0]]) + point[1]


def point(text, at):
    lines = text[:at].split("\n")
    return len(lines) - 1, len(lines[-1])


def cut(text, span):
    return text[offset(text, span[0]) : offset(text, span[1])]


class TestRules:
    @pytest.mark.parametrize(
        ("edit", "expected"),
        [
            pytest.param(((0, 0), (0, 0), (2, 0)), ((4, 4), (5, 6)), id="lines put in above"),
            pytest.param(((0, 1), (1, 3), (0, 1)), ((1, 4), (2, 6)), id="lines deleted above"),
            pytest.param(((2, 0), (2, 2), (2, 5)), ((2, 7), (3, 6)), id="replaced on the first line"),
            pytest.param(((1, 9), (2, 1), (1, 9)), ((1, 12), (2, 6)), id="joined with the line above"),
            pytest.param(((2, 4), (2, 4), (2, 7)), ((2, 7), (3, 6)), id="put in exactly at the start"),
            pytest.param(((2, 4), (2, 4), (3, 0)), ((3, 0), (4, 6)), id="a line put in exactly at the start"),
            pytest.param(((3, 6), (3, 6), (4, 2)), SPAN, id="put in exactly at the end"),
            pytest.param(((3, 6), (3, 9), (3, 6)), SPAN, id="deleted from the end on"),
            pytest.param(((8, 0), (9, 0), (8, 0)), SPAN, id="deleted below"),
            pytest.param(((2, 9), (2, 9), (3, 0)), ((2, 4), (4, 6)), id="a line put in within"),
            pytest.param(((3, 0), (3, 2), (3, 0)), ((2, 4), (3, 4)), id="deleted within"),
            pytest.param(((2, 4), (2, 6), (2, 4)), SPAN, id="deleted at the start, within"),
            pytest.param(((2, 9), (3, 6), (2, 9)), ((2, 4), (2, 9)), id="deleted up to the end, within"),
            pytest.param(((2, 4), (3, 6), (2, 8)), ((2, 4), (2, 8)), id="replaced exactly"),
            pytest.param(((2, 4), (3, 6), (2, 4)), ((2, 4), (2, 4)), id="deleted exactly"),
            pytest.param(((1, 0), (4, 0), (1, 0)), ((1, 0), (1, 0)), id="deleted with its surroundings"),
            pytest.param(((1, 0), (4, 0), (9, 9)), ((1, 0), (1, 0)), id="replaced with its surroundings"),
            pytest.param(((1, 0), (2, 6), (1, 3)), ((1, 3), (2, 6)), id="replaced over the start"),
            pytest.param(((3, 2), (5, 0), (3, 8)), ((2, 4), (3, 2)), id="replaced over the end"),
        ],
    )
    def test_a_range_follows_an_edit(self, edit, expected):
        """The rules of the module, one by one; the batch follows the same ones."""
        assert shift(SPAN, *edit) == expected
        assert shift_all([SPAN], *edit) == [expected]

    def test_an_empty_range_is_pushed_by_an_insertion_at_its_place(self):
        """Its start and its end stay together."""
        assert shift(((2, 4), (2, 4)), (2, 4), (2, 4), (2, 7)) == ((2, 7), (2, 7))

    @pytest.mark.parametrize(
        ("text", "end"), [("", (3, 5)), ("ab", (3, 7)), ("ab\n", (4, 0)), ("a\r\nbcd\re\n\nfg", (7, 2))]
    )
    def test_the_end_of_an_insertion_is_where_its_text_ends(self, text, end):
        """Every kind of end of line begins a new line."""
        assert end_of_insert((3, 5), text) == end

    def test_the_unit_of_the_positions_can_be_chosen(self):
        """A client that counts UTF-16 units gets UTF-16 units."""
        assert end_of_insert((0, 1), "\U0001f600", lambda line: len(line.encode("utf-16-le")) // 2) == (0, 3)


TEXTS = st.text(alphabet="ab\n", max_size=30)


@st.composite
def documents(draw):
    """A text, a range in it, and edits to make one after another."""
    text = draw(TEXTS)
    ends = sorted(draw(st.tuples(st.integers(0, len(text)), st.integers(0, len(text)))))
    span = point(text, ends[0]), point(text, ends[1])
    edits, now = [], text
    for _ in range(draw(st.integers(0, 6))):
        first, last = sorted(draw(st.tuples(st.integers(0, len(now)), st.integers(0, len(now)))))
        inserted = draw(st.text(alphabet="xy\n", max_size=8))
        edits.append((point(now, first), point(now, last), inserted))
        now = now[:first] + inserted + now[last:]
    return text, span, edits


class TestProperties:
    @given(documents())
    def test_a_range_stays_within_the_text_under_any_edits(self, document):
        """It is never inverted and never points outside of a line, and the batch agrees."""
        text, span, edits = document
        for start, end, inserted in edits:
            text = put(text, start, end, inserted)
            new_end = end_of_insert(start, inserted)
            assert shift_all([span, ((0, 0), (0, 0))], start, end, new_end) == [
                shift(span, start, end, new_end),
                shift(((0, 0), (0, 0)), start, end, new_end),
            ]
            span = shift(span, start, end, new_end)
            lines = split_lines(text)
            assert span[0] <= span[1]
            assert all(line < len(lines) and character <= len(lines[line]) for line, character in span)

    @given(documents())
    def test_a_range_never_takes_in_text_from_outside(self, document):
        """Of the text that was there before, only what was in the range is in it afterwards."""
        text, span, edits = document
        marked = text.replace("b", "a")
        inside = cut(marked, span).replace("a", "b")
        marked = put(marked, *span, inside)
        for start, end, inserted in edits:
            marked = put(marked, start, end, inserted)
            span = shift(span, start, end, end_of_insert(start, inserted))
            assert "a" not in cut(marked, span)

    @given(text=st.text(alphabet="ab\n", min_size=2, max_size=30), data=st.data())
    def test_undoing_all_edits_restores_the_range(self, text, data):
        """Where each edit is clear of the range, or within it and clear of its ends."""
        first = data.draw(st.integers(0, len(text) - 1))
        span = before = point(text, first), point(text, data.draw(st.integers(first + 1, len(text))))
        undo = []
        for _ in range(data.draw(st.integers(1, 6))):
            start, end = offset(text, span[0]), offset(text, span[1])
            low, high = data.draw(
                st.sampled_from([(0, start), (end, len(text))] + [(start + 1, end - 1)] * (end - start > 1))
            )
            cuts = sorted([data.draw(st.integers(low, high)), data.draw(st.integers(low, high))])
            edit_start, edit_end = point(text, cuts[0]), point(text, cuts[1])
            inserted = data.draw(st.text(alphabet="xy\n", max_size=8))
            new_end = end_of_insert(edit_start, inserted)
            undo.append((edit_start, new_end, edit_end))
            text = put(text, edit_start, edit_end, inserted)
            span = shift(span, edit_start, edit_end, new_end)
        for edit in reversed(undo):
            span = shift(span, *edit)
        assert span == before
