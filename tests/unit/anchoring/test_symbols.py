"""A place is named by the definition that it is in, whatever the language."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channelcoder_lsp.anchoring import symbol_at

PYTHON = """\
import os

@dataclass
class Cart:
    '''Items.'''

    def total(self):
        result = 0
        for item in self.items:

            result += item
        return result

    def clear(self):
        self.items = []

def main():
    Cart().total()
"""
GO = """\
package main

func (c *Cart) Total() int {
\tsum := 0
#if odd
\treturn sum
}

var x = 1
"""
SCRIPT = """\
export class Cart {
  total(items) {
    const add = (a, b) => {
      return a + b
    }
    return items.reduce(add)
  }
}
"""


@pytest.mark.parametrize(
    ("text", "start", "end", "symbol"),
    [
        (PYTHON, 0, 0, None),
        (PYTHON, 2, 14, "Cart"),
        (PYTHON, 4, 4, "Cart"),
        (PYTHON, 6, 11, "Cart.total"),
        (PYTHON, 10, 10, "Cart.total"),
        (PYTHON, 9, 9, "Cart.total"),
        (PYTHON, 6, 14, "Cart"),
        (PYTHON, 14, 14, "Cart.clear"),
        (PYTHON, 14, 17, None),
        (PYTHON, 16, 17, "main"),
        (GO, 2, 6, "Cart.Total"),
        (GO, 5, 5, "Cart.Total"),
        (GO, 8, 8, None),
        (SCRIPT, 3, 3, "Cart.total.add"),
        (SCRIPT, 5, 5, "Cart.total"),
        ("", 0, 0, None),
    ],
)
def test_it_is_the_innermost_that_has_all_of_the_lines(text: str, start: int, end: int, symbol: str | None):
    assert symbol_at(text.split("\n"), start, end) == symbol


@given(
    st.lists(st.sampled_from(["def f():", "    x", "", "class A:", "  def g(): {", "}", "\ty"]), min_size=1), st.data()
)
def test_any_lines_may_be_asked_for(lines: list[str], data: st.DataObject):
    start = data.draw(st.integers(0, len(lines) - 1))
    found = symbol_at(lines, start, data.draw(st.integers(start, len(lines) - 1)))
    assert found is None or found
