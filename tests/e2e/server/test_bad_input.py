"""Bad input gets one sentence that says what to do, and loses nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from channelcoder_lsp.cli.connection import ResponseError
from channelcoder_lsp.cli.editor import capabilities
from channelcoder_lsp.offline.script import Failure

from .conftest import SLOW, SOURCE, TOTAL, Machine, answered, ask

INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
METHOD_NOT_FOUND = -32601


async def failed(editor, uri) -> str:
    """Ask, and return the sentence with which the turn failed."""
    _asked, over = await answered(editor, uri)
    assert over["state"] == "failed"
    said = await editor.wait_for(lambda m: m["method"] == "window/showMessage")
    assert said["params"]["type"] == 1
    hover = await editor.hover(uri, 6) or ""
    assert "**Failed:**" in hover
    assert "> What is this?" in hover
    return str(said["params"]["message"])


class TestArguments:
    @pytest.mark.parametrize(
        ("argument", "named"),
        [
            ({}, "uri"),
            ({"uri": 3, "range": {}}, "uri"),
            ({"uri": "file:///x.py"}, "range"),
            ({"uri": "file:///x.py", "range": {"start": {"line": "a", "character": 0}}}, "range.start.line"),
            (
                {
                    "uri": "file:///x.py",
                    "range": {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 0}},
                    "qestion": "typo",
                },
                "qestion",
            ),
        ],
    )
    async def test_a_wrong_argument_is_named(self, machine: Machine, argument, named):
        async with machine.editor() as editor:
            with pytest.raises(ResponseError) as refused:
                await editor.execute("channelcoder.ask", argument)
            assert refused.value.code == INVALID_PARAMS
            assert named in refused.value.text

    async def test_an_unknown_command_and_an_unknown_method_are_refused(self, machine: Machine):
        async with machine.editor() as editor:
            with pytest.raises(ResponseError, match=r"channelcoder\.nothing") as refused:
                await editor.execute("channelcoder.nothing", {})
            assert refused.value.code == INVALID_PARAMS
            with pytest.raises(ResponseError) as refused:
                await editor.request("channelcoder/nothing", {})
            assert refused.value.code == METHOD_NOT_FOUND

    async def test_two_arguments_are_refused(self, machine: Machine):
        async with machine.editor() as editor:
            params = {"command": "channelcoder.session.list", "arguments": [{}, {}]}
            with pytest.raises(ResponseError, match="takes one argument"):
                await editor.request("workspace/executeCommand", params)

    async def test_a_document_that_is_not_open_is_named(self, machine: Machine):
        async with machine.editor() as editor:
            with pytest.raises(ResponseError, match=r"uri: 'file:///nowhere.py' is not open") as refused:
                await ask(editor, "file:///nowhere.py")
            assert refused.value.code == INVALID_PARAMS
            assert await editor.hover("file:///nowhere.py", 0) is None
            assert await editor.code_actions("file:///nowhere.py", (0, 0), (0, 0)) == []

    async def test_no_question_and_an_unknown_prompt_are_refused(self, machine: Machine):
        async with machine.opened() as (editor, uri):
            with pytest.raises(ResponseError, match="question: there is nothing to ask"):
                await ask(editor, uri, question="   ")
            with pytest.raises(ResponseError, match=r"prompt: there is no prompt 'dance'.*explain, review"):
                await ask(editor, uri, question=None, prompt="dance")

    @pytest.mark.parametrize("command", ["cancel", "retry", "turn.show", "answer.insert", "answer.replace"])
    async def test_an_unknown_turn_is_named(self, machine: Machine, command: str):
        async with machine.editor() as editor:
            with pytest.raises(ResponseError, match="There is no turn 'turn-0'") as refused:
                await editor.execute(f"channelcoder.{command}", {"turnId": "turn-0"})
            assert refused.value.code == INVALID_PARAMS


class TestSelections:
    async def test_an_empty_selection_means_its_line(self, machine: Machine):
        async with machine.opened() as (editor, uri):
            asked, _ = await answered(editor, uri, ((6, 6), (6, 6)))
            shown = await editor.execute("channelcoder.turn.show", {"turnId": asked["turnId"]})
            assert 'lines="7-7"' in shown["markdown"]

    async def test_a_selection_past_the_end_is_brought_inside(self, machine: Machine):
        async with machine.opened() as (editor, uri):
            asked, over = await answered(editor, uri, ((12, 0), (999, 999)))
            assert over["state"] == "done"
            shown = await editor.execute("channelcoder.turn.show", {"turnId": asked["turnId"]})
            assert "13| def slow(numbers):" in shown["markdown"]

    async def test_an_empty_document_can_be_asked_about(self, machine: Machine):
        async with machine.opened(text="") as (editor, uri):
            _, over = await answered(editor, uri, ((0, 0), (0, 0)))
            assert over["state"] == "done"

    async def test_five_megabytes_are_cut_with_a_note(self, machine: Machine):
        text = "".join(f"value_{number} = {number}\n" for number in range(250_000))
        assert len(text) > 5_000_000
        async with machine.opened(text=text) as (editor, uri):
            asked, over = await answered(editor, uri, ((0, 0), (250_000, 0)))
            assert over["state"] == "done"
            shown = await editor.execute("channelcoder.turn.show", {"turnId": asked["turnId"]})
            assert "The selection has 250000 lines; only the first" in shown["markdown"]
            assert len(shown["markdown"]) < 600_000

    async def test_a_file_that_is_not_utf8_is_asked_about_as_the_editor_shows_it(self, machine: Machine):
        """The server never reads the file: it has the editor's text."""
        path = machine.project / "latin.py"
        path.write_bytes("x = 'caf\xe9'\n".encode("latin-1"))
        async with machine.editor() as editor:
            uri = editor.open(path, text="x = 'caf\xe9'\n")
            asked, over = await answered(editor, uri, ((0, 0), (0, 10)))
            assert over["state"] == "done"
            shown = await editor.execute("channelcoder.turn.show", {"turnId": asked["turnId"]})
            assert "1| x = 'café'" in shown["markdown"]


