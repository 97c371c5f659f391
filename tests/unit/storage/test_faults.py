"""When the system refuses: one sentence that says what to do, and nothing half done."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import anyio
import pytest

from channelcoder_lsp.domain.errors import StorageError, StorageNotWritableError
from channelcoder_lsp.domain.session import SessionState
from channelcoder_lsp.services import locks
from channelcoder_lsp.storage import FileSessionStorage
from channelcoder_lsp.testing import sample_session
from channelcoder_lsp.testing.samples import answered

REFUSALS = [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EACCES, errno.EROFS, errno.EFBIG]


def refusing(monkeypatch, name, number):
    """Let a system call fail."""

    def refuse(*arguments, **options):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path if name == "unlink" else os, name, refuse)


def writing_half(monkeypatch, number):
    """Let the disk be full in the middle of a write."""
    write = os.write
    calls = iter(range(10_000))

    def half(descriptor, data):
        if next(calls):
            raise OSError(number, os.strerror(number))
        return write(descriptor, bytes(data)[: len(data) // 2])

    monkeypatch.setattr(os, "write", half)


class TestARecordThatCannotBeWritten:
    @pytest.fixture
    async def journal(self, storage):
        journal = await storage.create(SessionState(), "mine")
        await journal.append(*answered(1))
        yield journal
        await journal.close()

    @pytest.mark.parametrize("number", REFUSALS, ids=errno.errorcode.get)
    @pytest.mark.parametrize("where", ["before", "halfway", "after"])
    async def test_nothing_of_it_is_there(self, storage, files, journal, number, where):
        """Neither in the head nor, as half a line or a whole one, in the file; the next one is recorded."""
        head = journal.head.model_copy(deep=True)
        content = files.journal.read_bytes()
        records = answered(2)
        with pytest.MonkeyPatch.context() as monkeypatch:
            if where == "halfway":
                writing_half(monkeypatch, number)
            else:
                refusing(monkeypatch, "write" if where == "before" else "fsync", number)
            with pytest.raises(StorageError) as caught:
                await journal.append(*records)
        assert str(files.folder) in caught.value.message
        assert "'mine'" in caught.value.message
        assert journal.head == head
        assert files.journal.read_bytes() == content
        assert [record.seq for record in records] == [3, 4], "as the caller made them"
        await journal.append(*answered(3))
        assert list((await storage.load("mine")).turns) == ["turn-1", "turn-3"]
        assert journal.head.channelcoder.seq == 4

    async def test_others_see_nothing_of_it(self, storage, journal):
        """Also those who look while it is being tried."""
        other = await storage.open("mine")
        with pytest.MonkeyPatch.context() as monkeypatch:
            refusing(monkeypatch, "fsync", errno.EIO)
            with pytest.raises(StorageError):
                await journal.append(*answered(2))
        assert not await other.refresh()
        await other.append(*answered(3))
        assert list(other.head.turns) == ["turn-1", "turn-3"]
        await other.close()

    async def test_when_not_even_that_can_be_undone(self, storage, journal, monkeypatch):
        """What stays then counts once, even if it is recorded again."""
        with pytest.MonkeyPatch.context() as context:
            refusing(context, "fsync", errno.EIO)
            refusing(context, "ftruncate", errno.EIO)
            with pytest.raises(StorageError):
                await journal.append(*answered(2))
        await journal.append(*answered(2))
        state = await storage.load("mine")
        assert list(state.turns) == ["turn-1", "turn-2"]
        assert len(state.messages) == 4
        assert journal.head.channelcoder == state.channelcoder


class TestWhatIsSaid:
    @pytest.mark.parametrize(
        ("number", "error", "advice"),
        [
            (errno.EACCES, StorageNotWritableError, "write access"),
            (errno.EPERM, StorageNotWritableError, "write access"),
            (errno.EROFS, StorageNotWritableError, "CHANNELCODER_SESSION_DIR"),
            (errno.ENOSPC, StorageError, "Free some"),
            (errno.EDQUOT, StorageError, "Free some"),
            (errno.EIO, StorageError, "state of that disk"),
        ],
        ids=lambda value: errno.errorcode.get(value) if isinstance(value, int) else "",
    )
    @pytest.mark.parametrize("use", ["create", "save", "rename", "delete", "keep", "fold"])
    async def test_it_names_the_folder_and_says_what_to_do(self, storage, folder, *, use, number, error, advice):
        """Whatever is being done; and what was stored is still there."""
        journal = await storage.create(sample_session(), "mine")
        await journal.append(*answered(3))
        before = await storage.load("mine")
        uses = {
            "create": lambda: storage.create(SessionState(), "new"),
            "save": lambda: storage.save(SessionState(), "mine"),
            "rename": lambda: storage.rename("mine", "new"),
            "delete": lambda: storage.delete("mine"),
            "keep": lambda: journal.keep_content("0" * 64, "text"),
            "fold": journal.fold,
        }
        with pytest.MonkeyPatch.context() as monkeypatch:
            refusing(monkeypatch, "unlink" if use == "delete" else "write", number)
            with pytest.raises(error) as caught:
                await uses[use]()
        assert str(folder) in caught.value.message
        assert advice in caught.value.message
        assert await storage.load("mine") == before
        assert [info.name for info in await storage.list()] == ["mine"]
        assert not list(folder.rglob("*tmp-*"))
        await journal.close()

    async def test_a_file_where_the_folder_should_be(self, storage, folder):
        """The user is told that it is no folder."""
        folder.write_text("")
        for use in (lambda: storage.save(SessionState(), "mine"), lambda: storage.create(SessionState(), "mine")):
            with pytest.raises(StorageNotWritableError, match="not a folder"):
                await use()

    async def test_a_folder_that_cannot_be_made(self, tmp_path):
        """Nor above it."""
        (tmp_path / "file").write_text("")
        storage = FileSessionStorage(tmp_path / "file" / "sessions")
        with pytest.raises(StorageNotWritableError, match="not a folder"):
            await storage.save(SessionState(), "mine")

    async def test_a_lock_that_is_not_let_go(self, storage, files, monkeypatch):
        """A process that hangs with the lock is not waited for without end."""
        journal = await storage.create(SessionState(), "mine")
        monkeypatch.setattr(locks, "PATIENCE", 0.05)
        with locks.locked(files.lock), pytest.raises(StorageError, match="has been locked"):
            await journal.append(*answered(1))
        await journal.append(*answered(2))
        assert list(journal.head.turns) == ["turn-2"]
        await journal.close()


class TestAFolderThatCanBeReadOnly:
    async def test_sessions_can_still_be_read(self, storage, monkeypatch):
        """Old answers are shown; recording says why it can't be done."""
        journal = await storage.create(sample_session("mine"), "mine")
        await journal.append(*answered(3))
        await journal.close()
        real = os.open

        def read_only(path, flags, *arguments, **options):
            if flags & (os.O_WRONLY | os.O_RDWR):
                raise OSError(errno.EROFS, os.strerror(errno.EROFS))
            return real(path, flags, *arguments, **options)

        monkeypatch.setattr(os, "open", read_only)
        (storage.directory / "mine.index").unlink()
        assert [info.message_count for info in await storage.list()] == [7]
        assert (await storage.load("mine")).message_count == 7
        journal = await storage.open("mine")
        assert journal.head.message_count == 7
        assert not await journal.refresh()
        with pytest.raises(StorageNotWritableError):
            await journal.append(*answered(4))
        await journal.close()

    @pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.EPERM, errno.EIO])
    async def test_what_others_recorded_before_is_taken_in(self, storage, monkeypatch, number):
        """Where the journal can't be opened for writing the head is read anew. A disk that fails is something else."""
        other = await storage.create(sample_session("mine"), "mine")
        journal = await storage.open("mine")
        await other.append(*answered(3))
        await other.fold()  # which makes new files
        real = os.open

        def read_only(path, flags, *arguments, **options):
            if flags & (os.O_WRONLY | os.O_RDWR):
                raise OSError(number, os.strerror(number))
            return real(path, flags, *arguments, **options)

        with monkeypatch.context() as context:
            context.setattr(os, "open", read_only)
            if number == errno.EIO:
                with pytest.raises(StorageError, match="state of that disk"):
                    await journal.refresh()
            else:
                assert await journal.refresh()
                assert list(journal.head.turns)[-1] == "turn-3"
        await other.close()
        await journal.close()


