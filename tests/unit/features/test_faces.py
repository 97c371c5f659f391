"""Hover, code lens and documents: what is shown of turns, from memory."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types as lsp
from services.desk import Desk, Reply, ScriptedAgent, soon

from channelcoder_lsp import protocol
from channelcoder_lsp.domain.errors import AgentError
from channelcoder_lsp.domain.model import now
from channelcoder_lsp.domain.turn import Turn, TurnState
from channelcoder_lsp.features import commands
from channelcoder_lsp.features.arguments import parse
from channelcoder_lsp.features.code_lens import code_lenses
from channelcoder_lsp.features.documents import turn_document
from channelcoder_lsp.features.hover import hover
from channelcoder_lsp.features.render import age, facts
from channelcoder_lsp.features.table import HANDLERS
from channelcoder_lsp.services.owner import this_process

from .editor import CODE, Editor

TOTAL = {"start": {"line": 3, "character": 0}, "end": {"line": 5, "character": 17}}


def ask_arguments(uri: str, **more: Any) -> protocol.AskArguments:
    return parse(protocol.ASK, [{"uri": uri, "range": TOTAL, "question": "What is it?", **more}])


async def answered(desk: Desk, editor: Editor, uri: str, reply: Reply | None = None, **more: Any) -> Turn:
    desk.agent.will(reply or Reply())
    asked = await commands.ask(editor.face, ask_arguments(uri, **more))
    _, session = editor.face.projects.with_turn(asked.turn_id)
    await desk.heard.over(session.turn(asked.turn_id))
    return session.turn(asked.turn_id)


def hovered(editor: Editor, uri: str, line: int = 4, character: int = 0) -> str | None:
    params = lsp.HoverParams(lsp.TextDocumentIdentifier(uri), lsp.Position(line, character))
    found = hover(editor.face, params)
    assert found is None or isinstance(found.contents, lsp.MarkupContent)
    return found.contents.value if found else None


def lenses(editor: Editor, uri: str) -> list[tuple[int, str]]:
    """The lenses as editors join them, by line."""
    found = code_lenses(editor.face, lsp.CodeLensParams(lsp.TextDocumentIdentifier(uri)))
    lines: dict[int, list[str]] = {}
    for lens in found:
        lines.setdefault(lens.range.start.line, []).append(lens.command.title)
    return [(line, " | ".join(titles)) for line, titles in lines.items()]


@pytest.fixture
async def uri(editor: Editor, tmp_path: Path) -> str:
    return await editor.open(tmp_path / "shop" / "a.py", CODE)


class TestHover:
    """The answers about the code under the cursor."""

    async def test_on_the_code_and_nowhere_else(self, desk: Desk, editor: Editor, uri: str):
        """Also beside it on its lines, and past their ends."""
        await answered(desk, editor, uri)
        for line in (3, 4, 5):
            assert "An answer." in hovered(editor, uri, line, 99)
        assert [hovered(editor, uri, line) for line in (0, 2, 6, 8, 99)] == [None] * 5

    async def test_question_model_and_cost_stand_over_the_answer(self, desk: Desk, editor: Editor, uri: str):
        """In one line each."""
        await answered(desk, editor, uri)
        first, question, text = hovered(editor, uri).split("\n\n")
        assert first == "**Claude** · just now · claude-test · $0.5000"
        assert (question, text) == ("> What is it?", "An answer.")

    async def test_older_questions_are_named_below_the_newest_answer(self, desk: Desk, editor: Editor, uri: str):
        """Asking again about the same code goes on with its thread."""
        await answered(desk, editor, uri, question="one")
        await answered(desk, editor, uri, Reply(pieces=("Second answer.",)), question="two")
        shown = hovered(editor, uri)
        assert shown.index("> two") < shown.index("Second answer.") < shown.index("Earlier here:")
        assert "- one (just now)" in shown

    async def test_an_answer_on_its_way_is_shown_as_far_as_it_has_come(
        self, desk: Desk, editor: Editor, uri: str, agent: ScriptedAgent
    ):
        """And says that it is."""
        held = agent.will(Reply(pieces=("Half ", "of it"), held=True))
        asked = await commands.ask(editor.face, ask_arguments(uri))
        await soon(held.streamed.wait())
        assert hovered(editor, uri).endswith("Half of it\n\n*answering…*")
        assert lenses(editor, uri) == [(3, "Claude is answering… | Resolve")]
        held.go.set()
        _, session = editor.face.projects.with_turn(asked.turn_id)
        await desk.heard.over(session.turn(asked.turn_id))
        assert lenses(editor, uri) == [(3, "Claude: 1 answer | Resolve")]

    async def test_a_failed_turn_says_why(self, desk: Desk, editor: Editor, uri: str):
        """With what had come."""
        await answered(desk, editor, uri, Reply(pieces=("Half",), error=AgentError("Claude is overloaded.")))
        assert hovered(editor, uri).endswith("Half\n\n**Failed:** Claude is overloaded.")

    async def test_a_changed_place_says_so(self, desk: Desk, editor: Editor, uri: str):
        """So that one does not take an answer for true that was about other code; typing above it changes nothing."""
        await answered(desk, editor, uri)
        zero = lsp.Range(lsp.Position(0, 0), lsp.Position(0, 0))
        editor.change(uri, [(zero, "# first\n")])
        assert "since" not in hovered(editor, uri, 5)
        inside = lsp.Range(lsp.Position(5, 4), lsp.Position(5, 4))
        editor.change(uri, [(inside, "x = ")])
        assert "the code changed since" in hovered(editor, uri)

    async def test_a_long_answer_is_bounded_and_says_where_the_rest_is(self, desk: Desk, editor: Editor, uri: str):
        """A setting."""
        desk.set(hover_max_chars=500)
        await answered(desk, editor, uri, Reply(pieces=("word " * 1000,)))
        shown = hovered(editor, uri)
        assert len(shown) < 900
        assert "This is not all of it" in shown

    async def test_nothing_of_an_answer_acts(self, desk: Desk, editor: Editor, uri: str):
        """A model's text is hostile."""
        text = "[run](command:evil) ![i](https://evil/x.png) <img src=https://evil>"
        await answered(desk, editor, uri, Reply(pieces=(text,)), question=text)
        shown = hovered(editor, uri)
        assert "](command:" not in shown
        assert "![" not in shown
        assert "<img" not in shown.replace("\\<img", "")

    async def test_settings_turn_it_off(self, desk: Desk, editor: Editor, uri: str):
        """Hover and lenses by themselves."""
        await answered(desk, editor, uri)
        desk.set(hover=False)
        assert hovered(editor, uri) is None
        assert lenses(editor, uri) != []
        desk.set(code_lens=False)
        assert lenses(editor, uri) == []


