"""What is Redis's own: how long sessions stay, answers that are lost, a server that forgets, and what it refuses."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from uuid import uuid4

import pytest
from anyio import fail_after
from redis.asyncio import Redis, UnixDomainSocketConnection
from redis.asyncio.connection import ConnectionPool, SSLConnection

from backends.places import PATIENCE
from backends.proxy import proxy_to
from backends.redis import RedisServer
from channelcoder_lsp.domain.errors import (
    SessionExistsError,
    SessionNotFoundError,
    StorageError,
    StorageUnreachableError,
)
from channelcoder_lsp.domain.records import ModelChosen, TurnDelta, TurnStarted
from channelcoder_lsp.domain.session import SessionState
from channelcoder_lsp.storage.redis import backend as backend_module
from channelcoder_lsp.storage.redis import server as server_module
from channelcoder_lsp.storage.redis.backend import RedisBackend
from channelcoder_lsp.storage.redis.keys import Keys
from channelcoder_lsp.storage.redis.storage import RedisStorage
from channelcoder_lsp.storage.shared.backend import Handle
from channelcoder_lsp.storage.shared.lines import whole_of
from channelcoder_lsp.testing.samples import answered

DAY = 86_400


@pytest.fixture
async def client(redis_server):
    async with Redis.from_url(redis_server.url, decode_responses=True) as client:
        yield client


@pytest.fixture
def tenant():
    return uuid4().hex


async def lifetimes(client, tenant):
    """The milliseconds that each key of the tenant's sessions has left; -1 for ever."""
    prefix = Keys(tenant).prefix
    keys = [key async for key in client.scan_iter() if key.startswith(prefix) and key != Keys(tenant).names]
    return {key.removeprefix(prefix).partition(":")[2]: await client.pttl(key) for key in keys}


async def all_expired(client, tenant):
    with fail_after(PATIENCE):
        while await lifetimes(client, tenant):  # noqa: ASYNC110 - the server does not tell
            await asyncio.sleep(0.05)


class TestRetention:
    async def test_each_change_renews_all_of_the_session(self, client, tenant):
        """No part of it goes before another."""
        storage = RedisStorage(client, tenant=tenant, retention=DAY)
        journal = await storage.create(SessionState(), "mine")
        await journal.append(*answered(1))
        await journal.keep_content("a" * 64, "text")
        parts = await lifetimes(client, tenant)
        assert sorted(parts) == ["base", "contents", "head", "meta", "records", "wanted"]
        assert all(0 < left <= DAY * 1000 for left in parts.values())
        longer = RedisStorage(client, tenant=tenant, retention=2 * DAY)
        await (await longer.open("mine")).append(*answered(2))
        assert all(DAY * 1000 < left <= 2 * DAY * 1000 for left in (await lifetimes(client, tenant)).values())

    async def test_without_it_a_session_stays(self, client, tenant):
        """Also one that was to go: who changes it last decides."""
        await RedisStorage(client, tenant=tenant, retention=DAY).create(SessionState(), "mine")
        storage = RedisStorage(client, tenant=tenant)
        await (await storage.open("mine")).append(*answered(1))
        assert set((await lifetimes(client, tenant)).values()) == {-1}

    async def test_an_expired_session_is_gone(self, client, tenant):
        """It isn't found or listed, an open journal says so, and its name is free again."""
        storage = RedisStorage(client, tenant=tenant, retention=0.2)
        journal = await storage.create(SessionState(), "mine")
        await all_expired(client, tenant)
        assert not await storage.exists("mine")
        with pytest.raises(SessionNotFoundError):
            await journal.append(*answered(1))
        stays = RedisStorage(client, tenant=tenant)
        await stays.create(SessionState(), "other")
        await stays.rename("other", "mine")
        assert [row.name for row in await stays.list()] == ["mine"]

    async def test_listing_forgets_the_names_of_the_expired(self, client, tenant):
        storage = RedisStorage(client, tenant=tenant, retention=0.2)
        await storage.create(SessionState(), "mine")
        await storage.create(SessionState(), "other")
        await all_expired(client, tenant)
        await RedisStorage(client, tenant=tenant).create(SessionState(), "mine")
        assert [row.name for row in await storage.list()] == ["mine"]
        assert await client.hkeys(Keys(tenant).names) == ["mine"]


