"""What the CLI tells becomes the events of a turn: the SDK's own message classes in, our events out."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest
from claude_agent_sdk import (
    AssistantMessage,
    RateLimitEvent,
    RateLimitInfo,
    ResultMessage,
    StreamEvent,
    SystemMessage,
    TextBlock,
    ThinkingBlock,
    ToolUseBlock,
    UserMessage,
)

from channelcoder_lsp.claude.messages import AnswerReader, tool_detail
from channelcoder_lsp.domain.agent import (
    Finished,
    Retrying,
    StructuredDelta,
    TextDelta,
    TextReplaced,
    ToolStarted,
)
from channelcoder_lsp.domain.errors import AgentError, ApiError, BudgetUsedUpError
from channelcoder_lsp.domain.turn import ContextUse, ToolUse, Usage

PROJECT = Path("/home/me/project")


def start(**more):
    return StreamEvent(uuid="u", session_id="s", event={"type": "message_start", "message": {}}, **more)


def delta(text, kind="text_delta", **more):
    event = {"type": "content_block_delta", "index": 0, "delta": {"type": kind, "text": text}}
    return StreamEvent(uuid="u", session_id="s", event=event, **more)


def call(index=0, name="StructuredOutput"):
    block = {"type": "tool_use", "id": "t", "name": name, "input": {}}
    event = {"type": "content_block_start", "index": index, "content_block": block}
    return StreamEvent(uuid="u", session_id="s", event=event)


def json_delta(text, index=0):
    delta = {"type": "input_json_delta", "partial_json": text}
    return StreamEvent(uuid="u", session_id="s", event={"type": "content_block_delta", "index": index, "delta": delta})


def output(value):
    return whole(ToolUseBlock(id="t", name="StructuredOutput", input=value))


def whole(*blocks, **more):
    blocks = [TextBlock(block) if isinstance(block, str) else block for block in blocks]
    return AssistantMessage(**{"content": blocks, "model": "a-model", **more})


def result(**more):
    return ResultMessage(
        **{
            "subtype": "success",
            "duration_ms": 1,
            "duration_api_ms": 1,
            "is_error": False,
            "num_turns": 1,
            "session_id": "s",
            "terminal_reason": "completed",
            **more,
        }
    )


def read(*messages, **reader):
    reader = AnswerReader(cwd=PROJECT, **reader)
    return [event for message in messages for event in reader.read(message)]


class TestContext:
    """How full it is: what the last request took, and its answer."""

    WINDOWS: ClassVar = {"claude-x": {"contextWindow": 200_000}, "small": {"contextWindow": 1}}

    @staticmethod
    def request(tokens: dict[str, int], output: int, reason: str = "end_turn") -> list[StreamEvent]:
        usage = {**tokens, "output_tokens": 1}
        begin = {"type": "message_start", "message": {"usage": usage}}
        end = {"type": "message_delta", "delta": {"stop_reason": reason}, "usage": {"output_tokens": output}}
        return [StreamEvent(uuid="u", session_id="s", event=event) for event in (begin, end)]

    def test_is_that_of_the_last_request_with_what_came_from_the_cache(self):
        first = self.request({"input_tokens": 100}, 10, "tool_use")
        last = self.request(
            {"input_tokens": 3, "cache_read_input_tokens": 1000, "cache_creation_input_tokens": 200}, 40
        )
        end = read(*first, *last, whole("Hello.", model="claude-x"), result(model_usage=self.WINDOWS))[-1]
        assert end.context == ContextUse(tokens=1243, window=200_000)

    def test_is_known_without_the_window(self):
        (end,) = read(*self.request({"input_tokens": 100}, 10), result())
        assert end.context == ContextUse(tokens=110)

    def test_is_not_known_when_nothing_was_asked_of_the_service(self):
        (end,) = read(result(model_usage=self.WINDOWS))
        assert end.context is None

    @pytest.mark.parametrize(("reason", "complete"), [("end_turn", True), ("tool_use", False), ("max_tokens", False)])
    def test_an_answer_beyond_the_budget_is_complete_if_claude_said_all(self, reason: str, *, complete: bool):
        over = result(subtype="error_max_budget_usd", is_error=True)
        (end,) = read(*self.request({"input_tokens": 100}, 10, reason), over)
        assert isinstance(end.error, BudgetUsedUpError)
        assert end.error.complete == complete


class TestText:
    def test_deltas_are_handed_on_and_not_repeated_by_the_whole(self):
        events = read(start(), delta("Hel"), delta("lo."), whole("Hello."), result())
        assert events[:-1] == [TextDelta("Hel"), TextDelta("lo.")]
        assert events[-1].answer == "Hello."

    def test_text_that_was_not_streamed_comes_as_one(self):
        events = read(whole("Hello."), whole("Again."), result())
        assert events[:-1] == [TextDelta("Hello."), TextDelta("\n\nAgain.")]
        assert events[-1].answer == "Hello.\n\nAgain."

    def test_blocks_are_parted_by_a_blank_line(self):
        events = read(
            start(), delta("One."), whole("One."), delta("Two."), whole("Two."), start(), delta("Three."), result()
        )
        assert events[:-1] == [TextDelta("One."), TextDelta("\n\nTwo."), TextDelta("\n\nThree.")]
        assert events[-1].answer == "One.\n\nTwo.\n\nThree."

    def test_a_cut_block_is_taken_back_when_it_is_repeated(self):
        """What was shown stays until there is something to put in its place."""
        events = read(start(), delta("One, t"), start(), delta("One, "), delta("two."), whole("One, two."), result())
        assert events[:-1] == [TextDelta("One, t"), TextReplaced("One, "), TextDelta("two.")]
        assert events[-1].answer == "One, two."

    def test_what_was_complete_before_the_cut_stays(self):
        """The CLI keeps whole blocks and asks to go on from them."""
        events = read(
            start(), delta("One."), whole("One."), delta("Tw"), start(), delta("Two."), whole("Two."), result()
        )
        assert events[:-1] == [TextDelta("One."), TextDelta("\n\nTw"), TextReplaced("One.\n\nTwo.")]
        assert events[-1].answer == "One.\n\nTwo."

    def test_a_whole_that_differs_from_its_deltas_wins(self):
        events = read(start(), delta("Hello"), whole("Hullo."), result())
        assert events[:-1] == [TextDelta("Hello"), TextReplaced("Hullo.")]
        assert events[-1].answer == "Hullo."

    def test_a_cut_stream_repeated_without_deltas(self):
        events = read(start(), delta("Hel"), start(), whole("Hello."), result())
        assert events[:-1] == [TextDelta("Hel"), TextReplaced("Hello.")]

    def test_thinking_and_empty_texts_are_not_part_of_the_answer(self):
        events = read(
            start(),
            delta("Hm", kind="thinking_delta"),
            whole(ThinkingBlock(thinking="Hm.", signature="x")),
            delta(""),
            whole(""),
            delta("Yes."),
            whole("Yes."),
            result(),
        )
        assert events[:-1] == [TextDelta("Yes.")]

    def test_what_a_subagent_says_is_not(self):
        events = read(
            start(parent_tool_use_id="t"),
            delta("Sub.", parent_tool_use_id="t"),
            whole("Sub.", parent_tool_use_id="t"),
            result(),
        )
        assert [event.answer for event in events] == [""]

    def test_the_result_s_text_is_the_answer_when_nothing_else_was_said(self):
        [end] = read(result(result="Said by the CLI itself."))
        assert end.answer == "Said by the CLI itself."

    def test_other_messages_say_nothing(self):
        assert (
            read(UserMessage("[Request interrupted by user]"), SystemMessage("status", {}), SystemMessage("new", {}))
            == []
        )


class TestTools:
    def test_a_use_is_told_when_it_starts_and_at_the_end(self):
        tool = ToolUseBlock(id="t", name="Read", input={"file_path": "/home/me/project/src/a.py"})
        [started, end] = read(whole(tool), result())
        assert started == ToolStarted(ToolUse(name="Read", detail="src/a.py"))
        assert end.tools == (started.tool,)

    @pytest.mark.parametrize(
        ("name", "arguments", "detail"),
        [
            ("Read", {"file_path": "/home/me/project/src/a.py", "offset": 10}, "src/a.py:10"),
            ("Read", {"file_path": "/etc/passwd"}, "/etc/passwd"),
            ("Read", {}, "None"),
            ("Grep", {"pattern": "def f", "path": "/home/me/project/src"}, '"def f" in src'),
            ("Grep", {"pattern": "a\nb"}, '"a b" in the folder'),
            ("Glob", {"pattern": "**/*.py"}, "**/*.py in the folder"),
            ("mcp__x__y", {"uri": "file:///a", "n": 1}, "uri: file:///a, n: 1"),
        ],
    )
    def test_the_detail_is_one_line(self, name, arguments, detail):
        assert tool_detail(name, arguments, PROJECT) == detail

    def test_a_long_or_disguised_detail_is_cut_and_cleaned(self):
        detail = tool_detail("Grep", {"pattern": "\x1b[31m" + "x" * 1000}, PROJECT)
        assert len(detail) == 160
        assert detail.endswith("…")
        assert detail.isprintable()


class TestStructuredAnswers:
    """The JSON of the calls of the CLI's tool, as it comes; what counts is what the result says."""

    def test_json_is_handed_on_as_it_is_streamed(self):
        """The call is no tool that someone should be told about."""
        events = read(
            start(),
            delta("Here."),
            whole("Here."),
            call(1),
            json_delta("", 1),
            json_delta('{"a"', 1),
            json_delta(": 1}", 1),
            output({"a": 1}),
            result(structured_output={"a": 1}, result='{"a":1}'),
            structured=True,
        )
        assert events[:-1] == [TextDelta("Here."), StructuredDelta('{"a"'), StructuredDelta(": 1}")]
        assert (events[-1].structured, events[-1].answer, events[-1].error) == ({"a": 1}, "Here.", None)
        assert events[-1].tools == ()

    def test_an_answer_without_text_is_none(self):
        """The result repeats the JSON as text: that is not the answer's."""
        [_, end] = read(output({"a": 1}), result(structured_output={"a": 1}, result='{"a":1}'), structured=True)
        assert (end.answer, end.structured) == ("", {"a": 1})

    def test_a_second_call_begins_anew(self):
        """The first was not valid."""
        events = read(
            *(start(), call(), json_delta('{"a"'), json_delta(": 0}"), output({"a": 0})),
            *(start(), call(), json_delta('{"a"'), json_delta(": 1}"), output({"a": 1})),
            result(structured_output={"a": 1}),
            structured=True,
        )
        assert events[2:-1] == [StructuredDelta('{"a"', replace=True), StructuredDelta(": 1}")]

    def test_a_call_that_was_cut_begins_anew(self):
        events = read(
            *(start(), call(1), json_delta('{"a"', 1)),
            *(start(), call(), json_delta('{"a": 1}'), output({"a": 1})),
            result(structured_output={"a": 1}),
            structured=True,
        )
        assert events[:-1] == [StructuredDelta('{"a"'), StructuredDelta('{"a": 1}', replace=True)]

    def test_a_call_that_was_not_streamed_comes_as_one(self):
        events = read(output({"ä": 1}), output({"ä": 2}), result(structured_output={"ä": 2}), structured=True)
        assert events[:-1] == [StructuredDelta('{"ä": 1}'), StructuredDelta('{"ä": 2}', replace=True)]

    def test_a_whole_that_differs_from_its_deltas_wins(self):
        events = read(
            start(), call(), json_delta('{"a":'), output({"a": 1}), result(structured_output={"a": 1}), structured=True
        )
        assert events[:-1] == [StructuredDelta('{"a":'), StructuredDelta('{"a": 1}', replace=True)]

    def test_the_json_of_other_tools_is_not_part_of_it(self):
        events = read(start(), call(name="Read"), json_delta("{}"), call(1), json_delta("{", 1), structured=True)
        assert events == [StructuredDelta("{")]

    def test_an_answer_in_plain_text_is_an_error_with_the_text_kept(self):
        """The CLI calls that a success."""
        [*_, end] = read(whole("I can't."), result(result="I can't."), structured=True)
        assert end.answer == "I can't."
        assert "not in the form that was asked for" in end.error.message
        assert end.error.retryable

    def test_answers_that_were_never_valid_are_an_error_with_the_last_one_kept(self):
        reason = "Failed to provide valid structured output after 5 attempts — must have a line"
        failed = result(subtype="error_max_structured_output_retries", is_error=True, errors=[reason])
        [*_, end] = read(output({"a": 0}), failed, structured=True)
        assert end.answer == '```json\n{"a": 0}\n```'
        assert end.structured is None
        assert "not in the form that was asked for" in end.error.message
        assert "must have a line" in end.error.message

    def test_an_interrupted_one_is_cancelled(self):
        aborted = result(subtype="error_during_execution", is_error=True, terminal_reason="aborted_streaming")
        [*_, end] = read(start(), call(), json_delta("{"), aborted, structured=True)
        assert (end.cancelled, end.error, end.structured, end.answer) == (True, None, None, "")

    def test_nothing_of_this_where_text_was_asked_for(self):
        [end] = read(result(result="Said by the CLI itself."))
        assert (end.error, end.structured) == (None, None)