class TestLenses:
    """Above code that has answers."""

    async def test_answers_are_counted(self, desk: Desk, editor: Editor, uri: str):
        """Of each thread."""
        await answered(desk, editor, uri)
        await answered(desk, editor, uri, question="And?")
        assert lenses(editor, uri) == [(3, "Claude: 2 answers | Resolve")]

    async def test_several_threads_on_a_line_are_numbered(self, desk: Desk, editor: Editor, uri: str):
        """In a list of lenses to choose from one can tell what is resolved; of many the rest is one lens."""
        await answered(desk, editor, uri)
        one_line = {"start": {"line": 3, "character": 4}, "end": {"line": 3, "character": 9}}
        await answered(desk, editor, uri, range=one_line)
        shown = "Claude (1): 1 answer | Resolve (1) | Claude (2): 1 answer | Resolve (2)"
        assert lenses(editor, uri) == [(3, shown)]
        for end in (6, 7):
            await answered(desk, editor, uri, range={**one_line, "end": {"line": 3, "character": end}})
        assert [title.rpartition(" | ")[2] for _, title in lenses(editor, uri)] == ["Claude: 1 more thread"]

    async def test_how_the_last_one_ended(self, desk: Desk, editor: Editor, uri: str):
        """Failed, with or without answers before it."""
        await answered(desk, editor, uri, Reply(error=AgentError("No.")))
        assert lenses(editor, uri) == [(3, "Claude: failed | Resolve")]
        await answered(desk, editor, uri)
        await answered(desk, editor, uri, Reply(error=AgentError("No.")))
        assert lenses(editor, uri) == [(3, "Claude: 1 answer · the last one failed | Resolve")]

    async def test_a_client_that_takes_input_can_go_on(self, desk: Desk, start, tmp_path: Path):
        """In the thread, at its place."""
        editor = await start(ours={"input": True})
        uri = await editor.open(tmp_path / "shop" / "a.py", CODE)
        turn = await answered(desk, editor, uri)
        found = code_lenses(editor.face, lsp.CodeLensParams(lsp.TextDocumentIdentifier(uri)))
        assert [lens.command.title for lens in found] == ["Claude: 1 answer", "Reply", "Resolve"]
        assert [lens.command.command for lens in found[1:]] == [
            "channelcoder.thread.reply",
            "channelcoder.thread.resolve",
        ]
        assert [lens.command.arguments for lens in found] == [[{"threadId": turn.thread_id}]] * 3

    async def test_a_document_that_is_not_open_has_none(self, editor: Editor):
        """Nor a hover."""
        assert lenses(editor, "file:///nowhere.py") == []
        assert hovered(editor, "file:///nowhere.py") is None


