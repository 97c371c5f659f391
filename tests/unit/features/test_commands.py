"""Commands, synchronisation, progress and the workspace, on real services."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from lsprotocol import types as lsp
from services.desk import Desk, Reply, ScriptedAgent, soon

from channelcoder_lsp import protocol
from channelcoder_lsp.domain.errors import AgentError, ArgumentsError, SessionNotFoundError, TurnNotFoundError
from channelcoder_lsp.domain.turn import Turn, TurnState
from channelcoder_lsp.domain.uri import uri_of
from channelcoder_lsp.features import text_sync, workspace
from channelcoder_lsp.features.arguments import parse
from channelcoder_lsp.features.table import HANDLERS
from channelcoder_lsp.services.events import TurnOver

from .editor import CODE, Editor, span

if TYPE_CHECKING:
    from pathlib import Path

TOTAL = {"start": {"line": 3, "character": 0}, "end": {"line": 5, "character": 17}}
FIXED = "```python\ndef total(items):\n    return sum(items)\n```\n"


async def run(editor: Editor, command: protocol.Command, **arguments: Any) -> Any:
    """Run a command as the server does."""
    return await HANDLERS[command.name](editor.face, parse(command, [arguments]))


async def over(desk: Desk, editor: Editor, asked: protocol.Asked) -> Turn:
    _, session = editor.face.projects.with_turn(asked.turn_id)
    await desk.heard.over(session.turn(asked.turn_id))
    return session.turn(asked.turn_id)


@pytest.fixture
async def uri(editor: Editor, tmp_path: Path) -> str:
    return await editor.open(tmp_path / "shop" / "a.py", CODE)


class TestAsk:
    """``channelcoder.ask`` and ``channelcoder.continue``."""

    async def test_ids_are_returned_before_the_answer(self, desk: Desk, editor: Editor, uri: str, agent: ScriptedAgent):
        """The question is recorded by then."""
        held = agent.will(Reply(held=True))
        asked = await run(editor, protocol.ASK, uri=uri, range=TOTAL, question="What is it?")
        assert asked.session.startswith("shop-")
        assert (await desk.storage.load(asked.session)).turns[asked.turn_id].thread_id == asked.thread_id
        held.go.set()
        await over(desk, editor, asked)

    async def test_an_empty_range_is_its_line(self, desk: Desk, editor: Editor, uri: str, agent: ScriptedAgent):
        """Without its indentation: the thread is about the statement."""
        at = {"line": 4, "character": 9}
        await over(desk, editor, await run(editor, protocol.ASK, uri=uri, range={"start": at, "end": at}, question="?"))
        (here,) = editor.face.projects.of(uri).placed.threads_in(uri)
        assert (here.range.start, here.range.end) == ((4, 4), (4, 23))
        assert "5|     result = sum(items)" in agent.prompts[0]

    @pytest.mark.parametrize("line", [-3, 0, 99, 2**31 - 1])
    async def test_any_range_can_be_asked_about(self, desk: Desk, editor: Editor, uri: str, line: int):
        """Past the end, before the beginning, the wrong way round."""
        strange = {"start": {"line": line, "character": 99}, "end": {"line": 0, "character": -1}}
        turn = await over(desk, editor, await run(editor, protocol.ASK, uri=uri, range=strange, question="?"))
        assert turn.state is TurnState.DONE

    async def test_the_buffer_is_sent_not_the_file(self, desk: Desk, editor: Editor, uri: str, agent: ScriptedAgent):
        """What was typed a moment ago is in it."""
        editor.change(uri, [(span((4, 4), (4, 10)), "subtotal")])
        await over(desk, editor, await run(editor, protocol.ASK, uri=uri, range=TOTAL, question="?"))
        assert "5|     subtotal = sum(items)" in agent.prompts[0]

    async def test_asking_about_the_same_code_again_goes_on_with_its_thread(self, desk: Desk, editor: Editor, uri: str):
        """Exactly the same; else it is another thread."""
        first = await run(editor, protocol.ASK, uri=uri, range=TOTAL, question="one")
        await over(desk, editor, first)
        second = await run(editor, protocol.ASK, uri=uri, range=TOTAL, question="two")
        third = await run(
            editor, protocol.ASK, uri=uri, range={**TOTAL, "end": {"line": 4, "character": 0}}, question="3"
        )
        assert second.thread_id == first.thread_id != third.thread_id
        for asked in (second, third):
            await over(desk, editor, asked)

    async def test_a_prompt_and_a_question_together(self, desk: Desk, editor: Editor, uri: str):
        """The question says more."""
        asked = await run(editor, protocol.ASK, uri=uri, range=TOTAL, prompt="explain", question="the sum")
        assert (await over(desk, editor, asked)).question == "Explain: the sum"

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"question": "?", "uri": "file:///nowhere.py"}, "^uri: .* is not open"),
            ({}, "^question: there is nothing to ask"),
            ({"question": "  "}, "^question: there is nothing to ask"),
            ({"prompt": "explode"}, "^prompt: there is no prompt 'explode'. There are explain,"),
        ],
    )
    async def test_what_cannot_be_asked_is_named(
        self, editor: Editor, uri: str, arguments: dict[str, Any], message: str
    ):
        """By field, with what to do; nothing is recorded."""
        with pytest.raises(ArgumentsError, match=message):
            await run(editor, protocol.ASK, **{"uri": uri, "range": TOTAL, **arguments})
        assert editor.face.projects.of(uri).session is None

    async def test_continue_asks_in_the_folders_session(
        self, desk: Desk, editor: Editor, uri: str, tmp_path: Path, agent: ScriptedAgent
    ):
        """About no code; by document, by folder, or by neither."""
        for more in ({}, {"uri": uri}, {"folder": str(tmp_path / "shop")}):
            turn = await over(desk, editor, await run(editor, protocol.CONTINUE, question="And?", **more))
            assert turn.thread_id is None
        assert agent.prompts == ["And?"] * 3


class TestTurns:
    """Cancel, retry, take."""

    async def test_cancel_ends_one_or_all(self, desk: Desk, editor: Editor, uri: str, agent: ScriptedAgent):
        """And says which; afterwards there is nothing to cancel."""
        held = agent.will(Reply(held=True))
        asked = [await run(editor, protocol.CONTINUE, question=text) for text in ("one", "two", "three")]
        await soon(held.streamed.wait())
        ids = [one.turn_id for one in asked]
        assert (await run(editor, protocol.CANCEL, turnId=ids[1])).turn_ids == [ids[1]]
        assert (await run(editor, protocol.CANCEL)).turn_ids == [ids[0], ids[2]]
        for one in asked:
            assert (await over(desk, editor, one)).state is TurnState.CANCELLED
        assert (await run(editor, protocol.CANCEL)).turn_ids == []
        assert (await run(editor, protocol.CANCEL, turnId=ids[0])).turn_ids == []
        assert agent.prompts == ["one"]

    @pytest.mark.parametrize("command", [protocol.CANCEL, protocol.RETRY, protocol.TURN_SHOW, protocol.ANSWER_INSERT])
    async def test_an_unknown_turn_is_named(self, editor: Editor, command: protocol.Command):
        """By its id."""
        with pytest.raises(TurnNotFoundError, match="turn-x"):
            await run(editor, command, turnId="turn-x")

    async def test_an_answers_code_is_put_into_the_buffer(
        self, desk: Desk, editor: Editor, uri: str, agent: ScriptedAgent
    ):
        """Replace, in one edit."""
        agent.will(Reply(pieces=(FIXED,)))
        asked = await run(editor, protocol.ASK, uri=uri, range=TOTAL, question="?")
        await over(desk, editor, asked)
        assert (await run(editor, protocol.ANSWER_REPLACE, turnId=asked.turn_id)).applied
        assert "def total(items):\n    return sum(items)\n\n\nprint" in editor.buffers[uri]

    async def test_code_for_which_there_is_no_place_is_refused(
        self, desk: Desk, editor: Editor, uri: str, agent: ScriptedAgent
    ):
        """A block that is not there, code that was deleted, a document that was closed: each says what to do."""
        agent.will(Reply(pieces=(FIXED,)))
        asked = await run(editor, protocol.ASK, uri=uri, range=TOTAL, question="?")
        await over(desk, editor, asked)
        with pytest.raises(ArgumentsError, match=r"^block: the answer has 1 code blocks; 1 is not one"):
            await run(editor, protocol.ANSWER_INSERT, turnId=asked.turn_id, block=1)
        editor.change(uri, [(span((3, 0), (5, 17)), "")])
        with pytest.raises(ArgumentsError, match=r"^turnId: .*can't be found"):
            await run(editor, protocol.ANSWER_INSERT, turnId=asked.turn_id)
        await text_sync.closed(editor.face, uri)
        with pytest.raises(ArgumentsError, match="Open the file"):
            await run(editor, protocol.ANSWER_REPLACE, turnId=asked.turn_id)

    async def test_an_editor_that_takes_no_edits_is_told_what_to_do(
        self, desk: Desk, start, tmp_path: Path, agent: ScriptedAgent
    ):
        """Copy it."""
        editor = await start(edits=False)
        uri = await editor.open(tmp_path / "shop" / "a.py", CODE)
        agent.will(Reply(pieces=(FIXED,)))
        asked = await run(editor, protocol.ASK, uri=uri, range=TOTAL, question="?")
        await over(desk, editor, asked)
        applied = await run(editor, protocol.ANSWER_INSERT, turnId=asked.turn_id)
        assert (applied.applied, "copy" in applied.reason) == (False, True)


class TestSessions:
    """What can be done to sessions."""

    async def test_new_list_switch_rename_remove(self, editor: Editor, tmp_path: Path):
        """The list says which is active."""
        folder = str(tmp_path / "shop")
        assert await run(editor, protocol.SESSION_NEW, name="one") == protocol.SessionNamed("one", folder)
        await run(editor, protocol.SESSION_NEW, name="two")
        await run(editor, protocol.SESSION_SWITCH, name="one")
        rows = (await run(editor, protocol.SESSION_LIST)).sessions
        assert {row.name: row.active for row in rows} == {"one": True, "two": False}
        await run(editor, protocol.SESSION_RENAME, name="one", newName="three")
        await run(editor, protocol.SESSION_REMOVE, name="two")
        assert [(row.name, row.active) for row in (await run(editor, protocol.SESSION_LIST)).sessions] == [
            ("three", True)
        ]

    async def test_save_says_where_and_gives_a_name(self, desk: Desk, editor: Editor, uri: str):
        """The file is the guide's."""
        await over(desk, editor, await run(editor, protocol.CONTINUE, question="one"))
        saved = await run(editor, protocol.SESSION_SAVE, name="kept")
        assert saved == protocol.SessionSaved("kept", str(desk.folder / "sessions" / "kept.json"))
        assert [m.content for m in (await desk.storage.load(saved.path)).messages] == ["one", "An answer."]

    async def test_show_and_clear(self, desk: Desk, editor: Editor, uri: str):
        """The active one, or by name; a session that there is not is named."""
        await over(desk, editor, await run(editor, protocol.CONTINUE, question="one"))
        assert "## one" in (await run(editor, protocol.SESSION_SHOW)).markdown
        await run(editor, protocol.SESSION_CLEAR)
        assert "## one" not in (await run(editor, protocol.SESSION_SHOW)).markdown
        with pytest.raises(SessionNotFoundError, match="nothing-like-it"):
            await run(editor, protocol.SESSION_SHOW, name="nothing-like-it")

    async def test_model_and_trust(self, editor: Editor, tmp_path: Path):
        """Of the folder."""
        assert (await run(editor, protocol.MODEL, model="claude-x")).model == "claude-x"
        assert (await run(editor, protocol.MODEL)).model is None
        assert await run(editor, protocol.TRUST) == protocol.Trusted(str(tmp_path / "shop"), trusted=True)
        assert not (await run(editor, protocol.TRUST, trusted=False)).trusted


