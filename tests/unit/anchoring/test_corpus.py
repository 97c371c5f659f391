"""Small files as they were and as they became: what must be found again, and what must be given up."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from channelcoder_lsp.anchoring import LineMap, relocate
from channelcoder_lsp.anchoring.lines import split_lines

CORPUS = Path(__file__).parent / "corpus"


def texts(name):
    """The file before and after."""
    (before,) = CORPUS.glob(f"{name}.before.*")
    (after,) = CORPUS.glob(f"{name}.after.*")
    return before.read_text(encoding="utf-8"), after.read_text(encoding="utf-8")


def span(text, ends):
    """The lines from the one that reads ``ends[0]`` to the next that reads ``ends[1]``; ``#2``: the second."""
    lines = [line.strip() for line in split_lines(text)]
    first = nth(lines, ends[0], 0)
    return first, nth(lines, ends[1], first)


def nth(lines, wanted, start):
    line, _, number = wanted.partition("#") if wanted[0] != "#" else (wanted, "", "")
    for _ in range(int(number or 1)):
        start = lines.index(line, start) + 1
    return start - 1


CASES = [
    pytest.param(path.stem, case, id=f"{path.stem}: {case['what']}")
    for path in sorted(CORPUS.glob("*.json"))
    for case in json.loads(path.read_text(encoding="utf-8"))
]


@pytest.mark.parametrize(("name", "case"), CASES)
def test_ranges_of_the_corpus_are_found_where_a_reader_finds_them(name, case):
    """The range found is the one that a reader would mark, or None where the code is gone."""
    before, after = texts(name)
    expected = span(after, case["after"]) if case["after"] else None
    assert relocate(before, *span(before, case["before"]), after) == expected


@pytest.mark.parametrize("name", sorted({path.stem for path in CORPUS.glob("*.json")}))
def test_one_map_answers_as_many_single_questions_do(name):
    """Neither the order of the questions nor the sharing of the map changes an answer."""
    before, after = texts(name)
    count = len(split_lines(before))
    spans = [(line, min(count - 1, line + size)) for line in range(count) for size in (0, 2, 9)]
    forward, backward = LineMap(before, after), LineMap(before, after)
    there = [forward.relocate(*it) for it in spans]
    back = [backward.relocate(*it) for it in reversed(spans)]
    assert back[::-1] == there
    assert [found and found[:2] for found in there] == [relocate(before, *it, after) for it in spans]
