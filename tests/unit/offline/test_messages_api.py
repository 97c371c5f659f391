"""The offline model as a server of the Messages API, byte by byte."""

from __future__ import annotations

import http.client
import json

import anyio.to_thread
import pytest

from channelcoder_lsp.offline.answer import FIRST_LINE
from channelcoder_lsp.offline.script import (
    Cut,
    Failure,
    Long,
    Malformed,
    Reset,
    StreamError,
    StructuredOutput,
    Text,
    ToolCall,
    ToolUse,
    Usage,
)

ASKED = {"model": "claude-x", "max_tokens": 100, "messages": [{"role": "user", "content": "Why?"}]}


def deltas(streamed, kind="text_delta", key="text"):
    return [event["delta"][key] for event in streamed if event.get("delta", {}).get("type") == kind]


class TestPlainAnswers:
    async def test_a_stream_has_the_api_s_events_in_order(self, wire):
        """From message_start to message_stop, with the answer in chunks of a few words."""
        streamed = await wire.stream()
        names = [event["type"] for event in streamed]
        chunks = deltas(streamed)
        assert names == [
            "message_start",
            "ping",
            "content_block_start",
            *["content_block_delta"] * len(chunks),
            "content_block_stop",
            "message_delta",
            "message_stop",
        ]
        assert "".join(chunks).startswith(FIRST_LINE)
        assert all(1 <= len(chunk.split()) <= 4 for chunk in chunks)

    async def test_a_plain_request_gets_the_same_answer_as_json(self, wire):
        """Streamed or not, the text is the same."""
        message = await wire.question("Why?")
        assert message["content"] == [{"type": "text", "text": "".join(deltas(await wire.stream()))}]
        assert (message["type"], message["role"], message["model"]) == ("message", "assistant", "claude-x")
        assert message["stop_reason"] == "end_turn"
        assert message["usage"]["input_tokens"] > 0
        assert message["usage"]["output_tokens"] > 0

    async def test_message_ids_never_repeat(self, wire):
        """The CLI takes two messages of one id for one."""
        assert (await wire.question("Why?"))["id"] != (await wire.question("Why?"))["id"]

    async def test_a_structured_answer_fits_its_schema(self, wire):
        """Asked for JSON the model gives an example of it, asked through a tool it calls the tool."""
        schema = {"type": "object", "properties": {"title": {"type": "string"}, "n": {"type": "integer"}}}
        formatted = {"format": {"type": "json_schema", "schema": schema}}
        message = await wire.question("Name this session", output_config=formatted)
        assert json.loads(message["content"][0]["text"]) == {"title": "Name this session", "n": 1}
        tool = {"name": "StructuredOutput", "input_schema": schema}
        message = await wire.question("Q", tools=[tool])
        assert message["stop_reason"] == "tool_use"
        assert set(message["content"][0]["input"]) == {"title", "n"}


class TestOtherRoutes:
    async def test_tokens_are_counted(self, wire):
        """More text, more tokens."""
        few = json.loads((await wire.ask(path="/v1/messages/count_tokens"))[2])["input_tokens"]
        longer = {**ASKED, "system": "x" * 4000}
        many = json.loads((await wire.ask(longer, path="/v1/messages/count_tokens"))[2])["input_tokens"]
        assert 0 < few < 100
        assert many - few >= 1000

    async def test_it_answers_the_cli_s_probes(self, wire):
        """The root can be asked for its headers, and the models be listed."""
        assert (await wire.ask(method="HEAD", path="/"))[0] == 200
        status, _, body = await wire.ask(method="GET", path="/v1/models")
        assert status == 200
        assert [model["id"] for model in json.loads(body)["data"]] == ["offline-model"]

    @pytest.mark.parametrize(
        ("asked", "status", "kind"),
        [
            ({"method": "GET", "path": "/v1/elsewhere"}, 404, "not_found_error"),
            ({"method": "GET"}, 405, "invalid_request_error"),
            ({"body": b"{"}, 400, "invalid_request_error"),
            ({"body": b"{}"}, 400, "invalid_request_error"),
            ({"body": {**ASKED, "messages": []}}, 400, "invalid_request_error"),
            ({"body": json.dumps({**ASKED, "system": "\ud83d"}).encode()}, 400, "invalid_request_error"),
        ],
    )
    async def test_what_it_can_not_serve_gets_the_api_s_error(self, wire, asked, status, kind):
        """Every error has the body that the API documents, and a request id."""
        got, headers, answer = await wire.ask(**asked)
        error = json.loads(answer)
        assert (got, error["type"], error["error"]["type"]) == (status, "error", kind)
        assert error["error"]["message"]
        assert headers["request-id"].startswith("req_")