class TestSync:
    """The services' documents follow the editor's buffers."""

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
    async def test_changes_one_after_the_other(self, start, tmp_path: Path, encoding: str):
        """Each relative to the text after the one before, counted as negotiated."""
        editor = await start(encoding=encoding)
        uri = await editor.open(tmp_path / "shop" / "a.py", "🙂é = 1\r\nb = 2\r\n")
        end = {"utf-8": 6, "utf-16": 3, "utf-32": 2}[encoding]
        changes = [
            lsp.TextDocumentContentChangePartial(range=span((0, 0), (0, end)), text="ab"),
            lsp.TextDocumentContentChangePartial(range=span((0, 2), (1, 0)), text=" = 1\r\nc = 3\r\n"),
            lsp.TextDocumentContentChangePartial(range=span((2, 5), (9, 9)), text=""),
        ]
        text_sync.changed(editor.face, uri, 2, changes)
        document = editor.face.document(uri)
        assert (document.lines, document.version, document.line_end) == (["ab = 1", "c = 3", "b = 2"], 2, "\r\n")

    async def test_the_whole_text_at_once(self, editor: Editor, uri: str):
        """With other line ends, too."""
        whole = lsp.TextDocumentContentChangeWholeDocument("x\r\ny")
        text_sync.changed(editor.face, uri, 2, [whole])
        document = editor.face.document(uri)
        assert (document.lines, document.line_end) == (["x", "y"], "\r\n")

    async def test_a_document_that_is_not_open_is_left_alone(self, editor: Editor):
        """Its change, its save, its close."""
        text_sync.changed(editor.face, "file:///x", 1, [lsp.TextDocumentContentChangeWholeDocument("x")])
        await text_sync.saved(editor.face, "file:///x")
        await text_sync.closed(editor.face, "file:///x")
        assert editor.face.document("file:///x") is None

    async def test_the_cells_of_a_notebook_come_and_go(self, editor: Editor, tmp_path: Path):
        """Each is a document."""
        cell = f"vscode-notebook-cell:{tmp_path}/shop/n.ipynb#one"
        opened = lsp.TextDocumentItem(cell, "python", 1, "x = 1")
        notebook = lsp.VersionedNotebookDocumentIdentifier(version=1, uri="n")
        array = lsp.NotebookCellArrayChange(start=0, delete_count=0)

        async def change(**cells: Any) -> None:
            event = lsp.NotebookDocumentChangeEvent(cells=lsp.NotebookDocumentCellChanges(**cells))
            await text_sync.notebook_changed(editor.face, lsp.DidChangeNotebookDocumentParams(notebook, event))

        await change(structure=lsp.NotebookDocumentCellChangeStructure(array, did_open=[opened]))
        text = lsp.NotebookDocumentCellContentChanges(
            lsp.VersionedTextDocumentIdentifier(2, cell), [lsp.TextDocumentContentChangeWholeDocument("y = 2")]
        )
        await change(text_content=[text])
        assert editor.face.document(cell).lines == ["y = 2"]
        gone = lsp.NotebookDocumentCellChangeStructure(array, did_close=[lsp.TextDocumentIdentifier(cell)])
        await change(structure=gone)
        assert editor.face.document(cell) is None


