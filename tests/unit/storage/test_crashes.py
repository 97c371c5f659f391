"""Nothing that was recorded is lost or doubled when a process dies, at whatever moment."""

from __future__ import annotations

import logging
import os
import random
import subprocess
import sys
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from anyio import fail_after, move_on_after

from channelcoder_lsp.domain.session import SessionState
from channelcoder_lsp.storage import FileSessionStorage
from channelcoder_lsp.storage.file import moving, writing
from channelcoder_lsp.storage.pruning import RECENT_TURNS
from channelcoder_lsp.testing import sample_session, sample_thread
from channelcoder_lsp.testing.samples import answered

PROGRAM = Path(__file__).with_name("crashes.py")


def start(*arguments):
    return subprocess.Popen(
        [sys.executable, PROGRAM, *map(str, arguments)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def check(state, acknowledged):
    """Every turn that was acknowledged is there, once, and every number was given once."""
    answered_turns = [line.split()[1] for line in acknowledged if line.startswith("answered")]
    asked_turns = [line.split()[1] for line in acknowledged if line.startswith("asked")]
    texts = [message.content for message in state.messages]
    assert len(set(texts)) == len(texts)
    for turn_id in answered_turns:
        assert state.turns[turn_id].answer == f"Answer {turn_id}"
    for turn_id in asked_turns:
        assert turn_id in state.turns
    assert state.channelcoder.totals.turns == len(state.turns)
    assert state.channelcoder.seq == len(state.messages)


class TestKilled:
    @pytest.mark.parametrize("fold_every", [0, 2048], ids=["while appending", "while appending and folding"])
    async def test_what_was_acknowledged_is_there(self, storage, folder, fold_every, caplog):
        """Killed again and again in the middle of its work: each time, all it had said is there."""
        await (await storage.create(SessionState(), "mine")).close()
        chance = random.Random(1)
        acknowledged = []
        for round_ in range(6):
            process = start("record", folder, "mine", f"w{round_}", fold_every)
            acknowledged += [process.stdout.readline() for _ in range(chance.randrange(20, 120))]
            process.kill()
            acknowledged += process.communicate()[0].splitlines()
            check(await FileSessionStorage(folder).load("mine"), acknowledged)
        journal = await storage.open("mine")
        check(await journal.state(), acknowledged)
        await journal.append(*answered(1))
        await journal.close()
        assert list((await storage.load("mine")).turns)[-1] == "turn-1"

    async def test_beside_one_that_lives(self, storage, folder):
        """Another process that has the session open goes on, and sees what the dead one recorded."""
        journal = await storage.create(SessionState(), "mine")
        process = start("record", folder, "mine", "dying", 4096)
        acknowledged = []
        for number in range(30):
            await journal.append(*answered(number))
            acknowledged.append(process.stdout.readline())
        process.kill()
        acknowledged += process.communicate()[0].splitlines()
        await journal.append(*answered(30))
        state = await storage.load("mine")
        check(state, acknowledged)
        assert [turn for turn in state.turns if turn.startswith("turn-")] == [f"turn-{number}" for number in range(31)]
        # Where the other one folded, the head has the latest turns and what came since.
        known = list(journal.head.turns)
        assert len(known) >= RECENT_TURNS
        assert known == list(state.turns)[-len(known) :]
        await journal.close()


class TestATornLine:
    @pytest.mark.parametrize("missing", [1, 2, 10, 200])
    async def test_it_is_dropped_and_reported(self, storage, files, caplog, missing):
        """Half a line at the end is what a process that died left: what is before it counts."""
        journal = await storage.create(SessionState(), "mine")
        await journal.append(*answered(1))
        await journal.append(answered(2)[0])
        whole = files.journal.read_bytes()
        files.journal.write_bytes(whole[:-missing])
        assert list((await storage.load("mine")).turns) == ["turn-1"]
        with caplog.at_level(logging.WARNING):
            other = await storage.open("mine")
        assert str(files.journal) in caplog.text
        assert other.head.channelcoder.seq == 2
        await other.append(*answered(3))
        assert list((await storage.load("mine")).turns) == ["turn-1", "turn-3"]
        assert other.head.channelcoder.seq == 4
        await other.close()

    async def test_by_one_that_has_it_open(self, storage, files, caplog):
        """A process that goes on cuts it off before it writes behind it."""
        journal = await storage.create(SessionState(), "mine")
        await journal.append(*answered(1))
        with files.journal.open("ab") as file:
            file.write(b'{"type":"turn.asked","se')
        await storage.open("mine")
        assert str(files.journal) in caplog.text
        await journal.append(*answered(2))
        assert journal.head.channelcoder.seq == 4
        assert list((await storage.load("mine")).turns) == ["turn-1", "turn-2"]
        await journal.close()

    async def test_before_a_fold(self, storage, files):
        """A fold leaves it behind."""
        journal = await storage.create(SessionState(), "mine")
        await journal.append(*answered(1))
        with files.journal.open("ab") as file:
            file.write(b"half a line")
        await journal.fold()
        assert b"half a line" not in files.journal.read_bytes()
        await journal.close()

    async def test_of_zeros(self, storage, files):
        """After a loss of power a file may end in zeros."""
        journal = await storage.create(SessionState(), "mine")
        await journal.append(*answered(1))
        with files.journal.open("ab") as file:
            file.write(b"\0" * 100)
        await journal.refresh()
        await journal.append(*answered(2))
        assert list((await storage.load("mine")).turns) == ["turn-1", "turn-2"]
        await journal.close()


class Died(BaseException):
    """The process ended here."""


@contextmanager
def dying_at(step):
    """Let the nth change in the folder be where the process dies."""
    steps = iter(range(100))

    def dying(original):
        def do(*arguments, **options):
            if next(steps) == step:
                raise Died
            return original(*arguments, **options)

        return do

    with pytest.MonkeyPatch.context() as monkeypatch:
        for module in (writing, moving):
            monkeypatch.setattr(module, "sync_folder", dying(module.sync_folder))
        for method in ("replace", "unlink"):
            monkeypatch.setattr(Path, method, dying(getattr(Path, method)))
        with suppress(Died):
            yield


class TestBetweenTheStepsOf:
    """A process may die between any two steps: each leaves the session whole."""

    @pytest.mark.parametrize("step", range(6))
    async def test_a_fold(self, storage, step):
        """A record that is in the new snapshot and the old journal counts once."""
        journal = await storage.create(sample_session(), "mine")
        await journal.append(*answered(3))
        expected = await journal.state()
        with dying_at(step):
            await journal.fold()
        assert await storage.load("mine") == expected
        assert (await storage.list())[0].message_count == 7
        await journal.append(*answered(4))
        other = await storage.open("mine")
        assert other.head.channelcoder.seq == journal.head.channelcoder.seq == 9
        assert other.head.message_count == journal.head.message_count == 9
        await journal.close()
        await other.close()
        assert len((await storage.load("mine")).messages) == 9

    @pytest.mark.parametrize("step", range(6))
    async def test_a_save(self, storage, step):
        """Either all of the old session is there or all of the new one."""
        journal = await storage.create(sample_session(turns=3), "mine")
        await journal.append(*answered(4))
        old = await journal.state()
        with dying_at(step):
            await storage.save(sample_session(turns=1), "mine")
        state = await storage.load("mine")
        assert state.messages in (old.messages, sample_session(turns=1).messages)
        await journal.append(*answered(5))
        after = await storage.load("mine")
        assert list(after.turns) == [*state.turns, "turn-5"]
        await journal.close()

    @pytest.mark.parametrize("step", range(20))
    async def test_a_rename(self, storage, step):
        """The session is there, whole, under one of the names, and what belongs to it too."""
        journal = await storage.create(sample_session("old"), "old")
        await journal.keep_content("0" * 64, "text")
        await journal.append(*answered(3))
        await journal.close()
        with dying_at(step):
            await storage.rename("old", "new")
        (info,) = await storage.list()
        assert info.name in ("old", "new")
        journal = await storage.open(info.name)
        assert journal.head.message_count == 7
        assert await journal.content("0" * 64) == "text"
        await journal.close()
        if info.name == "old":
            await storage.rename("old", "new")
        assert (await storage.load("new")).metadata.name == "new"
        assert await (await storage.open("new")).content("0" * 64) == "text"

    @pytest.mark.parametrize("step", range(8))
    async def test_a_removal(self, storage, step):
        """What a removal that was cut short leaves is no session, and in nobody's way."""
        journal = await storage.create(sample_session(), "mine")
        await journal.keep_content("0" * 64, "text")
        with dying_at(step):
            await storage.delete("mine")
        if step == 0:
            assert await storage.exists("mine")
            await storage.delete("mine")
        assert await storage.list() == []
        new = await storage.create(SessionState(), "mine")
        assert new.head.message_count == 0
        assert await new.content("0" * 64) is None
        await new.append(*answered(1))
        await new.close()
        assert list((await storage.load("mine")).turns) == ["turn-1"]


async def test_files_that_nobody_finished_are_cleared_away(storage, files, folder):
    """A temporary file is removed once it is old enough to have no writer, and with its session."""
    journal = await storage.create(sample_session(), "mine")
    old, new = files.temporary(), files.temporary()
    for path in (old, new):
        path.write_text("half")
    os.utime(old, (0, 0))
    await journal.append(*answered(3, thread=sample_thread()))
    await journal.close()
    assert (old.exists(), new.exists()) == (False, True)
    await storage.delete("mine")
    assert list(folder.iterdir()) == []


class TestTheLease:
    async def test_it_ends_with_its_holder(self, storage, folder):
        """However the holder dies, the next in line gets it."""
        journal = await storage.create(SessionState(), "mine")
        process = start("lease", folder, "mine")
        assert process.stdout.readline() == "leased\n"
        process.kill()
        process.communicate()
        with fail_after(20):
            async with journal.lease():
                pass
        await journal.close()

    async def test_it_is_waited_for(self, storage, folder):
        """While another process has it, it is not given out."""
        journal = await storage.create(SessionState(), "mine")
        process = start("lease", folder, "mine")
        assert process.stdout.readline() == "leased\n"
        with move_on_after(0.3) as waiting:
            async with journal.lease():
                pass
        assert waiting.cancelled_caught
        process.communicate("")
        with fail_after(20):
            async with journal.lease():
                pass
        await journal.close()


class TestManyProcesses:
    @pytest.mark.parametrize("writers", [2, 4])
    async def test_nothing_is_lost_when_they_record_at_once(self, storage, folder, writers):
        """Each record has its own number, none is missing, each writer's are in order; folds go on meanwhile."""
        journal = await storage.create(SessionState(), "mine")
        processes = [start("some", folder, "mine", f"w{writer}", 60) for writer in range(writers)]
        for number in range(20):
            await journal.append(*answered(number))
        for process in processes:
            output = process.communicate(timeout=60)[0]
            assert process.returncode == 0
            assert output.count("answered") == 60
        await journal.refresh()
        state = await storage.load("mine")
        assert state.channelcoder.seq == 2 * (60 * writers + 20)
        assert len(state.messages) == state.channelcoder.seq
        for writer in range(writers):
            mine = [turn for turn in state.turns if turn.startswith(f"w{writer}-")]
            assert mine == [f"w{writer}-{number}" for number in range(60)]
        assert [turn for turn in state.turns if turn.startswith("turn-")] == [f"turn-{number}" for number in range(20)]
        assert journal.head.message_count == len(state.messages)
        await journal.close()
        assert await storage.load("mine") == state
