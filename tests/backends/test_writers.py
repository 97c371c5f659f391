"""Several processes record in one session at the same time."""

from __future__ import annotations

import pytest

from backends.places import Process
from channelcoder_lsp.domain.session import SessionState

COUNT = 200
LONG = 300.0
"""Seconds that so many records may take, each on the disk, on a machine that does much else."""


@pytest.mark.timeout(2 * LONG)
async def test_nothing_is_lost_or_doubled(place):
    """Each writer's records are there once and in order; whoever has the session open has the same history."""
    writers = ["one", "other"]
    async with place.storage() as storage:
        journal = await storage.create(SessionState(), "mine")
        processes = [Process("write", place, writer, str(COUNT)) for writer in writers]
        try:
            assert [await process.says() for process in processes] == ["ready", "ready"]
            for process in processes:
                process.tell("go")
            assert [await process.says(LONG) for process in processes] == ["done", "done"]
        finally:
            for process in processes:
                process.end()
        state = await storage.load("mine")
        assert state.channelcoder.seq == COUNT * len(writers)
        for writer in writers:
            mine = [turn for turn in state.turns if turn.startswith(f"{writer}-")]
            assert mine == [f"{writer}-{number}" for number in range(COUNT)]
        assert [row.message_count for row in await storage.list()] == [len(state.messages)] == [COUNT * len(writers)]
        await journal.refresh()
        assert list(journal.head.turns) == list(state.turns)