class TestALossOfPower:
    """What it leaves can't be tried here; that everything was handed to the disk in order can."""

    @pytest.mark.skipif(sys.platform == "win32", reason="Windows has no folders to sync")
    @pytest.mark.parametrize("use", ["create", "save", "rename", "delete", "fold"])
    async def test_files_are_on_the_disk_before_their_names_and_these_before_it_is_said(
        self, storage, folder, monkeypatch, use
    ):
        """A new file is synced before it gets a session's name, and the folder after that."""
        if use != "create":
            journal = await storage.create(sample_session(), "mine")
            await journal.append(*answered(3))
        happened = []
        real = {name: getattr(os, name) for name in ("fsync", "open")}
        paths = {}

        def opening(path, *arguments, **options):
            descriptor = real["open"](path, *arguments, **options)
            paths[descriptor] = Path(path)
            return descriptor

        def fsync(descriptor):
            real["fsync"](descriptor)
            happened.append(("sync", paths[descriptor]))

        def naming(name):
            change = getattr(Path, name)

            def changed(path, *arguments, **options):
                result = change(path, *arguments, **options)
                happened.append((name, path, *arguments))
                return result

            return changed

        monkeypatch.setattr(os, "open", opening)
        monkeypatch.setattr(os, "fsync", fsync)
        for name in ("replace", "unlink"):
            monkeypatch.setattr(Path, name, naming(name))
        uses = {
            "create": lambda: storage.create(SessionState(), "new"),
            "save": lambda: storage.save(SessionState(), "mine"),
            "rename": lambda: storage.rename("mine", "new"),
            "delete": lambda: storage.delete("mine"),
            "fold": lambda: journal.fold(),  # noqa: PLW0108 - there is none when one is created
        }
        await uses[use]()
        monkeypatch.undo()
        named = [(at, *event[1:]) for at, event in enumerate(happened) if event[0] == "replace"]
        for at, source, target in named:
            if target.suffix != ".index":  # which is made anew from the others
                assert ("sync", source) in happened[:at] or source.suffix == ".json"
                assert ("sync", folder) in happened[at:]
        removed = [at for at, event in enumerate(happened) if event[0] == "unlink" and event[1].suffix == ".json"]
        assert all(("sync", folder) in happened[at:] for at in removed)
        assert named or removed


