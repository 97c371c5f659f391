"""Locks between processes."""

from __future__ import annotations

import anyio
import pytest

from channelcoder_lsp.domain.errors import StorageError
from channelcoder_lsp.services import locks
from channelcoder_lsp.services.locks import FileLock, locked


@pytest.fixture
def path(tmp_path):
    return tmp_path / "lock"


def test_one_has_it_at_a_time(path):
    """Two openings of the file exclude each other, in one process as in two."""
    one, other = FileLock(path), FileLock(path)
    assert one.try_acquire()
    assert not other.try_acquire()
    one.release()
    assert other.try_acquire()
    other.close()
    assert one.try_acquire()
    one.close()


def test_a_lock_on_a_removed_file_is_none(path):
    """Who waited on a file that was removed with its session doesn't get by beside who made a new one."""
    old, waiting, new = FileLock(path), FileLock(path), FileLock(path)
    assert old.try_acquire()
    assert not waiting.try_acquire()
    path.unlink()
    old.close()
    assert new.try_acquire()
    assert not waiting.try_acquire()
    new.close()
    assert waiting.try_acquire()
    waiting.close()


def test_it_is_not_waited_for_without_end(path, monkeypatch):
    """The error names the file and says what to do."""
    monkeypatch.setattr(locks, "PATIENCE", 0.02)
    with locked(path), pytest.raises(StorageError, match=r"lock has been locked .* End the"), locked(path):
        pass
    with locked(path):
        pass


async def test_who_waits_no_longer_does_not_get_it(path):
    """Neither then nor when it is free."""
    holder, waiting = FileLock(path), FileLock(path)
    assert holder.try_acquire()
    with anyio.move_on_after(0.05) as gave_up:
        await waiting.wait()
    assert gave_up.cancelled_caught
    holder.release()
    assert holder.try_acquire()
    holder.close()
    await waiting.wait()
    waiting.close()
