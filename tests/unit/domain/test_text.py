"""Lines as LSP counts them, and texts that can be stored."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channelcoder_lsp.domain.place import Position, Range
from channelcoder_lsp.domain.text import clamp, split_lines, text_in, well_formed

mixed = st.text("ab\r\n\u2028\x0c é", max_size=30)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", [""]),
        ("a", ["a"]),
        ("a\n", ["a", ""]),
        ("a\r\nb\rc\nd", ["a", "b", "c", "d"]),
        ("a\r\r\nb", ["a", "", "b"]),
        ("a\u2028b\x0cc\x85d", ["a\u2028b\x0cc\x85d"]),
    ],
)
def test_three_ends_of_line_and_no_other(text: str, lines: list[str]):
    """LSP 3.17, "Text Documents": line feed, carriage return, and both."""
    assert split_lines(text) == lines


@given(mixed, *[st.integers(-2, 9)] * 4)
def test_a_clamped_range_lies_in_the_text(text: str, a: int, b: int, c: int, d: int):
    """Whatever an editor names: start before end, both inside; what lies inside is not moved."""
    lines = split_lines(text)
    span = clamp(lines, Range(Position(a, b), Position(c, d)))
    assert span.start <= span.end
    for position in span:
        assert 0 <= position.line < len(lines)
        assert 0 <= position.character <= len(lines[position.line])
    assert clamp(lines, span) == span


def test_past_the_last_line_is_the_end_of_the_text():
    """Editors select "to the start of the line after the last"."""
    assert clamp(["ab", "c"], Range(Position(0, 0), Position(7, 3))) == Range(Position(0, 0), Position(1, 1))


def test_the_text_of_a_range():
    """Within a line and over several, joined by line feeds."""
    lines = ["alpha", "beta", "gamma"]
    assert text_in(lines, Range(Position(0, 1), Position(0, 3))) == "lp"
    assert text_in(lines, Range(Position(0, 3), Position(2, 2))) == "ha\nbeta\nga"
    assert text_in(lines, Range(Position(0, 0), Position(1, 0))) == "alpha\n"


def test_lines_that_a_range_covers():
    """A range that ends at column 0 stops on the line above; an empty one is on its line."""
    span = Range(Position(1, 4), Position(3, 0))
    assert span.last_line == 2
    empty = Range(Position(2, 0), Position(2, 0))
    assert (empty.empty, empty.last_line) == (True, 2)


def test_ranges_touch_where_they_share_an_end():
    """An empty range touches what it lies in or beside."""
    span = Range(Position(1, 0), Position(1, 5))
    assert span.touches(Range(Position(1, 5), Position(1, 9)))
    assert span.touches(Range(Position(1, 2), Position(1, 2)))
    assert not span.touches(Range(Position(1, 6), Position(1, 9)))


@given(st.text())
def test_a_text_that_can_be_stored_is_left_as_it_is(text: str):
    """Hypothesis' texts have no surrogates."""
    assert well_formed(text) == text


@given(st.text(st.characters(categories=["Cs", "L", "So"]), max_size=20))
def test_any_text_can_be_stored_afterwards(text: str):
    """And once more changes nothing."""
    stored = well_formed(text)
    assert stored.encode().decode() == well_formed(stored) == stored


def test_halves_are_joined_and_a_lone_one_is_replaced():
    """As UTF-16 reads them."""
    assert well_formed("a\ud83d\ude00b\ud83d") == "a😀b\ufffd"
