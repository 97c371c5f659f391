"""Finding a range again: hard cases, one change at a time."""

from __future__ import annotations

import random

import pytest

from channelcoder_lsp.anchoring import LineMap, Relocation, relocate

SHOP = """\
class Cart:
    def add(self, item):
        check(item)
        self.items.append(item)

    def remove(self, item):
        check(item)
        self.items.remove(item)


class Shelf:
    def add(self, item):
        check(item)
        self.items.append(item)

    def count(self):
        return len(self.items)
"""
"""Lines 2-3 and 12-13 are twins."""


class TestUnchangedText:
    def test_a_range_of_the_same_text_is_exact(self):
        """Nothing changed, nothing moves."""
        assert LineMap(SHOP, SHOP).relocate(5, 7) == Relocation(5, 7, "exact", 1.0)

    @pytest.mark.parametrize(
        "change",
        [
            lambda text: text.replace("\n", "\r\n"),
            lambda text: text.replace("\n", "\r"),
            lambda text: text.replace("\n", "  \n"),
            lambda text: text.rstrip("\n"),
        ],
        ids=["CRLF", "CR", "trailing white space", "no final end of line"],
    )
    def test_what_an_editor_changes_on_its_own_does_not_matter(self, change):
        """Ends of line and trailing white space are no change, in either direction."""
        assert LineMap(SHOP, change(SHOP)).relocate(5, 7) == Relocation(5, 7, "exact", 1.0)
        assert LineMap(change(SHOP), SHOP).relocate(5, 7) == Relocation(5, 7, "exact", 1.0)

    @pytest.mark.parametrize(("start", "end"), [(-3, 2), (0, 99), (40, 50), (3, 1), (-9, -7)])
    def test_a_range_outside_of_the_text_is_cut_off(self, start, end):
        """A stale range is no reason to fail."""
        found = relocate(SHOP, start, end, SHOP)
        assert found is not None
        assert 0 <= found[0] <= found[1] <= SHOP.count("\n")


class TestMoves:
    def test_lines_put_in_above_push_the_range_down(self):
        """The text is the same, the place is another."""
        assert LineMap(SHOP, "import os\n\n" + SHOP).relocate(5, 7) == Relocation(7, 9, "moved", 1.0)

    def test_reordered_functions_are_each_found(self):
        """Two methods that traded places keep their threads."""
        lines = SHOP.split("\n")
        new = "\n".join(lines[:1] + lines[5:8] + [""] + lines[1:4] + lines[8:])
        assert LineMap(SHOP, new).relocate(1, 3) == Relocation(5, 7, "moved", 1.0)
        assert LineMap(SHOP, new).relocate(5, 7) == Relocation(1, 3, "moved", 1.0)

    def test_a_method_moved_to_another_class_is_found(self):
        """The name and the text say it is the same one."""
        method = "    def remove(self, item):\n        check(item)\n        self.items.remove(item)\n"
        new = SHOP.replace("\n" + method, "") + "\n" + method
        assert relocate(SHOP, 5, 7, new) == (14, 16)

    @pytest.mark.parametrize(("indent", "name"), [("\t", "tabs"), ("        ", "deeper"), ("  ", "two spaces")])
    def test_an_indented_block_is_found_and_marked_edited(self, indent, name):
        """Indentation doesn't hide the code, but it is a change."""
        new = "if enabled:\n" + "\n".join(
            indent + line.replace("    ", indent) if line else "" for line in SHOP.split("\n")
        )
        assert LineMap(SHOP, new).relocate(5, 7) == Relocation(6, 8, "edited", 1.0), name


class TestEdits:
    def test_a_rewritten_line_is_found_in_its_place(self):
        """One line, changed where it stood."""
        new = SHOP.replace("self.items.remove(item)", "self.items.discard(item, strict=True)")
        found = LineMap(SHOP, new).relocate(7, 7)
        assert found is not None
        assert found[:3] == (7, 7, "edited")
        assert 0.3 < found.likeness < 1

    def test_lines_put_in_between_belong_to_the_range(self):
        """The range grows with its code."""
        new = SHOP.replace("        self.items.remove", "        log(item)\n        self.items.remove")
        assert relocate(SHOP, 5, 7, new) == (5, 8)

    def test_lines_appended_to_a_whole_definition_belong_to_it(self):
        """A range over a definition is about the definition."""
        new = SHOP.replace("        self.items.remove(item)\n", "        self.items.remove(item)\n        save()\n")
        assert relocate(SHOP, 5, 7, new) == (5, 8)
        assert relocate(SHOP, 6, 7, new) == (6, 7)

    def test_decorators_belong_to_their_definition(self):
        """Also one that goes on over several lines: what is appended to the definition belongs to the range."""
        old = (
            "x = 1\n\n\n@cached\n@route('/total',\n       'GET')\ndef total(items):\n    return sum(items)\n\n\ny = 2\n"
        )
        new = "# new\n" + old.replace("sum(items)\n", "sum(items)\n    # not reached\n")
        assert relocate(old, 3, 7, new) == (4, 9)
        renamed = new.replace("def total(items)", "def total(items, start=0)")
        assert relocate(old, 3, 7, renamed) == (4, 9)

    def test_a_renamed_function_keeps_its_range(self):
        """The body identifies it."""
        new = SHOP.replace("def remove(self, item):", "def take_out(self, thing):")
        assert relocate(SHOP, 5, 7, new) == (5, 7)

    def test_a_rewritten_function_is_found_by_its_name(self):
        """Not a line of the body is left, but it is the function of that name."""
        new = SHOP.replace(
            "        check(item)\n        self.items.remove(item)\n", "        raise NotImplementedError\n"
        )
        assert relocate(SHOP, 5, 7, new) == (5, 6)

    def test_a_formatter_does_not_hide_a_line(self):
        """Quotes, spacing and trailing commas are taste."""
        old = "a()\nconst x = {'a':1,'b':2}\nb()\n"
        new = 'import "z";\na();\nconst x = { "a": 1, "b": 2 };\nb();\n'
        assert relocate(old, 1, 1, new) == (2, 2)