class TestProgress:
    """What a user sees of a turn on its way."""

    async def test_begins_reports_and_ends(self, desk: Desk, editor: Editor, uri: str, agent: ScriptedAgent):
        """One token for each turn, which leads back to it."""
        held = agent.will(Reply(held=True))
        asked = await run(editor, protocol.CONTINUE, question="What is it?")
        await soon(held.streamed.wait())
        told = editor.work_done_progress.told
        assert [kind for kind, _ in told][:2] == ["create", "begin"]
        assert (told[1][1].title, told[1][1].cancellable) == ("Claude: What is it?", True)
        assert editor.face.turns.turn_of(told[0][1]) == asked.turn_id
        assert editor.face.turns.turn_of("another") is None
        held.go.set()
        await over(desk, editor, asked)
        for _ in range(3):
            await asyncio.sleep(0)
        assert (told[-1][0], told[-1][1].message) == ("end", "answered")

    async def test_clients_that_ask_for_turns_are_told_each_step(self, desk: Desk, start, agent: ScriptedAgent):
        """``channelcoder/turn``, as the protocol declares it; others are told nothing of it."""
        editor = await start(ours={"turns": True})
        asked = await run(editor, protocol.CONTINUE, question="What is it?")
        await over(desk, editor, asked)
        names = {protocol.camel(name) for name in protocol.TurnNotification.__dataclass_fields__}
        assert all(set(note) == names for note in editor.notified)
        assert {note["turnId"] for note in editor.notified} == {asked.turn_id}
        assert [note["text"] for note in editor.notified if note["text"]] == ["An ", "answer."]
        states = [note["state"] for note in editor.notified]
        assert list(dict.fromkeys(states)) == ["queued", "running", "done"]
        assert states.count("done") == 1, "the end is told once, after all text"

    async def test_an_answer_in_a_session_that_was_left_says_so(self, desk: Desk, start, agent: ScriptedAgent):
        """With the folder that went on to another one."""
        editor = await start(ours={"turns": True})
        held = agent.will(Reply(held=True))
        asked = await run(editor, protocol.CONTINUE, question="What is it?")
        await soon(held.streamed.wait())
        assert {note["leftIn"] for note in editor.notified} == {None}
        await run(editor, protocol.SESSION_NEW, name="another")
        held.go.set()
        await desk.heard.until(lambda: desk.heard.of(TurnOver))
        told = editor.notified[-1]
        expected = (asked.session, "done", str(desk.folder / "shop"))
        assert (told["session"], told["state"], told["leftIn"]) == expected

    async def test_an_answer_in_a_session_that_was_left_is_a_message_where_turns_are_not_followed(
        self, desk: Desk, editor: Editor, uri: str, agent: ScriptedAgent
    ):
        """One in the active session is seen where it was asked."""
        await over(desk, editor, await run(editor, protocol.ASK, uri=uri, range=TOTAL, question="Seen?"))
        assert editor.messages == []
        held = agent.will(Reply(held=True))
        asked = await run(editor, protocol.ASK, uri=uri, range=TOTAL, question="What is it?")
        await soon(held.streamed.wait())
        await run(editor, protocol.SESSION_NEW, name="another")
        held.go.set()
        await desk.heard.until(lambda: len(desk.heard.of(TurnOver)) == 2)
        assert editor.messages == [f"What is it? is answered, in the session {asked.session}."]

    async def test_a_failure_is_one_safe_sentence(self, desk: Desk, editor: Editor, agent: ScriptedAgent):
        """In a message."""
        agent.will(Reply(error=AgentError("Overloaded.\n\x1b[2J[x](command:evil)")))
        await over(desk, editor, await run(editor, protocol.CONTINUE, question="Why?"))
        (message,) = editor.messages
        assert message.startswith("Why?: Overloaded.")
        assert "\n" not in message
        assert "\x1b" not in message
        assert "](command:" not in message


