"""Which files Claude may read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channelcoder_lsp.claude.permissions import Guard, deny_rules
from channelcoder_lsp.domain.deny_list import DenyList, DenyRules
from channelcoder_lsp.domain.secrets import DENIED_NAMES, DENIED_PATHS


@pytest.fixture
def project(tmp_path):
    project = tmp_path / "project"
    (project / "src").mkdir(parents=True)
    (project / "src/app.py").write_text("")
    return project


def refused(project, path, denied=()):
    return Guard(project, denied).refusal("Read", {"file_path": str(path)})


@pytest.mark.parametrize(
    "path",
    [
        "src/app.py",
        "src/../src/app.py",
        "src/missing.py",
        "environment.py",
        "src/env",
        "docs/key.md",
        "id_rsa.pub",
        ".git/HEAD",
        "config.json",
        "settings.json",
        ".claude/commands/review.md",
        "a file with spaces.txt",
        ".",
    ],
)
def test_files_of_the_project_are_allowed(project, path):
    assert refused(project, path) is None
    assert refused(project, project / path) is None


@pytest.mark.parametrize(
    "path",
    [
        ".env",
        ".ENV",
        ".env.local",
        ".env.production.local",
        "deep/down/.env",
        ".envrc",
        "server.pem",
        "Server.PEM",
        "private.key",
        "id_rsa",
        "id_ed25519",
        "id_rsa.bak",
        ".netrc",
        ".npmrc",
        ".git/config",
        "vendor/lib/.git/config",
        ".aws/credentials",
        ".ssh/known_hosts",
        ".docker/config.json",
        ".claude/settings.local.json",
        "sub/.mcp.json",
        ".env/",
        " .env",
        ".env\n",
        "\ufeff.env\u00a0",
        "src/../.env",
        ".env::$DATA",
        ".env. ",
    ],
)
def test_secrets_are_not(project, path):
    assert "holds secrets" in refused(project, path)


@pytest.mark.parametrize("path", ["..", "../other.py", "/etc/passwd", "~/.bashrc", "src/../../other.py", "~nobody/x"])
def test_nothing_outside_is(project, path):
    assert "outside the project folder" in refused(project, path)


def test_links_are_followed_before_they_are_judged(project, tmp_path):
    (project / ".env").write_text("")
    (tmp_path / "outside.txt").write_text("")
    (project / "out.txt").symlink_to(tmp_path / "outside.txt")
    (project / "up").symlink_to(tmp_path)
    (project / "harmless.txt").symlink_to(project / ".env")
    (project / "again.txt").symlink_to(project / "out.txt")
    (project / "inside.py").symlink_to(project / "src/app.py")
    (project / "loop").symlink_to(project / "loop")

    assert "outside" in refused(project, "out.txt")
    assert "outside" in refused(project, "up/outside.txt")
    assert "outside" in refused(project, "again.txt")
    assert "secrets" in refused(project, "harmless.txt")
    assert "can't be followed" in refused(project, "loop/x")
    assert refused(project, "inside.py") is None


def test_a_project_that_is_reached_by_a_link_is_still_one(project, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(project)
    assert refused(link, "src/app.py") is None
    assert refused(link, link / "src/app.py") is None
    assert refused(link, project / "src/app.py") is None


def test_denied_folders_in_the_project(project):
    denied = project / ".claude-home"
    denied.mkdir()
    assert "settings or conversations" in refused(project, ".claude-home/notes.md", [denied])
    assert "settings or conversations" in refused(project, denied, [denied])
    assert refused(project, ".claude-homes/notes.md", [denied]) is None


@pytest.mark.parametrize(
    "arguments",
    [{}, {"file_path": ""}, {"file_path": " "}, {"file_path": 1}, {"file_path": "a\0b"}, {"file_path": None}],
)
def test_what_can_not_be_judged_is_refused(project, arguments):
    assert "did not say which file" in Guard(project).refusal("Read", arguments)


@pytest.mark.parametrize("tool", ["Grep", "Glob"])
def test_a_search_is_in_the_project_unless_it_says_where(project, tool):
    guard = Guard(project)
    assert guard.refusal(tool, {"pattern": "x"}) is None
    assert guard.refusal(tool, {"pattern": "x", "path": "src"}) is None
    assert "outside" in guard.refusal(tool, {"pattern": "x", "path": ".."})
    assert "outside" in guard.refusal(tool, {"pattern": "x", "path": "/"})


@pytest.mark.parametrize("pattern", ["../*", "src/../../*", "~/*", "/etc/*", "/**/*.py", None])
def test_a_glob_that_leads_out(project, pattern):
    assert Guard(project).refusal("Glob", {"pattern": pattern}) is not None


@pytest.mark.parametrize("pattern", ["**/*.py", "src/*", "*.{ts,tsx}", "[a-z]*"])
def test_a_glob_that_stays_in(project, pattern):
    assert Guard(project).refusal("Glob", {"pattern": pattern}) is None
    assert Guard(project).refusal("Glob", {"pattern": f"{project}/{pattern}"}) is None


def test_tools_that_are_not_its_own_are_left_to_others(project):
    assert Guard(project).refusal("Bash", {"command": "cat .env"}) is None


@given(st.text())
def test_no_path_breaks_it(path):
    """Whatever a model makes up is judged, and an absolute path elsewhere never allowed."""
    guard = Guard(Path("/nonexistent/project"))
    guard.refusal("Read", {"file_path": path})
    guard.refusal("Glob", {"pattern": path})
    assert guard.refusal("Read", {"file_path": f"/elsewhere/{path}"}) is not None


class TestRules:
    """What a person denies is denied as names are, by either name of a link."""

    @pytest.fixture
    def guard(self, project):
        (project / "notes.md").write_text("")
        (project / "link.md").symlink_to("notes.md")
        return Guard(project, deny_list=DenyList(project, [DenyRules(("notes.md", "/private"), project)]))

    @pytest.mark.parametrize(
        "path", ["notes.md", "NOTES.md", "src/notes.md", "link.md", "private", "private/a", " notes.md"]
    )
    def test_a_file_that_one_names_is_not_read(self, guard, path):
        for tool, argument in (("Read", "file_path"), ("Grep", "path"), ("Glob", "path")):
            assert "a rule denies it" in guard.refusal(tool, {argument: path, "pattern": "x"})

    def test_all_else_is(self, guard):
        assert guard.refusal("Read", {"file_path": "src/app.py"}) is None
        assert guard.refusal("Read", {"file_path": "src/private/app.py"}) is None

    def test_in_a_container_they_are_about_where_the_folder_is_there(self, guard, project):
        inside = replace(guard, seen_at=PurePosixPath("/workspace"))
        assert "a rule denies it" in inside.refusal("Read", {"file_path": "/workspace/private/a"})
        assert deny_rules(inside)[:2] == ["Read(notes.md)", "Read(//workspace/private)"]

    def test_the_cli_is_given_them_first(self, guard, project):
        """So that nothing of ours is taken back by one of them."""
        assert deny_rules(guard)[:3] == ["Read(notes.md)", f"Read(/{project}/private)", "Read(**/.env)"]


def test_the_cli_is_given_the_same_list(tmp_path):
    rules = deny_rules(Guard(tmp_path, [tmp_path]))
    assert f"Read(/{tmp_path}/**)" in rules
    assert "Read(**/.env)" in rules
    assert "Read(**/.git/config)" in rules
    assert "Read(**/.ssh/**)" in rules
    assert len(rules) == len(DENIED_NAMES) + len(DENIED_PATHS) + 1
