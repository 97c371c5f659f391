"""What holds for relocation whatever the texts are."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from channelcoder_lsp.anchoring import LineMap, relocate
from channelcoder_lsp.anchoring.lines import split_lines

LINES = st.sampled_from(
    [
        "",
        "}",
        "    return total",
        "def total(self):",
        "  def total(self, tax):",
        "int total(void) {",
        "\ttotal += line.price * line.quantity",
        "total = sum(line.price for line in lines)",
        "class Order:",
        "end",
        "x\f\u2028y",
    ]
) | st.text(max_size=20)
TEXTS = st.builds(str.join, st.sampled_from(["\n", "\r\n", "\r"]), st.lists(LINES, max_size=25))
NUMBERS = st.integers(-3, 30)


@given(old=TEXTS, new=TEXTS, start=NUMBERS, end=NUMBERS)
@settings(max_examples=400, deadline=None)
def test_relocate_never_raises_and_stays_within_the_text(old, new, start, end):
    """Whatever is asked, the answer is None or lines of the new text."""
    found = relocate(old, start, end, new)
    assert found is None or 0 <= found[0] <= found[1] < len(split_lines(new))


@given(text=TEXTS, start=NUMBERS, end=NUMBERS)
@settings(deadline=None)
def test_an_unchanged_text_leaves_every_range_where_it_is(text, start, end):
    """Relocating in the same text is the identity, up to cutting off what lies outside."""
    last = len(split_lines(text)) - 1
    first = min(max(start, 0), last)
    found = LineMap(text, text).relocate(start, end)
    assert found == (first, min(max(end, first), last), "exact", 1.0)


@given(old=TEXTS, new=TEXTS, start=NUMBERS, end=NUMBERS)
@settings(deadline=None)
def test_what_is_called_exact_or_moved_is_the_same_text(old, new, start, end):
    """The states can be believed: only trailing white space may differ."""
    found = LineMap(old, new).relocate(start, end)
    if found is None or found.state == "edited":
        return
    last = len(split_lines(old)) - 1
    first = min(max(start, 0), last)
    before = [line.rstrip() for line in split_lines(old)][first : min(max(end, first), last) + 1]
    assert [line.rstrip() for line in split_lines(new)][found.start : found.end + 1] == before
    assert (found.state == "exact") == (found.start == first)


@given(text=TEXTS, above=st.lists(LINES, max_size=5), start=NUMBERS)
@settings(deadline=None)
def test_ends_of_line_do_not_matter(text, above, start):
    """The same answer whether a text has the ends of line of one system or of another."""
    new = "\n".join(above) + "\n" + text
    assert relocate(text, start, start, new) == relocate(
        "\r\n".join(split_lines(text)), start, start, "\r".join(split_lines(new))
    )
