"""Asking from the code, with no command and no plugin: a comment is the question."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from editors.conftest import SHOP, Model

if TYPE_CHECKING:
    from .conftest import Open

LUA = """local function slow(names)
  -- claude: why is this slow?
  for _, name in ipairs(names) do
    print(name)
  end
end
"""


@pytest.mark.parametrize(
    ("name", "text", "comment", "line"),
    [
        ("shop.py", SHOP, "    # claude: why is this slow?\n", 24),
        ("slow.lua", LUA, "  -- claude: why is this slow?\n", 2),
    ],
)
def test_comment_is_asked_and_taken_away(open_file: Open, name, text, comment, line):
    """One undo brings the comment back; the answer stands on the code below it."""
    nvim = open_file(name, text)
    nvim.go(line)
    assert nvim.code_actions()[0] == "Ask Claude: why is this slow?"
    nvim.choose("Ask Claude: why is this slow?")
    nvim.over()
    nvim.wait("return vim.bo.modified")
    assert nvim.text == text.replace(comment, "")
    assert "> why is this slow?" in nvim.hover()
    nvim.lens("Claude: 1 answer | Reply | Resolve", line)
    nvim.api.command("undo")
    assert nvim.text == text
    nvim.lens("Claude: 1 answer | Reply | Resolve", line + 1)


def test_comment_on_code_with_an_answer_is_a_reply(open_file: Open, model: Model):
    nvim = open_file("slow.lua", LUA)
    nvim.go(2)
    nvim.choose("Ask Claude: why is this slow?")
    nvim.over()
    nvim.wait("return vim.bo.modified")
    nvim.api.current.buffer.append("    -- claude: is print the slow part?", 2)
    nvim.go(3)
    nvim.choose("Reply to Claude: is print the slow part?")
    nvim.over(2)
    nvim.lens("Claude: 2 answers | Reply | Resolve", 2)
    assert model.requests(2)[-1].earlier_questions[-1:] == ["why is this slow?"]
