"""A question can be ended at every stage, and the next one is none the worse for it."""

from __future__ import annotations

import asyncio

import anyio
import psutil
import pytest
from conftest import QUICK, finished, is_running, shown, until

from channelcoder_lsp.domain.agent import ConnectionRequest, Finished, Retrying, TextDelta
from channelcoder_lsp.offline.script import Failure, Text


async def goes_on(connection) -> bool:
    return "You asked:" in (await finished(connection, "And now?")).answer


async def test_with_nothing_under_way_nothing_happens(bench):
    """Neither before the first question nor between two does an interrupt harm the next one."""
    async with bench.connected() as connection:
        await connection.interrupt()
        assert await goes_on(connection)
        await connection.interrupt()
        assert await goes_on(connection)


async def test_before_the_question_is_sent(bench):
    """What is cancelled before it was sent is never sent."""
    async with bench.connected() as connection:
        events = connection.ask("Why?")
        await connection.interrupt()
        assert [event async for event in events] == [
            Finished(answer="", session_id=connection.session_id, cancelled=True)
        ]
        assert await bench.model.requests() == []
        assert await goes_on(connection)


async def test_before_the_cli_has_taken_it_up(bench):
    """The CLI forgets an interrupt that comes before it has begun: it is told again."""
    await bench.model.script(Text(wait=True))
    async with bench.connected() as connection:
        events = connection.ask("Why?")
        async with anyio.create_task_group() as group:
            group.start_soon(_read_to_the_end, events, ended := [])
            await until(lambda: connection._turn is not None)
            await connection.interrupt()
        assert [event.cancelled for event in ended] == [True]
        await bench.model.clear()
        assert await goes_on(connection)


async def test_before_the_first_byte(bench):
    await bench.model.script(Text(wait=True))
    async with bench.connected() as connection:
        events = connection.ask("Why?")
        async with anyio.create_task_group() as group:
            group.start_soon(_read_to_the_end, events, ended := [])
            await bench.model.wait_for_requests(1)
            await connection.interrupt()
        assert [(event.cancelled, event.error, event.answer) for event in ended] == [(True, None, "")]
        assert await goes_on(connection)


async def test_in_mid_answer(bench):
    """What had come of the answer is kept."""
    await bench.model.script(Text(text="one two three", words_per_chunk=1, hold_after=2))
    async with bench.connected() as connection:
        seen = []
        async for event in connection.ask("Why?"):
            seen.append(event)
            if shown(seen) == "one two ":
                await connection.interrupt()
        assert shown(seen) == "one two "
        assert (seen[-1].cancelled, seen[-1].error, seen[-1].answer) == (True, None, "one two ")
        assert await goes_on(connection)


async def test_while_it_waits_to_try_again(bench):
    await bench.model.script(Failure(status=529, retry_after=20, times="always"))
    async with bench.connected(agent=bench.agent(max_retries=3)) as connection:
        seen = []
        async for event in connection.ask("Why?"):
            seen.append(event)
            if isinstance(event, Retrying):
                await connection.interrupt()
        assert [type(event) for event in seen] == [Retrying, Finished]
        assert (seen[-1].cancelled, seen[-1].error) == (True, None)
        await bench.model.clear()
        assert await goes_on(connection)


async def test_twice(bench):
    """A second interrupt of the same question changes nothing."""
    await bench.model.script(Text(text="one two", words_per_chunk=1, hold_after=1))
    async with bench.connected() as connection:
        async for event in connection.ask("Why?"):
            if isinstance(event, TextDelta):
                async with anyio.create_task_group() as group:
                    group.start_soon(connection.interrupt)
                    group.start_soon(connection.interrupt)
        assert event.cancelled
        assert await goes_on(connection)


async def test_a_reader_that_is_cancelled(bench):
    """The task that reads may be cancelled: the question is ended, the connection goes on."""
    await bench.model.script(Text(text="one two", words_per_chunk=1, hold_after=1))
    async with bench.connected() as connection:
        with anyio.CancelScope() as scope:
            async for _event in connection.ask("Why?"):
                scope.cancel()
        assert scope.cancelled_caught
        assert await goes_on(connection)
    [first, _second] = await bench.model.requests()
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
