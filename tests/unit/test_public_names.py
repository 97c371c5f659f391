"""What ``from channelcoder_lsp import ...`` gives, in whatever order things are imported."""

from __future__ import annotations

import subprocess
import sys

import pytest

import channelcoder_lsp


@pytest.mark.parametrize("name", channelcoder_lsp.__all__)
def test_every_public_name_is_there(name: str):
    assert getattr(channelcoder_lsp, name)


def test_an_unknown_name_is_not():
    with pytest.raises(AttributeError, match="nothing_of_the_kind"):
        _ = channelcoder_lsp.nothing_of_the_kind


@pytest.mark.parametrize(
    "before",
    ["", "import channelcoder_lsp.claude.agent", "from channelcoder_lsp.claude import ClaudeAgent"],
    ids=["nothing before", "the subpackage before", "a part of it before"],
)
def test_claude_is_the_function(before: str):
    program = f"{before}\nfrom channelcoder_lsp import claude\nassert callable(claude), claude\n"
    program += "from channelcoder_lsp.claude.options import build_options\nfrom channelcoder_lsp import claude\n"
    subprocess.run([sys.executable, "-c", f"{program}assert callable(claude), claude"], check=True)


def test_nothing_heavy_is_loaded_before_it_is_used():
    program = "import channelcoder_lsp, sys; assert not {'pydantic', 'pygls', 'claude_agent_sdk'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)