class TestGone:
    def test_a_deleted_range_is_gone(self):
        """Its neighbours are no substitute."""
        lines = SHOP.split("\n")
        assert relocate(SHOP, 5, 7, "\n".join(lines[:5] + lines[8:])) is None

    @pytest.mark.parametrize(("deleted", "alive"), [((1, 3), (11, 13)), ((11, 13), (1, 3))])
    def test_a_deleted_twin_does_not_borrow_its_siblings_place(self, deleted, alive):
        """Equal code that has a partner of its own is never taken for the code that is gone."""
        lines = SHOP.split("\n")
        new = "\n".join(lines[: deleted[0]] + lines[deleted[1] + 1 :])
        moved = 3 if alive > deleted else 0
        assert relocate(SHOP, *deleted, new) is None
        assert relocate(SHOP, *alive, new) == (alive[0] - moved, alive[1] - moved)

    def test_other_code_in_its_place_is_not_it(self):
        """That something stands there now doesn't make it the same."""
        new = SHOP.replace("        self.items.remove(item)", "        with open(LOG) as file:")
        assert relocate(SHOP, 7, 7, new) is None

    @pytest.mark.parametrize("new", ["", "\n", "\r\n\r\n"])
    def test_nothing_is_found_in_an_empty_text(self, new):
        """An emptied file orphans everything that said something."""
        assert relocate(SHOP, 5, 7, new) is None

    def test_code_that_comes_back_is_found_again(self):
        """Against the text it was taken from, the answer after a revert is the first one."""
        gone = SHOP.replace("        self.items.remove(item)\n", "")
        assert relocate(SHOP, 7, 7, gone) is None
        assert relocate(SHOP, 7, 7, SHOP) == (7, 7)


class TestTwins:
    def test_the_twin_of_the_right_class_is_found(self):
        """Equal methods are told apart by where they stand."""
        new = "import os\n" + SHOP.replace("        check(item)\n", "        check(item)\n        log(item)\n")
        assert relocate(SHOP, 1, 3, new) == (2, 5)
        assert relocate(SHOP, 11, 13, new) == (14, 17)

    def test_a_copy_put_in_above_does_not_draw_the_range(self):
        """A block that was duplicated stays where its surroundings are."""
        block = "    def count(self):\n        return len(self.items)\n"
        new = SHOP.replace("class Cart:\n", "class Cart:\n" + block + "\n")
        assert relocate(SHOP, 15, 16, new) == (18, 19)


class TestLargeTexts:
    def test_a_range_of_a_20000_line_file_is_found(self):
        """Edits all over the file, a moved part, and repeated lines don't lead astray."""
        rng = random.Random(4)
        old = [f"value_{number} = compute({number * 7919 % 10007})" for number in range(20_000)]
        old[::5] = ["}"] * 4_000
        new = [line for line in old[:12_000] if rng.random() > 0.05]
        new += ["print()"] * 30 + old[16_000:] + old[12_000:16_000]
        lines = LineMap("\n".join(old), "\n".join(new))
        found = lines.relocate(13_001, 13_003)
        assert found is not None
        assert new[found.start : found.end + 1] == old[13_001:13_004]
        assert found.state == "moved"

    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("x = 1\n" * 20_000, "x = 1\n" * 15_000),
            ("x = 1\ny = 2\n" * 10_000, "y = 2\nx = 1\nx = 1\n" * 7_000),
            ("{\n" * 10_000, "}\n{\n" * 10_000),
            ("var a=1;" * 50_000, "var b=1;" * 50_000),
            ("function f(" * 30 + "\n" * 500, "function g(" * 30 + "\n" * 500),
            ("\n".join(map(str, range(20_000))), "\n".join(map(str, range(20_000, 0, -1)))),
        ],
        ids=["one line", "two lines", "brackets", "minified", "headers", "reversed"],
    )
    @pytest.mark.timeout(20)
    def test_texts_without_structure_end_in_time(self, old, new):
        """The cost is bounded: what can't be told apart is given up, not compared for ever."""
        found = relocate(old, 100, 110, new)
        assert found is None or 0 <= found[0] <= found[1] <= new.count("\n")
