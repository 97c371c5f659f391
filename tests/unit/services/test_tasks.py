"""Ending tasks."""

from __future__ import annotations

import asyncio

from channelcoder_lsp.services.tasks import end


async def test_a_task_that_takes_a_cancellation_for_something_else_is_told_again():
    """As a library does that is cancelled in the moment of its own timeout."""
    taken = 0

    async def deaf() -> None:
        nonlocal taken
        while taken < 1:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                taken += 1
        await asyncio.sleep(3600)

    tasks = [asyncio.create_task(deaf()), asyncio.create_task(asyncio.sleep(3600))]
    await asyncio.sleep(0)
    await asyncio.wait_for(end(tasks), 60)
    assert taken == 1
    assert all(task.cancelled() for task in tasks)


async def test_what_ended_badly_is_no_fault():
    async def fail() -> None:
        raise LookupError

    task = asyncio.create_task(fail())
    await asyncio.wait({task})
    await end([task])
    assert isinstance(task.exception(), LookupError)
    await end([])
