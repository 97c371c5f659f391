"""Which Claude Code command line is used."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from channelcoder_lsp.claude import cli
from channelcoder_lsp.claude.cli import MINIMUM_VERSION, Cli, Login, find_cli, read_login, with_version
from channelcoder_lsp.domain.errors import AgentError, CliNotFoundError, CliTooOldError


def program(path: Path, script: str = "exit 0") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


class TestWhichOne:
    def test_the_sdk_s_own_with_its_version_unless_another_is_set(self):
        found = find_cli()
        assert found.bundled
        assert found.path.name == "claude"
        assert found.version >= MINIMUM_VERSION
        assert with_version(found) is found

    def test_the_one_that_is_set(self, tmp_path):
        path = program(tmp_path / "my-claude")
        assert find_cli(path) == Cli(path)

    def test_a_home_folder_is_expanded(self, tmp_path, monkeypatch):
        monkeypatch.setenv("HOME", str(tmp_path))
        path = program(tmp_path / "bin/claude")
        assert find_cli(Path("~/bin/claude")) == Cli(path)

    def test_a_bare_name_is_looked_up_on_path(self, tmp_path, monkeypatch):
        path = program(tmp_path / "bin/other-claude")
        monkeypatch.setenv("PATH", str(path.parent))
        assert find_cli(Path("other-claude")) == Cli(path)

    def test_the_one_on_path_when_the_sdk_brings_none(self, tmp_path, monkeypatch):
        path = program(tmp_path / "bin/claude")
        monkeypatch.setattr(cli, "_bundled", lambda: None)
        monkeypatch.setenv("PATH", str(path.parent))
        assert find_cli() == Cli(path)

    def test_a_program_of_the_project_is_passed_over(self, tmp_path, monkeypatch):
        """A relative entry of PATH, or one in the project, could name the project's own program."""
        project = tmp_path / "project"
        program(project / "claude")
        program(project / "node_modules/.bin/claude")
        path = program(tmp_path / "bin/claude")
        entries = [".", "", str(project / "node_modules/.bin"), str(project), str(path.parent)]
        monkeypatch.setattr(cli, "_bundled", lambda: None)
        monkeypatch.setenv("PATH", os.pathsep.join(entries))
        monkeypatch.chdir(project)
        assert find_cli(outside=project) == Cli(path)
        assert find_cli(Path("claude"), outside=project) == Cli(path)

    def test_none_at_all(self, tmp_path, monkeypatch):
        monkeypatch.setattr(cli, "_bundled", lambda: None)
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(CliNotFoundError, match=r"Install Claude Code, or set channelcoder\.cliPath"):
            find_cli()

    def test_a_setting_that_names_nothing(self, tmp_path):
        with pytest.raises(CliNotFoundError, match="there is no such program"):
            find_cli(tmp_path / "claude")

    def test_a_setting_that_names_something_else(self, tmp_path):
        path = tmp_path / "claude"
        path.write_text("")
        with pytest.raises(CliNotFoundError, match="can't be executed"):
            find_cli(path)
        with pytest.raises(CliNotFoundError, match="there is no such program"):
            find_cli(tmp_path)


class TestHowOld:
    def test_its_version_is_asked_for(self, tmp_path):
        path = program(tmp_path / "claude", "echo '2.9.12 (Claude Code)'")
        assert with_version(Cli(path)) == Cli(path, (2, 9, 12))

    def test_too_old(self, tmp_path):
        path = program(tmp_path / "claude", "echo '2.1.256 (Claude Code)'")
        with pytest.raises(CliTooOldError, match=r"is version 2\.1\.256, but 2\.1\.257 or later"):
            with_version(Cli(path))

    def test_a_version_that_it_does_not_tell_is_no_reason_to_refuse_it(self, tmp_path):
        path = program(tmp_path / "claude", "echo hello")
        assert with_version(Cli(path)) == Cli(path)

    def test_one_that_can_not_be_started(self, tmp_path):
        path = tmp_path / "claude"
        path.write_bytes(b"\x7fELF nonsense")
        path.chmod(0o755)
        with pytest.raises(CliNotFoundError, match="can't be started"):
            with_version(Cli(path))


class TestLogin:
    """The real CLI is asked; no request leaves it."""

    @pytest.fixture
    def environment(self, tmp_path):
        names = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN")
        return {"CLAUDE_CONFIG_DIR": str(tmp_path), "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"} | dict.fromkeys(
            names, ""
        )

    def test_none(self, environment):
        assert read_login(find_cli(), environment) == Login(logged_in=False, method=None)

    def test_a_key(self, environment):
        login = read_login(find_cli(), {**environment, "ANTHROPIC_API_KEY": "sk-ant-x"})
        assert login == Login(logged_in=True, method="api_key")

    def test_nothing_of_the_current_folder_counts(self, environment, tmp_path, monkeypatch):
        project = tmp_path / "project"
        (project / ".claude").mkdir(parents=True)
        (project / ".claude/settings.json").write_text('{"apiKeyHelper": "echo x", "env": {"ANTHROPIC_API_KEY": "x"}}')
        monkeypatch.chdir(project)
        assert not read_login(find_cli(), environment).logged_in

    @pytest.mark.parametrize("said", ["", "not JSON", "[]", "{}"])
    def test_an_answer_that_is_none(self, tmp_path, said):
        with pytest.raises(AgentError, match="did not say whether it is logged in"):
            read_login(Cli(program(tmp_path / "claude", f"echo '{said}'")))
