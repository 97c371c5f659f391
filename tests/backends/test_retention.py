"""``?retention=SECONDS`` in databases: what nobody recorded in for so long is removed, and nothing else is."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from anyio import fail_after
from sqlalchemy import select, update

from backends.places import PATIENCE
from backends.s3 import BUCKET
from channelcoder_lsp.domain.errors import ArgumentsError
from channelcoder_lsp.domain.session import SessionState
from channelcoder_lsp.storage.database import schema
from channelcoder_lsp.storage.database.tables import contents, epoch, records, sessions, snapshots
from channelcoder_lsp.storage.opening import open_storage
from channelcoder_lsp.storage.s3 import paths
from channelcoder_lsp.testing.samples import answered

DAY = 86_400


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request, tmp_path):
    server = tmp_path / "sessions.db" if request.param == "sqlite" else None
    base = f"sqlite:///{server}" if server else request.getfixturevalue("postgres_server").url
    return f"{base}?tenant={uuid4().hex}"


@pytest.fixture
async def opened():
    """Opens storages, and closes them."""
    made = []

    def open_(url: str):
        made.append(open_storage(url))
        return made[-1]

    yield open_
    for storage in made:
        await storage.close()


async def age(storage, name: str, seconds: float) -> None:
    """Have the database think that nothing was recorded for so long."""
    async with storage._backend._engine.begin() as connection:
        change = update(sessions).where(sessions.c.name == name, sessions.c.tenant == storage._backend._tenant)
        await connection.execute(change.values(touched=epoch() - seconds))


async def test_what_is_old_is_removed_with_all_that_belongs_to_it(url, opened):
    """By whoever looks next and has a retention; records, texts and snapshots go too."""
    plain = opened(url)
    for name in ("old", "new"):
        journal = await plain.create(SessionState(), name)
        await journal.append(*answered(1))
        await journal.keep_content("a" * 64, "text")
        await journal.close()
    await age(plain, "old", 2 * DAY)
    assert len(await plain.list()) == 2
    keeping = opened(f"{url}&retention={3 * DAY}")
    assert len(await keeping.list()) == 2
    dropping = opened(f"{url}&retention={DAY}")
    assert [info.name for info in await dropping.list()] == ["new"]
    assert not await plain.exists("old")
    async with plain._backend._engine.connect() as connection:
        left = set((await connection.execute(select(sessions.c.key))).scalars())
        for table in (snapshots, records, contents):
            assert set((await connection.execute(select(table.c.session))).scalars()) <= left


async def test_those_who_watch_are_told(url, opened):
    plain = opened(url)
    for name in ("old", "seen"):
        await (await plain.create(SessionState(), name)).close()
    told: asyncio.Queue[str] = asyncio.Queue()

    async def watch() -> None:
        async for name in plain.watch():
            told.put_nowait(name)

    async def next_told(wanted: str) -> None:
        with fail_after(PATIENCE):
            while await told.get() != wanted:
                pass

    watching = asyncio.create_task(watch())
    journal = await plain.open("seen")
    while told.empty():  # until somebody listens
        await journal.append(*answered(1))
        await asyncio.sleep(0.05)
    await next_told("seen")
    await age(plain, "old", 2 * DAY)
    await opened(f"{url}&retention={DAY}").list()
    await next_told("old")
    watching.cancel()
    await asyncio.wait([watching])


async def test_whatever_is_recorded_begins_it_anew(url, opened):
    """By the database's clock; a session that is copied or saved there with an old date is as new as any."""
    storage = opened(f"{url}&retention={DAY}")
    old = SessionState()
    old.metadata.created = old.metadata.last_active = answered(1)[0].at
    journal = await storage.create(old, "mine")
    await age(storage, "mine", 2 * DAY)
    await journal.append(*answered(1))
    storage._backend._look_at = 0
    assert [info.name for info in await storage.list()] == ["mine"]
    await age(storage, "mine", 2 * DAY)
    await storage.save(await storage.load("mine"), "mine")
    storage._backend._look_at = 0
    assert [info.name for info in await storage.list()] == ["mine"]


async def test_a_session_in_which_somebody_asks_stays(url, opened):
    plain, dropping = opened(url), opened(f"{url}&retention={DAY}")
    journal = await plain.create(SessionState(), "mine")
    async with journal.lease():
        await age(plain, "mine", 2 * DAY)
        assert len(await dropping.list()) == 1
    dropping._backend._look_at = 0
    assert await dropping.list() == []


async def test_sessions_of_others_stay(url, opened):
    plain = opened(f"{url}-of-others")
    await (await plain.create(SessionState(), "theirs")).close()
    await age(plain, "theirs", 2 * DAY)
    assert await opened(f"{url}&retention={DAY}").list() == []
    assert len(await plain.list()) == 1