class TestLostAnswers:
    """The server did what it was asked, and the client, which heard nothing of it, asks again."""

    @pytest.fixture
    async def proxy(self, redis_server):
        async with proxy_to(redis_server.port) as proxy:
            yield proxy

    @pytest.fixture
    async def storage(self, proxy, redis_server, tenant):
        async with Redis.from_url(proxy.url(redis_server.url)) as client:
            yield RedisStorage(client, tenant=tenant)

    async def test_of_an_append(self, proxy, storage):
        """What was recorded is there once, also when somebody recorded in between."""
        journal = await storage.create(SessionState(), "mine")
        await journal.append(*answered(1))  # from now on the server knows the scripts
        proxy.lose_answers()
        await journal.append(*answered(2))
        assert proxy.lost == 1
        await journal.append(*answered(3))
        state = await storage.load("mine")
        assert list(state.turns) == list(journal.head.turns) == ["turn-1", "turn-2", "turn-3"]
        assert state.channelcoder.seq == 6

    async def test_of_a_lease(self, proxy, redis_server, tenant):
        """Who was given it has it."""
        async with Redis.from_url(proxy.url(redis_server.url)) as client:
            storage = RedisStorage(client, tenant=tenant, lease_seconds=3600)
            journal = await storage.create(SessionState(), "mine")
            with fail_after(PATIENCE):
                async with journal.lease():  # from now on the server knows the script
                    pass
                proxy.lose_answers()
                async with journal.lease():
                    assert proxy.lost == 1
                    await journal.append(*answered(1))

    async def test_of_a_new_session(self, proxy, storage):
        """It is there, and not in its own way; what others recorded meanwhile stays."""
        backend, whole = storage._backend, whole_of(SessionState(), "mine", "")
        handle = Handle("mine", uuid4().hex)
        await storage.create(SessionState(), "other")
        proxy.lose_answers()
        await backend.create(handle, whole)
        assert proxy.lost == 1
        journal = await storage.open("mine")
        await journal.append(*answered(1))
        await backend.create(handle, whole)
        await journal.append(*answered(2))
        assert list((await storage.load("mine")).turns) == ["turn-1", "turn-2"]
        with pytest.raises(SessionExistsError):
            await backend.create(Handle("mine", uuid4().hex), whole)

    async def test_of_a_name(self, proxy, storage):
        await storage.create(SessionState(), "first")
        await storage.rename("first", "old")
        handle = await storage._backend.find("old")
        proxy.lose_answers()
        await storage._backend.rename(handle, "new")
        assert proxy.lost == 1
        assert [row.name for row in await storage.list()] == ["new"]

    async def test_that_never_come(self, proxy, storage, monkeypatch):
        """A server that says nothing is not waited for without a bound."""
        await storage.create(SessionState(), "mine")
        monkeypatch.setattr(server_module, "TIMEOUT_SECONDS", 0.5)
        proxy.stall()
        with pytest.raises(StorageUnreachableError, match="did not answer in time"):
            await storage.list()
        proxy.go_on()
        monkeypatch.undo()
        assert [row.name for row in await storage.list()] == ["mine"]


