"""The commands around asking: sessions, worktrees, prompts, trust, login, doctor."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest
from pseudoterminal import in_terminal

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Shell


class TestSession:
    async def test_is_listed_shown_searched_renamed_and_removed(self, shell: Shell):
        await shell("run", "About sheep", "--session", "one")
        assert "one" in await shell("session", "list")
        assert "About sheep" in await shell("session", "show", "one")
        assert {hit["session"] for hit in await shell.json("session", "search", "SHEEP")} == {"one"}
        await shell("session", "rename", "one", "two")
        assert "--yes" in await shell("session", "remove", "two", code=2)
        await shell("session", "remove", "two", "--yes")
        assert await shell.json("session", "list") == []
        await shell("session", "remove", "two", "--yes", code=4)

    async def test_is_a_row_of_a_list_that_begins_with_its_name(self, shell: Shell):
        """Whether it is the active one or not: `cut -f1` gives the names."""
        await shell("run", "-c", "One")
        await shell("session", "save", "here")
        await shell("run", "Two", "--session", "other")
        rows = [row.split("\t") for row in (await shell("session", "list")).splitlines()]
        assert [row[:3] + row[4:] for row in rows] == [
            ["other", "", "2 messages", "Two"],
            ["here", "active", "2 messages", "One"],
        ]

    @pytest.mark.parametrize("columns", ["100", "70", "24"])
    async def test_has_its_whole_name_in_a_list_on_any_terminal(self, shell: Shell, columns: str):
        """It is there to be copied."""
        name = "8c5e7a3e-4f0a-4a52-9d26-0b7a4c1d5f11"
        await shell("run", "Why is the sea salty, and who put it there?", "--session", name)
        listed = [*shell.command, "session", "list"]
        async with in_terminal(listed, shell.project, shell.environment | {"COLUMNS": columns}) as terminal:
            assert await terminal.ends() == 0
            await terminal.shows("there?")
            assert terminal.text.startswith(name)
            assert "…" not in terminal.text

    async def test_s_that_are_not_there_are_missed_on_a_terminal_alone(self, shell: Shell):
        assert await shell("session", "list") == ""
        async with in_terminal([*shell.command, "session", "list"], shell.project, shell.environment) as terminal:
            await terminal.shows("`channelcoder run -c` begins one.")

    @pytest.mark.parametrize("command", [["remove", "one"], ["prune", "--older-than", "0h"]], ids=["remove", "prune"])
    async def test_is_removed_when_a_person_agrees(self, shell: Shell, command: list[str]):
        await shell("run", "One", "--session", "one")
        for answer, code, left in (("n", 1, ["one"]), ("y", 0, [])):
            asked = [*shell.command, "session", *command]
            async with in_terminal(asked, shell.project, shell.environment) as terminal:
                await terminal.shows("for good?")
                terminal.type(f"{answer}\n")
                assert await terminal.ends() == code
            assert [row["name"] for row in await shell.json("session", "list")] == left

    async def test_is_named_by_no_path(self, shell: Shell):
        """The original reads, writes and removes files outside of its folder."""
        outside = shell.home / "out.json"
        outside.write_text("{}")
        await shell("run", "One", "--session", "one")
        for command in (
            ["run", "Hi", "--session", "../out"],
            ["session", "rename", "one", "../out"],
            ["session", "fork", "one", "../out"],
            ["session", "remove", "../out", "--yes"],
            ["session", "show", "../out"],
            ["run", "Hi", "--load-session", "../out"],
        ):
            await shell(*command, code=4)
        assert outside.read_text() == "{}"
        assert sorted(path.name for path in shell.home.glob("out*")) == ["out.json"]

    async def test_loaded_is_the_one_that_is_gone_on_with(self, shell: Shell):
        await shell("run", "One", "--session", "one")
        await shell("session", "load", "one")
        await shell("run", "-c", "Two")
        assert await shell.asked() == ["One", "Two"]
        await shell("session", "save", "kept")
        await shell("run", "-c", "Three")
        assert [row["name"] for row in await shell.json("session", "list") if row["active"]] == ["kept"]

    async def test_forked_goes_its_own_way(self, shell: Shell):
        await shell("run", "One", "--session", "one")
        assert "--session 'other way'" in await shell("session", "fork", "one", "other way")
        await shell("run", "Two", "--session", "other way")
        assert await shell.asked() == ["One", "Two"]
        assert "Two" not in await shell("session", "show", "one")
        await shell("session", "fork", "one", "other way", code=4)
        await shell("session", "fork", "nope", "another", code=4)

    async def test_has_help_that_is_whole_on_one_line(self, shell: Shell):
        told = await shell("session", "--help")
        assert "fork " in told
        assert "..." not in told.partition("Commands:")[2]

    async def test_goes_out_and_comes_in(self, shell: Shell):
        await shell("run", "One", "--session", "one")
        await shell("session", "export", "one", "--format", "guide", "-o", "one.json")
        assert json.loads((shell.project / "one.json").read_text())["messages"][0]["content"] == "One"
        await shell("session", "export", "one", "-o", "one.json", code=2)
        await shell("session", "export", code=4)  # none is active here
        await shell("session", "load", "one")
        assert await shell("session", "export") == await shell("session", "export", "one")
        await shell("session", "import", "one.json", "--name", "again")
        assert "One" in await shell("session", "show", "again")
        await shell("session", "import", "one.json", "--name", "again", code=4)
        assert len(await shell.json("session", "list")) == 2
        await shell("session", "import", "nope.json", code=3)

    async def test_is_pruned_when_it_is_old(self, shell: Shell):
        await shell("run", "One", "--session", "one")
        assert await shell("session", "prune", "--older-than", "30d", "--yes") == "There is none so old.\n"
        await shell("session", "prune", "--older-than", "soon", "--yes", code=2)
        assert "one" in await shell("session", "prune", "--older-than", "0h", "--yes")

    async def test_that_is_active_in_any_folder_is_not_pruned(self, shell: Shell):
        """However old it is, and wherever one stands: an editor goes on with it."""
        other = shell.home / "other"
        other.mkdir()
        await shell("run", "-c", "Here", "--cwd", str(shell.project))
        await shell("run", "-c", "There", "--cwd", str(other))
        await shell("run", "Nowhere", "--session", "old")
        assert await shell.json("session", "prune", "--older-than", "0h", "--yes") == ["old"]
        assert len(await shell.json("session", "list")) == 2

    async def test_that_is_not_there_ends_with_4(self, shell: Shell):
        await shell("session", "show", "nope", code=4)
        await shell("session", "show", code=4)
        await shell("thread", "list", code=4)
        assert "no file ./nope.json" in await shell("session", "load", "./nope.json", code=3)


async def test_threads_of_a_session_without_any_are_none(shell: Shell):
    await shell("run", "One", "--session", "one")
    assert await shell.json("thread", "list", "--session", "one") == []


def make_repository(folder: Path) -> None:
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org"]
    subprocess.run([*git, "init", "-q"], cwd=folder, check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "x"], cwd=folder, check=True)


async def test_worktrees_are_made_listed_and_removed(shell: Shell):
    make_repository(shell.project)
    where = (await shell("worktree", "create", "feature/x")).strip()
    assert where == str(shell.home / "shop-feature-x")
    assert [row["branch"] for row in await shell.json("worktree", "list")][1:] == ["feature/x"]
    await shell("worktree", "create", "feature/x", code=1)
    await shell("worktree", "remove", "feature/x")
    await shell("run", "Hi", "--worktree", "feature/y")
    assert await shell("worktree", "cleanup") == f"{shell.home / 'shop-feature-y'}\n"


async def test_prompts_are_listed_and_a_project_s_own_only_with_trust(shell: Shell):
    folder = shell.project / ".channelcoder/prompts"
    folder.mkdir(parents=True)
    (folder / "ours.md").write_text("# Ours\n\nDo it.")
    assert "ours" not in await shell("prompts", "list")
    await shell("trust")
    assert "ours" in [row["name"] for row in await shell.json("prompts", "list")]
    assert "Do it." in await shell("prompts", "show", "ours")
    await shell("trust", "--revoke")
    await shell("prompts", "show", "ours", code=2)
    await shell("trust", "nope", code=3)


async def test_login_is_claude_s_own(shell: Shell):
    claude = shell.home / "claude-double"
    claude.write_text('#!/bin/sh\necho "$@"\nexit 3\n')
    claude.chmod(0o755)
    await shell("login", code=1, CHANNELCODER_CLI_PATH=str(claude))
    claude.write_text('#!/bin/sh\necho "$@"\n')
    assert await shell("login", CHANNELCODER_CLI_PATH=str(claude)) == "auth login\n"


class TestDoctor:
    async def test_finds_nothing_broken_and_names_what_was_set_aside(self, shell: Shell):
        (shell.home / "sessions").mkdir()
        (shell.home / "sessions/x.corrupt-1").touch()
        (shell.home / "tmp/claude-resume-1").mkdir()
        found = await shell.json("doctor")
        assert {one["what"] for one in found} >= {
            "Claude Code",
            "login",
            "sessions",
            "leftover",
            "transcripts",
            "editors",
        }
        assert not [one for one in found if one["state"] == "broken"]
        assert [one["detail"] for one in found if "corrupt" in one["detail"]]
        assert all(one["fix"] for one in found if one["state"] == "note")

    async def test_ends_with_1_when_something_is_broken(self, shell: Shell):
        await shell("doctor", code=1, CHANNELCODER_CLI_PATH="/nowhere/claude")

    async def test_names_what_lies_about_and_who_can_read_it(self, shell: Shell):
        sessions = shell.home / "sessions"
        sessions.mkdir(mode=0o755)
        (sessions / "x.tmp-1").touch()
        os.utime(sessions / "x.tmp-1", (0, 0))
        (sessions / "gone.journal").touch()
        details = " ".join(one["detail"] for one in await shell.json("doctor") if one["state"] == "note")
        assert "x.tmp-1 was left" in details
        assert "gone.journal belongs to no session" in details
        assert f"others can read {sessions}" in details

    async def test_tells_how_long_claude_code_keeps_its_side(self, shell: Shell):
        (shell.home / "claude").mkdir()
        (shell.home / "claude/settings.json").write_text('{"cleanupPeriodDays": 3}')
        (finding,) = [one for one in await shell.json("doctor") if one["what"] == "transcripts"]
        assert finding["state"] == "note"
        assert "after 3 days" in finding["detail"]
        assert "cleanupPeriodDays" in finding["fix"]

    async def test_finds_the_programs_and_names_an_editor_that_is_too_old(self, shell: Shell):
        programs = shell.home / "bin"
        programs.mkdir()
        for name, said in {"nvim": "NVIM v0.9.5", "git": "git version 2", "channelcoder-lsp": ""}.items():
            (programs / name).write_text(f"#!/bin/sh\necho {said}\n")
            (programs / name).chmod(0o755)
        found = await shell.json_with("doctor", PATH=str(programs))
        assert {one["what"]: one["detail"] for one in found if one["what"] in ("git", "server")} == {
            "server": str(programs / "channelcoder-lsp"),
            "git": str(programs / "git"),
        }
        assert [one["state"] for one in found if "0.9" in one["detail"]] == ["note"]
        (programs / "git").unlink()
        (programs / "channelcoder-lsp").unlink()
        found = await shell.json_with("doctor", PATH=str(programs))
        assert {one["what"] for one in found if one["state"] == "note"} >= {"server", "git"}


async def test_the_server_and_the_demo_take_their_own_options(shell: Shell):
    assert (await shell("lsp", "--version")).startswith("channelcoder-lsp ")
    assert (await shell("demo", "--help")).startswith("usage: channelcoder demo ")


async def test_help_and_completion_are_there(shell: Shell, tmp_path: Path):
    assert "doctor" in await shell("--help")
    assert "Did you mean 'session'?" in await shell("sesion", code=2)
    for name in ("bash", "zsh", "fish"):
        assert "_CHANNELCODER_COMPLETE" in await shell("completion", name, SHELL="/bin/bash")
    await shell("run", "One", "--session", "workshop")
    completed = await shell(
        _CHANNELCODER_COMPLETE="bash_complete", COMP_WORDS="channelcoder session show work", COMP_CWORD="3"
    )
    assert completed == "plain,workshop\n"
