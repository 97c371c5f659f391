"""docs/editors/neovim.md says what these tests use."""

from __future__ import annotations

import re
from pathlib import Path

from .nvim import INIT

ROOT = Path(__file__).parents[3]
GUIDE = ROOT / "docs" / "editors" / "neovim.md"
_LUA = re.compile(r"^```lua\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PICTURES = re.compile(r"!\[[^\]]+\]\((.+?)\)")


def test_configuration_is_the_one_that_is_tested():
    """The blocks before the first heading, one after the other, are the whole of init.lua."""
    guide = GUIDE.read_text("utf-8")
    assert "\n".join(_LUA.findall(guide.partition("\n## ")[0])) == INIT.read_text("utf-8")


def test_settings_of_the_guide_reach_the_server(machine, start):
    """They are taken by `vim.lsp.config` as shown: another word makes a comment a question."""
    nvim_settings = _LUA.findall(GUIDE.read_text("utf-8"))[-1]
    nvim = start(machine.write("a.py", "# ai: why?\nprint()\n"), nvim_settings)
    assert nvim.code_actions()[0] == "Ask Claude: why?"


def test_pictures_are_there():
    pictures = _PICTURES.findall(GUIDE.read_text("utf-8"))
    assert len(pictures) == 5
    for picture in pictures:
        assert (GUIDE.parent / picture).read_text("utf-8").startswith("<svg ")
