"""Lines that have a place beyond doubt."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from channelcoder_lsp.anchoring import UNMATCHED, certain

LINES = st.lists(st.sampled_from(["a", "b", "c", "", "}"]), max_size=9)
FRESH = "not in the old text"


@st.composite
def edited(draw) -> tuple[list[str], list[str], list[int]]:
    """Old lines; the same with lines taken and fresh ones put in; where each old line is for true, else -1."""
    old = draw(LINES)
    new, true = [], []
    for line in old:
        new += [f"{FRESH} {draw(st.integers(0, 3))}"] * draw(st.integers(0, 1))
        kept = draw(st.booleans())
        true.append(len(new) if kept else UNMATCHED)
        new += [line] * kept
    return old, [*new, *[FRESH] * draw(st.integers(0, 1))], true


class TestCertain:
    @given(edited())
    def test_a_place_is_the_true_one(self, case: tuple[list[str], list[str], list[int]]):
        """However many twins a line has: it has no place rather than a wrong one."""
        old, new, true = case
        for found, truth in zip(certain(old, new), true, strict=True):
            assert found in (UNMATCHED, truth)

    @given(LINES, LINES)
    def test_places_ascend_and_hold_the_same_line(self, old: list[str], new: list[str]):
        target = certain(old, new)
        places = [at for at in target if at != UNMATCHED]
        assert places == sorted(set(places))
        assert all(at == UNMATCHED or new[at] == old[index] for index, at in enumerate(target))

    @given(LINES)
    def test_nothing_changed(self, old: list[str]):
        """Then all lines are where they were."""
        assert certain(old, old) == list(range(len(old)))

    @given(st.sets(st.text(max_size=3), max_size=12).map(list), st.data())
    def test_lines_without_twins_are_all_found(self, old: list[str], data: st.DataObject):
        """When some were taken and others put in."""
        kept = [line for line in old if data.draw(st.booleans())]
        new = [piece for line in kept for piece in (FRESH, line)]
        assert certain(old, new) == [2 * kept.index(line) + 1 if line in kept else UNMATCHED for line in old]

    def test_a_twin_that_may_be_either_has_no_place(self):
        assert certain(["a", "a"], ["a", "a", "a"]) == [UNMATCHED, UNMATCHED]
        assert certain(["x", "a", "a", "y"], ["x", "a", "y"]) == [0, UNMATCHED, UNMATCHED, 2]

    def test_twins_between_others_have_theirs(self):
        assert certain(["x", "}", "y", "}"], ["new", "x", "}", "y", "}"]) == [1, 2, 3, 4]

    def test_a_run_of_twins_keeps_its_places_beside_what_changed(self):
        """Each of them: the first as well as the last."""
        assert certain(["x", "a", "a", "a", "old"], ["x", "a", "a", "a", "new"]) == [0, 1, 2, 3, UNMATCHED]
        assert certain(["old", "a", "a", "b", "b"], ["new", "a", "a", "b", "b"]) == [UNMATCHED, 1, 2, 3, 4]

    def test_lines_that_changed_places_have_none(self):
        """Which of them moved can't be told."""
        assert certain(["a", "b"], ["b", "a"]) == [UNMATCHED, UNMATCHED]

    def test_what_is_too_large_to_compare_has_none(self):
        old, new = ["a", "b"] * 400, ["b", "a"] * 401
        assert set(certain(old, new)) == {UNMATCHED}
        assert certain(["x", *old], ["x", *new])[0] == 0
