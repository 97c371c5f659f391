"""Several processes record in one session at the same time."""

from __future__ import annotations

from uuid import uuid4

import pytest
from sqlalchemy import event

from backends.places import Place, Process
from channelcoder_lsp.domain.session import SessionState
from channelcoder_lsp.testing.samples import answered

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


async def test_a_record_is_added_by_one_statement(postgres_server):
    """A server that is far away is waited for once, and its watchers are told by the same statement."""
    said = []
    async with Place(postgres_server.url, uuid4().hex).storage() as storage:
        journal = await storage.create(SessionState(), "mine")
        await journal.append(*answered(1))
        event.listen(storage._backend._engine.sync_engine, "before_cursor_execute", lambda *what: said.append(what[2]))
        await journal.append(*answered(2))
        assert len(said) == 1
        assert "pg_notify" in said[0]
        assert (await storage.load("mine")).message_count == 4
        await journal.close()
