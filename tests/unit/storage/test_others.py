"""Others change a session while it is open: other journals of ours, and ChannelCoder, which knows none of it."""

from __future__ import annotations

import errno
import json
import logging
from contextlib import contextmanager
from datetime import timedelta

import pytest
import watchfiles
from anyio import create_task_group, fail_after

from channelcoder_lsp.domain.errors import SessionNotFoundError
from channelcoder_lsp.domain.model import iso
from channelcoder_lsp.domain.records import ModelChosen, SessionCleared, TurnAsked, TurnDelta
from channelcoder_lsp.domain.session import SessionState
from channelcoder_lsp.domain.turn import Turn
from channelcoder_lsp.storage.file import folding, lines
from channelcoder_lsp.testing import sample_session
from channelcoder_lsp.testing.samples import MADE, answered


class TestOtherJournals:
    async def test_a_fold_by_another_is_followed(self, storage, files):
        """Nobody appends to a journal that was folded away."""
        one, other = await storage.create(SessionState(), "mine"), await storage.open("mine")
        await one.append(*answered(1))
        await other.fold()
        await one.append(*answered(2))
        await one.fold()
        await other.append(*answered(3))
        assert list(other.head.turns) == ["turn-1", "turn-2", "turn-3"]
        assert (await storage.load("mine")).channelcoder.seq == 6
        await one.close()
        await other.close()

    async def test_a_journal_that_has_the_number_of_the_one_before_is_another(self, storage, folder, caplog):
        """File systems give a number again when nobody has the file open; so who only looks has it open, too."""
        for name in map(str, range(10)):
            one, other = await storage.create(SessionState(), name), await storage.open(name)
            number = (folder / f"{name}.journal").stat().st_ino
            for turn in (1, 2):
                await one.append(*answered(turn))
                await one.close()
                one = await storage.open(name)
            assert (folder / f"{name}.journal").stat().st_ino != number
            await other.append(*answered(3))
            assert [*(await storage.load(name)).turns] == ["turn-1", "turn-2", "turn-3"]
            await one.close()
            await other.close()
        assert caplog.records == []

    async def test_what_was_folded_before_one_looked_is_taken_in(self, storage, files, monkeypatch):
        """One who was away while more was folded than the journal carries still sees all, and gives new numbers."""
        monkeypatch.setattr(lines, "CARRIED_BYTES", 100)
        one, other = await storage.create(SessionState(), "mine"), await storage.open("mine")
        await one.append(*answered(1), *answered(2))
        await one.close()
        await other.append(*answered(3))
        assert list(other.head.turns) == ["turn-1", "turn-2", "turn-3"]
        assert other.head.channelcoder.seq == 6
        assert len((await storage.load("mine")).messages) == 6
        await other.close()

    async def test_a_text_that_is_coming_stays_whole(self, storage):
        """Another one's fold in the middle of an answer loses none of it, for nobody."""
        one, other = await storage.create(SessionState(), "mine"), await storage.open("mine")
        await one.append(TurnAsked(turn=Turn(id="turn-1", question="?")))
        await other.refresh()
        for text in ("The ", "whole ", "answer"):
            await one.append(TurnDelta(turn_id="turn-1", text=text), durable=False)
        await one.fold()
        await one.append(TurnDelta(turn_id="turn-1", text="."), durable=False)
        await other.refresh()
        assert one.head.turns["turn-1"].answer == other.head.turns["turn-1"].answer == "The whole answer."
        await one.close()
        await other.close()

    async def test_a_session_that_was_moved_away(self, storage, folder):
        """Someone removed its file: the journal says so and makes none."""
        journal = await storage.create(SessionState(), "mine")
        (folder / "mine.json").unlink()
        with pytest.raises(SessionNotFoundError):
            await journal.append(*answered(1))
        await journal.close()
        assert not await storage.exists("mine")


@contextmanager
def in_the_middle_of_a_fold(change):
    """Do something while the first fold to come writes its snapshot."""
    write_new = folding.write_new
    done = []

    def interrupted(path, data, **options):
        if not done:
            done.append(True)
            change()
        return write_new(path, data, **options)

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(folding, "write_new", interrupted)
        yield
    assert done