class TestAServerThatForgot:
    """It came back without what it had acknowledged, as one may that does not write everything down at once."""

    @pytest.fixture
    def server(self, tmp_path):
        server = RedisServer(tmp_path / "redis")
        server.start()
        yield server
        server.stop("immediate")

    async def test_open_journals_go_on_from_what_is_there(self, server):
        """They neither wait for ever nor number anything twice, and all have one history again."""
        async with Redis.from_url(server.url) as client:
            storage = RedisStorage(client)
            ahead = await storage.create(SessionState(), "mine")
            await ahead.append(*answered(1))
            other = await storage.open("mine")
            await client.save()
            async with ahead.lease():
                fence = ahead._fence
            await ahead.append(*answered(2))
            await ahead.append(*answered(3))
            server.stop("immediate")
            server.start()
            with fail_after(PATIENCE):
                await ahead.append(*answered(4))
            await other.append(*answered(5))
            await ahead.refresh()
            state = await storage.load("mine")
            assert list(state.turns) == ["turn-1", "turn-4", "turn-5"]
            assert list(ahead.head.turns) == list(other.head.turns) == list(state.turns)
            assert ahead.head.channelcoder.seq == other.head.channelcoder.seq == 6
            async with ahead.lease():
                assert ahead._fence > fence


class TestRefusals:
    @pytest.fixture
    def server(self, tmp_path):
        server = RedisServer(tmp_path / "redis", "--requirepass", "the-password")
        server.start()
        yield server
        server.stop("immediate")

    @pytest.mark.parametrize("login", ["", ":the-wrong-secret@", "user:the-wrong-secret@"])
    async def test_a_login_that_is_refused(self, server, login):
        """One sentence with the address, and with nothing that is secret."""
        async with Redis.from_url(server.url.replace("//", f"//{login}")) as client:
            address = re.escape(server.url)
            with pytest.raises(
                StorageUnreachableError, match=f"^Redis at {address} can't be used: .*you may use it.$"
            ) as refused:
                await RedisStorage(client).list()
        assert "secret" not in str(refused.value)

    async def test_a_server_that_repeats_what_it_does_not_know(self, tmp_path):
        """Such as the command to log in, with the password."""
        server = RedisServer(tmp_path / "old", "--rename-command", "AUTH", "", "--rename-command", "HELLO", "")
        server.start()
        try:
            async with Redis.from_url(server.url.replace("//", "//user:secret@")) as client:
                with pytest.raises(StorageError, match="unknown command") as refused:
                    await RedisStorage(client).list()
            assert "secret" not in str(refused.value)
        finally:
            server.stop()

    async def test_a_server_that_is_not_there(self):
        async with Redis.from_url("redis://user:secret@127.0.0.1:1/3") as client:
            storage = RedisStorage(client)
            with pytest.raises(
                StorageUnreachableError, match=r"^Redis at redis://127.0.0.1:1/3 can't be used"
            ) as failed:
                await storage.save(SessionState(), "mine")
            assert "secret" not in f"{failed.value} {storage!r}"

    async def test_a_full_server(self, server):
        """What it can't take now it may take later; nothing is half done."""
        async with Redis.from_url(server.url, password="the-password") as client:
            storage = RedisStorage(client)
            journal = await storage.create(SessionState(), "mine")
            await client.config_set("maxmemory", "1mb")
            with pytest.raises(StorageUnreachableError, match="maxmemory"):
                await journal.append(ModelChosen(model="model"))
            await client.config_set("maxmemory", "0")
            await journal.append(*answered(1))
            assert (await storage.load("mine")).channelcoder.seq == 2

    async def test_an_access_control_list_keeps_tenants_apart(self, server):
        """A user who may use one tenant's keys and channel alone needs nothing else, and gets nothing else."""
        async with Redis.from_url(server.url, password="the-password") as client:
            prefix = Keys("team a").prefix
            await client.execute_command(
                "ACL",
                "SETUSER",
                "a",
                "on",
                ">their-password",
                f"~{prefix}*",
                f"&{prefix}*",
                "+@all",
                "-@admin",
                "-@dangerous",
            )
            await RedisStorage(client, tenant="team b").create(SessionState(), "theirs")
        async with Redis.from_url(server.url, username="a", password="their-password") as client:
            storage = RedisStorage(client, tenant="team a")
            journal = await storage.create(SessionState(), "mine")
            async with journal.lease():
                await journal.append(*answered(1))
            assert [row.name for row in await storage.list()] == ["mine"]
            with pytest.raises(StorageError, match="permission"):
                await RedisStorage(client, tenant="team b").list()


