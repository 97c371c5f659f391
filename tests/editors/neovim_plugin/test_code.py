"""The code of an answer: put below what was asked about, put in its place, copied."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from channelcoder_lsp.offline.script import Text
from channelcoder_lsp.services.safe_text import code_blocks
from editors.conftest import SHOP
from editors.neovim.nvim import TOTAL

if TYPE_CHECKING:
    from editors.conftest import Model

    from .nvim import Plugin

NEW = """def total(items: list[Item]) -> float:
    return sum(item.price * item.quantity for item in items)
"""
OLD = "".join(line + "\n" for line in SHOP.split("\n")[TOTAL[0] - 1 : TOTAL[1]])
ANSWER = f"Shorter:\n\n```python\n{NEW}```\n\nTry it:\n\n```sh\npython shop.py\n```\n"


@pytest.fixture
def answered(nvim: Plugin, model: Model) -> Plugin:
    """A Neovim on code with an answer that has two code blocks."""
    model.script(Text(text=ANSWER))
    nvim.ask_about(*TOTAL, "Shorter?")
    nvim.go(TOTAL[0])
    return nvim


@pytest.mark.parametrize(("command", "expected"), [("insert", OLD + NEW), ("replace", NEW)])
def test_goes_into_the_file_and_one_undo_takes_it_back(answered: Plugin, command, expected):
    answered.run(f"{command} 1")
    answered.said("channelcoder: done; u takes it back.")
    assert answered.text == SHOP.replace(OLD, expected)
    answered.api.command("undo")
    assert answered.text == SHOP


def test_of_several_one_is_chosen(answered: Plugin):
    answered.run("copy", choice="python shop.py")
    answered.said("channelcoder: 1 line copied.")
    assert answered.api.funcs.getreg('"') == "python shop.py\n"
    assert answered.lua("return seen.offered")[0].startswith("def total(items: list[Item]) -> float: return sum(")


def test_is_taken_from_a_window(answered: Plugin):
    answered.run("show")
    answered.window("Try it:")
    answered.run("copy 1")
    answered.said("channelcoder: 2 lines copied.")
    assert answered.api.funcs.getreg('"') == NEW


@pytest.mark.parametrize(("given", "said"), [("3", "the answer has 2 code blocks."), ("no", "the answer has 2 code")])
def test_of_another_number_is_said(answered: Plugin, given, said):
    answered.run(f"insert {given}")
    answered.said(f"channelcoder: {said}")
    assert answered.text == SHOP


def test_none_is_said(nvim: Plugin, model: Model):
    model.script(Text(text="Leave it."))
    nvim.ask_about(*TOTAL, "Shorter?")
    nvim.go(TOTAL[0])
    nvim.run("insert")
    nvim.said("channelcoder: the answer has 0 code blocks.")


@pytest.mark.parametrize(
    "answer",
    [
        "no code, only `a` word",
        "```\na\n```\n\n~~~ py\n```\nb\n~~~",
        "````\n```\na\n```\n````",
        "- a list\n\n  ```py\n  if a:\n      b\n  ```\n",
        "> quoted\n>\n> ```\n> a\n>  b\n> ```\n",
        "it ends within\n\n```py\na\n\nb",
        "``` a`b\nno fence\n",
        "```\n\n\n```\n",
    ],
)
def test_blocks_are_those_that_the_server_counts(nvim: Plugin, answer):
    blocks = [block.code.removesuffix("\n") for block in code_blocks(answer)]
    assert nvim.lua("return require('channelcoder.code').blocks(...)", answer) == blocks