class TestClosing:
    async def test_a_session_that_cannot_be_saved_stays_in_its_journal(self, storage, caplog):
        """Closing reports it; the next one who opens the session has everything."""
        journal = await storage.create(SessionState(), "mine")
        await journal.append(*answered(1))
        with pytest.MonkeyPatch.context() as monkeypatch:
            refusing(monkeypatch, "write", errno.ENOSPC)
            await journal.close()
        assert "stays in the journal" in caplog.text
        other = await storage.open("mine")
        assert list(other.head.turns) == ["turn-1"]
        await other.close()


FULL = """
import resource, sys, anyio
from channelcoder_lsp.domain.errors import StorageError
from channelcoder_lsp.storage import FileSessionStorage
from channelcoder_lsp.testing.samples import answered

async def main():
    journal = await FileSessionStorage(sys.argv[1]).open("mine")
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
    number = 0
    try:
        while True:
            number += 1
            await journal.append(*answered(number))
    except StorageError as error:
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        assert len(journal.head.turns) == number - 1
        await journal.append(*answered(1000))
        print(number - 1)

anyio.run(main)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")
async def test_a_file_that_may_not_grow(storage, files):
    """The same with a limit that the system itself keeps, which cuts a write in two."""
    await (await storage.create(SessionState(), "mine")).close()
    run = await anyio.run_process([sys.executable, "-c", FULL, files.folder])
    recorded = int(run.stdout)
    assert recorded > 3
    state = await storage.load("mine")
    assert list(state.turns) == [*(f"turn-{number}" for number in range(1, recorded + 1)), "turn-1000"]
    assert Path(files.journal).read_bytes().endswith(b"\n")
