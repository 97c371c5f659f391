"""What is kept from Claude, by settings and by rules, as they are at each moment."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from channelcoder_lsp.claude import prohibitions
from channelcoder_lsp.configuration import Configuration
from channelcoder_lsp.domain.agent import ConnectionRequest

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("CLAUDE_CONFIG_DIR", raising=False)
    monkeypatch.setattr(prohibitions, "managed_folder", lambda: tmp_path / "managed")
    project = tmp_path / "project"
    for folder in (project / ".claude", tmp_path / ".claude", tmp_path / "config"):
        folder.mkdir(parents=True)
    return project


def deny(file: Path, *rules: str) -> None:
    file.write_text(json.dumps({"permissions": {"deny": list(rules)}}))


def test_settings_and_the_rules_of_the_command_line_add_up(project, tmp_path):
    configuration = Configuration({})
    configuration.take({"deniedFiles": ["set.md"]})
    deny(tmp_path / ".claude/settings.json", "Read(user.md)")
    deny(project / ".claude/settings.json", "Read(/shared)", "Read(!set.md)")
    denied = configuration.deny_list(project)
    for name in ("set.md", "user.md", "shared/a", ".env"):
        assert denied.denies(project / name), name
    assert not denied.denies(project / "a.py")


def test_they_are_those_of_the_moment_and_read_only_when_something_changed(project, tmp_path):
    configuration = Configuration({})
    first = configuration.deny_list(project)
    assert configuration.deny_list(project) is first
    assert not first.denies(project / "a.md")
    deny(project / ".claude/settings.local.json", "Read(a.md)")
    assert configuration.deny_list(project).denies(project / "a.md")
    assert not configuration.deny_list(tmp_path).denies(tmp_path / "a.md")
    (project / ".claude/settings.local.json").unlink()
    configuration.take({"deniedFiles": ["b.md"]})
    assert not configuration.deny_list(project).denies(project / "a.md")
    assert configuration.deny_list(project).denies(project / "b.md")


async def test_the_command_line_in_a_terminal_is_given_them(project, tmp_path):
    cli = tmp_path / "claude-double"
    cli.write_text("#!/bin/sh\necho 9.9.9\n")
    cli.chmod(0o755)
    configuration = Configuration({"deniedFiles": ["a.md"], "cliPath": str(cli)})
    launch = await configuration.launch(ConnectionRequest(cwd=project), prompt=None, visited=tmp_path / "visited")
    settings = json.loads(launch.arguments[launch.arguments.index("--settings") + 1])
    assert settings["permissions"]["deny"][0] == "Read(a.md)"


def test_the_user_s_rules_are_where_the_command_line_has_them(project, tmp_path, monkeypatch):
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(tmp_path / "config"))
    deny(tmp_path / ".claude/settings.json", "Read(a.md)")
    deny(tmp_path / "config/settings.json", "Read(b.md)")
    denied = Configuration({}).deny_list(project)
    assert denied.denies(project / "b.md")
    assert not denied.denies(project / "a.md")