def channelcoder_adds(path, *texts, when, forget=()):
    """What ChannelCoder does: it writes what it has in memory, in place."""
    data = json.loads(path.read_text())
    for text in texts:
        message = {"role": "user", "content": text, "timestamp": iso(when), "sessionId": "claude-9"}
        data["messages"].append(message)
    data["sessionChain"].append("claude-9")
    data["currentSessionId"] = "claude-9"
    for key in forget:
        del data[key]
    path.write_text(json.dumps(data, indent=2))


class TestChannelCoder:
    async def test_its_messages_stand_where_their_time_puts_them(self, storage, files):
        """What it added between two of our turns is between them, also when ours come from the journal."""
        journal = await storage.create(sample_session("mine", turns=1), "mine")
        await journal.append(*answered(5))
        await journal.append(*answered(9))
        channelcoder_adds(files.snapshot, "Theirs?", when=MADE + timedelta(hours=2, minutes=9))
        early, late = answered(2), answered(3)
        for record in (*early, *late):
            record.at += timedelta(hours=2, minutes=5 if record in early else 10)
        state = await journal.state()
        contents = [message.content.partition(":")[0] for message in state.messages]
        assert contents[-1] == "Theirs?", "it came hours after the records"
        await journal.append(*early, *late)
        contents = [message.content.partition(":")[0] for message in (await journal.state()).messages]
        assert contents[-5:] == ["Question 2", "Answer 2", "Theirs?", "Question 3", "Answer 3"]
        await journal.close()
        assert [each.content for each in (await storage.load("mine")).messages][-3] == "Theirs?"

    async def test_appending_takes_its_change_in(self, storage, files):
        """Also without a refresh before; the chain is followed too."""
        journal = await storage.create(sample_session("mine"), "mine")
        channelcoder_adds(files.snapshot, "Theirs?", when=MADE + timedelta(hours=3))
        await journal.append(ModelChosen(model="model"))
        assert journal.head.message_count == 6
        assert journal.head.current_session_id == "claude-9"
        assert journal.head.channelcoder.model == "model"
        await journal.close()

    async def test_a_session_cleared_here_keeps_what_it_adds_later(self, storage, files):
        """Our clear is not applied to what came after it."""
        journal = await storage.create(sample_session("mine"), "mine")
        await journal.append(SessionCleared(at=MADE + timedelta(hours=4)))
        channelcoder_adds(files.snapshot, "Later?", when=MADE + timedelta(hours=5))
        assert [message.content for message in (await journal.state()).messages] == ["Later?"]
        await journal.refresh()
        assert journal.head.message_count == 1
        await journal.close()

    async def test_a_session_cleared_there_is_cleared_here(self, storage, files):
        """Without our key all of ours is gone, but for the folder that the session belongs to."""
        journal = await storage.create(sample_session("mine", turns=1), "mine")
        await journal.append(*answered(2))
        await journal.fold()
        channelcoder_adds(files.snapshot, when=MADE, forget=["channelcoder"])
        await journal.refresh()
        assert (journal.head.turns, journal.head.threads) == ({}, {})
        assert journal.head.channelcoder.checkout == "/home/someone/project"
        await journal.append(*answered(9))
        assert list(journal.head.turns) == ["turn-9"]
        assert journal.head.channelcoder.seq == 7, "numbers are not given twice"
        await journal.close()

    async def test_the_count_of_messages_that_the_lean_shape_has_is_kept_right(self, storage, files):
        """The guide's ``metadata.messageCount`` is not left behind."""
        files.folder.mkdir()
        metadata = {"created": "2024-01-15T10:00:00Z", "lastActive": "2024-01-15T11:30:00Z", "messageCount": 0}
        files.snapshot.write_text(json.dumps({"id": "x", "messages": [], "metadata": metadata}))
        journal = await storage.open("mine")
        await journal.append(*answered(1))
        await journal.close()
        assert json.loads(files.snapshot.read_text())["metadata"]["messageCount"] == 2

    async def test_an_old_copy_is_noticed(self, storage, files, caplog, monkeypatch):
        """If it can't be told what an old copy lacks, that is said."""
        monkeypatch.setattr(lines, "CARRIED_BYTES", 100)
        journal = await storage.create(sample_session("mine"), "mine")
        old = files.snapshot.read_bytes()
        await journal.append(*answered(3))
        await journal.fold()
        files.snapshot.write_bytes(old)
        files.index.unlink()
        with caplog.at_level(logging.WARNING):
            await journal.refresh()
        assert "records 6 to 7 are not in it" in caplog.text
        assert list(journal.head.turns) == ["turn-1", "turn-2", "turn-waiting"]
        await journal.append(*answered(4))
        assert journal.head.channelcoder.seq == 9
        await journal.close()

    async def test_a_fold_notices_that_it_wrote_meanwhile(self, storage, files):
        """What it added while we were folding is not written over."""
        journal = await storage.create(sample_session("mine"), "mine")
        await journal.append(*answered(3))
        with in_the_middle_of_a_fold(lambda: channelcoder_adds(files.snapshot, "Theirs?", when=MADE)):
            await journal.fold()
        assert "Theirs?" in files.snapshot.read_text()
        assert len((await storage.load("mine")).messages) == 8
        await journal.close()

    async def test_two_folds_at_once_are_one(self, storage, files):
        """The one who comes second finds it done; nothing is lost or doubled."""
        one, other = await storage.create(sample_session("mine"), "mine"), await storage.open("mine")
        await one.append(*answered(3))
        with in_the_middle_of_a_fold(lambda: folding.fold(files)):
            await one.fold()
        await other.append(*answered(4))
        await one.refresh()
        assert one.head.message_count == other.head.message_count == 9
        assert len((await storage.load("mine")).messages) == 9
        await one.close()
        await other.close()

    async def test_a_change_that_another_folded_in_is_seen(self, storage, files):
        """One of ours took ChannelCoder's message in and folded: the others see it too."""
        one, other = await storage.create(sample_session("mine"), "mine"), await storage.open("mine")
        channelcoder_adds(files.snapshot, "Theirs?", when=MADE)
        await one.append(ModelChosen(model="model"))
        await one.fold()
        await other.refresh()
        assert other.head.message_count == 6
        assert other.head.current_session_id == "claude-9"
        await one.close()
        await other.close()


