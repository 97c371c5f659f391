"""textDocument/codeAction and codeAction/resolve."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from lsprotocol import types as lsp
from services.desk import Desk, Reply, ScriptedAgent, soon

from channelcoder_lsp import protocol
from channelcoder_lsp.domain.errors import AgentError
from channelcoder_lsp.features import commands, text_sync
from channelcoder_lsp.features.arguments import parse
from channelcoder_lsp.features.code_actions import code_actions, resolve
from channelcoder_lsp.features.table import HANDLERS

from .editor import CODE, TOTAL, Editor, span

if TYPE_CHECKING:
    from pathlib import Path

BLOCK = "Like this:\n\n```python\ndef total(items):\n    return sum(items)\n```\n"
AUTOMATIC = lsp.CodeActionTriggerKind.Automatic


def actions(editor: Editor, uri: str, where: Any = TOTAL, **context: Any) -> list[lsp.CodeAction]:
    context.setdefault("diagnostics", [])
    params = lsp.CodeActionParams(lsp.TextDocumentIdentifier(uri), span(*where), lsp.CodeActionContext(**context))
    return code_actions(editor.face, params)


def titles(found: list[lsp.CodeAction]) -> list[str]:
    return [action.title for action in found]


def pick(found: list[lsp.CodeAction], start: str) -> lsp.CodeAction:
    (action,) = [action for action in found if action.title.startswith(start)]
    return action


async def run(editor: Editor, action: lsp.CodeAction) -> Any:
    """Run an action's command as the server does."""
    assert action.command is not None
    command = next(one for one in protocol.COMMANDS if one.name == action.command.command)
    return await HANDLERS[command.name](editor.face, parse(command, action.command.arguments or []))


async def answered(desk: Desk, editor: Editor, uri: str, text: str = BLOCK, where: Any = TOTAL) -> Any:
    """Ask about a place, and wait for the answer ``text``."""
    desk.agent.will(Reply(pieces=(text,)))
    start, end = where
    arguments = {"uri": uri, "range": {"start": _json(start), "end": _json(end)}, "question": "What is it?"}
    asked = await commands.ask(editor.face, parse(protocol.ASK, [arguments]))
    _, session = editor.face.projects.with_turn(asked.turn_id)
    await desk.heard.over(session.turn(asked.turn_id))
    return asked


def _json(position: tuple[int, int]) -> dict[str, int]:
    return {"line": position[0], "character": position[1]}


@pytest.fixture
async def uri(editor: Editor, tmp_path: Path) -> str:
    return await editor.open(tmp_path / "shop" / "a.py", CODE)