class TestScriptedAnswers:
    async def test_replies_are_used_in_order_then_the_plain_answer_returns(self, model, wire):
        """First in, first out, one per request; `times` repeats one."""
        await model.script("One.", Text(text="Two.", times=2))
        answers = [(await wire.question("Why?"))["content"][0]["text"] for _ in range(4)]
        assert answers[:3] == ["One.", "Two.", "Two."]
        assert answers[3].startswith(FIRST_LINE)

    async def test_a_reply_can_serve_for_good(self, model, wire):
        """Until the model is cleared."""
        await model.script(Text(text="Again.", times="always"))
        assert [(await wire.question("Why?"))["content"][0]["text"] for _ in range(3)] == ["Again."] * 3
        await model.clear()
        assert (await wire.question("Why?"))["content"][0]["text"].startswith(FIRST_LINE)

    async def test_a_reply_can_wait_for_its_question(self, model, wire):
        """Sessions that run side by side each get what is meant for them."""
        await model.script(Text(text="B!", when="about B"), Text(text="A!", when="about A"))
        assert (await wire.question("What about A?"))["content"][0]["text"] == "A!"
        assert (await wire.question("What about B?"))["content"][0]["text"] == "B!"

    async def test_side_requests_take_no_reply(self, model, wire):
        """A title or a count of tokens leaves the queue as it is, unless a reply is meant for it."""
        await model.script("For the turn.", Text(text="A title", to="side"))
        await wire.ask(path="/v1/messages/count_tokens")
        side = await wire.question("Q", system="Generate a title.")
        assert side["content"][0]["text"] == "A title"
        assert (await wire.question("Q"))["content"][0]["text"] == "For the turn."

    async def test_a_tool_call_streams_its_input(self, model, wire):
        """Text first, then the calls, their input in pieces of JSON."""
        given = {"file_path": "a.py", "limit": 3, "text": "é" * 30}
        call = ToolCall(name="Grep", input={"pattern": "x"})
        await model.script(ToolUse(name="Read", input=given, text="Let me look.", also=(call,)))
        streamed = await wire.stream()
        starts = [event["content_block"] for event in streamed if event["type"] == "content_block_start"]
        assert [start["type"] for start in starts] == ["text", "tool_use", "tool_use"]
        assert [start.get("name") for start in starts] == [None, "Read", "Grep"]
        pieces = [
            event["delta"]["partial_json"]
            for event in streamed
            if event["type"] == "content_block_delta" and event["index"] == 1
        ]
        assert len(pieces) > 1
        assert json.loads("".join(pieces)) == given
        assert streamed[-2]["delta"]["stop_reason"] == "tool_use"

    async def test_structured_output_is_a_call_of_the_cli_s_tool(self, model, wire):
        """The value is the tool's input."""
        await model.script(StructuredOutput(value={"a": [1, 2]}))
        [block] = (await wire.question("Q"))["content"]
        assert (block["name"], block["input"]) == ("StructuredOutput", {"a": [1, 2]})

    async def test_thinking_goes_before_the_text(self, model, wire):
        """A block of its own, with its signature."""
        await model.script(Text(text="So.", thinking="Well, let me see what this is."))
        streamed = await wire.stream()
        assert "".join(deltas(streamed, "thinking_delta", "thinking")) == "Well, let me see what this is."
        assert deltas(streamed, "signature_delta", "signature") == ["offline"]
        assert deltas(streamed) == ["So."]

    async def test_usage_is_what_was_asked_for(self, model, wire):
        """At the start with one token out, at the end in full."""
        usage = Usage(input_tokens=7, output_tokens=9, cache_creation_input_tokens=3, cache_read_input_tokens=5)
        await model.script(Text(text="So.", usage=usage))
        streamed = await wire.stream()
        assert streamed[0]["message"]["usage"] == {**usage.model_dump(), "output_tokens": 1}
        assert streamed[-2]["usage"] == usage.model_dump()

    async def test_a_text_can_be_empty_or_cut_off_by_a_limit(self, model, wire):
        """A message without content, and one that ends for another reason."""
        await model.script(Text(text=""), Text(text="And", stop_reason="max_tokens"))
        assert (await wire.question("Q"))["content"] == []
        assert (await wire.question("Q"))["stop_reason"] == "max_tokens"

    async def test_a_long_answer_has_exactly_its_size(self, model, wire):
        """In chunks of the size that was asked for."""
        await model.script(Long(size=100_000, chunk_size=30_000))
        assert [len(chunk) for chunk in deltas(await wire.stream())] == [30_000, 30_000, 30_000, 10_000]

    async def test_the_chunks_are_of_the_size_asked_for(self, model, wire):
        """Nothing of the text is lost between them, white space neither."""
        text = "  One two\n\nthree four  five. "
        await model.script(Text(text=text, words_per_chunk=2))
        assert deltas(await wire.stream()) == ["  One two\n\n", "three four  ", "five. "]