async def test_those_who_wait_get_the_lease_in_the_order_of_their_asking(client, tenant, monkeypatch):
    """However often each asks, until one asks no more."""
    monkeypatch.setattr(backend_module, "_WAITING_SECONDS", 600.0)
    backend = RedisBackend(client, tenant=tenant)
    handle = Handle("mine", uuid4().hex)
    await backend.create(handle, whole_of(SessionState(), "mine", ""))
    fence = await backend.acquire(handle, "first", 600)
    for holder in ["second", "third", "fourth", "third", "second"]:
        assert await backend.acquire(handle, holder, 600) is None
    await backend.release(handle, fence)
    assert await backend.acquire(handle, "fourth", 600) is None
    assert await backend.acquire(handle, "third", 600) is None
    assert await backend.acquire(handle, "first", 600) is None
    second = await backend.acquire(handle, "second", 600)
    assert second > fence
    await backend.release(handle, second)
    await backend.give_up(handle, "third")
    assert await backend.acquire(handle, "fourth", 600) > second


async def test_pieces_of_an_answer_go_once_it_is_there(client, tenant):
    """They are needed by nobody, and nothing else goes."""
    storage = RedisStorage(client, tenant=tenant)
    journal = await storage.create(SessionState(), "mine")
    asked, finished = answered(1)
    pieces = [TurnDelta(turn_id="turn-1", text="a") for _ in range(5)]
    await journal.append(asked, TurnStarted(turn_id="turn-1", session_id="session-1"), *pieces, finished)
    records = f"{Keys(tenant).prefix}{journal._handle.key}:records"
    before = await storage.load("mine")
    assert await client.xlen(records) == 8
    await journal.fold()
    assert await client.xlen(records) == 3
    assert await storage.load("mine") == before


def test_no_tenant_s_keys_begin_like_another_s():
    """Else one's access control list would let in the other."""
    tenants = ["", "a", "a}", "a}:", "a}:b", "{a", "a:", "*", "a*", "ü"]
    prefixes = {tenant: Keys(tenant).prefix for tenant in tenants}
    for tenant, prefix in prefixes.items():
        assert [each for each in tenants if Keys(each).names.startswith(prefix)] == [tenant]
        assert "*" not in prefix


@pytest.mark.parametrize(
    ("pool", "address"),
    [
        (ConnectionPool(host="host", port=1234, db=5, username="user", password="secret"), "redis://host:1234/5"),
        (ConnectionPool(host="::1", connection_class=SSLConnection), "rediss://[::1]:6379/0"),
        (
            ConnectionPool(path="/run/redis.sock", connection_class=UnixDomainSocketConnection),
            "unix:///run/redis.sock?db=0",
        ),
    ],
)
def test_the_address_is_shown_without_what_is_secret(pool, address):
    assert repr(RedisStorage(Redis(connection_pool=pool))) == f"RedisStorage({address!r})"


async def test_through_a_socket_of_the_file_system(tmp_path_factory):
    folder = tmp_path_factory.mktemp("redis")
    server = RedisServer(folder / "server", "--unixsocket", str(folder / "sock"))
    server.start()
    try:
        async with Redis.from_url(f"unix://{folder}/sock?db=1") as client:
            storage = RedisStorage(client)
            where = await storage.save(SessionState(), "mine")
            assert list((await storage.load(where)).turns) == []
    finally:
        server.stop()


def test_scripts_know_no_key_that_they_are_not_given():
    """A cluster would refuse it, and an access control list could not keep it out."""
    folder = Path(server_module.__file__).parent / "lua"
    for path in folder.glob("*.lua"):
        used = set(re.findall(r"redis\.call\('[A-Z]+', ([^,)]+)", path.read_text()))
        assert used <= {
            "META",
            "BASE",
            "HEAD",
            "RECORDS",
            "CONTENTS",
            "WANTED",
            "TURNS",
            "ASKING",
            "NAMES",
            "CHANNEL",
            "key",
        } | {"ARGV[GIVEN + 1] == 'base' and BASE or HEAD"}, path.name