async def test_for_what_an_older_version_has_kept_it_begins_with_the_update(tmp_path, opened, monkeypatch):
    """No session is removed only because it is from before this was noted."""
    url = f"sqlite:///{tmp_path}/sessions.db"
    storage = opened(url)
    await (await storage.create(SessionState(), "mine")).close()
    async with storage._backend._engine.begin() as connection:
        await connection.exec_driver_sql("ALTER TABLE channelcoder_sessions DROP COLUMN touched")
        await connection.exec_driver_sql(f"UPDATE {schema.VERSION_TABLE} SET version_num = '0001'")
    dropping = opened(f"{url}?retention={DAY}")
    assert [info.name for info in await dropping.list()] == ["mine"]
    await age(dropping, "mine", 2 * DAY)
    dropping._backend._look_at = 0
    assert await dropping.list() == []


class TestInABucket:
    """Where no clock but the server's counts, and each object has the time at which it was written."""

    @pytest.fixture
    def url(self, s3_server):
        return f"s3://{BUCKET}/{uuid4().hex}?retention={DAY}"

    @staticmethod
    async def age(storage, *names: str) -> None:
        """Have the server say that the cards of these sessions were written two days ago."""
        bucket = storage._backend._bucket
        listed, look_at = bucket.list, storage._backend._removing._look_at
        storage._backend._removing._look_at = float("inf")
        keys = {paths.card((await storage._backend.find(name)).key) for name in names}
        storage._backend._removing._look_at = look_at

        async def long_ago(folder, after=""):
            return [
                replace(each, modified=each.modified - timedelta(days=2)) if each.path in keys else each
                for each in await listed(folder, after)
            ]

        bucket.list = long_ago

    async def test_what_is_old_is_removed_with_all_that_belongs_to_it(self, url, opened):
        """Records, texts and transcripts too."""
        storage, plain = opened(url), opened(url.partition("?")[0])
        for name in ("old", "new"):
            journal = await storage.create(SessionState(), name)
            await journal.append(*answered(1))
            await journal.keep_content("a" * 64, "text")
            await journal.close()
        handle = await storage._backend.find("old")
        dropping = opened(url)
        await self.age(dropping, "old")
        assert [info.name for info in await dropping.list()] == ["new"]
        assert [info.name for info in await plain.list()] == ["new"]
        bucket = plain._backend._bucket
        assert await bucket.list(paths.data(handle.key)) == []
        assert await bucket.get(paths.card(handle.key)) is None

    async def test_it_is_looked_for_now_and_then(self, url, opened):
        """Not at each list; and what another program sees as it is stays without a retention."""
        plain, dropping = opened(url.partition("?")[0]), opened(url)
        await (await plain.create(SessionState(), "mine")).close()
        assert [info.name for info in await dropping.list()] == ["mine"]
        await self.age(dropping, "mine")
        assert [info.name for info in await dropping.list()] == ["mine"]
        await self.age(plain, "mine")
        assert [info.name for info in await plain.list()] == ["mine"]

    async def test_one_that_is_changed_in_that_moment_stays(self, url, opened):
        """Between the look at the list and the removal."""
        plain, dropping = opened(url.partition("?")[0]), opened(url)
        journal = await plain.create(SessionState(), "mine")
        await self.age(dropping, "mine")
        now = dropping._backend._removing._now

        async def meanwhile():
            await journal.append(*answered(1))
            return await now()

        dropping._backend._removing._now = meanwhile
        assert [info.name for info in await dropping.list()] == ["mine"]
        assert list((await plain.load("mine")).turns) == ["turn-1"]

    async def test_those_who_watch_are_told(self, url, opened):
        plain, dropping = opened(url.partition("?")[0]), opened(url)
        for name in ("old", "seen"):
            await (await plain.create(SessionState(), name)).close()
        journal = await plain.open("seen")
        async with aclosing(plain.watch()) as names:
            told = asyncio.create_task(anext(names))
            while not told.done():  # until somebody listens
                await journal.append(*answered(1))
                await asyncio.wait({told}, timeout=0.5)
            await self.age(dropping, "old")
            await dropping.list()
            with fail_after(PATIENCE):
                while await anext(names) != "old":
                    pass


@pytest.mark.parametrize("given", ["0", "-1", "soon", "inf"])
def test_it_is_a_number_of_seconds(given):
    with pytest.raises(ArgumentsError, match="a number of seconds above 0"):
        open_storage(f"sqlite:////tmp/sessions.db?retention={given}")
