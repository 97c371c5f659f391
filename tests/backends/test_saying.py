"""The URL of a storage that was made from a ready client: another process opens the same place with it."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis
from redis.credentials import CredentialProvider
from sqlalchemy.ext.asyncio import create_async_engine

from channelcoder_lsp import DatabaseStorage, RedisStorage
from channelcoder_lsp.domain.session import SessionState
from channelcoder_lsp.storage.opening import masked, open_storage


async def test_leads_to_the_same_sessions(place):
    """Tenant and all, whether the storage was opened by a URL or made from a client."""
    async with place.storage() as storage:
        await (await storage.create(SessionState(), "mine")).close()
        again = open_storage(storage.url)
        assert [info.name for info in await again.list()] == ["mine"]
        assert again.url == storage.url
        await again.delete("mine")
        await again.close()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("redis://me:p%40ss@there:7000/3", "redis://me:p%40ss@there:7000/3?tenant=a+b&tls=no"),
        ("rediss://:pass@there/0", "redis://:pass@there:6379/0?tenant=a+b&tls=yes"),
        ("unix://me:pass@/run/redis.sock?db=2", "redis+unix://me:pass@/run/redis.sock?tenant=a+b&db=2"),
    ],
)
def test_of_redis_has_what_a_connection_needs(url: str, said: str):
    storage = RedisStorage(Redis.from_url(url), tenant="a b")
    assert storage.url == said
    assert "pass" not in masked(said)
    assert open_storage(said).url == said


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("postgresql+asyncpg://me:p%40ss@there/team", "postgresql://me:p%40ss@there/team?retention=60&tenant=a+b"),
        (
            "postgresql+asyncpg://there/team?ssl=require",
            "postgresql://there/team?retention=60&sslmode=require&tenant=a+b",
        ),
        ("postgresql+asyncpg://there/team?prepared_statement_cache_size=0", None),
    ],
)
def test_of_a_database_has_what_a_connection_needs(url: str, said: str | None):
    """What the URL of a storage can't say is not left out silently: then there is none."""
    storage = DatabaseStorage(create_async_engine(url), tenant="a b", retention=60)
    found = storage.url
    assert found is None if said is None else sorted(found.split("?")[1].split("&")) == said.split("?")[1].split("&")
    assert said is None or found.split("?")[0] == said.split("?")[0]


def test_of_redis_behind_something_else_is_none():
    """A client that finds its server, or its password, by a way of its own."""

    class Provider(CredentialProvider):
        def get_credentials(self):
            return ("me",)

    assert RedisStorage(Redis(host="there", credential_provider=Provider())).url is None
