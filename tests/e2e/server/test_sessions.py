"""One session per project folder, and what can be done to sessions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import anyio
import pytest

from channelcoder_lsp.cli.connection import ResponseError

from .conftest import SOURCE, Machine, answered

if TYPE_CHECKING:
    from channelcoder_lsp.cli.editor import Editor

QUESTION = {"question": "Who am I talking to?"}


async def continue_(editor: Editor, question: str, **where: str) -> str:
    """Ask on in a session; the answer as its document shows it."""
    asked = await editor.execute("channelcoder.continue", {"question": question, **where})
    assert (await editor.finished(asked["turnId"]))["state"] == "done"
    shown = await editor.execute("channelcoder.turn.show", {"turnId": asked["turnId"]})
    return shown["markdown"].split("## What was sent")[0]


async def shown(editor: Editor, uri: str, part: str) -> str:
    """What hovering over the code shows, once it has the ``part`` and the answer: the editor is told to look again."""
    with anyio.fail_after(60):
        while True:
            seen = len(editor.received)
            hover = await editor.hover(uri, 6) or ""
            if part in hover and "answering" not in hover:
                return hover
            await editor.wait_for(lambda m: m["method"] == "workspace/codeLens/refresh", after=seen)


class TestOneSessionPerFolder:
    async def test_folders_of_one_workspace_have_sessions_of_their_own(self, machine: Machine):
        """Each question goes to the session of the innermost folder that holds the document."""
        other = machine.home / "other"
        inner = machine.project / "inner"
        for folder in (other, inner):
            folder.mkdir(parents=True)
            (folder / "a.py").write_text(SOURCE)
        machine.write("a.py")
        async with machine.editor(folders=[machine.project, other, inner]) as editor:
            names = []
            for folder in (machine.project, other, inner):
                asked, _ = await answered(editor, editor.open(folder / "a.py"), question=f"In {folder.name}?")
                names.append(asked["session"])
            assert len(set(names)) == 3
            assert [name.split("-")[0] for name in names] == ["shop", "other", "inner"]
            said = await continue_(editor, "Where?", folder=other.as_uri())
            assert "1. In other?" in said
            assert "In shop?" not in said

    async def test_a_folder_that_is_added_brings_its_threads(self, machine: Machine):
        async with machine.opened() as (editor, uri):
            await answered(editor, uri)
        async with machine.editor(folders=[]) as editor:
            uri = editor.open(machine.project / "shop.py")
            assert await editor.code_lenses(uri) == []
            folder = {"uri": machine.project.as_uri(), "name": "shop"}
            editor.notify("workspace/didChangeWorkspaceFolders", {"event": {"added": [folder], "removed": []}})
            assert len(await editor.code_lenses(uri)) == 3
            editor.notify("workspace/didChangeWorkspaceFolders", {"event": {"added": [], "removed": [folder]}})
            assert await editor.code_lenses(uri) == []

    async def test_a_file_outside_all_folders_and_an_unsaved_buffer_can_be_asked_about(self, machine: Machine):
        """They share a session of their own kind, in which Claude is shown no folder of the user's."""
        lonely = machine.home / "lonely.py"
        lonely.write_text(SOURCE)
        async with machine.editor() as editor:
            first, over = await answered(editor, editor.open(lonely), question="Outside?")
            assert over["state"] == "done"
            editor.open_text("untitled:Untitled-1", SOURCE)
            second, over = await answered(editor, "untitled:Untitled-1", question="Unsaved?")
            assert over["state"] == "done"
            assert first["session"] == second["session"]
            assert first["session"].startswith("scratch-")
            assert "> Unsaved?" in (await editor.hover("untitled:Untitled-1", 6) or "")

    async def test_notebook_cells_can_be_asked_about(self, machine: Machine):
        notebook = machine.write("book.ipynb", "{}").as_uri()
        cell = notebook.replace("file:", "vscode-notebook-cell:") + "#W0sZmlsZQ=="
        async with machine.editor() as editor:
            editor.texts[cell], editor.versions[cell] = SOURCE, 1
            editor.notify(
                "notebookDocument/didOpen",
                {
                    "notebookDocument": {
                        "uri": notebook,
                        "notebookType": "jupyter-notebook",
                        "version": 1,
                        "cells": [{"kind": 2, "document": cell}],
                    },
                    "cellTextDocuments": [{"uri": cell, "languageId": "python", "version": 1, "text": SOURCE}],
                },
            )
            asked, over = await answered(editor, cell)
            assert over["state"] == "done"
            assert asked["session"].startswith("shop-")
            assert "> What is this?" in (await editor.hover(cell, 6) or "")
            change = {
                "document": {"uri": cell, "version": 2},
                "changes": [
                    {
                        "range": {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 0}},
                        "text": "# top\n",
                    }
                ],
            }
            editor.notify(
                "notebookDocument/didChange",
                {"notebookDocument": {"uri": notebook, "version": 2}, "change": {"cells": {"textContent": [change]}}},
            )
            assert (await editor.code_lenses(cell))[0]["range"]["start"]["line"] == 6

    async def test_two_servers_on_one_folder_share_the_session(self, machine: Machine):
        """Turns of both are in order, each Claude knows the other's, each editor sees the other's answers."""
        path = machine.write("shop.py")
        async with machine.editor() as one, machine.editor() as two:
            uri = one.open(path)
            two.open(path)
            first, _ = await answered(one, uri, question="First, from one?")
            second, _ = await answered(two, uri, question="Second, from two?")
            third, _ = await answered(one, uri, question="Third, from one?")
            assert first["session"] == second["session"] == third["session"]
            shown = await one.execute("channelcoder.turn.show", {"turnId": third["turnId"]})
            assert "1. First, from one?\n2. Second, from two?" in shown["markdown"]
            seen = len(one.received)
            fourth, _ = await answered(two, uri, question="Fourth, from two?")
            await one.wait_for(lambda m: m["method"] == "workspace/codeLens/refresh", after=seen)
            transcript = await one.execute("channelcoder.session.show", {})
            assert transcript["markdown"].count("## Fourth, from two?") == 1
            assert fourth["session"] == first["session"]
        (file,) = machine.sessions.glob("*.json")
        assert len(json.loads(file.read_text())["sessionChain"]) == 1

    async def test_a_first_question_shows_up_in_the_other_editor(self, machine: Machine):
        """Though the folder had no session when that was opened; and so does another session that is gone over to."""
        path = machine.write("shop.py")
        async with machine.editor() as one, machine.editor() as two:
            uri = one.open(path)
            two.open(path)
            assert await two.code_lenses(uri) == []
            await answered(one, uri, question="First?")
            await shown(two, uri, "> First?")
            await one.execute("channelcoder.session.new", {})
            await answered(one, uri, question="In another?")
            assert "> First?" not in await shown(two, uri, "> In another?")
            await answered(two, uri, question="Back?")
            await shown(one, uri, "> Back?")

    async def test_two_servers_asking_at_once_lose_and_double_nothing(self, machine: Machine):
        path = machine.write("shop.py")
        async with machine.editor() as one, machine.editor() as two:
            uri = one.open(path)
            two.open(path)
            await answered(one, uri, question="Zero?")
            asked = []
            for number in range(3):
                for editor in (one, two):
                    argument = {"question": f"Question {number} of {'one' if editor is one else 'two'}?", "uri": uri}
                    asked.append((editor, await editor.execute("channelcoder.continue", argument)))
            for editor, turn in asked:
                assert (await editor.finished(turn["turnId"]))["state"] == "done"
        (file,) = machine.sessions.glob("*.json")
        messages = json.loads(file.read_text())["messages"]
        assert len([m for m in messages if m["role"] == "user"]) == 7
        assert len([m for m in messages if m["role"] == "assistant"]) == 7
        assert len({m["content"] for m in messages if m["role"] == "user"}) == 7


