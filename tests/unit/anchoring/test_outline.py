"""Definitions are known by their headers in many languages, and their blocks by indentation and brackets."""

from __future__ import annotations

import pytest

from channelcoder_lsp.anchoring.lines import Lines


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("def total(self):", "total"),
        ("    async def load(path: str) -> None:", "load"),
        ("class Order(Base):", "Order"),
        ("class Order:", "Order"),
        ("func (c *Context) JSON(code int, obj any) {", "Context.JSON"),
        ("func New() *Engine {", "New"),
        ("pub(crate) fn search<'a>(", "search"),
        ("impl<T> Printer for Json<T> {", "Printer"),
        ("function M.attach(bufnr)", "M.attach"),
        ("M.detach = function(bufnr)", "M.detach"),
        ("export const sum = async (a, b) => {", "sum"),
        ("export default class Cart extends Base {", "Cart"),
        ("\toverride pipe<T extends Stream>(to: T): T { // as in Node", "pipe"),
        ("int ring_put(struct ring *r, int value)", "ring_put"),
        ("static void *alloc(size_t n) {", "alloc"),
        ("test('adds `an` item', t => {", "testaddsanitem"),
        ("    return total(order)", None),
        ("    if (total(order) > limit) {", None),
        ("    total(order)", None),
        ("void ring_put(struct ring *r);", None),
        ("} else {", None),
        ("", None),
    ],
)
def test_a_header_has_the_name_it_defines(line, name):
    """Calls, conditions and declarations aren't definitions."""
    assert Lines(line).header(0) == name


@pytest.mark.parametrize(
    "block",
    [
        "def f(a):\n    b\n\n    c",
        "def f(\n    a,\n) -> int:\n    return a",
        "int f(void)\n{\nlabel:\n    a();\n}",
        'fn f() {\n    print("\nat the margin {\n");\n}',
        "local function f()\n  if a then\n    b()\n  end\nend",
        "def f\n  a\nend",
        "if a:\n\tb\n\tc",
        "void f();",
    ],
)
def test_a_block_ends_with_its_last_line(block):
    """What comes after, at the header's indentation, is no part of it."""
    assert Lines(f"{block}\n\nother = 1\nmore()\n").block_end(0) == block.count("\n")
