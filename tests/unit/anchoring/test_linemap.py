"""The line map's evidence, stage by stage: each finds what the stages before it can't."""

from __future__ import annotations

from channelcoder_lsp.anchoring.align import UNMATCHED, Gap, Run, heaviest_chain, match_unique
from channelcoder_lsp.anchoring.likeness import align, traits
from channelcoder_lsp.anchoring.linemap import LineMatcher


def matched(match, old, new):
    """What a stage matches between two texts of one letter per line."""
    target = [UNMATCHED] * len(old)
    match(list(old), list(new), lambda _: 1.0, Gap(0, len(old), 0, len(new)), target)
    return target


class TestWholeLines:
    def test_unique_lines_and_what_is_equal_beside_them_are_matched(self):
        """A line that isn't unique is matched next to one that is."""
        assert matched(match_unique, "axb", "yyaxzb") == [2, 3, 5]

    def test_lines_without_unique_neighbours_are_left_to_the_likeness(self):
        """Which of several equal lines is meant can't be told from the lines themselves."""
        assert matched(match_unique, "pxxyxxq", "rxxsxxt") == [UNMATCHED] * 7

    def test_of_runs_that_exclude_each_other_the_heavier_stay(self):
        """The lighter ones are moves."""
        runs = [Run(0, 9, 1, 3.0), Run(2, 1, 2, 2.0), Run(5, 4, 2, 2.0)]
        assert heaviest_chain(runs) == runs[1:]
        assert heaviest_chain([runs[0]._replace(weight=5.0), *runs[1:]]) == [runs[0]._replace(weight=5.0)]
        assert heaviest_chain([]) == []


class TestHeaders:
    def test_a_rewritten_definition_is_known_by_its_name(self):
        """Signature and body changed, the name and the order stayed."""
        old = "import a\n\ndef pay(amount):\n    check(amount)\n\ndef rest():\n    pass\n"
        new = old.replace(
            "def pay(amount):\n    check(amount)", "async def pay(self, *, of: Order) -> Receipt:\n    ..."
        )
        assert LineMatcher(old, new).in_order[2] == 2

    def test_a_definition_that_changed_places_is_known_by_a_name_that_is_unique(self):
        """Neither its text nor its place is left, but nothing else has its name."""
        old = "def pay(amount):\n    check(amount)\n\n\nimport a\nimport b\nimport c\n"
        new = "import a\nimport b\nimport c\n\n\ndef pay(order, currency, at):\n    return Receipt(order)\n"
        assert LineMatcher(old, new).moved[0] == 5
        assert 0 not in LineMatcher(old, f"{new}\ndef pay(other):\n    pass\n").moved


class TestMoves:
    OLD = "alpha = compute(1)\nbeta = compute(2)\n\nmain(alpha)\nrun(beta)\nstop(alpha, beta)\n"

    def test_a_moved_block_is_found_word_for_word(self):
        """The heavier block holds its place in the order, the other is a move; the blank between was neither."""
        new = "main(alpha)\nrun(beta)\nstop(alpha, beta)\n\nalpha = compute(1)\nbeta = compute(2)\n"
        found = [LineMatcher(self.OLD, new).find(line) for line in range(6)]
        assert [it and it.line for it in found] == [4, 5, None, 0, 1, 2]

    def test_a_block_moves_with_all_its_lines(self):
        """Those without a weight of their own, too, at the beginning of a text and at its end."""
        block = "{\nalpha = compute(1, 2, 3)\nbeta = compute(4, 5, 6)\n}\n"
        rest = "main(alpha)\nrun(alpha, 1)\nstop(alpha, 2)\nend(alpha, 3)\n"
        matcher = LineMatcher(block + rest, rest + block)
        assert [it and it.line for it in map(matcher.find, range(8))] == [4, 5, 6, 7, 0, 1, 2, 3]
        matcher = LineMatcher(rest + block, block + rest)
        assert [it and it.line for it in map(matcher.find, range(8))] == [4, 5, 6, 7, 0, 1, 2, 3]

    def test_no_line_gets_a_partner_that_has_one(self):
        """Every new line is the partner of one old line at most."""
        new = self.OLD.replace("main(alpha)\n", "") + "main(beta)\nalpha = compute(1)\nbeta = compute(3)\n"
        matcher = LineMatcher(self.OLD, new)
        found = [it.line for line in range(7) if (it := matcher.find(line))]
        assert len(set(found)) == len(found)


class TestLikeness:
    def test_rewritten_lines_are_paired_in_order_with_their_likest(self):
        """The sum of the likeness decides, not the first that will do."""
        old = ["total = price * count", "print(total)"]
        new = ["log.info('start')", "total = price * count + tax", "log.info(total)", "print(total, flush=True)"]
        pairs = align([traits(it) for it in old], [traits(it) for it in new], [1.0, 1.0])
        assert [(it.old, it.new) for it in pairs] == [(0, 1), (1, 3)]

    def test_less_likeness_will_do_where_as_many_lines_came_as_went(self):
        """One line for one line is more likely a change than one of many."""
        old, new = "self.assertEqual(rv, 'x')", "assert rv == 'x'"
        other = [traits(f"{letter * 9}!") for letter in "uvwxyz"]
        assert align([traits(old)], [traits(new)], [1.0])
        assert not align([traits(old)], [*other, traits(new), *other], [1.0])

    def test_large_gaps_are_matched_by_rare_words(self):
        """Where comparing every pair costs too much, the lines that share rare words are compared."""
        old = [traits(f"name_{number} = read(source)") for number in range(400)]
        new = [traits(f"name_{number} = await read(source, limit)") for number in range(0, 400, 2)]
        pairs = align(old, new, [1.0] * 400)
        assert [(it.old, it.new) for it in pairs] == [(number * 2, number) for number in range(200)]
