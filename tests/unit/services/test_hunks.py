"""The changes of a proposal, in a text that went on."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from channelcoder_lsp.domain.proposal import Hunk
from channelcoder_lsp.services.hunks import (
    AROUND,
    CHANGED,
    GONE,
    UNCLEAR,
    HunkNow,
    HunkState,
    applied_to,
    hunks_between,
    hunks_now,
    with_hunks,
    without_contradictions,
)

TWINS = st.lists(st.sampled_from(["a", "b", "c", "", "}"]), min_size=1, max_size=10)
FRESH = "typed meanwhile"

OPEN, APPLIED, STALE = HunkState.OPEN, HunkState.APPLIED, HunkState.STALE


def made(lines: list[str], hunks: list[Hunk]) -> list[str]:
    return with_hunks(lines, [(hunk.start, hunk.end, hunk.lines) for hunk in hunks])


def states(hunks: list[Hunk], base: list[str], lines: list[str]) -> list[HunkState]:
    return [now.state for now in hunks_now(hunks, base, lines)]


@st.composite
def gone_on(draw) -> tuple[list[str], list[str], list[str], dict[int, list[str]], set[int]]:
    """Old lines, proposed lines, and what somebody did to the old: lines put in before which, which were taken."""
    base, proposed = draw(TWINS), draw(TWINS)
    put_in = draw(st.dictionaries(st.integers(0, len(base)), st.just([FRESH]), max_size=3))
    taken = draw(st.sets(st.integers(0, len(base) - 1), max_size=2))
    return base, proposed, _typed(base, put_in, taken), put_in, taken


def _typed(base: list[str], put_in: dict[int, list[str]], taken: set[int]) -> list[str]:
    lines = []
    for index, line in enumerate(base):
        lines += put_in.get(index, [])
        if index not in taken:
            lines.append(line)
    return lines + put_in.get(len(base), [])


def merged(base: list[str], hunks: list[Hunk], put_in: dict[int, list[str]], taken: set[int]) -> list[str]:
    """``hunks`` made in ``base`` by hand, with what was typed beside them."""
    lines, index = [], 0
    by_start = {hunk.start: hunk for hunk in hunks}
    while index <= len(base):
        lines += put_in.get(index, [])
        hunk = by_start.get(index)
        if hunk is not None:
            lines += hunk.lines
            if hunk.end > index:
                index = hunk.end
                continue
        if index < len(base) and index not in taken:
            lines.append(base[index])
        index += 1
    return lines


class TestBetween:
    """What is to be changed."""

    @given(TWINS, TWINS)
    def test_the_changes_make_the_new_text_of_the_old(self, old: list[str], new: list[str]):
        assert made(old, hunks_between(old, new)) == new

    @given(TWINS, TWINS)
    def test_each_changes_something_and_nothing_that_could_be_left(self, old: list[str], new: list[str]):
        """In order, with a line between any two that stays."""
        at = -1
        for hunk in hunks_between(old, new):
            taken = old[hunk.start : hunk.end]
            assert hunk.start > at
            assert taken != hunk.lines
            if taken and hunk.lines:
                assert taken[0] != hunk.lines[0]
                assert taken[-1] != hunk.lines[-1]
            at = hunk.end

    def test_two_changes_far_apart_are_two(self):
        old = [f"line {number}" for number in range(20)]
        new = [*old[:3], "three", *old[4:15], *old[16:]]
        assert hunks_between(old, new) == [Hunk(start=3, end=4, lines=["three"]), Hunk(start=15, end=16)]

    def test_a_blank_line_does_not_part_what_was_rewritten(self):
        old, new = ["def f():", "    a = 1", "", "    return a"], ["def f():", "    b = 2", "", "    return b"]
        assert hunks_between(old, new) == [Hunk(start=1, end=4, lines=new[1:])]

    def test_many_equal_lines(self):
        """Are compared in a moment."""
        old = ["x", "}"] * 4_000
        new = [*old[:4_000], "new", *old[4_000:]]
        assert made(old, hunks_between(old, new)) == new


class TestNow:
    """What the changes come to in a text that went on."""

    @given(gone_on())
    def test_applying_what_is_open_is_what_one_would_do_by_hand(self, case):
        """Whatever was typed and deleted meanwhile, and however many lines are alike."""
        base, proposed, lines, put_in, taken = case
        now = hunks_now(hunks_between(base, proposed), base, lines)
        wanted = [each.hunk for each in now if each.state is OPEN]
        assert applied_to(lines, now) == merged(base, wanted, put_in, taken)
        for hunk in wanted:
            assert not taken & set(range(hunk.start, hunk.end)), "a line of its own was deleted"
            within = range(hunk.start, hunk.end + 1) if hunk.start == hunk.end else range(hunk.start + 1, hunk.end)
            assert not put_in.keys() & set(within), "something was typed within"

    @given(st.sets(st.text(max_size=2), min_size=1, max_size=12).map(list), st.data())
    def test_what_nobody_touched_is_open(self, base: list[str], data: st.DataObject):
        """In a text without twins, its neighbours being as they were."""
        proposed = [line for line in base if data.draw(st.booleans())] + ["proposed"]
        hunks = hunks_between(base, proposed)
        near = {at for hunk in hunks for at in range(hunk.start - 1, hunk.end + 1)}
        free = [at for at in range(len(base)) if at not in near]
        taken = {at for at in free if data.draw(st.booleans())}
        lines = _typed(base, {at: [FRESH] for at in free if at - 1 in free}, taken)
        assert set(states(hunks, base, lines)) == {OPEN}

    @given(TWINS, TWINS, st.data())
    def test_what_was_applied_is_never_applied_again(self, base: list[str], proposed: list[str], data: st.DataObject):
        """Whichever of the changes were, and in whatever order."""
        hunks = hunks_between(base, proposed)
        done = [hunk for hunk in hunks if data.draw(st.booleans())]
        lines = made(base, done)
        now = hunks_now(hunks, base, lines)
        for each in now:
            assert each.hunk not in done or each.state is not OPEN
        assert applied_to(lines, now) == made(base, [hunk for hunk in hunks if hunk in done or _open(now, hunk)])

    @given(TWINS, TWINS)
    def test_nothing_and_everything_applied(self, base: list[str], proposed: list[str]):
        """An undo opens all again: the text alone decides."""
        hunks = hunks_between(base, proposed)
        assume(hunks)
        assert set(states(hunks, base, base)) == {OPEN}
        assert set(states(hunks, base, proposed)) == {APPLIED}

    BASE = ("import os", "", "def one():", "    return 1", "", "def two():", "    return 2", "")
    ONE, TWO = Hunk(start=3, end=4, lines=["    return 11"]), Hunk(start=6, end=7, lines=["    return 22"])

    def test_lines_above_move_it(self):
        (now,) = hunks_now([self.ONE], self.BASE, ["# new", *self.BASE])
        assert now == HunkNow(0, self.ONE, OPEN, 4, 5)

    @pytest.mark.parametrize(
        ("line", "reason"),
        [("    return 1 + x", CHANGED), (None, GONE)],
    )
    def test_a_changed_line_is_refused_with_the_reason(self, line: str | None, reason: str):
        lines = [*self.BASE[:3], *([line] if line else []), *self.BASE[4:]]
        one, two = hunks_now([self.ONE, self.TWO], self.BASE, lines)
        assert (one.state, one.reason) == (STALE, reason)
        assert two.state is OPEN

    def test_the_indentation_counts(self):
        lines = [*self.BASE[:3], "        return 1", *self.BASE[4:]]
        assert states([self.ONE], self.BASE, lines) == [STALE]

    def test_an_insertion_needs_its_neighbours(self):
        """Both, next to each other."""
        hunk = Hunk(start=3, end=3, lines=["    x = 1"])
        assert states([hunk], self.BASE, ["# new", *self.BASE]) == [OPEN]
        (now,) = hunks_now([hunk], self.BASE, [*self.BASE[:3], "    y = 2", *self.BASE[3:]])
        assert (now.state, now.reason) == (STALE, AROUND)

    def test_insertions_at_both_ends(self):
        hunks = [Hunk(start=0, end=0, lines=["# first"]), Hunk(start=8, end=8, lines=["# last"])]
        now = hunks_now(hunks, self.BASE, [*self.BASE[:3], "    x = 1", *self.BASE[3:]])
        assert [(each.state, each.start) for each in now] == [(OPEN, 0), (OPEN, 9)]
        assert states(hunks, self.BASE, ["# new", *self.BASE, "# new"]) == [STALE, STALE]

    def test_one_applied_the_other_open(self):
        lines = made(list(self.BASE), [self.ONE])
        assert states([self.ONE, self.TWO], self.BASE, lines) == [APPLIED, OPEN]
        assert states([self.ONE, self.TWO], self.BASE, ["# new", *lines]) == [APPLIED, OPEN]

    def test_a_block_that_was_moved_is_found_in_its_new_place(self):
        """The function was moved above the other one, and more was typed below it."""
        body = ["def two():", "    a = compute(1)", "    b = compute(2)", "    return a + b", ""]
        base = [*self.BASE[:5], *body]
        hunk = Hunk(start=7, end=8, lines=["    b = compute(3)"])
        (now,) = hunks_now([hunk], base, [*self.BASE[:2], *body, "# new", *self.BASE[2:5]])
        assert now == HunkNow(0, hunk, OPEN, 4, 5)

    def test_new_lines_that_repeat_the_old_ones_are_seen_as_applied(self):
        """Though the old line stands there still."""
        base, proposed = ["p", "", "q"], ["p", "x", "", "y", "q"]
        hunks = hunks_between(base, proposed)
        assert states(hunks, base, proposed) == [APPLIED] * len(hunks)
        assert states(hunks, base, [*proposed, "z"]) == [APPLIED] * len(hunks)

    def test_functions_put_in_between_blank_lines(self):
        """Blank lines are everywhere, in what is put in as well; both are told apart, applied and not."""
        base = ["def a():", "    return 1", "", "", "def b():", "    return 2", "", "", "def c():", "    return 3"]
        proposed = [*base[:4], "def new():", "    pass", "", "", *base[4:8], "def other():", "", "", *base[8:]]
        hunks = hunks_between(base, proposed)
        assert len(hunks) == 2
        assert states(hunks, base, ["# typed", *base]) == [OPEN, OPEN]
        assert states(hunks, base, ["# typed", *made(base, hunks[:1])]) == [APPLIED, OPEN]
        assert states(hunks, base, ["# typed", *made(base, hunks[1:])]) == [OPEN, APPLIED]
        assert states(hunks, base, ["# typed", *proposed]) == [APPLIED, APPLIED]

    def test_places_that_two_claim_are_nobodys(self):
        found = [
            HunkNow(0, self.ONE, OPEN, 3, 5),
            HunkNow(1, self.TWO, APPLIED, 4, 6),
            HunkNow(2, self.TWO, OPEN, 6, 7),
        ]
        assert [(now.state, now.reason) for now in without_contradictions(found)] == [
            (STALE, UNCLEAR),
            (STALE, UNCLEAR),
            (OPEN, None),
        ]

    def test_a_proposal_to_move_code_is_done_once(self):
        """What it puts in elsewhere is not what it takes."""
        f, g = ["def f():", "    return 1"], ["def g():", "    a = 2", "    return a"]
        base, proposed = [*f, *g], [*g, *f]
        hunks = hunks_between(base, proposed)
        for lines in (proposed, [*proposed, "# more"], ["# more", *proposed]):
            assert OPEN not in states(hunks, base, lines)

    def test_lines_that_the_proposal_itself_put_in_are_not_taken_for_others(self):
        """The second change is about the ``c`` that was there before the first one put in another."""
        base = ["a", "c", "b", "a", "b", ""]
        hunks = [
            Hunk(start=0, end=0, lines=["c", ""]),
            Hunk(start=1, end=2, lines=["", "a", ""]),
            Hunk(start=3, end=6),
        ]
        lines = made(base, [hunks[0], hunks[2]])
        assert lines == ["c", "", "a", "c", "b"]
        second = hunks_now(hunks, base, lines)[1]
        assert (second.state, second.start) == (OPEN, 3)

    def test_an_insertion_that_may_have_been_made_is_not_made_again(self):
        """Another change took lines that are twins of those put in: either of the two may stand there."""
        base = ["c", "b", "a", "b", "a", "b"]
        hunks = [Hunk(start=0, end=0, lines=["a"]), Hunk(start=1, end=1, lines=["b"]), Hunk(start=3, end=6)]
        assert states(hunks, base, made(base, hunks[1:]))[1] is not OPEN

    def test_the_same_change_twice_in_a_text_is_unclear(self):
        """What is proposed for one place was typed at another."""
        base = ["one", "two", "three"]
        hunks = [Hunk(start=0, end=1), Hunk(start=3, end=3, lines=["one"])]
        assert OPEN not in states(hunks, base, ["other", "one"])


def _open(now: list[HunkNow], hunk: Hunk) -> bool:
    return any(each.hunk == hunk and each.state is OPEN for each in now)
