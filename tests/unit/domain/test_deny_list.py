"""Which files are kept from Claude. What the rules mean was tried with the command line itself."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channelcoder_lsp.domain.deny_list import DenyList, DenyRules


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    project = tmp_path / "home/project"
    project.mkdir(parents=True)
    return project


def denying(project: Path, *patterns: str, root: Path | None = None) -> DenyList:
    return DenyList(project, [DenyRules(patterns, root or project)])


def test_without_rules_the_names_decide():
    assert DenyList().denies(Path("/project/.env"))
    assert DenyList().denies(Path("/project/.ssh/config"))
    assert not DenyList().denies(Path("/project/app.py"))


@pytest.mark.parametrize(
    ("pattern", "denied", "not_denied"),
    [
        ("notes.md", ["notes.md", "deep/notes.md", "NOTES.MD"], ["notes.mdx", "my-notes.md"]),
        ("./top.txt", ["top.txt", "deep/top.txt"], []),
        ("*.tfstate", ["a.tfstate", "deep/b.tfstate"], ["a.tfstate.py"]),
        ("secrets", ["secrets", "secrets/a/b", "deep/secrets/a"], ["secret/a", "secrets.md"]),
        ("secrets/", ["secrets/a", "deep/secrets/a"], ["secrets.md"]),
        ("secrets/**", ["secrets/a", "deep/secrets/a"], []),
        ("/secrets/**", ["secrets", "secrets/a"], ["deep/secrets/a"]),
        ("a/b/**", ["a/b/c", "a/b/c/d"], ["x/a/b/c", "a/c"]),
        ("**/a/b.py", ["a/b.py", "x/a/b.py"], ["a/x/b.py"]),
        ("a/**/z", ["a/z", "a/b/c/z"], ["z"]),
        ("src/app.[p]y", ["src/app.py"], ["src/app.[p]y"]),
        ("**", ["a", "a/b/c"], []),
        ("/**", ["a", "a/b/c"], []),
        ("#hash", ["#hash"], ["a"]),
        ("a[", ["a["], ["a"]),
        ("[z-a]", ["[z-a]"], ["z"]),
        ("[[:foo:]]", ["[[:foo:]]"], ["f"]),
        ("a/../app.py", [], ["app.py"]),
        ("", [], ["a"]),
        ("!", [], ["a"]),
        ("/", [], ["a"]),
        ("~/", [], ["a"]),
        ("//", [], ["a"]),
        ("./", [], ["a"]),
        ("~/project/x/*.md", ["x/a.md"], ["a.md", "x/a.py"]),
        ("~/*/x/", ["x/a.md"], ["a.md"]),
        ("//**/shared.md", ["shared.md", "a/shared.md"], ["a"]),
        ("~elsewhere/a", [], ["a"]),
    ],
)
def test_what_a_pattern_means(project, pattern, denied, not_denied):
    rules = denying(project, pattern)
    assert [path for path in denied if not rules.denies(project / path)] == []
    assert [path for path in not_denied if rules.denies(project / path)] == []


def test_patterns_of_the_folder_are_about_nothing_else(project):
    rules = denying(project, "notes.md", "/secrets", "**")
    assert not rules.denies(project.parent / "notes.md")
    assert not rules.denies(project.with_name("project2") / "secrets")
    assert denying(project, "//**/notes.md").denies(Path("/elsewhere/notes.md"))


def test_one_slash_begins_at_whatever_holds_the_rule(project):
    rules = denying(project, "/secrets", root=project.parent / ".claude")
    assert rules.denies(project.parent / ".claude/secrets/a")
    assert not rules.denies(project / "secrets/a")


class TestTakingBack:
    def test_holds_for_what_came_before(self, project):
        rules = denying(project, "*.txt", "!keep.txt")
        assert rules.denies(project / "a/b.txt")
        assert not rules.denies(project / "a/keep.txt")
        assert denying(project, "!keep.txt", "*.txt").denies(project / "keep.txt")

    def test_opens_nothing_in_a_folder_that_is_denied_whole(self, project):
        assert denying(project, "secrets/**", "!secrets/public/**").denies(project / "secrets/public/a")
        assert denying(project, "secrets", "!a").denies(project / "secrets/a")

    def test_reaches_no_other_source_no_path_elsewhere_and_no_name(self, project):
        theirs = DenyRules(("!mine.txt", "!.env", "!~/project/notes", "!/notes", "!**"), project)
        rules = DenyList(project, [DenyRules(("mine.txt", "~/project/notes"), project), theirs])
        assert rules.denies(project / "mine.txt")
        assert rules.denies(project / "notes/a")
        assert rules.denies(project / ".env")


class TestLinks:
    def test_either_name_is_enough(self, project):
        (project / "secrets").mkdir()
        (project / "secrets/a").write_text("x")
        (project / "innocent.txt").symlink_to("secrets/a")
        (project / "denied.txt").symlink_to("app.py")
        rules = denying(project, "/secrets", "denied.txt")
        assert rules.denies(project / "innocent.txt")
        assert rules.denies(project / "denied.txt")

    def test_of_names_too(self, project):
        (project / ".env").write_text("x")
        (project / "innocent.txt").symlink_to(".env")
        assert DenyList().denies(project / "innocent.txt")

    def test_a_rule_through_a_link_is_about_where_it_leads(self, project):
        (project.parent / "real").mkdir()
        (project.parent / "notes").symlink_to("real")
        for pattern in ("~/notes/**", "~/notes/*.md"):
            assert denying(project, pattern).denies(project.parent / "real/a.md"), pattern

    def test_a_loop_is_judged_by_its_name(self, project):
        (project / "loop").symlink_to("loop")
        assert not DenyList().denies(project / "loop")
        assert denying(project, "loop").denies(project / "loop")


@given(st.lists(st.text(max_size=12)), st.text(max_size=20))
def test_nothing_breaks_it(patterns, path):
    rules = denying(Path("/nonexistent/project"), *patterns)
    rules.denies(Path("/nonexistent/project") / path)
    assert all(rule.startswith("Read(") for rule in rules.read_rules())


def test_a_path_that_is_too_long_to_be_judged_is_denied(project):
    rules = denying(project, "x.md")
    assert rules.denies(project / ("a/" * 600) / "b")
    assert not rules.denies(Path("/elsewhere") / ("a/" * 600) / "b")


class TestForTheCommandLine:
    def test_rules_mean_the_same_wherever_they_stand(self, project):
        root = project.parent / ".claude [1]"
        rules = denying(project, "*.txt", "!keep.txt", "./a", "/b/*.md", "~/c", "//d/e/**", root=root).read_rules()
        home = project.parent
        assert rules == [
            "Read(*.txt)",
            "Read(!keep.txt)",
            "Read(a)",
            f"Read(/{home}/.claude \\[1\\]/b/*.md)",
            f"Read(/{home}/c)",
            "Read(//d/e/**)",
        ]

    def test_nothing_is_taken_back_of_what_another_source_says(self, project):
        mine, theirs = DenyRules(("*.txt", "!keep.txt"), project), DenyRules(("b", "!*.txt"), project)
        assert DenyList(project, [mine, theirs]).read_rules() == ["Read(*.txt)", "Read(!keep.txt)", "Read(b)"]

    def test_in_a_container_the_folder_is_elsewhere(self, project):
        seen = (project, PurePosixPath("/workspace"))
        rules = denying(project, "/a", "~/project/b/*", "~/c", "d").read_rules(seen)
        assert rules == ["Read(d)", "Read(//workspace/a)", "Read(//workspace/b/*)", f"Read(/{project.parent}/c)"]