class TestQuestions:
    """What can be asked about code."""

    async def test_a_question_for_each_prompt(self, editor: Editor, uri: str):
        """With their kinds; no free question from a client that can't ask its user for one."""
        found = actions(editor, uri)
        assert titles(found) == [
            "Claude: Explain",
            "Claude: Review",
            "Claude: Fix",
            "Claude: Write tests",
            "Claude: Document",
            "Claude: Refactor",
        ]
        assert pick(found, "Claude: Fix").kind == "quickfix"
        assert pick(found, "Claude: Refactor").kind == "refactor.rewrite"

    async def test_a_client_that_takes_input_is_offered_a_free_question(self, start, tmp_path: Path):
        """``experimental.channelcoder.input``."""
        editor = await start(ours={"input": True})
        uri = await editor.open(tmp_path / "shop" / "a.py", CODE)
        action = actions(editor, uri)[0]
        assert (action.title, action.command.command) == ("Ask Claude…", "channelcoder.ask")
        assert "question" not in action.command.arguments[0]

    async def test_choosing_one_asks(self, desk: Desk, editor: Editor, uri: str, agent: ScriptedAgent):
        """The title stands in the history, the prompt's text is sent, with the code."""
        asked = await run(editor, pick(actions(editor, uri), "Claude: Explain"))
        _, session = editor.face.projects.with_turn(asked.turn_id)
        turn = session.turn(asked.turn_id)
        await desk.heard.over(turn)
        assert turn.question == "Explain"
        assert "Explain the selected code to a programmer" in agent.prompts[0]
        assert "4| def total(items):" in agent.prompts[0]

    @pytest.mark.parametrize(
        ("only", "expected"),
        [
            ([], 6),
            ([""], 6),
            (["quickfix"], 1),
            (["refactor"], 2),
            (["refactor.rewrite"], 2),
            (["refactor.rewrite.more"], 0),
            (["claude"], 3),
            (["source"], 2),
            (["source.organizeImports"], 0),
            (["source", "quickfix"], 3),
            (["quick"], 0),
        ],
    )
    async def test_only_what_is_wanted(self, editor: Editor, uri: str, only: list[str], expected: int):
        """LSP 3.17, CodeActionKind: a kind and those below it."""
        assert len(actions(editor, uri, only=only)) == expected

    async def test_without_a_selection_the_file_and_what_is_not_committed_can_be_reviewed(
        self, editor: Editor, uri: str
    ):
        assert [title for title in titles(actions(editor, uri)) if "Review" in title] == ["Claude: Review"]
        found = actions(editor, uri, ((4, 3), (4, 3)))
        assert [(action.title, action.kind) for action in found if "eview" in action.title] == [
            ("Claude: Review this file", "source.review.claude"),
            ("Claude: Review uncommitted changes", "source.review.claude"),
        ]
        assert pick(found, "Claude: Review this").command.arguments == [{"uri": uri, "scope": "file"}]

    async def test_a_buffer_that_is_no_file_has_no_changes_to_review(self, editor: Editor):
        editor.buffers["untitled:1"] = CODE
        await text_sync.opened(editor.face, lsp.TextDocumentItem("untitled:1", "python", 1, CODE))
        found = actions(editor, "untitled:1", ((4, 3), (4, 3)), only=["source"])
        assert titles(found) == ["Claude: Review this file"]

    async def test_an_editor_that_asks_by_itself_is_offered_questions_about_a_selection_only(
        self, editor: Editor, uri: str
    ):
        """Else its light bulb would burn everywhere."""
        assert actions(editor, uri, ((4, 3), (4, 3)), trigger_kind=AUTOMATIC) == []
        assert actions(editor, uri, ((4, 3), (4, 8)), trigger_kind=AUTOMATIC) != []
        assert actions(editor, uri, ((4, 3), (4, 3))) != []

    async def test_diagnostics_go_along(self, desk: Desk, editor: Editor, uri: str, agent: ScriptedAgent):
        """To Claude those on the selection; to the editor with the fix."""
        here = lsp.Diagnostic(span((4, 4), (4, 10)), "odd name", severity=lsp.DiagnosticSeverity.Warning, code="N1")
        there = lsp.Diagnostic(span((8, 0), (8, 5)), "elsewhere")
        fix = pick(actions(editor, uri, diagnostics=[here, there]), "Claude: Fix")
        assert fix.diagnostics == [here, there]
        asked = await run(editor, fix)
        _, session = editor.face.projects.with_turn(asked.turn_id)
        await desk.heard.over(session.turn(asked.turn_id))
        assert "- line 5, warning (N1): odd name" in agent.prompts[0]
        assert "elsewhere" not in agent.prompts[0]

    async def test_a_setting_turns_them_off(self, desk: Desk, editor: Editor, uri: str):
        """And a document that is not open has none."""
        assert actions(editor, "file:///nowhere.py") == []
        desk.set(code_actions=False)
        assert actions(editor, uri) == []


