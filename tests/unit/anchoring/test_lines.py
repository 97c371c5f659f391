"""Lines are LSP's lines, and they weigh what they tell."""

from __future__ import annotations

import pytest

from channelcoder_lsp.anchoring.lines import Lines, line_weight, split_lines


class TestSplitting:
    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    def test_splits_at_the_three_ends_of_line(self, end):
        """Each of LSP's ends of line ends a line, and the text after the last one is a line too."""
        assert split_lines(f"a{end}b{end}") == ["a", "b", ""]

    def test_mixed_ends_of_line_count_once_each(self):
        r"""``\r\n`` is one end of line, ``\n\r`` are two."""
        assert split_lines("a\r\nb\n\rc") == ["a", "b", "", "c"]

    @pytest.mark.parametrize("char", ["\f", "\v", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"])
    def test_other_separators_stay_in_their_line(self, char):
        """What Python's ``splitlines`` also splits at doesn't end a line in an editor."""
        assert split_lines(f"a{char}b\nc") == [f"a{char}b", "c"]

    def test_an_empty_text_has_one_empty_line(self):
        """There is always a line for the cursor to be on."""
        assert split_lines("") == [""]


class TestWeight:
    def test_a_line_weighs_more_the_more_it_tells(self):
        """Blank lines tell nothing, brackets next to nothing, lone keywords little, statements most."""
        lines = ["", "}", "return", "i += 1", "amount = price * quantity"]
        weights = [line_weight(line) for line in lines]
        assert weights == sorted(weights)
        assert weights[0] == 0
        assert weights[-1] == 1


class TestIndentation:
    def test_tabs_and_spaces_are_both_columns(self):
        """A tab goes to the next stop, a blank line has no indentation of its own."""
        lines = Lines("a\n\tb\n    c\n  \td\n   \n")
        assert [lines.indent(line) for line in range(5)] == [0, 4, 4, 4, -1]
