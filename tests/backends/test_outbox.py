"""The back end goes away in the middle: what is recorded meanwhile waits here, and arrives once it is back."""

from __future__ import annotations

import asyncio
import sys
from uuid import uuid4

import pytest
from anyio import fail_after, run_process

from backends.places import PATIENCE, arrived, kept_away
from channelcoder_lsp.domain.errors import SessionNotFoundError, StorageUnreachableError
from channelcoder_lsp.domain.session import SessionState
from channelcoder_lsp.storage.database.opening import open_backend
from channelcoder_lsp.storage.shared.outbox import Outbox
from channelcoder_lsp.storage.shared.storage import SharedStorage
from channelcoder_lsp.testing.samples import answered


class Machine:
    """One machine: what it keeps here, and its ways to the server."""

    def __init__(self, url, folder):
        self.url = url
        self.folder = folder
        self.storages = []
        self.outboxes = []

    def process(self) -> SharedStorage:
        """A process on it."""
        self.outboxes.append(Outbox(open_backend(self.url), self.folder))
        self.storages.append(SharedStorage(self.outboxes[-1]))
        return self.storages[-1]

    async def delivered(self) -> None:
        """Wait until nothing waits here any more."""
        await arrived(self.outboxes[-1])

    async def close(self) -> None:
        for storage in self.storages:
            await storage.close()


@pytest.fixture
async def machines(own_postgres, tmp_path):
    """Makes machines that share one server."""
    made = []

    def make(name: str) -> Machine:
        made.append(Machine(f"{own_postgres.url}?tenant={tenant}", tmp_path / name))
        return made[-1]

    tenant = uuid4().hex
    yield make
    for machine in made:
        await machine.close()


def turns(state):
    return list(state.turns)


async def test_what_is_recorded_meanwhile_arrives(own_postgres, machines):
    """In order and once, without anybody asking for it; the editor goes on with the same journal."""
    here, there = machines("here"), machines("there")
    journal = await here.process().create(SessionState(), "mine")
    await journal.append(*answered(1))
    own_postgres.stop("immediate")
    await journal.append(*answered(2))
    await journal.append(*answered(3))
    assert await here.outboxes[0].waiting() == 4
    assert here.outboxes[0].away is not None
    assert list(journal.head.turns) == ["turn-1", "turn-2", "turn-3"]
    own_postgres.start()
    await here.delivered()
    state = await there.process().load("mine")
    assert turns(state) == ["turn-1", "turn-2", "turn-3"]
    assert len(state.messages) == 6
    await journal.append(*answered(4))
    assert turns(await there.storages[0].load("mine")) == ["turn-1", "turn-2", "turn-3", "turn-4"]


async def test_others_went_on_meanwhile(own_postgres, machines):
    """What they recorded comes first, and both see all of it in the same order."""
    here, there = machines("here"), machines("there")
    journal = await here.process().create(SessionState(), "mine")
    await journal.append(*answered(1))
    other = await there.process().open("mine")
    own_postgres.stop()
    await journal.append(*answered(2))
    with kept_away(here.outboxes[0]):
        own_postgres.start()
        with fail_after(PATIENCE):
            while there.outboxes[0].away is not None or turns(other.head) != ["turn-1", "turn-3"]:
                await other.append(*answered(3))
                await there.delivered()
                await other.refresh()
    await here.delivered()
    await journal.append(*answered(4))
    await other.refresh()
    assert turns(other.head) == turns(journal.head) == ["turn-1", "turn-3", "turn-2", "turn-4"]
    assert other.head.message_count == journal.head.message_count == 8
    assert other.head.channelcoder == journal.head.channelcoder


async def test_a_restart_in_between_loses_nothing(own_postgres, machines):
    """A later process opens the session while the server is away, goes on, and delivers everything."""
    here, there = machines("here"), machines("there")
    journal = await here.process().create(SessionState(), "mine")
    await journal.append(*answered(1))
    await journal.keep_content("a" * 64, "before\n")
    own_postgres.stop("immediate")
    await journal.append(*answered(2))
    await journal.keep_content("b" * 64, "after\n")
    await here.close()
    again = await here.process().open("mine")
    assert turns(again.head) == ["turn-1", "turn-2"]
    assert [row.name for row in await here.storages[-1].list()] == ["mine"]
    await again.append(*answered(3))
    own_postgres.start()
    await here.delivered()
    elsewhere = await there.process().open("mine")
    assert turns(elsewhere.head) == ["turn-1", "turn-2", "turn-3"]
    assert await elsewhere.content("a" * 64) == "before\n"
    assert await elsewhere.content("b" * 64) == "after\n"


