"""How Claude Code is started for a person in a terminal."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from channelcoder_lsp.claude.terminal import Launch, launch
from channelcoder_lsp.domain.agent import AgentOptions, ConnectionRequest
from channelcoder_lsp.domain.deny_list import DenyList, DenyRules

SESSION = "27aef539-c284-49a3-8dde-722f760844e2"


@pytest.fixture
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """What it is started with, for a request."""
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "claude"))
    monkeypatch.setenv("CLAUDE_CODE_SESSION_ID", "of an outer session")
    cli = tmp_path / "claude-double"
    cli.write_text("#!/bin/sh\necho 9.9.9\n")
    cli.chmod(0o755)
    project = tmp_path / "project"
    project.mkdir()

    def start(prompt: str | None = None, **given) -> Launch:
        request = ConnectionRequest(cwd=project, **given)
        return launch(
            request,
            prompt=prompt,
            visited=tmp_path / "it's visited",
            cli_path=cli,
            environment={},
            denied=[tmp_path],
            deny_list=lambda folder: DenyList(folder, [DenyRules(("notes.md",), folder)]),
        )

    return start


def value(how: Launch, flag: str) -> str:
    return how.arguments[how.arguments.index(flag) + 1]


class TestTheConversation:
    def test_is_resumed_or_begun_under_an_id(self, started):
        assert value(started(resume=SESSION), "--resume") == SESSION
        assert value(started(session_id=SESSION), "--session-id") == SESSION
        assert "--resume" not in started(session_id=SESSION).arguments

    def test_that_another_session_has_too_is_forked(self, started):
        how = started(resume=SESSION, fork=True, session_id=SESSION[::-1])
        assert "--fork-session" in how.arguments
        assert "--fork-session" not in started(resume=SESSION).arguments

    def test_begins_with_a_prompt_whatever_that_looks_like(self, started):
        assert started("--version").arguments[-2:] == ["--", "--version"]
        assert "--" not in started().arguments


class TestOptions:
    def test_are_those_of_its_command_line(self, started):
        options = AgentOptions(
            system_prompt="You are a lighthouse.",
            append_system_prompt="Rhyme.",
            allowed_tools=("Bash(git log:*)", "WebFetch"),
            disallowed_tools=("Grep",),
            mcp_config=Path("servers.json"),
        )
        how = started(model="claude-x", options=options)
        assert {flag: value(how, flag) for flag in how.arguments if flag.startswith("--") and flag != "--"}.items() >= {
            "--system-prompt": "You are a lighthouse.",
            "--append-system-prompt": "Rhyme.",
            "--system-prompt-snapshot": "off",
            "--allowed-tools": "Bash(git log:*),WebFetch",
            "--disallowed-tools": "Grep",
            "--mcp-config": "servers.json",
            "--model": "claude-x",
        }.items()

    def test_a_system_prompt_of_any_length_fits(self, started, tmp_path: Path):
        how = started(options=AgentOptions(append_system_prompt="long " * 50_000))
        assert max(map(len, how.arguments)) < 20_000
        assert Path(value(how, "--append-system-prompt-file")).read_text() == "long " * 50_000


class TestSafety:
    def test_nobody_is_skipped_when_something_needs_consent(self, started):
        assert value(started(trusted=True), "--permission-mode") == "manual"

    def test_a_folder_that_is_not_trusted_brings_nothing_along(self, started):
        how = started()
        assert value(how, "--setting-sources") == ""
        assert {"--restricted", "--strict-mcp-config"} <= set(how.arguments)
        assert "--tools" not in how.arguments
        named = started(options=AgentOptions(allowed_tools=("Bash(git log:*)",)))
        assert {"Bash", "Read", "Edit"} <= set(value(named, "--tools").split(","))

    def test_a_trusted_one_has_the_user_s_settings_and_its_instructions(self, started, tmp_path: Path):
        how = started(trusted=True)
        assert value(how, "--setting-sources") == "user"
        assert value(how, "--add-dir") == str(tmp_path / "project")
        assert "--restricted" not in how.arguments

    def test_what_is_never_read_is_not_read_there_either(self, started, tmp_path: Path):
        deny = json.loads(value(started(), "--settings"))["permissions"]["deny"]
        assert "Read(**/.env)" in deny
        assert any(str(tmp_path / "claude") in rule for rule in deny)

    def test_nor_is_what_a_rule_denies(self, started):
        assert "Read(notes.md)" in json.loads(value(started(), "--settings"))["permissions"]["deny"]

    def test_conversations_are_noted_in_a_file_of_any_name(self, started, tmp_path: Path):
        hook = json.loads(value(started(), "--settings"))["hooks"]["SessionStart"][0]["hooks"][0]
        for number in (1, 2):
            subprocess.run(hook["command"], shell=True, input=f'{{"session_id": "{number}"}}', text=True, check=True)
        lines = (tmp_path / "it's visited").read_text().split()
        assert "".join(lines) == '{"session_id":"1"}{"session_id":"2"}'

    def test_an_outer_session_is_not_handed_down(self, started):
        assert started().environment["CLAUDE_CODE_SESSION_ID"] == ""
        assert started().environment["DISABLE_AUTOUPDATER"] == "1"