class TestSessionCommands:
    async def test_new_starts_afresh_and_switch_goes_back(self, machine: Machine):
        async with machine.opened() as (editor, uri):
            first, _ = await answered(editor, uri)
            new = await editor.execute("channelcoder.session.new", {})
            assert new["session"] != first["session"]
            assert await editor.hover(uri, 6) is None
            assert "no earlier question" in await continue_(editor, "Fresh?")
            back = await editor.execute("channelcoder.session.switch", {"name": first["session"]})
            assert back["session"] == first["session"]
            assert "> What is this?" in (await editor.hover(uri, 6) or "")
            assert "1. What is this?" in await continue_(editor, "Back?")

    async def test_list_has_this_folders_sessions_first_and_says_which_is_active(self, machine: Machine):
        async with machine.opened() as (editor, uri):
            first, _ = await answered(editor, uri)
            new = await editor.execute("channelcoder.session.new", {"name": "second"})
            rows = (await editor.execute("channelcoder.session.list", {}))["sessions"]
            assert {row["name"]: row["active"] for row in rows} == {first["session"]: False, new["session"]: True}
            row = next(row for row in rows if row["name"] == first["session"])
            assert row["messageCount"] == 2
            assert row["firstQuestion"] == "What is this?"

    async def test_rename_keeps_everything(self, machine: Machine):
        async with machine.opened() as (editor, uri):
            first, _ = await answered(editor, uri)
            await editor.execute("channelcoder.session.rename", {"name": first["session"], "newName": "shop-review"})
            assert "1. What is this?" in await continue_(editor, "Renamed?")
            assert "> What is this?" in (await editor.hover(uri, 6) or "")
        assert [file.name for file in machine.sessions.glob("*.json")] == ["shop-review.json"]

    async def test_remove_leaves_nothing(self, machine: Machine):
        async with machine.opened() as (editor, uri):
            first, _ = await answered(editor, uri)
            await editor.execute("channelcoder.session.remove", {"name": first["session"]})
            assert await editor.hover(uri, 6) is None
            left = [path for path in machine.sessions.rglob("*") if path.name.startswith("shop-") and path.suffix]
            assert left == []
            again, _ = await answered(editor, uri)
            assert again["turnId"] != first["turnId"]

    async def test_clear_drops_history_and_threads(self, machine: Machine):
        async with machine.opened() as (editor, uri):
            first, _ = await answered(editor, uri)
            assert await editor.execute("channelcoder.session.clear", {}) == {"session": first["session"]}
            assert await editor.hover(uri, 6) is None
            assert "no earlier question" in await continue_(editor, "Cleared?")

    async def test_save_puts_the_session_at_rest_under_the_given_name(self, machine: Machine):
        async with machine.opened() as (editor, uri):
            await answered(editor, uri)
            saved = await editor.execute("channelcoder.session.save", {"name": "kept"})
            assert Path(saved["path"]) == machine.sessions / "kept.json"
            state = json.loads(Path(saved["path"]).read_text())
            assert [message["role"] for message in state["messages"]] == ["user", "assistant"]
            assert state["metadata"]["name"] == "kept"

    async def test_show_writes_the_transcript_as_markdown(self, machine: Machine):
        async with machine.opened() as (editor, uri):
            await answered(editor, uri)
            shown = await editor.execute("channelcoder.session.show", {})
            assert "## What is this?" in shown["markdown"]
            assert "shop.py:6" in shown["markdown"]
            assert Path(shown["uri"].removeprefix("file://")).read_text() == shown["markdown"]
            assert shown["shown"] is True

    async def test_model_is_used_from_the_next_question_on(self, machine: Machine):
        async with machine.opened() as (editor, uri):
            await answered(editor, uri)
            chosen = await editor.execute("channelcoder.model", {"model": "claude-haiku-4-5"})
            assert chosen["model"] == "claude-haiku-4-5"
            await answered(editor, uri, question="And now?")
            requests = await machine.model.requests()
            assert requests[-1].model.startswith("claude-haiku-4-5")
            assert not requests[0].model.startswith("claude-haiku-4-5")

    async def test_trust_ends_when_what_was_trusted_changes(self, machine: Machine):
        (machine.project / "CLAUDE.md").write_text("Be brief.")
        async with machine.opened() as (editor, uri):
            trusted = await editor.execute("channelcoder.trust", {})
            assert trusted == {"folder": str(machine.project), "trusted": True}
            await answered(editor, uri)
            (machine.project / "CLAUDE.md").write_text("Something else.")
            await answered(editor, uri, question="And now?")
            first, second = await machine.model.requests()
            assert "Be brief." in json.dumps([first.system, first.messages])
            assert "Something else." not in json.dumps([second.system, second.messages])


