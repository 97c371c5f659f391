"""Ending tasks."""

from __future__ import annotations

import asyncio

import pytest
from anyio import move_on_after

from channelcoder_lsp.services.tasks import end, finished


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


class Deaf:
    """Work that takes the first cancellation for something else."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.told = asyncio.Event()
        self.ended = asyncio.Event()

    async def __call__(self) -> None:
        try:
            self.begun.set()
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                self.told.set()
            await asyncio.sleep(3600)
        finally:
            self.ended.set()


async def test_tasks_are_ended_also_when_who_ends_them_is_cancelled():
    """Otherwise they would go on with nobody left to end them."""
    deaf = Deaf()
    task = asyncio.create_task(deaf())
    await deaf.begun.wait()
    ending = asyncio.create_task(end([task]))
    await asyncio.wait_for(deaf.told.wait(), 60)
    ending.cancel()
    await asyncio.wait({ending}, timeout=60)
    assert ending.cancelled()
    assert task.cancelled()


async def test_work_that_loses_a_cancellation_is_cancelled_all_the_same():
    deaf = Deaf()
    task = asyncio.create_task(finished(deaf()))
    await deaf.begun.wait()
    task.cancel()
    await asyncio.wait({task}, timeout=60)
    assert task.cancelled()
    assert deaf.ended.is_set()


async def test_what_work_comes_to_is_handed_on():
    async def work() -> int:
        return 7

    async def fail() -> None:
        raise LookupError("no")

    assert await finished(work()) == 7
    with pytest.raises(LookupError, match="no"):
        await finished(fail())


async def test_work_whose_time_is_over_can_tidy_up():
    """It is told once, though anyio cancels again and again what is in a scope that is over."""
    tidied = False

    async def work() -> None:
        nonlocal tidied
        try:
            await asyncio.sleep(3600)
        finally:
            for _ in range(10):
                await asyncio.sleep(0)
            tidied = True

    with move_on_after(0) as scope:
        await finished(work())
    assert scope.cancelled_caught
    assert tidied
