"""Answers that have a JSON schema: streamed as they come, checked by the CLI, an error where they don't fit."""

from __future__ import annotations

import json

from agent_bench import finished, heard

from channelcoder_lsp.domain.agent import Retrying, StructuredDelta, TextDelta, ToolStarted
from channelcoder_lsp.domain.turn import ToolUse as ToolUsed
from channelcoder_lsp.offline.script import Cut, Failure, StructuredOutput, Text, ToolUse

SCHEMA = {
    "type": "object",
    "properties": {
        "findings": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"line": {"type": "integer"}, "message": {"type": "string"}},
                "required": ["line", "message"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["findings"],
    "additionalProperties": False,
}
FINDINGS = {"findings": [{"line": 1, "message": "grüßt niemanden 👋"}, {"line": 2, "message": "is never called"}]}
INVALID = {"findings": [{"line": "one"}]}


def told(events) -> str:
    """The JSON that someone has who follows the events."""
    text = ""
    for event in events:
        if isinstance(event, StructuredDelta):
            text = event.text if event.replace else text + event.text
    return text


async def test_the_json_is_heard_while_it_is_written(bench):
    """With the answer half written the first half is there; at the end the value is."""
    await bench.model.script(StructuredOutput(value=FINDINGS, hold_after=3))
    seen = []
    async with bench.connected(output_schema=SCHEMA) as connection:
        async for event in connection.ask("Review."):
            seen.append(event)
            if len(told(seen)) == 3 * 24:
                await bench.model.release()

    *events, end = seen
    assert len(events) > 1
    assert {type(event) for event in events} == {StructuredDelta}
    assert json.loads(told(events)) == FINDINGS
    assert (end.structured, end.answer, end.error, end.tools) == (FINDINGS, "", None, ())
    [request] = await bench.model.requests()
    [tool] = [tool for tool in request.tools if tool["name"] == "StructuredOutput"]
    assert tool["input_schema"]["properties"] == SCHEMA["properties"]


async def test_tools_and_text_come_before_it(bench):
    bench.file("app.py", "def greet(): ...")
    await bench.model.script(
        ToolUse(name="Read", input={"file_path": "app.py"}, text="Let me look."),
        ToolUse(name="StructuredOutput", input=FINDINGS, text="Two things."),
    )
    async with bench.connected(output_schema=SCHEMA) as connection:
        *events, end = await heard(connection, "Review.")

    assert [event for event in events if isinstance(event, ToolStarted)] == [
        ToolStarted(ToolUsed(name="Read", detail="app.py"))
    ]
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == "Let me look.\n\nTwo things."
    assert (end.answer, end.structured) == ("Let me look.\n\nTwo things.", FINDINGS)


async def test_an_answer_that_does_not_fit_is_given_anew(bench):
    """The model is told what is wrong; what it writes then takes the place of the first."""
    await bench.model.script(StructuredOutput(value=INVALID), StructuredOutput(value=FINDINGS))
    async with bench.connected(output_schema=SCHEMA) as connection:
        *events, end = await heard(connection, "Review.")

    assert json.loads(told(events)) == FINDINGS
    assert (end.structured, end.error) == (FINDINGS, None)
    assert "line: must be integer" in str((await bench.model.requests())[-1].messages)


async def test_an_answer_that_was_cut_begins_anew(bench):
    await bench.model.script(Cut(value=FINDINGS, after=2), StructuredOutput(value=FINDINGS))
    async with bench.connected(agent=bench.agent(max_retries=1), output_schema=SCHEMA) as connection:
        *events, end = await heard(connection, "Review.")

    assert any(isinstance(event, Retrying) for event in events)
    assert json.loads(told(events)) == FINDINGS
    assert (end.structured, end.error) == (FINDINGS, None)


async def test_answers_that_never_fit_are_an_error(bench):
    """It says what was wrong, and the last answer is kept as text."""
    await bench.model.script(StructuredOutput(value=INVALID, times="always"))
    async with bench.connected(output_schema=SCHEMA) as connection:
        end = await finished(connection, "Review.")

    assert end.structured is None
    assert "not in the form that was asked for" in end.error.message
    assert "must be integer" in end.error.message
    assert end.error.retryable
    assert json.loads(end.answer.removeprefix("```json\n").removesuffix("\n```")) == INVALID


async def test_plain_text_is_an_error(bench):
    """The CLI asks once more and then calls it a success: it is none. The text is kept."""
    await bench.model.script(Text(text="I would rather not.", times="always"))
    async with bench.connected(output_schema=SCHEMA) as connection:
        end = await finished(connection, "Review.")

    assert end.structured is None
    assert "not in the form that was asked for" in end.error.message
    assert "I would rather not." in end.answer
    assert len(await bench.model.requests()) == 2


async def test_a_refusal_of_the_service_is_told_as_such(bench):
    await bench.model.script(Failure(status=529, times="always"))
    async with bench.connected(output_schema=SCHEMA) as connection:
        end = await finished(connection, "Review.")
    assert "overloaded" in end.error.message


async def test_an_interrupt_in_the_middle_keeps_what_was_heard(bench):
    await bench.model.script(StructuredOutput(value=FINDINGS, hold_after=2))
    seen = []
    async with bench.connected(output_schema=SCHEMA) as connection:
        async for event in connection.ask("Review."):
            seen.append(event)
            if len(told(seen)) == 2 * 24:
                await connection.interrupt()
        assert (await finished(connection, "Again.")).error is None

    *events, end = seen
    assert (end.cancelled, end.error, end.structured) == (True, None, None)
    assert told(events) == json.dumps(FINDINGS)[: 2 * 24]


async def test_one_conversation_has_answers_of_both_kinds(bench):
    """A connection is opened for the one or the other; what was said before is known to both."""
    async with bench.connected() as plain:
        assert (await finished(plain, "What is it?")).structured is None
    await bench.model.script(StructuredOutput(value=FINDINGS))
    async with bench.connected(resume=plain.session_id, output_schema=SCHEMA) as structured:
        assert (await finished(structured, "Review.")).structured == FINDINGS
    async with bench.connected(resume=plain.session_id) as plain_again:
        end = await finished(plain_again, "And now?")

    assert (end.structured, end.error) == (None, None)
    last = (await bench.model.requests())[-1]
    assert last.earlier_questions == ["What is it?", "Review."]
    assert "StructuredOutput" not in last.tool_names
