"""The offline model behind the real Claude CLI."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from claude_agent_sdk import (
    AssistantMessage,
    ClaudeAgentOptions,
    ClaudeSDKClient,
    ResultMessage,
    StreamEvent,
    TextBlock,
    ThinkingBlock,
    ToolResultBlock,
    ToolUseBlock,
    UserMessage,
)

from channelcoder_lsp.offline.answer import FIRST_LINE
from channelcoder_lsp.offline.process import OfflineModel
from channelcoder_lsp.offline.script import (
    Cut,
    Failure,
    Long,
    Malformed,
    Reset,
    StreamError,
    StructuredOutput,
    Text,
    ToolUse,
    Usage,
)

BOUNDED = {
    "CLAUDE_CODE_MAX_RETRIES": "0",
    "CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK": "1",
    "CLAUDE_BYTE_STREAM_IDLE_TIMEOUT_MS": "10000",
}


@dataclass
class Turn:
    """What the SDK gave for one question."""

    blocks: list[Any] = field(default_factory=list)
    deltas: list[str] = field(default_factory=list)
    error: str | None = None
    result: Any = None

    @property
    def text(self) -> str:
        return "".join(block.text for block in self.blocks if isinstance(block, TextBlock))


class Asking:
    """A connected client, and the turns it takes."""

    def __init__(self, client: ClaudeSDKClient) -> None:
        self.client = client

    async def ask(self, question: str) -> Turn:
        await self.client.query(question)
        return await self.answer()

    async def answer(self, turn: Turn | None = None) -> Turn:
        """The rest of the turn, which may have begun to come."""
        turn = turn or Turn()
        async for message in self.client.receive_response():
            self._take(turn, message)
        return turn

    async def first_delta(self) -> Turn:
        """The turn up to its first text delta."""
        turn = Turn()
        async for message in self.client.receive_messages():
            self._take(turn, message)
            if turn.deltas:
                break
        return turn

    def _take(self, turn: Turn, message: Any) -> None:
        match message:
            case StreamEvent(event={"delta": {"text": text}}):
                turn.deltas.append(text)
            case AssistantMessage(content=blocks, error=error):
                turn.blocks += blocks
                turn.error = error or turn.error
            case UserMessage(content=[*blocks]):
                turn.blocks += blocks
            case ResultMessage():
                turn.result = message


@pytest.fixture(scope="module")
async def running(anyio_backend):
    async with OfflineModel(control=True, delay_ms=0) as model:
        yield model


@pytest.fixture
async def model(running):
    await running.clear()
    return running


@pytest.fixture
def connect(model, tmp_path):
    """Connects a client to the offline model, in a folder and with a configuration of its own."""
    project, config = tmp_path / "project", tmp_path / "config"
    project.mkdir()

    @asynccontextmanager
    async def connected(**options):
        safe = {
            "tools": [],
            "setting_sources": [],
            "strict_mcp_config": True,
            "extra_args": {"restricted": None},
            "verbatim_prompts": True,
            "include_partial_messages": True,
        }
        own = {"CLAUDE_CONFIG_DIR": str(config)}
        env = model.environment() | own | options.pop("env", BOUNDED)
        options = ClaudeAgentOptions(cwd=project, env=env, **safe | options)
        async with ClaudeSDKClient(options) as client:
            yield Asking(client)

    connected.project = project
    return connected


class TestPlainAnswers:
    async def test_the_answer_says_that_no_claude_was_asked(self, model, connect):
        """It streams, and repeats what was typed."""
        async with connect() as claude:
            turn = await claude.ask("What is this?")
        assert turn.text.startswith(FIRST_LINE)
        assert "> What is this?" in turn.text
        assert "".join(turn.deltas) == turn.text
        assert len(turn.deltas) > 1
        assert not turn.result.is_error

    async def test_a_resumed_session_brings_its_questions(self, model, connect):
        """The questions of the first connection are listed in the second one's answer."""
        async with connect() as claude:
            await claude.ask("<question>\nFirst?\n</question>\n\n<context>\n1| x\n</context>")
            turn = await claude.ask("Second?")
            assert "I was given 1 earlier question of this session:\n\n1. First?\n" in turn.text
        async with connect(resume=turn.result.session_id) as claude:
            turn = await claude.ask("Third?")
        assert "I was given 2 earlier questions of this session:\n\n1. First?\n2. Second?\n" in turn.text

    async def test_a_new_session_has_none(self, model, connect):
        """Lost context shows."""
        async with connect() as claude:
            await claude.ask("First?")
        async with connect() as claude:
            assert "I was given no earlier question" in (await claude.ask("Second?")).text

    async def test_a_compacted_session_still_has_its_questions(self, model, connect):
        """The summary keeps them as they were typed."""
        async with connect(verbatim_prompts=False, extra_args={}) as claude:
            await claude.ask("First?")
            await claude.ask("/compact")
            turn = await claude.ask("Second?")
        assert [request.kind for request in await model.requests(None)] == ["question", "summary", "question"]
        assert "I was given 1 earlier question of this session:\n\n1. First?\n" in turn.text

    async def test_a_merged_question_counts_as_an_earlier_one(self, model, connect):
        """A question that failed is sent again with the next one."""
        await model.script(Failure(status=529))
        async with connect() as claude:
            assert (await claude.ask("Failed?")).result.is_error
            turn = await claude.ask("Next?")
        assert "1. Failed?\n\nYou asked:\n\n> Next?" in turn.text

    async def test_structured_output_is_an_example(self, model, connect):
        """It fits the schema that was asked for, with one request only."""
        schema = {
            "type": "object",
            "properties": {"severity": {"enum": ["warning", "error"]}, "lines": {"type": "integer"}},
            "required": ["severity", "lines"],
            "additionalProperties": False,
        }
        async with connect(output_format={"type": "json_schema", "schema": schema}) as claude:
            turn = await claude.ask("Review this.")
        assert turn.result.structured_output == {"severity": "warning", "lines": 1}


