"""A question can be ended at every stage, and the next one is none the worse for it."""

from __future__ import annotations

import asyncio

import anyio
import psutil
import pytest
from agent_bench import QUICK, finished, is_running, shown, until

from channelcoder_lsp.domain.agent import ConnectionRequest, Finished, Retrying, TextDelta
from channelcoder_lsp.offline.script import Failure, Text


async def test_with_nothing_under_way_nothing_happens(warm):
    """Neither before a question nor after it does an interrupt harm the next one."""
    await warm.interrupt()
    assert (await finished(warm, "First?")).error is None
    await warm.interrupt()


async def test_before_the_question_is_sent(model, warm):
    """What is cancelled before it was sent is never sent."""
    events = warm.ask("Why?")
    await warm.interrupt()
    assert [event async for event in events] == [Finished(answer="", session_id=warm.session_id, cancelled=True)]
    assert await model.requests() == []


async def test_before_the_cli_has_taken_it_up(model, warm):
    """The CLI forgets an interrupt that comes before it has begun: it is told again."""
    await model.script(Text(wait=True))
    before = warm._turn
    async with anyio.create_task_group() as group:
        group.start_soon(_read_to_the_end, warm.ask("Why?"), ended := [])
        await until(lambda: warm._turn is not before)
        await warm.interrupt()
    assert [event.cancelled for event in ended] == [True]


async def test_before_the_first_byte(model, warm):
    await model.script(Text(wait=True))
    async with anyio.create_task_group() as group:
        group.start_soon(_read_to_the_end, warm.ask("Why?"), ended := [])
        await model.wait_for_requests(1)
        await warm.interrupt()
    assert [(event.cancelled, event.error, event.answer) for event in ended] == [(True, None, "")]


async def test_in_mid_answer(model, warm):
    """What had come of the answer is kept."""
    await model.script(Text(text="one two three", words_per_chunk=1, hold_after=2))
    seen = []
    async for event in warm.ask("Why?"):
        seen.append(event)
        if shown(seen) == "one two ":
            await warm.interrupt()
    assert shown(seen) == "one two "
    assert (seen[-1].cancelled, seen[-1].error, seen[-1].answer) == (True, None, "one two ")


async def test_while_it_waits_to_try_again(bench):
    await bench.model.script(Failure(status=529, retry_after=20, times="always"))
    seen = []
    async with bench.connected(agent=bench.agent(max_retries=3)) as connection:
        async for event in connection.ask("Why?"):
            seen.append(event)
            if isinstance(event, Retrying):
                await connection.interrupt()
        await bench.model.clear()
        assert (await finished(connection, "And now?")).error is None
    assert [type(event) for event in seen] == [Retrying, Finished]
    assert (seen[-1].cancelled, seen[-1].error) == (True, None)


async def test_twice(model, warm):
    """A second interrupt of the same question changes nothing."""
    await model.script(Text(text="one two", words_per_chunk=1, hold_after=1))
    seen = []
    async for event in warm.ask("Why?"):
        seen.append(event)
        if isinstance(event, TextDelta):
            async with anyio.create_task_group() as group:
                group.start_soon(warm.interrupt)
                group.start_soon(warm.interrupt)
    assert seen[-1].cancelled


async def test_a_reader_that_is_cancelled(model, warm):
    """The task that reads may be cancelled: the question is ended, the connection goes on."""
    await model.script(Text(text="one two", words_per_chunk=1, hold_after=1))
    with anyio.CancelScope() as scope:
        async for _event in warm.ask("Why?"):
            scope.cancel()
    assert scope.cancelled_caught
    assert (await finished(warm, "And now?")).error is None
    [first, _second] = await model.requests()
    assert first.outcome == "gone"


@pytest.mark.parametrize("how", ["a cancel scope", "a task"])
async def test_cancelling_whoever_holds_the_connection_ends_the_cli(bench, how):
    """However the holder is cancelled, in mid-answer too, no process is left."""
    await bench.model.script(Text(text="one two", words_per_chunk=1, hold_after=1))
    pids = []
    answering = anyio.Event()

    async def hold() -> None:
        async with bench.agent().connect(ConnectionRequest(cwd=bench.project)) as connection:
            async for _event in connection.ask("Why?"):
                pids.append(connection.pid)
                answering.set()

    with anyio.fail_after(20):
        if how == "a task":
            task = asyncio.create_task(hold())
            await answering.wait()
            task.cancel()
            await asyncio.wait([task])
            assert task.cancelled()
        else:
            async with anyio.create_task_group() as group:
                group.start_soon(hold)
                await answering.wait()
                group.cancel_scope.cancel()

    assert not is_running(pids[0])


async def test_cancelling_while_it_connects_ends_the_cli(bench):
    """A connection that nobody waits for any more leaves no process behind."""
    connecting = bench.agent(patience=QUICK).connect(ConnectionRequest(cwd=bench.project))
    task = asyncio.create_task(connecting.__aenter__())
    with anyio.fail_after(20):
        pid = await _child(bench)
        task.cancel()
        await asyncio.wait([task])

    assert task.cancelled()
    assert not is_running(pid)


async def _read_to_the_end(events, ended) -> None:
    ended += [event async for event in events if isinstance(event, Finished)]


async def _child(bench) -> int:
    """The process id of the CLI that was started for this test's project."""
    me = psutil.Process()
    while True:
        for child in me.children():
            try:
                if child.environ().get("CLAUDE_CONFIG_DIR") == str(bench.config):
                    return child.pid
            except psutil.Error:
                continue
        await anyio.sleep(0.001)
