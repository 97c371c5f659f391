"""When Claude's service refuses, fails or falls silent: one sentence each that says what to do."""

from __future__ import annotations

import pytest
from agent_bench import finished, heard, shown

from channelcoder_lsp.domain.agent import Retrying
from channelcoder_lsp.domain.errors import ApiError, NotLoggedInError
from channelcoder_lsp.domain.turn import Usage
from channelcoder_lsp.offline import script
from channelcoder_lsp.offline.script import Cut, Failure, Malformed, Reset, StreamError, Text

STATUSES = [
    (401, (NotLoggedInError, None, True, "Run `channelcoder login` in a terminal, or set ANTHROPIC_API_KEY")),
    (403, (NotLoggedInError, None, True, "refused the login (403)")),
    (404, (ApiError, 404, False, "The model 'a-model' was not found")),
    (413, (ApiError, 413, False, "Select less, or start a new session.")),
    (429, (ApiError, 429, True, "A limit of the Claude account is reached.")),
    (500, (ApiError, 500, True, "Claude's service failed (500)")),
    (529, (ApiError, 529, True, "Claude's service is overloaded (529)")),
]


@pytest.mark.parametrize(("status", "expected"), STATUSES)
async def test_every_status_has_its_error(model, warm, status, expected):
    kind, shown_status, retryable, words = expected
    await model.script(Failure(status=status, times="always"))
    end = await finished(warm, "Why?")

    assert type(end.error) is kind
    assert getattr(end.error, "status", None) == shown_status
    assert (end.error.retryable, end.cancelled) == (retryable, False)
    assert words in end.error.message


async def test_a_prompt_that_is_too_long(model, warm):
    message = "prompt is too long: 250000 tokens > 200000 maximum"
    await model.script(Failure(status=400, message=message, times="always"))
    end = await finished(warm, "All of it.")
    assert "Select less, or start a new session." in end.error.message
    assert not end.error.retryable


async def test_a_limit_that_is_far_off_is_told_at_once(bench):
    """The CLI does not wait for an hour before it tries again."""
    await bench.model.script(Failure(status=429, retry_after=3600, times="always"))
    async with bench.connected(agent=bench.agent(max_retries=2)) as connection:
        *events, end = await heard(connection, "Why?")
    assert events == []
    assert end.error.status == 429


@pytest.mark.parametrize(
    "reply",
    [
        Cut(text="one two three", words_per_chunk=1, after=2, times="always"),
        Reset(times="always"),
    ],
    ids=lambda reply: reply.kind,
)
async def test_a_connection_that_breaks_is_tried_again_and_then_told(bench, reply):
    await bench.model.script(reply)
    async with bench.connected(agent=bench.agent(max_retries=1)) as connection:
        *events, end = await heard(connection, "Why?")
        await bench.model.clear()
        assert (await finished(connection, "And now?")).error is None

    assert isinstance(end.error, ApiError)
    assert end.error.retryable
    assert end.error.message.endswith(("Ask again.", ")", "Ask again in a minute."))
    assert [event.attempt for event in events if isinstance(event, Retrying)] == [1]


async def test_a_service_that_gets_overloaded_in_mid_answer(model, warm):
    """What had come of the answer is kept."""
    await model.script(StreamError(text="one two three", words_per_chunk=1, after=2, times="always"))
    events = await heard(warm, "Why?")
    assert "overloaded" in events[-1].error.message
    assert shown(events) == events[-1].answer == "one two "


async def test_a_stream_of_nonsense(model, warm):
    """What can't be parsed ends the answer with an error and is no part of it."""
    await model.script(Malformed(text="one two three", words_per_chunk=1, after=1, times="always"))
    events = await heard(warm, "Why?")
    assert isinstance(events[-1].error, ApiError)
    assert shown(events) == events[-1].answer == "one "


async def test_a_stream_that_stalls_is_given_up(bench):
    """Silence in mid-stream ends the question, with what had come. The CLI waits ten seconds at least."""
    await bench.model.script(Text(text="one two three", words_per_chunk=1, hold_after=2, times="always"))
    async with bench.connected(agent=bench.agent(stream_idle_seconds=1)) as connection:
        end = await finished(connection, "Why?")
    assert "stopped answering" in end.error.message
    assert end.answer == "one two "


async def test_nobody_listens(bench):
    """Nothing is there at the service's address."""
    agent = bench.agent(environment={"ANTHROPIC_BASE_URL": "http://127.0.0.1:9"})
    async with bench.connected(agent=agent) as connection:
        end = await finished(connection, "Why?")
    assert isinstance(end.error, ApiError)
    assert "can't be reached" in end.error.message


async def test_an_empty_question_is_not_sent(model, warm):
    end = await finished(warm, " \n")
    assert "empty" in end.error.message
    assert await model.requests(None) == []


class TestUsageAndCost:
    """Tokens and cost are those of the turn, though the CLI's cost is cumulative."""

    ONCE = script.Usage(input_tokens=1000, output_tokens=100)
    TWICE = script.Usage(input_tokens=2000, output_tokens=200)

    async def test_of_each_turn(self, bench):
        await bench.model.script(Text(usage=self.ONCE), Text(usage=self.TWICE), Text(usage=self.ONCE))
        async with bench.connected() as connection:
            first, second, third = [await finished(connection, f"{number}?") for number in range(3)]

        assert first.usage == third.usage == Usage(input_tokens=1000, output_tokens=100)
        assert second.usage == Usage(input_tokens=2000, output_tokens=200)
        assert first.cost_usd > 0
        assert second.cost_usd == pytest.approx(2 * first.cost_usd)
        assert third.cost_usd == pytest.approx(first.cost_usd)
        assert third.cumulative_cost_usd == pytest.approx(4 * first.cost_usd)

    async def test_of_a_turn_after_a_resume(self, bench):
        """What the session had cost before is not charged again."""
        await bench.model.script(Text(usage=self.TWICE), Text(usage=self.ONCE))
        async with bench.connected() as connection:
            before = await finished(connection, "First?")
        async with bench.connected(resume=connection.session_id, spent_usd=before.cumulative_cost_usd) as connection:
            after = await finished(connection, "Second?")

        assert after.cost_usd == pytest.approx(before.cost_usd / 2)
        assert after.cumulative_cost_usd == pytest.approx(1.5 * before.cost_usd)

    async def test_of_an_interrupted_turn(self, bench):
        """What was spent on an answer that was cut short counts for it, not for the next."""
        await bench.model.script(
            Text(text="one two", words_per_chunk=1, hold_after=1, usage=self.ONCE), Text(usage=self.ONCE)
        )
        async with bench.connected() as connection:
            events = connection.ask("First?")
            await anext(events)
            await connection.interrupt()
            [cut_short] = [event async for event in events]
            after = await finished(connection, "Second?")

        assert cut_short.cancelled
        assert 0 < cut_short.cost_usd < after.cost_usd
        assert cut_short.cost_usd + after.cost_usd == pytest.approx(after.cumulative_cost_usd)