class TestEnds:
    def test_a_turn_that_went_well(self):
        usage = {"input_tokens": 1, "output_tokens": 2, "cache_read_input_tokens": None, "server_tool_use": {}}
        [_, end] = read(whole("Yes."), result(usage=usage, total_cost_usd=0.5), spent_usd=0.2)
        assert end == Finished(
            answer="Yes.",
            session_id="s",
            model="a-model",
            usage=Usage(input_tokens=1, output_tokens=2),
            cost_usd=pytest.approx(0.3),
            cumulative_cost_usd=0.5,
        )

    def test_a_cost_that_was_counted_from_nought(self):
        """The CLI may have lost its count: a total below what was spent is the turn's own."""
        assert read(result(total_cost_usd=0.1), spent_usd=0.2)[0].cost_usd == pytest.approx(0.1)

    def test_no_cost_at_all(self):
        [end] = read(result(total_cost_usd=None))
        assert (end.cost_usd, end.cumulative_cost_usd) == (0, None)

    @pytest.mark.parametrize("reason", ["aborted_streaming", "aborted_tools"])
    def test_an_interrupted_turn_is_cancelled_and_not_failed(self, reason):
        events = read(
            start(), delta("Hel"), result(subtype="error_during_execution", is_error=True, terminal_reason=reason)
        )
        assert (events[-1].cancelled, events[-1].error, events[-1].answer) == (True, None, "Hel")

    def test_a_refusal_of_the_service_is_not_part_of_the_answer(self):
        """The CLI says it in a message of its own making."""
        events = read(
            SystemMessage("init", {"model": "the-default"}),
            whole("API Error: 529 Overloaded.", model="<synthetic>", error="server_error"),
            result(is_error=True, api_error_status=529, result="API Error: 529 Overloaded."),
        )
        [end] = events
        assert (end.answer, end.model) == ("", "the-default")
        assert isinstance(end.error, ApiError)
        assert end.error.status == 529

    def test_errors_of_the_cli_itself(self):
        [end] = read(result(subtype="error_max_turns", is_error=True, terminal_reason="max_turns"))
        assert isinstance(end.error, AgentError)
        assert "more steps" in end.error.message

    def test_a_limit_says_when_it_is_lifted(self, monkeypatch):
        monkeypatch.setattr("time.time", lambda: 1_000_000.0)
        limit = RateLimitEvent(RateLimitInfo(status="rejected", resets_at=1_000_000 + 600), uuid="u", session_id="s")
        [end] = read(limit, result(is_error=True, api_error_status=429, result="Limit reached."))
        assert "Ask again in 10 minutes." in end.error.message


def test_a_retry_is_told_with_its_reason():
    data = {"attempt": 1, "max_retries": 2, "retry_delay_ms": 550, "error_status": 529, "error": "overloaded"}
    assert read(SystemMessage("api_retry", data)) == [Retrying(1, 2, 0.55, "Claude is overloaded")]
    data = {"attempt": 1, "max_retries": 2, "retry_delay_ms": 550, "error_status": None, "error": "unknown"}
    assert read(SystemMessage("api_retry", data)) == [
        Retrying(1, 2, 0.55, "the connection to Claude was lost or refused")
    ]
