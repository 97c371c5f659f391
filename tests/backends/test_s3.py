"""What is particular to a bucket: objects that follow each other, and what is left when a process dies in between."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest
from obstore.store import MemoryStore

from backends.places import Place
from backends.proxy import proxy_to
from backends.s3 import BUCKET
from channelcoder_lsp.domain.errors import SessionExistsError, StorageError, StorageUnreachableError
from channelcoder_lsp.domain.records import TurnAsked, TurnDelta
from channelcoder_lsp.domain.session import SessionState
from channelcoder_lsp.domain.turn import Turn
from channelcoder_lsp.storage.s3 import paths
from channelcoder_lsp.storage.s3.backend import BucketBackend
from channelcoder_lsp.storage.s3.bucket import Bucket
from channelcoder_lsp.storage.s3.card import FULL_BYTES
from channelcoder_lsp.storage.shared.storage import SharedStorage
from channelcoder_lsp.testing.samples import answered


class Died(Exception):  # noqa: N818 - not an error: it stands for the end of a process
    pass


@pytest.fixture
def bucket():
    """A bucket in memory, which keeps to conditions as a server does."""
    return Bucket(MemoryStore(), "memory", "")


@pytest.fixture
def connect(bucket):
    """Makes storages on it, each as another process would."""
    return lambda: SharedStorage(BucketBackend(bucket))


def requests(storage, *names: str) -> list[str]:
    """The requests that a storage sends from now on, by their kind and path."""
    bucket, sent = storage._backend._bucket, []

    def counted(kind, request):
        async def send(path, *arguments, **options):
            sent.append(f"{kind} {path}")
            return await request(path, *arguments, **options)

        return send

    for kind in names:
        setattr(bucket, kind, counted(kind, getattr(bucket, kind)))
    return sent


def dies_at(storage, method: str, path: str) -> None:
    """Have the process die right before it sends a request."""
    bucket = storage._backend._bucket = Bucket(storage._backend._bucket._store, "memory", "")
    backend = BucketBackend(bucket)
    storage._backend = backend
    send = getattr(bucket, method)

    async def die(given, *arguments):
        given = [given] if isinstance(given, str) else list(given)
        if any(each.startswith(path) for each in given):
            raise Died
        return await send(given[0] if method != "delete" else given, *arguments)

    setattr(bucket, method, die)


class TestHistory:
    LONG = "word " * (FULL_BYTES // 20)

    async def test_moves_out_of_the_card(self, connect, bucket):
        """What is there is the same as if it never had; the card stays small."""
        journal = await connect().create(SessionState(), "mine")
        early = await connect().open("mine")
        for number in range(1, 31):
            await journal.append(*answered(number, text=self.LONG))
        assert [row.message_count for row in await connect().list()] == [60]
        moved = [each.path for each in await bucket.list(paths.DATA) if "/records/" in each.path]
        assert len(moved) > 10
        key = (await connect()._backend.find("mine")).key
        assert len((await bucket.get(paths.card(key))).data) < 4 * FULL_BYTES
        expected = [f"turn-{number}" for number in range(1, 31)]
        assert list((await connect().load("mine")).turns) == expected
        await early.refresh()
        assert list(early.head.turns) == list((await connect().open("mine")).head.turns) == expected
        await journal.close()
        assert list((await connect().load("mine")).turns) == expected

    async def test_an_append_reads_nothing_and_writes_one_object(self, connect):
        storage = connect()
        journal = await storage.create(SessionState(), "mine")
        await journal.append(*answered(1))
        sent = requests(storage, "get", "put", "put_if", "list")
        await journal.append(*answered(2))
        await asyncio.sleep(0)
        assert [each for each in sent if paths.CHANGED not in each] == [f"put_if {paths.card(journal._handle.key)}"]

    async def test_pieces_of_an_answer_go(self, connect, bucket):
        """Those that were moved out of the card, too."""
        journal = await connect().create(SessionState(), "mine")
        asked, finished = answered(1)
        await journal.append(asked)
        for _ in range(10):
            await journal.append(TurnDelta(turn_id="turn-1", text=self.LONG), durable=False)
        await journal.append(finished)
        await journal.fold()
        moved = [each.path for each in await bucket.list(paths.DATA) if "/records/" in each.path]
        left = [len((await bucket.get(path)).data) for path in moved]
        assert sum(left) < FULL_BYTES
        assert (await connect().load("mine")).turns["turn-1"].answer == finished.answer

    async def test_two_writers_at_once(self, connect):
        journals = [await connect().create(SessionState(), "mine"), await connect().open("mine")]

        async def write(journal, name: str) -> None:
            for number in range(40):
                await journal.append(TurnAsked(turn=Turn(id=f"{name}-{number}", question=self.LONG)))

        await asyncio.gather(*(write(journal, name) for journal, name in zip(journals, "ab", strict=True)))
        turns = list((await connect().load("mine")).turns)
        assert len(turns) == 80
        for name in "ab":
            assert [each for each in turns if each.startswith(name)] == [f"{name}-{number}" for number in range(40)]


class TestList:
    async def test_asks_for_what_changed_alone(self, connect):
        first = connect()
        await asyncio.gather(*(first.create(SessionState(), f"session {number}") for number in range(60)))
        assert len(await first.list()) == 60
        await (await first.open("session 7")).append(*answered(1))
        other = connect()
        sent = requests(other, "get", "list")
        rows = {row.name: row.message_count for row in await other.list()}
        assert len(rows) == 60
        assert rows["session 7"] == 2
        assert len(sent) <= 4

    async def test_what_was_removed_is_not_remembered(self, connect, bucket):
        storage = connect()
        for number in range(25):
            journal = await storage.create(SessionState(), f"session {number}")
            await journal.append(*answered(number, text="secret"))
        await storage.list()
        assert b"secret" in (await bucket.get(paths.ROWS)).data
        for number in range(25):
            await storage.delete(f"session {number}")
        for each in await bucket.list(""):
            assert b"secret" not in (await bucket.get(each.path)).data
        assert await storage.list() == []


class TestDeath:
    @pytest.mark.parametrize(
        ("method", "path"), [("put_if", paths.NAMES), ("delete", paths.DATA), ("delete", paths.CARDS)]
    )
    async def test_while_removing(self, connect, bucket, method, path):
        """It is removed for everybody; who wants the name has the rest removed."""
        storage = connect()
        journal = await storage.create(SessionState(), "mine")
        await journal.append(*answered(1))
        dying = connect()
        dies_at(dying, method, path)
        with pytest.raises(Died):
            await dying.delete("mine")
        assert not await connect().exists("mine")
        assert await connect().list() == []
        new = await connect().create(SessionState(), "mine")
        assert new.head.message_count == 0
        await connect().delete("mine")

    @pytest.mark.parametrize(
        ("method", "path", "found"), [("put_if", paths.CARDS, "old"), ("put_if", paths.NAMES, "old")]
    )
    async def test_while_renaming(self, connect, method, path, found):
        """It has its old name, and both can be had by others later."""
        await (await connect().create(SessionState(), "old")).append(*answered(1))
        dying = connect()
        dies_at(dying, method, path)
        with pytest.raises(Died):
            await dying.rename("old", "new")
        assert [row.name for row in await connect().list()] == [found]
        assert list((await connect().load(found)).turns) == ["turn-1"]
        await connect().create(SessionState(), "new")
        assert sorted(row.name for row in await connect().list()) == ["new", "old"]
        with pytest.raises(SessionExistsError):
            await connect().rename("old", "new")
        await connect().rename("old", "other")
        assert list((await connect().load("other")).turns) == ["turn-1"]

    async def test_a_name_that_was_taken_meanwhile(self, connect):
        """Who stopped between the two steps of a rename finds the name taken, and loses nothing."""
        slow = connect()
        await (await slow.create(SessionState(), "old")).append(*answered(1))
        known = await slow._backend._cards.read((await slow._backend.find("old")).key)
        assert await slow._backend._take("new", known.card.key)
        await connect().create(SessionState(), "new")
        assert not await slow._backend._cards.write(known, name="new")
        with pytest.raises(SessionExistsError):
            await slow.rename("old", "new")
        assert list((await connect().load("old")).turns) == ["turn-1"]

    async def test_while_recording(self, connect):
        """After the records were moved and before the card was written: they are there once."""
        storage = connect()
        journal = await storage.create(SessionState(), "mine")
        await journal.append(*answered(1, text=TestHistory.LONG))
        await journal.append(*answered(2, text=TestHistory.LONG))
        handle = await storage._backend.find("mine")
        known = await storage._backend._cards.read(handle.key)
        assert known.card.full
        await storage._backend._records.move(known.card)
        assert list((await connect().load("mine")).turns) == ["turn-1", "turn-2"]
        again = await connect().open("mine")
        await again.append(*answered(3))
        assert list((await connect().load("mine")).turns) == ["turn-1", "turn-2", "turn-3"]


async def test_an_answer_that_is_lost(s3_server):
    """What came through all the same is recorded once."""
    url = f"s3://{BUCKET}?endpoint=http://127.0.0.1:{s3_server.port}"
    async with proxy_to(s3_server.port) as proxy, Place(proxy.url(url), uuid4().hex).storage() as storage:
        journal = await storage.create(SessionState(), "mine")
        for number in range(1, 6):
            await storage._backend._bell.rung()
            proxy.lose_answers()
            await journal.append(*answered(number))
        assert proxy.lost >= 5
        state = await storage.load("mine")
        assert list(state.turns) == [f"turn-{number}" for number in range(1, 6)]
        assert state.channelcoder.seq == 10
        await storage.delete("mine")


async def test_a_server_that_ignores_conditions_is_refused():
    """Before anything is in it that could be lost."""

    class Careless(Bucket):
        async def put_if(self, path, data, e_tag):
            await self.put(path, data)
            return '"any"'

    storage = SharedStorage(BucketBackend(Careless(MemoryStore(), "memory", "")))
    with pytest.raises(StorageError, match="ignores If-None-Match and If-Match"):
        await storage.create(SessionState(), "mine")


class TestOthersWhoAreAlwaysFaster:
    """Tries come to an end, and what could not be done is said; what was there is there."""

    @pytest.fixture
    def losing(self, bucket, monkeypatch):
        """Makes a storage that loses every race for what begins with a path, from now on."""
        monkeypatch.setattr("channelcoder_lsp.storage.s3.names._PAUSE_SECONDS", 0)

        def make(path):
            storage = SharedStorage(BucketBackend(Bucket(bucket._store, "memory", "")))
            put_if = storage._backend._bucket.put_if

            async def lose(given, data, e_tag):
                return None if given.startswith(path) else await put_if(given, data, e_tag)

            monkeypatch.setattr(storage._backend._bucket, "put_if", lose)
            return storage

        return make

    async def test_to_a_new_name(self, losing):
        with pytest.raises(StorageUnreachableError, match="refused a change 101 times"):
            await losing(paths.NAMES).create(SessionState(), "mine")

    @pytest.mark.parametrize("path", [paths.NAMES, paths.CARDS])
    async def test_in_renaming(self, connect, losing, path):
        await (await connect().create(SessionState(), "old")).append(*answered(1))
        with pytest.raises(StorageUnreachableError, match="refused a change 101 times"):
            await losing(path).rename("old", "new")
        assert list((await connect().load("old")).turns) == ["turn-1"]

    async def test_in_taking_a_name_away(self, connect, losing):
        storage = connect()
        await storage.create(SessionState(), "mine")
        key = (await storage._backend.find("mine")).key
        with pytest.raises(StorageUnreachableError, match="refused a change 101 times"):
            await losing(paths.NAMES)._backend._names.drop("mine", key)
        assert await connect().exists("mine")


async def test_a_bucket_that_is_not_there(s3_server):
    async with Place(f"s3://nowhere-{uuid4().hex}", "").storage() as storage:
        with pytest.raises(StorageUnreachableError, match="no bucket"):
            await storage.list()
