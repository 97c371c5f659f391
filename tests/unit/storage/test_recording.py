"""Recording costs the same whatever the history, and what is recorded is seen by whoever has the session open."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path

import pytest
from anyio import create_task_group, fail_after, to_thread

from channelcoder_lsp.domain.errors import StorageError
from channelcoder_lsp.domain.records import ModelChosen, TurnAsked, TurnDelta
from channelcoder_lsp.domain.session import SessionState
from channelcoder_lsp.domain.turn import Turn
from channelcoder_lsp.storage.file import appending, disk, lines, tidying
from channelcoder_lsp.testing import long_session, sample_session
from channelcoder_lsp.testing.samples import answered


class Traffic:
    """Counts what is read from and written to files, and how often a write is waited for."""

    def __init__(self, monkeypatch):
        self.read = self.written = self.synced = 0
        read, write, fsync = os.read, os.write, os.fsync

        def counted_read(descriptor, size):
            data = read(descriptor, size)
            self.read += len(data)
            return data

        def counted_write(descriptor, data):
            done = write(descriptor, data)
            self.written += done
            return done

        def counted_fsync(descriptor):
            self.synced += 1
            fsync(descriptor)

        monkeypatch.setattr(os, "read", counted_read)
        monkeypatch.setattr(os, "write", counted_write)
        monkeypatch.setattr(os, "fsync", counted_fsync)


def open_files():
    """The numbers of the files that this process has open, where the system tells."""
    folder = Path("/proc/self/fd")
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


class TestTheCostOfATurn:
    async def traffic(self, storage, messages):
        """What one turn reads and writes in a session with that many messages."""
        name = f"with {messages}"
        await storage.save(long_session(messages, text="word " * 20), name)
        journal = await storage.open(name)
        await journal.append(*answered(messages))
        with pytest.MonkeyPatch.context() as monkeypatch:
            traffic = Traffic(monkeypatch)
            for record in answered(messages + 1):
                await journal.append(record)
        await journal.close()
        return traffic

    async def test_it_does_not_depend_on_the_history(self, storage):
        """A turn reads nothing and writes its two records, after ten messages and after 20,000."""
        short, long = [await self.traffic(storage, messages) for messages in (10, 20_000)]
        assert short.read == long.read == 0
        assert short.synced == long.synced == 2
        assert abs(short.written - long.written) < 50, "numbers have more digits"

    async def test_only_what_must_last_is_waited_for(self, storage):
        """A delta isn't synced: its turn's end will be."""
        journal = await storage.create(SessionState(), "mine")
        await journal.append(TurnAsked(turn=Turn(id="turn-1", question="Why?")))
        with pytest.MonkeyPatch.context() as monkeypatch:
            traffic = Traffic(monkeypatch)
            await journal.append(TurnDelta(turn_id="turn-1", text="Because"), durable=False)
            assert (traffic.synced, traffic.written > 0) == (0, True)
        await journal.close()

    async def test_several_records_are_written_and_synced_at_once(self, storage):
        """Records that are given together are together on the disk."""
        journal = await storage.create(SessionState(), "mine")
        await journal.append(*answered(1))
        with pytest.MonkeyPatch.context() as monkeypatch:
            traffic = Traffic(monkeypatch)
            await journal.append(*answered(2), *answered(3))
            assert traffic.synced == 1
        await journal.close()


class TestTheEventLoop:
    async def test_files_are_worked_on_elsewhere(self, storage, monkeypatch):
        """No file is written or waited for in the thread of the event loop."""
        threads = set()
        for name in ("write", "read", "fsync", "open", "replace"):
            original = getattr(os, name)

            def noted(*args, original=original, **kwargs):
                threads.add(threading.get_ident())
                return original(*args, **kwargs)

            monkeypatch.setattr(os, name, noted)
        journal = await storage.create(sample_session(), "mine")
        await journal.append(*answered(3))
        await journal.refresh()
        await journal.keep_content("0" * 64, "text")
        await journal.content("0" * 64)
        await journal.close()
        await storage.load("mine")
        await storage.list()
        await storage.rename("mine", "new")
        await storage.delete("new")
        assert threads
        assert threading.get_ident() not in threads

    async def test_a_record_whose_caller_was_cancelled_is_taken_in(self, storage, monkeypatch):
        """Pygls cancels tasks at will: what is being written is written, and the head follows."""
        journal = await storage.create(SessionState(), "mine")
        writing, go_on = threading.Event(), threading.Event()
        write_all = appending.write_all

        def slow(descriptor, data):
            writing.set()
            assert go_on.wait(20)
            write_all(descriptor, data)

        monkeypatch.setattr(appending, "write_all", slow)
        task = asyncio.create_task(journal.append(*answered(1)))
        await to_thread.run_sync(writing.wait)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        go_on.set()
        await journal.append(*answered(2))
        assert list(journal.head.turns) == ["turn-1", "turn-2"]
        assert list((await storage.load("mine")).turns) == ["turn-1", "turn-2"]
        await journal.close()

    async def test_appends_of_one_journal_keep_their_order(self, storage):
        """Whoever appends first is first in the journal."""
        journal = await storage.create(SessionState(), "mine")
        with fail_after(20):
            async with create_task_group() as tasks:
                for number in range(20):
                    tasks.start_soon(journal.append, TurnAsked(turn=Turn(id=f"turn-{number}", question="?")))
        assert list(journal.head.turns) == [f"turn-{number}" for number in range(20)]
        await journal.close()


class TestClosing:
    async def test_a_closed_journal_says_so(self, storage):
        """It is of no use any more."""
        journal = await storage.create(SessionState(), "mine")
        await journal.close()
        for use in (lambda: journal.append(ModelChosen(model="m")), journal.refresh, journal.fold):
            with pytest.raises(StorageError, match="closed"):
                await use()

    async def test_nothing_stays_open(self, storage):
        """Neither files nor threads."""
        before = open_files()
        await storage.save(SessionState(), "mine")
        for _ in range(3):
            journal = await storage.open("mine")
            await journal.append(ModelChosen(model="m"))
            async with journal.lease():
                pass
            await journal.close()
        assert open_files() == before
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("tidy")]


class TestInTheBackground:
    @pytest.fixture
    def small(self, monkeypatch):
        """Journals are folded from a few kilobytes on."""
        monkeypatch.setattr(tidying, "LEAST", 4096)
        monkeypatch.setattr(lines, "CARRIED_BYTES", 4096)

    async def test_a_journal_that_has_outgrown_its_snapshot_is_folded(self, storage, files, small):
        """The snapshot takes it in while recording goes on; the journal starts anew."""
        journal = await storage.create(SessionState(), "mine")
        inode = files.journal.stat().st_ino
        number = 0
        with fail_after(20):
            while files.journal.stat().st_ino == inode:
                number += 1
                await journal.append(*answered(number, text="word " * 50))
        assert files.snapshot.stat().st_size > 4096
        await journal.append(*answered(number + 1))
        assert len(journal.head.turns) == number + 1
        assert len((await storage.load("mine")).turns) == number + 1
        await journal.close()

    async def test_each_byte_is_written_again_a_few_times_only(self, storage, small, monkeypatch):
        """Folding waits until the journal is as large as the snapshot, so its cost stays in proportion."""
        journal = await storage.create(SessionState(), "mine")
        traffic = Traffic(monkeypatch)
        for number in range(1, 400):
            await journal.append(*answered(number, text="word " * 20))
        await journal.close()
        size = len((await storage.load("mine")).at_rest())
        assert traffic.written < 8 * size

    async def test_recording_does_not_wait_for_a_fold(self, storage, small, monkeypatch):
        """A fold that takes long holds nothing up: what is recorded meanwhile is not lost by it."""
        folding, go_on = threading.Event(), threading.Event()
        write_new = disk.write_new

        def slow(path, data, *, durable=True):
            if len(data) > 4096 and durable:
                folding.set()
                assert go_on.wait(20)
            return write_new(path, data, durable=durable)

        journal = await storage.create(SessionState(), "mine")
        monkeypatch.setattr("channelcoder_lsp.storage.file.folding.write_new", slow)
        number = 0
        with fail_after(20):
            while not folding.is_set():
                number += 1
                await journal.append(*answered(number, text="word " * 50))
            for _ in range(10):
                number += 1
                await journal.append(*answered(number))
        go_on.set()
        await journal.close()
        assert len((await storage.load("mine")).turns) == number

    async def test_a_large_session_is_folded_by_another_process(self, storage, files, monkeypatch):
        """Reading and writing much JSON would stop this process: another one does it."""
        monkeypatch.setattr(tidying, "APART_FROM", 1)
        monkeypatch.setattr(tidying, "fold", lambda files: pytest.fail("it was folded here"))
        journal = await storage.create(sample_session(), "mine")
        await journal.append(*answered(3))
        await journal.close()
        assert len(SessionState.model_validate_json(files.snapshot.read_bytes()).messages) == 7

    async def test_without_another_process_it_is_folded_here(self, storage, files, monkeypatch, caplog):
        """Where no process can be started, a slow fold is better than none."""
        monkeypatch.setattr(tidying, "APART_FROM", 1)
        monkeypatch.setattr(tidying.sys, "executable", "/does/not/exist")
        journal = await storage.create(sample_session(), "mine")
        await journal.append(*answered(3))
        await journal.close()
        assert len(SessionState.model_validate_json(files.snapshot.read_bytes()).messages) == 7

    async def test_the_other_process_takes_nothing_from_where_it_is_started(self, storage, tmp_path, monkeypatch):
        """A project folder with modules named like ours, or like Python's, runs nothing."""
        evil = tmp_path / "project"
        for module in ("channelcoder_lsp/__init__.py", "json.py", "sitecustomize.py", "pydantic.py"):
            path = evil / module
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"open({str(evil / 'ran')!r}, 'w')")
        monkeypatch.chdir(evil)
        monkeypatch.setattr(tidying, "APART_FROM", 1)
        journal = await storage.create(sample_session(), "mine")
        await journal.append(*answered(3))
        await journal.close()
        assert not (evil / "ran").exists()
