"""How the command takes what it is given."""

from __future__ import annotations

import pytest

from channelcoder_lsp.cli.asking import split_tools
from channelcoder_lsp.cli.failing import code_of
from channelcoder_lsp.domain import errors


@pytest.mark.parametrize(
    ("given", "tools"),
    [("Read", ["Read"]), ("Read,Grep", ["Read", "Grep"]), ("Bash(git log:*,x), Read", ["Bash(git log:*,x)", "Read"])],
)
def test_tools_are_parted_by_commas_outside_parentheses(given: str, tools: list[str]):
    assert split_tools(given) == tools


@pytest.mark.parametrize(
    ("problem", "code"),
    [
        (errors.AgentError("x"), 1),
        (RuntimeError("a bug"), 1),
        (errors.ArgumentsError("x"), 2),
        (errors.PromptError("x"), 2),
        (FileNotFoundError("x"), 3),
        (errors.SessionNotFoundError("x"), 4),
        (errors.StorageNotWritableError("x"), 4),
    ],
)
def test_each_error_has_its_exit_code(problem: Exception, code: int):
    assert code_of(problem) == code