class TestComments:
    """Questions asked from the code."""

    async def test_a_comment_asks_and_goes(self, desk: Desk, editor: Editor, tmp_path: Path, agent: ScriptedAgent):
        """Also when the editor asks by itself: a light bulb on such a line means something."""
        text = CODE.replace("def total", "# claude: why is this slow?\ndef total")
        uri = await editor.open(tmp_path / "shop" / "b.py", text)
        (action,) = actions(editor, uri, ((3, 2), (3, 2)), trigger_kind=AUTOMATIC)
        assert (action.title, action.kind) == ("Ask Claude: why is this slow?", "quickfix")
        asked = await run(editor, action)
        _, session = editor.face.projects.with_turn(asked.turn_id)
        await desk.heard.over(session.turn(asked.turn_id))
        assert "<question>\nwhy is this slow?" in agent.prompts[0]
        await desk.heard.until(lambda: editor.buffers[uri] == CODE)
        (here,) = editor.face.projects.of(uri).placed.threads_in(uri)
        assert (here.range.start, here.range.end) == ((3, 0), (5, 17))

    async def test_in_a_threads_code_it_replies(self, desk: Desk, editor: Editor, uri: str):
        """The turn goes to the thread that is there."""
        first = await answered(desk, editor, uri)
        editor.change(uri, [(span((5, 0), (5, 0)), "    # claude: and without it?\n")])
        action = pick(actions(editor, uri, ((5, 0), (5, 0))), "Reply to Claude: and without it?")
        second = await run(editor, action)
        assert second.thread_id == first.thread_id
        _, session = editor.face.projects.with_turn(second.turn_id)
        await desk.heard.over(session.turn(second.turn_id))

    async def test_the_comment_stays_if_the_user_wants_it(self, desk: Desk, editor: Editor, tmp_path: Path):
        """A setting."""
        desk.set(remove_comment=False)
        uri = await editor.open(tmp_path / "shop" / "b.py", "# claude: why?\nx = 1\n")
        asked = await run(editor, actions(editor, uri, ((0, 0), (0, 0)))[0])
        _, session = editor.face.projects.with_turn(asked.turn_id)
        await desk.heard.over(session.turn(asked.turn_id))
        assert editor.buffers[uri] == "# claude: why?\nx = 1\n"


