"""What Claude Code wrote down, as turns: its own entries, read by the SDK's reader."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

from channelcoder_lsp.claude.transcripts import has_transcript, read_transcript
from channelcoder_lsp.domain.turn import TurnState

if TYPE_CHECKING:
    from pathlib import Path

    from channelcoder_lsp.domain.turn import Turn

SESSION = "27aef539-c284-49a3-8dde-722f760844e2"


class Written:
    """A transcript that is being written."""

    def __init__(self, config: Path) -> None:
        self.config = config
        self.file = config / "projects/-work-shop" / f"{SESSION}.jsonl"
        self.file.parent.mkdir(parents=True)
        self.file.touch()
        self._last: str | None = None
        self._second = 0

    def entry(self, **given: Any) -> None:
        with self.file.open("a") as file:
            file.write(json.dumps(given) + "\n")

    def message(self, role: str, content: Any, *, extra: dict[str, Any] | None = None, **message: Any) -> None:
        uuid = str(uuid4())
        self._second += 1
        self.entry(
            type=role,
            uuid=uuid,
            parentUuid=self._last,
            sessionId=SESSION,
            timestamp=f"2026-01-02T03:04:{self._second:02}.000Z",
            message={"role": role, "content": content, **message},
            **(extra or {}),
        )
        self._last = uuid

    def user(self, content: Any, **extra: Any) -> None:
        self.message("user", content, extra=extra)

    def assistant(self, *blocks: dict[str, Any], model: str = "claude-x", **message: Any) -> None:
        self.message("assistant", list(blocks), model=model, **message)

    async def turns(self) -> tuple[Turn, ...]:
        transcript = await read_transcript(SESSION, self.config, self.config)
        assert transcript is not None
        return transcript.turns


@pytest.fixture
def written(tmp_path: Path) -> Written:
    return Written(tmp_path)


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "text": words}


class TestTurns:
    async def test_are_questions_with_their_answers_and_times(self, written: Written):
        written.user("One")
        written.assistant(text("First."), id="m1", usage={"input_tokens": 3, "output_tokens": 4, "service": "x"})
        written.user([text("Two")])
        written.assistant(text("Second."), id="m2")
        one, two = await written.turns()
        assert (one.question, one.answer, one.state) == ("One", "First.", TurnState.DONE)
        assert (one.usage.input_tokens, one.usage.output_tokens, one.model) == (3, 4, "claude-x")
        assert (f"{one.asked:%S}", f"{one.finished:%S}", f"{two.asked:%S}") == ("01", "02", "03")
        assert (two.question, two.answer, two.session_id) == ("Two", "Second.", SESSION)

    async def test_have_the_same_ids_when_they_are_read_again(self, written: Written):
        written.user("One")
        first = await written.turns()
        written.assistant(text("First."))
        assert [turn.id for turn in await written.turns()] == [turn.id for turn in first]

    async def test_are_one_with_all_messages_and_tools_of_the_answer(self, written: Written):
        """A message of two blocks is two entries with one usage; what tools gave is no question."""
        usage = {"input_tokens": 3, "output_tokens": 4}
        written.user("One")
        written.assistant(text("Let me look."), id="m1", usage=usage)
        call = {"type": "tool_use", "id": "t1", "name": "Read", "input": {"file_path": str(written.config / "a.py")}}
        written.assistant(call, id="m1", usage=usage)
        written.user([{"type": "tool_result", "tool_use_id": "t1", "content": "x = 1"}])
        written.assistant(text("It is 1."), id="m2", usage=usage)
        (turn,) = await written.turns()
        assert turn.answer == "Let me look.\n\nIt is 1."
        assert [(tool.name, tool.detail) for tool in turn.tools] == [("Read", "a.py")]
        assert turn.usage.output_tokens == 8

    async def test_that_were_interrupted_are_cancelled_and_keep_what_had_come(self, written: Written):
        written.user("One")
        written.assistant(text("Well"))
        written.user("[Request interrupted by user]")
        (turn,) = await written.turns()
        assert (turn.state, turn.answer, turn.error) == (TurnState.CANCELLED, "Well", None)

    async def test_without_an_answer_failed(self, written: Written):
        written.user("One")
        (turn,) = await written.turns()
        assert (turn.state, turn.answer) == (TurnState.FAILED, "")
        assert "Ask again" in (turn.error or "")

    async def test_that_the_service_refused_failed_with_its_sentence(self, written: Written):
        written.user("One")
        written.assistant(text("API Error: 401"), model="<synthetic>")
        (turn,) = await written.turns()
        assert (turn.state, turn.error, turn.answer) == (TurnState.FAILED, "API Error: 401", "")


class TestAsides:
    async def test_are_no_turns(self, written: Written):
        """What the command line says to itself, and its own commands."""
        written.user("Caveat: the messages below were generated", isMeta=True)
        written.user("<command-name>/model</command-name><command-args></command-args>")
        written.user("<local-command-stdout>Set model</local-command-stdout>")
        written.user("<bash-input>ls</bash-input>")
        written.user("<bash-stdout>a.py</bash-stdout>")
        written.user("One")
        written.assistant(text("First."))
        assert [turn.question for turn in await written.turns()] == ["One"]

    async def test_a_command_that_claude_answers_is_one(self, written: Written):
        written.user("<command-name>/review</command-name>\n<command-args>a.py</command-args>")
        written.assistant(text("Looks well."))
        (turn,) = await written.turns()
        assert (turn.question, turn.answer) == ("/review a.py", "Looks well.")

    async def test_a_question_about_tags_is_a_question(self, written: Written):
        written.user("<div> is what?")
        written.assistant(text("A block."))
        assert [turn.question for turn in await written.turns()] == ["<div> is what?"]


class TestFiles:
    async def test_a_torn_last_line_is_left_out(self, written: Written):
        written.user("One")
        written.assistant(text("First."))
        with written.file.open("a") as file:
            file.write('{"type": "assistant", "uuid": "')
        (turn,) = await written.turns()
        assert turn.answer == "First."

    async def test_the_one_that_was_written_last_counts(self, written: Written):
        """A session that was resumed in another folder has a transcript in each."""
        written.user("One")
        written.assistant(text("First."))
        other = written.config / "projects/-work-elsewhere" / written.file.name
        other.parent.mkdir()
        other.write_text("")
        newer = written.file.stat().st_mtime + 5
        os.utime(written.file, (newer, newer))
        assert len(await written.turns()) == 1

    async def test_the_cost_is_what_was_told_last(self, written: Written):
        written.user("One")
        for cost in (0.5, 0.75):
            written.entry(type="cost-state", sessionId=SESSION, totalCostUSD=cost)
        transcript = await read_transcript(SESSION, written.config, written.config)
        assert transcript is not None
        assert transcript.cost_usd == 0.75

    async def test_that_is_not_there_is_none(self, tmp_path: Path):
        assert await read_transcript(SESSION, tmp_path, tmp_path) is None
        assert await read_transcript("../../etc/passwd", tmp_path, tmp_path) is None

    def test_an_empty_one_is_as_good_as_none(self, written: Written):
        assert not has_transcript(SESSION, written.config)
        written.user("One")
        assert has_transcript(SESSION, written.config)
        assert not has_transcript("*", written.config)