class TestWatching:
    async def names_seen(self, storage, change):
        """The first name that is seen while something is changed again and again."""
        seen = []

        async def watch():
            async for name in storage.watch():
                seen.append(name)
                return

        with fail_after(20):
            async with create_task_group() as tasks:
                tasks.start_soon(watch)
                while not seen:
                    await change()
        return seen

    async def test_the_folder_is_made_if_need_be(self, storage):
        """Watching may begin before there is any session."""
        assert await self.names_seen(storage, lambda: storage.save(SessionState(), "first")) == ["first"]

    async def test_what_channelcoder_does_is_seen(self, storage, files):
        """Its writes have no journal."""
        await storage.save(SessionState(), "mine")
        content = files.snapshot.read_bytes()

        async def change():
            await storage.exists("mine")
            files.snapshot.write_bytes(content)

        assert await self.names_seen(storage, change) == ["mine"]

    async def test_names_with_dots(self, storage):
        """A name may have an ending of its own."""
        assert await self.names_seen(storage, lambda: storage.save(SessionState(), "v1.2")) == ["v1.2"]

    async def test_a_system_that_gives_no_notice(self, storage, monkeypatch, caplog):
        """Its limit may be reached: then the folder is looked at now and then, and that is said."""
        awatch = watchfiles.awatch

        def limited(*paths, force_polling, **options):
            if not force_polling:
                raise OSError(errno.ENOSPC, "OS file watch limit reached")
            return awatch(*paths, force_polling=True, **options)

        monkeypatch.setattr(watchfiles, "awatch", limited)
        assert await self.names_seen(storage, lambda: storage.save(SessionState(), "first")) == ["first"]
        assert "limit reached" in caplog.text
