"""Finding a quote by its text alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channelcoder_lsp.anchoring import find_exact
from channelcoder_lsp.anchoring.lines import split_lines

TEXT = """\
def one():
    check()
    return 1

def two():
    check()
    return 2

def three():
    check()
    return 3
"""


class TestPlaces:
    def test_a_quote_that_stands_once_is_found_wherever_it_is(self):
        """However far from where it was."""
        assert find_exact(TEXT, "    check()\n    return 3", 0) == (9, 10)

    @pytest.mark.parametrize(("near", "line"), [(0, 1), (4, 5), (5, 5), (99, 9)])
    def test_of_several_places_the_nearest_is_taken(self, near, line):
        """Where nothing else tells them apart."""
        assert find_exact(TEXT, "    check()", near) == (line, line)

    def test_the_surroundings_count_more_than_the_distance(self):
        """Context breaks ties, blank lines and indentation aside."""
        assert find_exact(TEXT, "    check()", 0, before="\ndef three():\n") == (9, 9)
        assert find_exact(TEXT, "    check()", 0, after="return 2\n") == (5, 5)

    @pytest.mark.parametrize(("symbol", "line"), [("three", 9), ("two", 5), ("gone", 1), (None, 1)])
    def test_the_definition_counts_more_than_the_distance(self, symbol, line):
        """Where the surroundings are alike."""
        assert find_exact(TEXT, "    check()", 0, symbol=symbol) == (line, line)

    def test_the_definition_tells_two_places_apart(self):
        """The further one, too."""
        two = TEXT[: TEXT.index("def three")]
        assert find_exact(two, "    check()", 0, symbol="two") == (5, 5)

    def test_the_line_next_to_it_counts_more_than_one_further_off(self):
        """On either side, up to the text's first line and its last."""
        text = "far\nnear\nx\nother\n\nfar\nelse\nx\nnear\nfar"
        assert find_exact(text, "x", 9, before="far\nnear") == (2, 2)
        assert find_exact(text, "x", 0, after="near\nfar") == (7, 7)
        assert find_exact("first\nx\ny\nx\nlast", "x", 4, before="first") == (1, 1)
        assert find_exact("first\nx\ny\nx\nlast", "x", 0, after="last") == (3, 3)
        assert find_exact("far\nelse\nx\n\nother\nnear\nx", "x", 0, before="far\nnear") == (6, 6)

    def test_the_surroundings_count_more_than_the_definition(self):
        """The definition may have another name by now."""
        assert find_exact(TEXT, "    check()", 0, after="return 2\n", symbol="three") == (5, 5)

    def test_a_quote_may_begin_and_end_within_a_line(self):
        """A selection needn't be whole lines."""
        assert find_exact(TEXT, "two():\n    check()\n    ret", 0) == (4, 6)
        assert find_exact(TEXT, "turn 3", 0) == (10, 10)
        assert find_exact(TEXT.rstrip("\n"), "three():\n    check()\n    ret", 0) == (8, 10)
        assert find_exact("a b\nc d", "b\nc", 0) == (0, 1)


class TestText:
    @pytest.mark.parametrize("quote", ["    check()\r\n    return 3\r\n", "    check()  \n    return 3\t"])
    def test_ends_of_line_and_trailing_white_space_do_not_matter(self, quote):
        """In the quote or in the text."""
        assert find_exact(TEXT.replace("\n", " \r\n"), quote, 0) == (9, 10)

    @pytest.mark.parametrize("quote", ["", "\n", "  \n\t\n", "return 4", "    check()\n    return 4"])
    def test_a_blank_or_missing_quote_is_not_found(self, quote):
        """Nothing is guessed."""
        assert find_exact(TEXT, quote, 5) is None

    @given(st.lists(st.sampled_from(["a", "b", "", "a\f", " a"]), min_size=1, max_size=12), st.data())
    def test_any_lines_of_a_text_are_found_in_it(self, lines, data):
        """Where they were, given the place: a quote is its own nearest occurrence."""
        start = data.draw(st.integers(0, len(lines) - 1))
        end = data.draw(st.integers(start, len(lines) - 1))
        text, quote = "\n".join(lines), "\n".join(lines[start : end + 1])
        found = find_exact(text, quote, start)
        if not quote.strip():
            assert found is None
            return
        assert found is not None
        assert found[0] == start
        assert split_lines(text)[found[0]].rstrip() == lines[start].rstrip()
