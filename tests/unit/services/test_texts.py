"""Texts in memory, and code that is fitted into other code."""

from __future__ import annotations

import pytest

from channelcoder_lsp.domain.place import Position, Range
from channelcoder_lsp.services.fitting import fitted
from channelcoder_lsp.services.texts import TextsAtHand


class TestTextsAtHand:
    def test_those_used_longest_ago_go(self):
        texts = TextsAtHand(chars=10)
        texts.put("a", "aaaa")
        texts.put("b", "bbbb")
        assert texts.get("a") == "aaaa"
        texts.put("c", "cccc")
        assert (texts.get("a"), texts.get("b"), texts.get("c")) == ("aaaa", None, "cccc")

    def test_one_is_always_kept(self):
        texts = TextsAtHand(chars=3)
        texts.put("a", "aaaa")
        assert texts.get("a") == "aaaa"
        texts.put("b", "bbbb")
        assert (texts.get("a"), texts.get("b")) == (None, "bbbb")

    def test_one_that_is_put_again_counts_once(self):
        texts = TextsAtHand(chars=8)
        for _ in range(3):
            texts.put("a", "aaaa")
        texts.put("b", "bbbb")
        assert (texts.get("a"), texts.get(None)) == ("aaaa", None)


class TestFitted:
    LINES = ("def f():", "    a = 1", "    return a", "")

    @pytest.mark.parametrize("code", ["return 2", "    return 2\n", "\t\treturn 2"])
    def test_it_is_indented_like_what_it_replaces(self, code: str):
        assert fitted(self.LINES, Range(Position(2, 4), Position(2, 12)), code) == "return 2"
        assert fitted(self.LINES, Range(Position(2, 0), Position(2, 12)), code) == "    return 2"
        assert fitted(self.LINES, Range(Position(2, 0), Position(3, 0)), code) == "    return 2\n"

    def test_line_ends_are_of_one_kind(self):
        assert fitted(self.LINES, Range(Position(1, 0), Position(2, 12)), "b = 1\r\n\r\nreturn b\r\n") == (
            "    b = 1\n\n    return b"
        )
