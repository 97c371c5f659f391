"""Positions as the client counts them, and as everything else does."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types as lsp

from channelcoder_lsp.domain.place import Anchor, Position, Range
from channelcoder_lsp.features.positions import PositionCodec, range_as_json

LINE = "aé€🙂e\u0301日👩\u200d💻z"
UNITS = {"utf-8": 1, "utf-16": 2, "utf-32": 4}
encodings = pytest.mark.parametrize("encoding", UNITS)
lines = st.text("aé€🙂\u0301\u200d日\ud83d", max_size=12)


def units(text: str, encoding: str) -> int:
    """How long ``text`` is, by definition."""
    name = {"utf-8": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}[encoding]
    return len(text.encode(name, "surrogatepass")) // UNITS[encoding]


@encodings
@pytest.mark.parametrize("character", range(len(LINE) + 1))
def test_every_place_between_two_characters(encoding: str, character: int):
    """There and back: emoji, combining characters, joined emoji, CJK."""
    codec = PositionCodec(encoding)
    there = codec.client_position(["", LINE], Position(1, character))
    assert there == lsp.Position(1, units(LINE[:character], encoding))
    assert codec.position(["", LINE], there) == Position(1, character)


@given(lines, st.sampled_from(sorted(UNITS)))
def test_any_line_also_a_broken_one(line: str, encoding: str):
    """Half a surrogate pair is a character too: what comes after it is not counted wrong."""
    codec = PositionCodec(encoding)
    for character in range(len(line) + 1):
        there = codec.client_position([line], Position(0, character))
        assert there.character == units(line[:character], encoding)
        assert codec.position([line], there) == Position(0, character)


@pytest.mark.parametrize(("encoding", "inside"), [("utf-16", [1]), ("utf-8", [1, 2, 3])])
def test_a_place_within_a_character_is_before_it(encoding: str, inside: list[int]):
    """A client that counts wrong splits no character."""
    codec = PositionCodec(encoding)
    assert [codec.position(["🙂"], lsp.Position(0, unit)) for unit in inside] == [Position(0, 0)] * len(inside)


@encodings
def test_past_the_end_of_a_line_is_its_end(encoding: str):
    """LSP 3.17, "Position": it defaults back to the line length."""
    codec = PositionCodec(encoding)
    assert codec.position(["ab🙂", "c"], lsp.Position(0, 99)) == Position(0, 3)
    assert codec.position(["ab", "c"], lsp.Position(0, 2**31 - 1)) == Position(0, 2)


@encodings
def test_past_the_last_line_is_the_end_of_the_text(encoding: str):
    """Where a selection of the last line often ends."""
    codec = PositionCodec(encoding)
    assert codec.position(["ab", "c🙂"], lsp.Position(2, 0)) == Position(1, 2)
    assert codec.range(["ab", "c🙂"], lsp.Range(lsp.Position(0, 1), lsp.Position(9, 9))) == Range(
        Position(0, 1), Position(1, 2)
    )


@encodings
def test_a_range_that_is_the_wrong_way_round_is_turned(encoding: str):
    """Some editors send a selection as it was made."""
    codec = PositionCodec(encoding)
    turned = codec.range(["abc"], lsp.Range(lsp.Position(0, 2), lsp.Position(0, 1)))
    assert turned == Range(Position(0, 1), Position(0, 2))


def test_a_place_after_the_last_line_is_sent_as_such():
    """Taking away the last line ends there."""
    assert PositionCodec("utf-16").client_position(["a"], Position(1, 0)) == lsp.Position(1, 0)


def test_an_encoding_that_is_not_known_counts_code_points():
    """As ``utf-32``."""
    assert PositionCodec("utf-99").position(["🙂🙂a"], lsp.Position(0, 2)) == Position(0, 2)


def test_a_range_in_a_commands_arguments():
    """Plain JSON."""
    assert range_as_json(lsp.Range(lsp.Position(1, 2), lsp.Position(3, 4))) == {
        "start": {"line": 1, "character": 2},
        "end": {"line": 3, "character": 4},
    }


@encodings
def test_an_anchor_of_a_closed_file_by_its_own_text(encoding: str):
    codec = PositionCodec(encoding)
    anchor = Anchor(uri="file:///a.py", range=Range(Position(3, 4), Position(5, 2)), quote=f"x = 1\n\n{LINE}")
    found = codec.anchor_range(anchor)
    assert found == span((3, 4), (5, units(LINE[:2], encoding)))
    edited = anchor.model_copy(update={"current": LINE, "range": Range(Position(0, 2), Position(0, 5))})
    assert codec.anchor_range(edited) == span((0, 2), (0, 2 + units(LINE[:3], encoding)))


def span(start: tuple[int, int], end: tuple[int, int]) -> lsp.Range:
    return lsp.Range(lsp.Position(*start), lsp.Position(*end))
