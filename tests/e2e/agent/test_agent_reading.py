"""What Claude may read of the project, when it tries."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from agent_bench import finished, heard, tool_results

from channelcoder_lsp.claude import options
from channelcoder_lsp.claude.permissions import Guard
from channelcoder_lsp.claude.prohibitions import Prohibitions
from channelcoder_lsp.domain.agent import TextDelta, ToolStarted
from channelcoder_lsp.domain.deny_list import DenyList
from channelcoder_lsp.domain.turn import ToolUse as ToolUsed
from channelcoder_lsp.offline.script import ToolCall, ToolUse

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "KEY=the secret itself"


@pytest.fixture
def project(bench) -> Path:
    bench.file("src/app.py", "KEY = 'in the code'\n")
    bench.file(".env", SECRET)
    bench.file("deploy/.env.production", SECRET)
    bench.file("certs/server.pem", SECRET)
    bench.file("id_rsa", SECRET)
    outside = bench.project.parent / "outside.txt"
    outside.write_text(SECRET)
    (bench.project / "link.txt").symlink_to(outside)
    (bench.project / "passwd").symlink_to("/etc/passwd")
    (bench.project / "innocent.txt").symlink_to(bench.project / ".env")
    (bench.project / "up").symlink_to(bench.project.parent)
    return bench.project


async def results(bench, *calls: ToolCall, **request) -> list[str]:
    """What the model was told when it called for all of this at once."""
    [first, *also] = calls
    await bench.model.script(ToolUse(name=first.name, input=first.input, also=tuple(also)), "Done.")
    async with bench.connected(**request) as connection:
        assert (await finished(connection, "Look.")).answer == "Done."
    return tool_results((await bench.model.requests())[-1])


def read(path: str | Path) -> ToolCall:
    return ToolCall(name="Read", input={"file_path": str(path)})


def grep(**arguments: str) -> ToolCall:
    return ToolCall(name="Grep", input={"pattern": "KEY", "output_mode": "content", **arguments})


@pytest.mark.parametrize("trusted", [False, True])
async def test_files_of_the_project_can_be_read(bench, project, trusted):
    told = await results(
        bench, read("src/app.py"), read(project / "src/app.py"), grep(), grep(path="src"), trusted=trusted
    )
    assert all("in the code" in result for result in told)


SECRETS = [".env", "./src/../.env", " .env", "deploy/.env.production", "certs/server.pem", "id_rsa"]
LEADING_OUT = ["link.txt", "passwd", "up/outside.txt", "../outside.txt", "/etc/passwd", "~/.bashrc", "innocent.txt"]


@pytest.mark.parametrize("trusted", [False, True])
async def test_secrets_and_what_leads_out_can_not(bench, project, trusted):
    """Neither by Read, nor by Grep on the file itself, whether the folder is trusted or not."""
    paths = [*SECRETS, *LEADING_OUT]
    told = await results(bench, *(read(path) for path in paths), *(grep(path=path) for path in paths), trusted=trusted)

    assert len(told) == 2 * len(paths)
    for path, result in zip(paths * 2, told, strict=True):
        assert "the secret itself" not in result, path
        assert "root:" not in result, path
    assert [result for result in told if "was not run" in result or "denied" in result] == told


async def test_the_guard_alone_keeps_them_too(bench, project, monkeypatch):
    """The hook does not lean on the CLI's own rules."""
    monkeypatch.setattr(options, "deny_rules", lambda _denied: [])
    told = await results(bench, *(read(path) for path in [*SECRETS, *LEADING_OUT]))
    assert [result for result in told if "was not run" in result] == told


