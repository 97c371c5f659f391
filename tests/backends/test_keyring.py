"""The database's password from a keyring: a file's, since there is nobody here to unlock one."""

from __future__ import annotations

import asyncpg
import keyring
import pytest
from keyring.backends.fail import Keyring as FailKeyring
from keyrings.alt.file import PlaintextKeyring

from channelcoder_lsp.domain.errors import StorageUnreachableError
from channelcoder_lsp.domain.session import SessionState
from channelcoder_lsp.storage.opening import masked, open_storage


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """A keyring of the test's own."""
    before, kept = keyring.get_keyring(), PlaintextKeyring()
    kept.file_path = str(tmp_path / "keyring")
    monkeypatch.delenv("PGPASSWORD", raising=False)
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "none"))
    keyring.set_keyring(kept)
    yield kept
    keyring.set_keyring(before)


@pytest.fixture
async def server(own_postgres):
    """One that lets nobody in without the password."""
    connection = await asyncpg.connect(own_postgres.url)
    await connection.execute("ALTER USER test PASSWORD 'hush'")
    await connection.close()
    own_postgres.stop()
    own_postgres.ask_for_passwords()
    own_postgres.start()
    return own_postgres


async def test_it_is_found_by_the_url(server, kept):
    """Also one that was put there, or changed, while the storage is in use."""
    storage = open_storage(f"{server.url}?tenant=team")
    with pytest.raises(StorageUnreachableError, match="password"):
        await storage.list()
    kept.set_password("channelcoder", masked(server.url), "wrong")
    with pytest.raises(StorageUnreachableError, match="password"):
        await storage.list()
    kept.set_password("channelcoder", masked(server.url), "hush")
    await (await storage.create(SessionState(), "mine")).close()
    assert [info.name for info in await storage.list()] == ["mine"]
    await storage.close()


async def test_what_the_driver_finds_by_itself_comes_first(server, kept, tmp_path, monkeypatch):
    """The environment's, or a password file's."""
    kept.set_password("channelcoder", masked(server.url), "wrong")
    monkeypatch.setenv("PGPASSWORD", "hush")
    storage = open_storage(server.url)
    assert await storage.list() == []
    await storage.close()
    monkeypatch.delenv("PGPASSWORD")
    file = tmp_path / "passwords"
    file.write_text("127.0.0.1:*:*:test:hush\n")
    file.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(file))
    storage = open_storage(server.url)
    assert await storage.list() == []
    await storage.close()


async def test_a_machine_without_a_keyring(own_postgres, kept):
    """The package alone keeps nobody from a server that asks for no password."""
    keyring.set_keyring(FailKeyring())
    storage = open_storage(own_postgres.url)
    assert await storage.list() == []
    await storage.close()


async def test_a_keyring_that_fails(server, kept, monkeypatch):
    """It is said what helps, without a trace of a password."""

    def broken(service, entry):
        raise RuntimeError("it is locked")

    monkeypatch.setattr(kept, "get_password", broken)
    storage = open_storage(server.url)
    with pytest.raises(StorageUnreachableError, match=r"it is locked\. Unlock it, or put") as caught:
        await storage.list()
    assert masked(server.url) in caught.value.message
    await storage.close()