async def test_killed_while_it_is_away(own_postgres, machines, tmp_path):
    """Kill -9 of the process that recorded: what it was told was recorded arrives by the next process."""
    here, there = machines("here"), machines("there")
    await (await here.process().create(SessionState(), "mine")).close()
    own_postgres.stop("immediate")
    program = f"""
import asyncio, os, signal
from pathlib import Path
from channelcoder_lsp.storage.database.opening import open_backend
from channelcoder_lsp.storage.shared.outbox import Outbox
from channelcoder_lsp.storage.shared.storage import SharedStorage
from channelcoder_lsp.testing.samples import answered

async def main():
    journal = await SharedStorage(Outbox(open_backend({here.url!r}), Path({str(here.folder)!r}))).open("mine")
    for number in range(1, 6):
        await journal.append(*answered(number))
        print(number, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""
    ran = await run_process([sys.executable, "-c", program], check=False)
    assert ran.stdout.split() == [b"1", b"2", b"3", b"4", b"5"], ran.stderr
    own_postgres.start()
    await here.process().list()
    await here.delivered()
    assert turns(await there.process().load("mine")) == [f"turn-{number}" for number in range(1, 6)]


async def test_a_session_that_was_made_meanwhile(own_postgres, machines):
    """It is created once the server is back; under another name if somebody took its own."""
    here, there = machines("here"), machines("there")
    await here.process().list()
    await there.process().list()
    own_postgres.stop()
    mine = await here.storages[0].create(SessionState(), "shop")
    await mine.append(*answered(1))
    with kept_away(here.outboxes[0]):
        own_postgres.start()
        other = await there.storages[0].create(SessionState(), "shop")
        await there.delivered()
        await other.append(*answered(9))
    await here.delivered()
    await mine.append(*answered(2))
    storage = there.storages[0]
    assert sorted(row.name for row in await storage.list()) == ["shop", "shop-2"]
    assert turns(await storage.load("shop")) == ["turn-9"]
    assert turns(await storage.load("shop-2")) == ["turn-1", "turn-2"]


async def test_what_waits_for_a_removed_session_is_kept(own_postgres, machines):
    here, there = machines("here"), machines("there")
    journal = await here.process().create(SessionState(), "mine")
    await journal.append(*answered(1))
    await there.process().list()
    own_postgres.stop()
    await journal.append(*answered(2))
    with kept_away(here.outboxes[0]):
        own_postgres.start()
        await there.delivered()  # it may have noticed that the server was away
        with fail_after(PATIENCE):
            unheard = False
            while True:
                try:
                    await there.storages[0].delete("mine")
                    break
                except StorageUnreachableError:
                    unheard = True
                    await asyncio.sleep(0.1)
                except SessionNotFoundError:
                    if not unheard:
                        raise
                    break  # the one before did it, too late to be heard
    await here.delivered()
    kept = await there.storages[0].load("mine-kept")
    said = [message.content.partition(":")[0] for message in kept.messages]
    assert sorted(said) == ["Answer 1", "Answer 2", "Question 1", "Question 2"]


async def test_the_lease_is_this_machines_meanwhile(own_postgres, machines):
    """Two processes of one machine still ask one after the other."""
    here = machines("here")
    one = await here.process().create(SessionState(), "mine")
    own_postgres.stop()
    two = await here.process().open("mine")
    order = []

    async def wait() -> None:
        async with two.lease():
            order.append("two")

    async with one.lease():
        waiting = asyncio.create_task(wait())
        await two.append(*answered(1))  # recording needs no lease
        order.append("one")
    with fail_after(PATIENCE):
        await waiting
    assert order == ["one", "two"]


async def test_a_server_that_answers_nothing_is_away(own_postgres, machines):
    """One that is stopped in its tracks: the first question waits a moment, the next ones don't."""
    import psutil  # noqa: PLC0415

    here = machines("here")
    journal = await here.process().create(SessionState(), "mine")
    server = psutil.Process(own_postgres.pid)
    family = [server, *server.children(recursive=True)]
    for process in family:
        process.suspend()
    try:
        await journal.append(*answered(1))
        assert await here.outboxes[0].waiting() == 2
        assert "did not answer in 3 seconds" in (here.outboxes[0].away or "")
        with fail_after(1):  # one task looks again; nobody waits with it
            await journal.append(*answered(2))
    finally:
        for process in family:
            process.resume()
    await here.delivered()
    assert turns(await here.storages[0].load("mine")) == ["turn-1", "turn-2"]


async def test_what_is_delivered_slowly_keeps_nobody_waiting(own_postgres, machines):
    """While much is on its way, or a server hangs in the middle of it, a question waits as long as ever."""
    here = machines("here")
    journal = await here.process().create(SessionState(), "mine")
    own_postgres.stop("immediate")
    await journal.append(*answered(1))
    inner, hanging, on = here.outboxes[0]._inner, asyncio.Event(), asyncio.Event()
    append = inner.append

    async def slowly(*arguments):
        hanging.set()
        await on.wait()
        return await append(*arguments)

    inner.append = slowly
    own_postgres.start()
    with fail_after(PATIENCE):
        await hanging.wait()
    with fail_after(10):  # the delivery itself may take a minute
        await journal.append(*answered(2))
    with fail_after(1):
        await journal.append(*answered(3))
    on.set()
    await here.delivered()
    assert turns(await here.storages[0].load("mine")) == ["turn-1", "turn-2", "turn-3"]


async def test_a_first_visit_may_take_longer_than_a_question_waits(own_postgres, tmp_path):
    """Making the tables on a slow machine: nothing that waits begins anew each time."""
    outbox = Outbox(open_backend(own_postgres.url), tmp_path / "here", patience=0.2)
    find = outbox._inner.find

    async def slowly(name):
        await asyncio.sleep(1)
        return await find(name)

    outbox._inner.find = slowly
    storage = SharedStorage(outbox)
    assert not await storage.exists("mine")
    journal = await storage.create(SessionState(), "mine")
    await journal.append(*answered(1))
    assert await outbox.waiting()
    await arrived(outbox)
    outbox._inner.find = find
    assert turns(await storage.load("mine")) == ["turn-1"]
    await storage.close()