class TestFaults:
    @pytest.mark.parametrize(
        ("status", "kind"),
        [
            (400, "invalid_request_error"),
            (401, "authentication_error"),
            (403, "permission_error"),
            (404, "not_found_error"),
            (413, "request_too_large"),
            (429, "rate_limit_error"),
            (500, "api_error"),
            (529, "overloaded_error"),
        ],
    )
    async def test_an_error_status_has_the_api_s_body(self, model, wire, status, kind):
        """Type and message as the API documents them."""
        await model.script(Failure(status=status, message="Because."))
        got, headers, body = await wire.ask()
        assert got == status
        assert json.loads(body) == {"type": "error", "error": {"type": kind, "message": "Because."}}
        assert "retry-after" not in headers

    async def test_a_failure_can_say_when_to_try_again(self, model, wire):
        """In seconds."""
        await model.script(Failure(status=429, retry_after=30))
        assert (await wire.ask())[1]["retry-after"] == "30"

    async def test_a_reset_comes_before_any_byte(self, model, wire):
        """The client sees the connection break, not close."""
        await model.script(Reset())
        with pytest.raises(ConnectionResetError):
            await wire.ask()
        [request] = await model.wait_for_requests(1, ended=True)
        assert request.outcome == "answered"

    async def test_a_cut_stream_breaks_off_after_its_chunks(self, model, wire):
        """What was sent before arrives; the end is missing."""
        await model.script(Cut(text="one two three", words_per_chunk=1, after=2))
        with pytest.raises(http.client.IncompleteRead) as broken:
            await wire.stream()
        assert b'"two "' in broken.value.partial
        assert b"three" not in broken.value.partial

    async def test_a_structured_output_can_be_cut_too(self, model, wire):
        """In the middle of the call's JSON."""
        await model.script(Cut(value={"title": "A title that is long enough for two pieces"}, after=1))
        with pytest.raises(http.client.IncompleteRead) as broken:
            await wire.stream()
        assert b"StructuredOutput" in broken.value.partial
        assert broken.value.partial.count(b"input_json_delta") == 1

    async def test_a_malformed_event_is_not_json(self, model, wire):
        """It stands between the others."""
        await model.script(Malformed(text="one two", words_per_chunk=1, after=1))
        with pytest.raises(json.JSONDecodeError):
            await wire.stream()

    async def test_a_stream_can_end_with_an_error_event(self, model, wire):
        """As when the service gets overloaded in mid-answer."""
        await model.script(StreamError(text="one two", words_per_chunk=1, after=1))
        streamed = await wire.stream()
        assert deltas(streamed) == ["one "]
        assert streamed[-1]["error"]["type"] == "overloaded_error"

    async def test_a_plain_request_gets_the_same_faults(self, model, wire):
        """Cut, malformed and failed without a stream."""
        await model.script(Cut(), Malformed(), StreamError())
        with pytest.raises(http.client.IncompleteRead):
            await wire.ask()
        with pytest.raises(json.JSONDecodeError):
            json.loads((await wire.ask())[2])
        assert (await wire.ask())[0] == 529

    async def test_the_server_goes_on_after_them(self, model, wire):
        """A broken connection leaves nothing behind."""
        await model.script(Reset(), Cut())
        for _ in range(2):
            with pytest.raises((ConnectionError, http.client.HTTPException)):
                await wire.stream()
        assert (await wire.question("Why?"))["content"][0]["text"].startswith(FIRST_LINE)


