"""What is heard of a question waits for its reader, bounded and in order."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from channelcoder_lsp.claude.messages import AnswerReader
from channelcoder_lsp.claude.turn import OngoingTurn
from channelcoder_lsp.domain.agent import (
    Finished,
    Retrying,
    StructuredDelta,
    TextDelta,
    TextReplaced,
    ToolStarted,
)
from channelcoder_lsp.domain.errors import AgentGoneError
from channelcoder_lsp.domain.turn import ToolUse

TOOL = ToolStarted(ToolUse(name="Read", detail="a.py"))
END = Finished(answer="all", session_id="s")


@pytest.fixture
def turn():
    return OngoingTurn(AnswerReader(cwd=Path("/p")))


async def all_of(turn, count):
    with anyio.fail_after(5):
        return [await turn.next() for _ in range(count)]


async def test_deltas_that_wait_together_come_as_one(turn):
    for event in (TextDelta("a"), TextDelta("b"), TOOL, TextDelta("c"), TextDelta("d"), END):
        turn.put(event)
    assert await all_of(turn, 4) == [TextDelta("ab"), TOOL, TextDelta("cd"), END]


async def test_a_replacement_takes_the_place_of_the_text_that_waits(turn):
    retrying = Retrying(1, 2, 0.5, "why")
    for event in (
        TextDelta("a"),
        TOOL,
        TextDelta("b"),
        retrying,
        TextReplaced("c"),
        TextDelta("d"),
        TextReplaced("e"),
        END,
    ):
        turn.put(event)
    assert await all_of(turn, 4) == [TOOL, retrying, TextReplaced("e"), END]


async def test_json_that_waits_together_comes_as_one_and_apart_from_the_text(turn):
    for event in (
        StructuredDelta('{"a"'),
        StructuredDelta(": 1"),
        TextDelta("a"),
        TextDelta("b"),
        StructuredDelta("}"),
        END,
    ):
        turn.put(event)
    assert await all_of(turn, 4) == [StructuredDelta('{"a": 1'), TextDelta("ab"), StructuredDelta("}"), END]


async def test_json_that_begins_anew_takes_the_place_of_the_json_that_waits(turn):
    """And says so even if all of what it replaces was never handed out; the text stays."""
    for event in (
        StructuredDelta("one"),
        TextDelta("a"),
        StructuredDelta("two", replace=True),
        StructuredDelta(" more"),
        TOOL,
        StructuredDelta(" still"),
        TextReplaced("b"),
        END,
    ):
        turn.put(event)
    expected = [StructuredDelta("two more", replace=True), TOOL, StructuredDelta(" still"), TextReplaced("b"), END]
    assert await all_of(turn, 5) == expected


async def test_replacements_of_json_follow_each_other(turn):
    turn.put(StructuredDelta("one"))
    assert await all_of(turn, 1) == [StructuredDelta("one")]
    for event in (
        StructuredDelta("two", replace=True),
        StructuredDelta("three", replace=True),
        StructuredDelta("!"),
        END,
    ):
        turn.put(event)
    assert await all_of(turn, 2) == [StructuredDelta("three!", replace=True), END]


async def test_a_reader_waits_for_what_comes(turn):
    async with anyio.create_task_group() as group:
        heard = []

        async def listen():
            heard.extend([await turn.next(), await turn.next()])

        group.start_soon(listen)
        await anyio.wait_all_tasks_blocked()
        turn.put(TextDelta("a"))
        await anyio.wait_all_tasks_blocked()
        assert heard == []
        turn.put(END)
    assert heard == [TextDelta("a"), END]


async def test_a_failure_comes_after_what_was_heard(turn):
    turn.put(TextDelta("a"))
    turn.fail(AgentGoneError("gone"))
    assert await all_of(turn, 1) == [TextDelta("a")]
    with pytest.raises(AgentGoneError):
        await turn.next()


async def test_a_failure_after_the_end_changes_nothing(turn):
    turn.put(END)
    turn.fail(AgentGoneError("gone"))
    assert await all_of(turn, 1) == [END]
