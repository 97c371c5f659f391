"""Where sessions are kept, as one text says it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from channelcoder_lsp.domain.errors import ArgumentsError, StorageError
from channelcoder_lsp.domain.session import SessionState
from channelcoder_lsp.storage import FileSessionStorage
from channelcoder_lsp.storage.opening import masked, open_storage, with_password


@pytest.mark.parametrize(
    ("url", "folder"),
    [
        ("file:", "/given"),
        ("file:///some/folder", "/some/folder"),
        ("file:/some/folder", "/some/folder"),
        ("file:///with%20space/%C3%BC", "/with space/ü"),
        ("file://localhost/some/folder", "/some/folder"),
    ],
)
def test_files(url, folder):
    """In the folder that the URL names, else in the one that is given."""
    storage = open_storage(url, directory="/given")
    assert isinstance(storage, FileSessionStorage)
    assert storage.directory == Path(folder)


async def test_a_database_is_made_on_first_use(tmp_path):
    storage = open_storage(f"sqlite:///{tmp_path}/sessions.db")
    assert list(tmp_path.iterdir()) == []
    where = await storage.save(SessionState(), "mine")
    assert where == f"sqlite:///{tmp_path}/sessions.db/mine"
    await storage.close()
    again = open_storage(f"sqlite:///{tmp_path}/sessions.db")
    assert [info.name for info in await again.list()] == ["mine"]
    await again.close()


async def test_tenants_do_not_see_each_other(tmp_path):
    one, other = (open_storage(f"sqlite:///{tmp_path}/sessions.db?tenant={team}") for team in ("one", "other"))
    await one.save(SessionState(), "mine")
    assert await other.list() == []
    assert not await other.exists("mine")
    await (await other.create(SessionState(), "mine")).close()
    await other.delete("mine")
    assert await one.exists("mine")
    await one.close()
    await other.close()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mongodb://user:secret@host/db", r"^mongodb://user@host/db names no storage: it must begin with file:, "),
        ("/a/folder", r"^/a/folder names no storage"),
        ("file://server/share", r"names no folder of this machine"),
        ("sqlite://", r"need a file"),
        ("sqlite:///x.db?pasword=secret", r"has pasword in it"),
        ("postgresql://user:secret@host:port/db", r"can't be read|names no storage"),
        ("postgresql://user:secret@host/db?sslrootcert=/none", r"sslrootcert=/none can't be read"),
    ],
)
def test_what_names_no_storage_is_refused(url, said):
    """With what to write instead, and without the password."""
    with pytest.raises(ArgumentsError, match=said) as refused:
        open_storage(url)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://user:secret@host:5432/db?sslmode=require", "postgresql://user@host:5432/db"),
        ("redis://:secret@host/0", "redis://host/0"),
        ("sqlite:////a/b.db", "sqlite:////a/b.db"),
        ("file:", "file:"),
        ("http://[", "the given URL"),
    ],
)
def test_a_url_is_shown_without_what_is_secret(url, shown):
    assert masked(url) == shown


@pytest.mark.parametrize("package", ["sqlalchemy", "aiosqlite"])
def test_a_missing_package_is_named_with_the_command_that_installs_it(package, tmp_path):
    program = f"""
import sys
sys.modules[{package!r}] = None
from channelcoder_lsp.storage.opening import open_storage, with_password
open_storage("sqlite:///{tmp_path}/sessions.db")
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert f"the package {package} is needed. Install it: pip install 'channelcoder-lsp[database]'." in ran.stderr


async def test_a_database_that_is_not_there(tmp_path):
    """One sentence, with the address and without the password."""
    storage = open_storage("postgresql://user:secret@127.0.0.1:1/db")
    with pytest.raises(StorageError, match=r"The database at postgresql://127.0.0.1:1/db can't be used") as failed:
        await storage.list()
    assert "secret" not in str(failed.value)
    await storage.close()


@pytest.mark.parametrize(
    ("url", "whole"),
    [
        ("redis://there/0?tenant=t", "redis://:p%40%2F@there/0?tenant=t"),
        ("rediss://me@there:7000", "rediss://me:p%40%2F@there:7000"),
        ("redis+unix:///run/redis.sock?db=1", "redis+unix://:p%40%2F@/run/redis.sock?db=1"),
        ("postgresql://me@there/team", "postgresql://me:p%40%2F@there/team"),
        ("postgresql://there/team", "postgresql://ada:p%40%2F@there/team"),
        ("redis://me:own@there/0", "redis://me:own@there/0"),
        ("sqlite:////the/sessions.db", "sqlite:////the/sessions.db"),
    ],
)
def test_a_password_that_is_given_apart(url: str, whole: str, monkeypatch: pytest.MonkeyPatch):
    """It is for a server's URL without one."""
    monkeypatch.setenv("PGUSER", "ada")
    assert with_password(url, "p@/") == whole
    assert with_password(url, None) == url