class TestDocuments:
    """Turns as Markdown documents."""

    async def test_a_turn_shows_exactly_what_was_sent(self, desk: Desk, editor: Editor, uri: str, agent: ScriptedAgent):
        """The prompt to the character, and what it took."""
        turn = await answered(desk, editor, uri)
        shown = await commands.turn_show(editor.face, protocol.TurnArguments(turn.id))
        assert agent.prompts[0] in shown.markdown
        for part in ("# What is it?", "An answer.", "claude-test", "$0.5000", turn.id):
            assert part in shown.markdown
        assert Path(shown.uri.removeprefix("file://")).read_text() == shown.markdown

    async def test_a_thread_shows_its_code_and_all_its_answers(self, desk: Desk, editor: Editor, uri: str):
        """The code as it was."""
        turn = await answered(desk, editor, uri, question="one")
        await answered(desk, editor, uri, question="two")
        shown = await HANDLERS[protocol.THREAD_SHOW.name](editor.face, protocol.ThreadArguments(turn.thread_id))
        assert shown.markdown.startswith("# a.py, lines 4 to 6")
        assert "def total(items):\n    result = sum(items)" in shown.markdown
        assert shown.markdown.index("## one") < shown.markdown.index("## two")

    @pytest.mark.parametrize("end", ["\n", "\r", "\r\n"], ids=["lf", "cr", "crlf"])
    def test_no_line_of_a_prompt_closes_its_fence(self, end: str):
        """Whatever stands in it."""
        prompt = end.join(["a", "`````", "[run](command:evil)"])
        shown = turn_document(Turn(question="Q", prompt=prompt, state=TurnState.DONE), "")
        assert "``````\na" in shown

    @pytest.mark.parametrize(
        ("seconds", "text"),
        [(-5, "just now"), (59, "just now"), (60, "1 min ago"), (7200, "2 h ago"), (2e5, "2 d ago")],
    )
    def test_age(self, seconds: int, text: str):
        """In the largest unit that fits; a clock that went back is no trouble."""
        assert age(now() - timedelta(seconds=seconds)) == text

    def test_the_author_is_named(self):
        """Where one is set."""
        assert facts(Turn(author="Ada")) == "just now · Ada"
        assert facts(Turn(author="Ada", owner="elsewhere:1:0.00")) == "just now · Ada"

    def test_whoever_asks_on_this_machine_knows(self):
        assert facts(Turn(author="Ada", owner=this_process())) == "just now"