class TestPositionEncodings:
    TEXT = 'label = "🎉é"; total = 1\r\nnext = 2\r\n'

    @pytest.mark.parametrize(("encoding", "start", "end"), [("utf-8", 18, 27), ("utf-16", 15, 24), ("utf-32", 14, 23)])
    async def test_each_encoding_selects_the_same_text(self, machine: Machine, encoding, start, end):
        client = capabilities(encoding, turns=True)
        async with machine.opened(text=self.TEXT, client=client) as (editor, uri):
            assert editor.initialized["capabilities"]["positionEncoding"] == encoding
            await machine.model.script("```python\ntotal = 2\n```\n")
            await answered(editor, uri, ((0, start), (0, end)))
            lens = (await editor.code_lenses(uri))[0]
            assert lens["range"] == {"start": {"line": 0, "character": start}, "end": {"line": 0, "character": end}}
            actions = await editor.code_actions(uri, (0, start), (0, end))
            await editor.choose(next(a for a in actions if a["title"].startswith("Claude: Replace")))
            assert editor.texts[uri] == 'label = "🎉é"; total = 2\r\nnext = 2\r\n'
            actions = await editor.code_actions(uri, (0, start), (0, end))
            await editor.choose(next(a for a in actions if a["title"].startswith("Claude: Insert")))
            assert editor.texts[uri] == 'label = "🎉é"; total = 2\r\ntotal = 2\r\nnext = 2\r\n'


class TestSurroundings:
    async def test_no_login_says_how_to_log_in(self, machine: Machine):
        await machine.model.script(Failure(status=401, message="invalid x-api-key"))
        async with machine.opened() as (editor, uri):
            said = await failed(editor, uri)
            assert "Run `channelcoder login` in a terminal" in said
            _, over = await answered(editor, uri, SLOW, "And now?")
            assert over["state"] == "done"

    async def test_a_missing_cli_is_named(self, machine: Machine):
        async with machine.opened(settings={"cliPath": "/nowhere/claude"}) as (editor, uri):
            assert "/nowhere/claude" in await failed(editor, uri)

    async def test_an_old_cli_is_named_with_its_version(self, machine: Machine):
        old = machine.home / "claude-old"
        old.write_text("#!/bin/sh\necho '1.0.3 (Claude Code)'\n")
        old.chmod(0o755)
        async with machine.opened(settings={"cliPath": str(old)}) as (editor, uri):
            said = await failed(editor, uri)
            assert "1.0.3" in said

    async def test_a_wrong_setting_is_named_and_the_default_is_used(self, machine: Machine):
        async with machine.opened(settings={"contextLines": "many"}) as (editor, uri):
            said = await editor.wait_for(lambda m: m["method"] == "window/showMessage")
            assert "channelcoder.contextLines can't be 'many'" in said["params"]["message"]
            _, over = await answered(editor, uri)
            assert over["state"] == "done"

    async def test_an_unwritable_session_folder_is_named_and_the_question_comes_back(self, machine: Machine):
        blocker = machine.home / "blocked"
        blocker.write_text("a file where the folder should be")
        machine.more_environment["CHANNELCODER_SESSION_DIR"] = str(blocker / "sessions")
        async with machine.opened() as (editor, uri):
            with pytest.raises(ResponseError, match=str(blocker)) as refused:
                await ask(editor, uri, question="Will this be lost?")
            assert refused.value.code == INTERNAL_ERROR
            assert await editor.hover(uri, 6) is None

    async def test_no_workspace_folder_is_no_obstacle(self, machine: Machine):
        async with machine.opened(folders=[]) as (editor, uri):
            asked, over = await answered(editor, uri)
            assert over["state"] == "done"
            assert asked["session"].startswith("scratch-")

    async def test_a_client_without_any_capability_can_use_it(self, machine: Machine):
        """No progress, no refresh, no showDocument, no configuration: nothing of it is requested."""
        async with machine.opened(client={}) as (editor, uri):
            asked = await ask(editor, uri)
            while "*answering…*" in (hover := await editor.hover(uri, 6) or "") or "waiting for its turn" in hover:
                pass
            assert "This is the offline model" in hover
            actions = await editor.code_actions(uri, *TOTAL)
            replace = next(a for a in actions if a["title"].startswith("Claude: Replace"))
            assert list(replace["edit"]) == ["changes"]
            shown = await editor.execute("channelcoder.turn.show", {"turnId": asked["turnId"]})
            assert shown["shown"] is False
            assert "This is the offline model" in shown["markdown"]
            assert [m for m in editor.received if "id" in m] == []


async def test_pristine_sources_stay_pristine(machine: Machine):
    """Asking, hovering and closing write nothing into the project."""
    async with machine.opened() as (editor, uri):
        await answered(editor, uri)
    files = sorted(os.path.relpath(path, machine.project) for path in machine.project.rglob("*"))
    assert files == ["shop.py"]
    assert Path(machine.project / "shop.py").read_text() == SOURCE