class TestWhatAPersonDenies:
    """In the command line's own settings, which it reads in no folder that isn't trusted."""

    @pytest.fixture
    def agent(self, bench, project):
        bench.file("notes.md", SECRET)
        bench.file("private/deep/a.md", SECRET)
        bench.file("deep/private/a.md", "KEY='in the code'")
        bench.file("keep.tfstate", "KEY='in the code'")
        bench.file("a.tfstate", SECRET)
        bench.file(".claude/settings.json", json.dumps({"permissions": {"deny": ["Read(/private/**)", "Read(!.env)"]}}))
        (project / "link.md").symlink_to("notes.md")
        rules = ["Read(notes.md)", "Read(*.tfstate)", "Read(!keep.tfstate)"]
        (bench.config / "settings.json").write_text(json.dumps({"permissions": {"deny": rules}}))
        environment = {"CLAUDE_CONFIG_DIR": str(bench.config)}
        return bench.agent(deny_list=lambda folder: DenyList(folder, Prohibitions(folder, environment).rules()))

    DENIED = ("notes.md", "NOTES.md", "private/deep/a.md", "a.tfstate", "link.md", ".env")

    @pytest.mark.parametrize("trusted", [False, True])
    async def test_is_denied_by_the_command_line_alone(self, bench, agent, monkeypatch, trusted):
        """The hook lets everything pass here."""
        monkeypatch.setattr(Guard, "refusal", lambda *_: None)
        bench.file("NOTES.md", SECRET)
        paths = [*self.DENIED, "keep.tfstate", "deep/private/a.md"]
        told = await results(bench, *map(read, paths), grep(), agent=agent, trusted=trusted)
        for path, result in zip(self.DENIED, told, strict=False):
            assert "denied" in result, path
        for result in told[len(self.DENIED) :]:
            assert "in the code" in result
        assert not any("the secret itself" in result for result in told)

    async def test_is_denied_by_the_hook_alone(self, bench, agent, monkeypatch):
        monkeypatch.setattr(options, "deny_rules", lambda _guard: [])
        told = await results(bench, *map(read, self.DENIED), read("keep.tfstate"), agent=agent)
        assert [result for result in told if "was not run" in result] == told[:-1]
        assert "in the code" in told[-1]


async def test_a_search_of_the_whole_folder_leaves_secrets_out(bench, project):
    told = await results(
        bench, grep(), grep(path="."), grep(glob=".env*"), grep(glob="**/*.pem"), grep(path=str(project))
    )
    assert "in the code" in told[0]
    assert not any("the secret itself" in result for result in told)


async def test_the_cli_s_own_folder_and_the_denied_ones_are_not_read(bench, project):
    """Even when they lie in the project folder, as they do when that is the home folder."""
    bench.config = project / ".claude-of-the-user"
    bench.config.mkdir()
    (bench.config / "notes.md").write_text(SECRET)
    sessions = bench.file("sessions/mine.json", SECRET).parent
    paths = [".claude-of-the-user/notes.md", "sessions/mine.json"]

    told = await results(bench, *(read(path) for path in paths), grep(), agent=bench.agent(denied=[sessions]))
    assert not any("the secret itself" in result for result in told)
    assert "in the code" in told[-1]


async def test_names_of_files_outside_are_not_listed(bench, project):
    def glob(pattern: str, **arguments: str) -> ToolCall:
        return ToolCall(name="Glob", input={"pattern": pattern, **arguments})

    told = await results(
        bench, glob("src/*"), glob("../*"), glob("/etc/pass*"), glob("*", path="/etc"), glob("*", path="up")
    )
    assert "app.py" in told[0]
    assert not any("outside.txt" in result or "/etc/passwd" in result for result in told[1:])


async def test_no_other_tool_does_anything(bench, project):
    """A tool that isn't offered is not run when the model calls it all the same."""
    made = project / "made.txt"
    arguments = {
        "command": f"touch {made}",
        "file_path": str(made),
        "content": "x",
        "old_string": "",
        "new_string": "x",
        "url": bench.model.url,
        "prompt": "x",
        "description": "x",
        "skill": "x",
    }
    names = ["Bash", "Edit", "Write", "WebFetch", "Task", "Skill", "NotebookEdit"]
    told = await results(bench, *(ToolCall(name=name, input=arguments) for name in names))

    assert [result for result in told if "No such tool" in result] == told
    assert len(told) == len(names)
    assert not made.exists()


async def test_an_answer_in_several_steps(bench, project):
    """All text of the turn is the answer, parted by blank lines; tools are shown as they are used."""
    await bench.model.script(
        ToolUse(name="Read", input={"file_path": str(project / "src/app.py")}, text="Let me look."),
        ToolUse(name="Grep", input={"pattern": "KEY", "path": "src"}),
        "It is in the code.",
    )
    async with bench.connected() as connection:
        events = await heard(connection, "Where?")

    used = (ToolUsed(name="Read", detail="src/app.py"), ToolUsed(name="Grep", detail='"KEY" in src'))
    assert [event.tool for event in events if isinstance(event, ToolStarted)] == list(used)
    assert events[-1].tools == used
    assert events[-1].answer == "Let me look.\n\nIt is in the code."
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == events[-1].answer