class TestWorkspace:
    """Folders and settings."""

    @pytest.mark.parametrize(
        ("pushed", "taken"),
        [
            ({"channelcoder": {"maxOpen": 2}}, {"maxOpen": 2}),
            ({"maxOpen": 2}, {"maxOpen": 2}),
            ({"channelcoder": None}, {}),
            (None, {}),
            ([1], {}),
        ],
    )
    async def test_pushed_settings(self, editor: Editor, pushed: Any, taken: dict[str, Any]):
        """With or without the section's name, from clients that can't be asked; what is wrong is shown."""
        given: list[dict[str, Any]] = []

        def take(values: dict[str, Any]) -> list[str]:
            given.append(values)
            return ["That is wrong."]

        await workspace.take_settings(editor.face.client, take, pushed)
        assert (given, editor.messages) == ([taken], ["That is wrong."])

    async def test_folders_come_and_go(self, editor: Editor, tmp_path: Path):
        """A folder that is no file is left alone."""
        (tmp_path / "lib").mkdir()
        folders = [lsp.WorkspaceFolder(uri_of(tmp_path / "lib"), "lib"), lsp.WorkspaceFolder("vscode-vfs://x/y", "y")]
        await workspace.add_folders(editor.face, folders)
        uri = uri_of(tmp_path / "lib" / "a.py")
        assert editor.face.projects.of(uri).checkout.root.name == "lib"
        await workspace.remove_folders(editor.face, folders)
        assert editor.face.projects.of(uri) is editor.face.projects.scratch

    async def test_renamed_files_take_their_threads_along(self, desk: Desk, editor: Editor, uri: str, tmp_path: Path):
        """As the editor says it."""
        asked = await run(editor, protocol.ASK, uri=uri, range=TOTAL, question="?")
        await over(desk, editor, asked)
        new = uri_of(tmp_path / "shop" / "b.py")
        await workspace.renamed(editor.face, [lsp.FileRename(uri, new), lsp.FileRename("untitled:a", "untitled:b")])
        _, session = editor.face.projects.with_thread(asked.thread_id)
        assert session.thread(asked.thread_id).anchor.path == "b.py"