class TestAnswers:
    """What can be done with what was answered."""

    async def test_show_insert_replace(self, desk: Desk, editor: Editor, uri: str):
        """For the newest answer of each thread at the place, before the questions."""
        await answered(desk, editor, uri)
        assert titles(actions(editor, uri))[:3] == [
            "Show Claude's answer: What is it?",
            "Claude: Insert the code from the answer",
            "Claude: Replace the selection with it",
        ]
        assert titles(actions(editor, uri, ((8, 0), (8, 0))))[0] == "Claude: Explain", "not elsewhere"

    async def test_an_answer_without_code_is_only_shown(self, desk: Desk, editor: Editor, uri: str):
        """There is nothing to take."""
        await answered(desk, editor, uri, "It sums.")
        assert [title for title in titles(actions(editor, uri)) if "code" in title] == []

    async def test_several_blocks_are_offered_each(self, desk: Desk, editor: Editor, uri: str):
        """With their number."""
        await answered(desk, editor, uri, "```\na\n```\nor\n```\nb\n```\n")
        found = actions(editor, uri)
        assert pick(found, "Claude: Insert the code from the answer (block 2 of 2)")

    async def test_the_edit_is_made_when_it_is_chosen_at_the_place_as_it_is_then(
        self, desk: Desk, editor: Editor, uri: str
    ):
        """Lines typed above between offer and choice do not put it in a wrong place."""
        await answered(desk, editor, uri)
        action = pick(actions(editor, uri), "Claude: Replace")
        assert action.edit is None
        editor.change(uri, [(span((0, 0), (0, 0)), "import sys\n")])
        editor.apply(resolve(editor.face, action).edit)
        assert editor.buffers[uri] == "import sys\n" + CODE.replace(
            "    result = sum(items)\n    return result\n", "    return sum(items)\n"
        )

    async def test_a_client_that_does_not_resolve_gets_the_edit_at_once(self, desk: Desk, start, tmp_path: Path):
        """And one without versions gets plain changes."""
        editor = await start(resolve=False, versioned=False)
        uri = await editor.open(tmp_path / "shop" / "a.py", CODE)
        await answered(desk, editor, uri)
        edit = pick(actions(editor, uri), "Claude: Insert").edit
        assert edit.document_changes is None
        editor.apply(edit)
        assert editor.buffers[uri].startswith(CODE[: CODE.index("\n\n\nprint")] + "\ndef total(items):\n")

    async def test_after_replacing_the_thread_is_about_the_new_code(self, desk: Desk, editor: Editor, uri: str):
        """Its hover and actions stay on all of it."""
        await answered(desk, editor, uri)
        editor.apply(resolve(editor.face, pick(actions(editor, uri), "Claude: Replace")).edit)
        (here,) = editor.face.projects.of(uri).placed.threads_in(uri)
        assert (here.range.start, here.range.end) == ((3, 0), (4, 21))
        assert pick(actions(editor, uri), "Claude: Replace the selection with it, which changed since")

    @pytest.mark.parametrize(
        "data", [None, "x", {}, {"turnId": "none", "uri": "file:///x"}, {"turnId": "t", "block": "x"}]
    )
    async def test_an_action_that_is_not_known_stays_as_it_is(self, editor: Editor, uri: str, data: Any):
        """A client may send back anything."""
        action = lsp.CodeAction("x", data=data)
        assert resolve(editor.face, action).edit is None

    async def test_a_block_that_is_not_there_makes_no_edit(self, desk: Desk, editor: Editor, uri: str):
        """Nor does a number that is none."""
        asked = await answered(desk, editor, uri)
        for block in (7, -1, "one", None):
            action = lsp.CodeAction("x", data={"uri": uri, "turnId": asked.turn_id, "block": block})
            assert resolve(editor.face, action).edit is None

    async def test_under_way_it_can_be_cancelled_and_afterwards_retried(
        self, desk: Desk, editor: Editor, uri: str, agent: ScriptedAgent
    ):
        """Where one looks for it: at the code."""
        held = agent.will(Reply(held=True))
        asked = await run(editor, pick(actions(editor, uri), "Claude: Explain"))
        await soon(held.streamed.wait())
        await run(editor, pick(actions(editor, uri), "Cancel: Explain"))
        _, session = editor.face.projects.with_turn(asked.turn_id)
        await desk.heard.over(session.turn(asked.turn_id))
        again = await run(editor, pick(actions(editor, uri), "Retry: Explain"))
        await desk.heard.over(session.turn(again.turn_id))
        assert titles(actions(editor, uri))[0] == "Show Claude's answer: Explain"

    async def test_a_failed_turn_shows_its_error(self, desk: Desk, editor: Editor, uri: str, agent: ScriptedAgent):
        """As a message, in one sentence."""
        agent.will(Reply(pieces=(), error=AgentError("Claude is overloaded.")))
        asked = await run(editor, pick(actions(editor, uri), "Claude: Explain"))
        _, session = editor.face.projects.with_turn(asked.turn_id)
        await desk.heard.over(session.turn(asked.turn_id))
        assert editor.messages == ["Explain: Claude is overloaded."]

    async def test_code_of_a_long_answer_is_whole_after_a_restart(
        self, desk: Desk, editor: Editor, start, uri: str, tmp_path: Path
    ):
        """What start-up reads of it is cut: half a block must never replace the code."""
        long = "".join(f"x{number} = {number}\n" for number in range(4_000))
        await answered(desk, editor, uri, f"```python\n{long}```\n")
        await soon(editor.face.projects.close())
        again = await start()
        uri = await again.open(tmp_path / "shop" / "a.py", CODE)
        action = pick(actions(again, uri), "Claude: Replace")
        if action.command is not None:
            await run(again, action)
        else:
            again.apply(resolve(again.face, action).edit)
        assert long.rstrip("\n") in again.buffers[uri]