class TestScriptedAnswers:
    async def test_a_tool_is_called_and_its_result_comes_back(self, model, connect):
        """The CLI runs the tool; the next reply answers on its result."""
        (connect.project / "a.txt").write_text("the contents")
        path = str(connect.project / "a.txt")
        await model.script(ToolUse(name="Read", input={"file_path": path}, text="Let me look."), "Done.")
        async with connect(tools=["Read"]) as claude:
            turn = await claude.ask("Read it.")
        kinds = [type(block) for block in turn.blocks]
        assert kinds == [TextBlock, ToolUseBlock, ToolResultBlock, TextBlock]
        assert turn.blocks[-1].text == "Done."
        first, second = await model.requests()
        assert "Read" in first.tool_names
        assert "the contents" in str(second.messages[-1]["content"])
        assert second.question == "Read it."

    async def test_structured_output_reaches_the_result(self, model, connect):
        """As the value that was scripted."""
        schema = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
        await model.script(StructuredOutput(value={"a": "b"}))
        async with connect(output_format={"type": "json_schema", "schema": schema}) as claude:
            assert (await claude.ask("Q")).result.structured_output == {"a": "b"}

    async def test_usage_reaches_the_result(self, model, connect):
        """Input, output and cache."""
        await model.script(Text(text="So.", usage=Usage(input_tokens=7, output_tokens=9, cache_read_input_tokens=5)))
        async with connect() as claude:
            usage = (await claude.ask("Q")).result.usage
        assert (usage["input_tokens"], usage["output_tokens"], usage["cache_read_input_tokens"]) == (7, 9, 5)

    async def test_thinking_is_a_block_of_its_own(self, model, connect):
        """Before the text."""
        await model.script(Text(text="So.", thinking="Let me see."))
        async with connect() as claude:
            turn = await claude.ask("Q")
        assert [type(block) for block in turn.blocks] == [ThinkingBlock, TextBlock]

    async def test_a_long_answer_arrives_whole(self, model, connect):
        """More than the SDK's default buffer holds."""
        await model.script(Long(size=1_500_000, chunk_size=100_000))
        async with connect(max_buffer_size=8_000_000) as claude:
            assert len((await claude.ask("Q")).text) == 1_500_000

    async def test_two_sessions_get_what_is_meant_for_them(self, model, connect):
        """Side by side, each by its question."""
        await model.script(Text(text="B!", when="for B"), Text(text="A!", when="for A"))
        async with connect() as one, connect() as other:
            assert (await one.ask("for A")).text == "A!"
            assert (await other.ask("for B")).text == "B!"

    async def test_the_cli_s_settings_can_not_lead_elsewhere(self, model, connect, monkeypatch):
        """Another cloud, a token or a proxy of the user's environment is not used."""
        monkeypatch.setenv("CLAUDE_CODE_USE_BEDROCK", "1")
        monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "secret")
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
        async with connect() as claude:
            assert (await claude.ask("Q")).text.startswith(FIRST_LINE)
        [request] = await model.requests()
        assert "authorization" not in request.headers