class TestHolds:
    async def test_a_held_stream_goes_on_when_released(self, model, wire):
        """The chunks before the hold arrive, the others follow after the release."""
        await model.script(Text(text="one two three", words_per_chunk=1, hold_after=2))
        response = await anyio.to_thread.run_sync(wire.send, "POST", "/v1/messages", {**ASKED, "stream": True}, {})
        with response:
            lines = []
            while not any(b'"two "' in line for line in lines):
                lines.append(await anyio.to_thread.run_sync(response.readline))
            assert (await model.requests())[0].outcome == "open"
            assert await model.release() == 1
            rest = await anyio.to_thread.run_sync(response.read)
        assert b"three" in rest
        [request] = await model.wait_for_requests(1, ended=True)
        assert request.outcome == "answered"

    async def test_a_waiting_reply_sends_nothing_before_its_release(self, model, wire):
        """Not even the status line; and only the one that is named is released."""
        await model.script(Text(text="Late.", wait=True, times=2))
        answers = []

        async def ask(text):
            answers.append((await wire.question(text))["content"][0]["text"])

        async with anyio.create_task_group() as group:
            group.start_soon(ask, "One?")
            group.start_soon(ask, "Two?")
            await model.wait_for_requests(2)
            assert await model.release(2) == 1
            await model.wait_for_requests(1, ended=True)
            assert [request.outcome for request in await model.requests()] == ["open", "answered"]
            assert await model.release() == 1
        assert answers == ["Late."] * 2

    async def test_a_release_passes_one_hold(self, model, wire):
        """A reply with two holds needs two, and stops at the second until then."""
        await model.script(Text(text="one two", words_per_chunk=1, wait=True, hold_after=1))
        async with anyio.create_task_group() as group:
            group.start_soon(wire.stream)
            await model.wait_for_requests(1)
            await model.release()
            await wire.question("Time enough for a stream that isn't held?")
            assert (await model.requests())[0].outcome == "open"
            await model.release()
            await model.wait_for_requests(2, ended=True)

    async def test_a_release_before_the_hold_counts(self, model, wire):
        """A test need not know whether the reply has come to its hold."""
        await model.script(Text(text="one two", words_per_chunk=1, wait=True, hold_after=1))
        async with anyio.create_task_group() as group:
            group.start_soon(wire.stream)
            await model.wait_for_requests(1)
            await model.release()
            await model.release()
            await model.wait_for_requests(1, ended=True)

    async def test_clear_lets_everything_go(self, model, wire):
        """What is held at the end of a test does not stay."""
        await model.script(Text(text="one two", words_per_chunk=1, wait=True, hold_after=1))
        async with anyio.create_task_group() as group:
            group.start_soon(wire.stream)
            await model.wait_for_requests(1)
            await model.clear()

    async def test_a_client_that_leaves_is_noticed(self, model, wire):
        """The request is noted as left, and what was held is given up."""
        await model.script(Text(text="one", hold_after=0))
        response = await anyio.to_thread.run_sync(wire.send, "POST", "/v1/messages", {**ASKED, "stream": True}, {})
        response.close()
        [request] = await model.wait_for_requests(1, ended=True)
        assert request.outcome == "gone"