class TestNamesAreChecked:
    @pytest.mark.parametrize("name", ["../up", "a/b", "", ".", "con"])
    async def test_bad_names_are_refused_with_the_reason(self, machine: Machine, name: str):
        async with machine.editor() as editor:
            with pytest.raises(ResponseError) as refused:
                await editor.execute("channelcoder.session.new", {"name": name})
            assert refused.value.code == -32602
            assert "name" in refused.value.text

    async def test_unknown_sessions_are_named(self, machine: Machine):
        async with machine.editor() as editor:
            for command in ("switch", "remove"):
                with pytest.raises(ResponseError, match="There is no session named 'nobody'"):
                    await editor.execute(f"channelcoder.session.{command}", {"name": "nobody"})


async def test_a_session_that_works_in_a_container_is_not_gone_on_with_outside_of_it(machine: Machine):
    """What runs in a container was put there for a reason: an editor, which has none, says so and sends nothing."""
    async with machine.opened() as (editor, uri):
        await answered(editor, uri)
    (path,) = machine.sessions.glob("*.json")
    state = json.loads(path.read_text("utf-8"))
    state["channelcoder"]["container"] = {"image": "localhost/box:1"}
    path.write_text(json.dumps(state), "utf-8")
    sent = len(await machine.model.requests())
    async with machine.opened() as (editor, _):
        asked = await editor.execute("channelcoder.continue", QUESTION)
        ended = await editor.finished(asked["turnId"])
        shown_ = await editor.execute("channelcoder.turn.show", {"turnId": asked["turnId"]})
    assert ended["state"] == "failed"
    assert "This session works in a container" in shown_["markdown"]
    assert f"channelcoder run --session {path.stem}" in shown_["markdown"]
    assert len(await machine.model.requests()) == sent