class TestFaults:
    @pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 429, 500, 529])
    async def test_an_error_status_ends_the_turn(self, model, connect, status):
        """The status is in the result; some are asked for again in another form, hence "always"."""
        await model.script(Failure(status=status, message="Because.", times="always"))
        async with connect() as claude:
            turn = await claude.ask("Q")
        assert turn.result.is_error
        assert turn.result.api_error_status == status

    @pytest.mark.parametrize(
        "fault",
        [
            Reset(),
            Cut(after=2),
            Cut(after=0),
            StreamError(after=2),
            Malformed(after=2),
        ],
    )
    async def test_a_broken_answer_ends_the_turn(self, model, connect, fault):
        """And the same client can ask again."""
        await model.script(fault.model_copy(update={"times": "always"}))
        async with connect() as claude:
            assert (await claude.ask("Q")).result.is_error
            await model.clear()
            assert (await claude.ask("Q")).text.startswith(FIRST_LINE)

    async def test_a_malformed_stream_is_asked_for_again(self, model, connect):
        """As plain JSON, where the CLI is not kept from it."""
        await model.script(Malformed(after=1), "Better.")
        async with connect(env={"CLAUDE_CODE_MAX_RETRIES": "0"}) as claude:
            assert (await claude.ask("Q")).text == "Better."
        assert [request.stream for request in await model.requests()] == [True, False]

    async def test_a_retry_finds_the_next_reply(self, model, connect):
        """A fault that passes."""
        await model.script(Failure(status=529), "Better.")
        async with connect(env={"CLAUDE_CODE_MAX_RETRIES": "1"}) as claude:
            assert (await claude.ask("Q")).text == "Better."

    async def test_a_stalled_stream_is_given_up(self, model, connect):
        """After the CLI's idle time, which is ten seconds at least."""
        await model.script(Text(text="one two", words_per_chunk=1, hold_after=1, times="always"))
        async with connect() as claude:
            turn = await claude.ask("Q")
        assert turn.result.is_error
        assert (await model.wait_for_requests(1, ended=True))[0].outcome == "gone"

    async def test_an_interrupt_reaches_the_model(self, model, connect):
        """The CLI leaves the stream, and the next question works."""
        await model.script(Text(text="one two", words_per_chunk=1, hold_after=1))
        async with connect(env={}) as claude:
            await claude.client.query("Q")
            turn = await claude.first_delta()
            assert turn.deltas == ["one "]
            await claude.client.interrupt()
            turn = await claude.answer(turn)
            assert turn.result.terminal_reason == "aborted_streaming"
            assert (await model.wait_for_requests(1, ended=True))[0].outcome == "gone"
            assert (await claude.ask("Next?")).text.startswith(FIRST_LINE)

    async def test_a_held_answer_goes_on(self, model, connect):
        """The client waits for as long as the test wants."""
        await model.script(Text(text="one two", words_per_chunk=1, wait=True, hold_after=1))
        async with connect(env={}) as claude:
            await claude.client.query("Q")
            await model.wait_for_requests(1)
            await model.release()
            turn = await claude.first_delta()
            assert turn.deltas == ["one "]
            await model.release()
            assert (await claude.answer(turn)).text == "one two"
