"""What a person is asked before Claude uses a tool that does more than read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channelcoder_lsp.claude.consent import Consent, shown, tools_by_consent, visible


@pytest.mark.parametrize(
    ("tool", "arguments", "expected"),
    [
        ("Bash", {"command": "make test"}, "make test"),
        ("Bash", {"command": "ls", "description": "Delete nothing", "timeout": 5}, "ls"),
        ("Bash", {"command": "ls", "dangerouslyDisableSandbox": True}, 'ls⏎\n{"dangerouslyDisableSandbox": true}'),
        ("Bash", {"command": ["ls"]}, '{"command": ["ls"]}'),
        ("WebFetch", {"url": "https://x.example/?q=a", "prompt": "Why?"}, "https://x.example/?q=a⏎\nWhy?"),
        ("WebFetch", {"prompt": "Why?"}, "Why?"),
        ("WebSearch", {"query": "größer"}, '{"query": "größer"}'),
        ("Skill", {}, "{}"),
    ],
)
def test_what_would_run_is_shown_in_full(tool, arguments, expected):
    """All that has an effect; not what Claude says about it."""
    assert shown(tool, arguments) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ls # a comment\nrm -rf ~", "ls # a comment⏎\nrm -rf ~"),
        ("ls\rrm", "ls\\rrm"),
        ("\x1b[2K\x1b[1Als", "\\x1b[2K\\x1b[1Als"),
        ("a\u202eb\u2066c", "a\\u202eb\\u2066c"),
        ("a\u200bb\u00a0c\u2028d", "a\\u200bb\\xa0c\\u2028d"),
        (f"ls{' ' * 300}; rm", "ls ⟨300 spaces⟩ ; rm"),
        ("\ud800", "\\ud800"),
        ("größer 👋", "größer 👋"),
    ],
)
def test_nothing_hides_a_part_of_it(text, expected):
    """Line ends, escapes, text that runs backwards, characters without a width, and padding are to be seen."""
    assert visible(text) == expected


@given(st.text())
def test_all_that_is_shown_can_be_seen(text):
    assert visible(text).replace("⏎\n", "").isprintable()


@given(st.dictionaries(st.text(), st.none() | st.text() | st.integers() | st.lists(st.text())))
def test_no_arguments_break_it(arguments):
    for tool in ("Bash", "WebFetch", "Other"):
        assert shown(tool, arguments)


class TestTools:
    def test_those_that_read_need_not_be_named_and_each_is_there_once(self):
        assert tools_by_consent(["Read", "Bash", "Grep", "Bash"], trusted=True) == ("Bash",)

    def test_a_tool_that_was_renamed_is_known_by_both_names(self):
        assert tools_by_consent(["Task", "Agent"], trusted=True) == ("Agent",)

    @pytest.mark.parametrize(
        "name", ["", "Bash(git *)", "Bash,Write", "*", "mcp__other", "--tools", "Write", "Edit", "ToolSearch"]
    )
    def test_what_is_no_tool_to_ask_about_is_left_out_and_logged(self, name, caplog):
        assert tools_by_consent([name], trusted=True) == ()
        assert f"{name!r} of channelcoder.tools was left out" in caplog.text

    @pytest.mark.parametrize("name", ["Bash", "PowerShell", "Agent", "Skill", "SomethingNew"])
    def test_untrusted_only_what_can_not_run_the_folder_s_programs(self, name):
        assert tools_by_consent([name, "WebFetch", "WebSearch"], trusted=False) == ("WebFetch", "WebSearch")


async def test_with_nobody_to_ask_everything_is_refused():
    refusal = await Consent(None, ["Bash"]).refusal("Bash", {"command": "ls"})
    assert refusal is not None
    assert "not available" in refusal
