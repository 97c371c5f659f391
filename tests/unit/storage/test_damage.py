"""What can't be read is kept aside and said, what can be is gone on with."""

from __future__ import annotations

import asyncio
import json
import os
import threading

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channelcoder_lsp.domain.errors import SessionCorruptError, SessionNotFoundError, StorageError
from channelcoder_lsp.domain.records import TurnAsked, TurnFinished
from channelcoder_lsp.domain.session import SessionState
from channelcoder_lsp.domain.turn import Turn, TurnState
from channelcoder_lsp.storage import FileSessionStorage
from channelcoder_lsp.storage.file.rescue import rescue
from channelcoder_lsp.testing import sample_session, sample_thread
from channelcoder_lsp.testing.samples import answered


@pytest.fixture
async def session(storage):
    """A session with two turns on a thread at rest and one more in the journal."""
    journal = await storage.create(sample_session("mine"), "mine")
    await journal.append(*answered(3))
    yield journal
    await journal.close()


def damage(path, content):
    """Write rubbish, long enough ago that nobody can be in the middle of writing it."""
    path.write_bytes(content)
    os.utime(path, (1_700_000_000, 1_700_000_000))
    return content


def set_aside(files):
    return {path.name: path.read_bytes() for path in files.folder.iterdir() if ".corrupt-" in path.name}


SNAPSHOTS = [
    b"",
    b"{",
    b"[]",
    b"null",
    b"\x00" * 500,
    b"\xff\xfe{}",
    b'{"messages": 5, "metadata": {}}',
    b'{"messages": [{"role": "system", "content": ""}], "metadata": {}}',
    b'{"something": "else"}',
]


class TestTheSnapshot:
    @pytest.mark.parametrize("content", SNAPSHOTS)
    async def test_it_is_set_aside_and_what_is_known_goes_on(self, storage, files, session, content, caplog):
        """Index and journal have the threads and their turns: opening says what happened, the next one works."""
        damage(files.snapshot, content)
        with pytest.raises(SessionCorruptError) as caught:
            await storage.open("mine")
        ((name, kept),) = set_aside(files).items()
        assert kept == content
        assert name in caught.value.message
        assert not name.endswith(".json")
        assert "7 messages" in caught.value.message
        assert caught.value.message in caplog.text
        journal = await storage.open("mine")
        assert list(journal.head.turns) == ["turn-1", "turn-2", "turn-waiting", "turn-3"]
        assert list(journal.head.threads) == ["thread-1"]
        assert journal.head.turns["turn-1"].answer.startswith("Answer 1")
        await journal.append(*answered(4))
        await journal.close()
        assert len((await storage.load("mine")).messages) == 9

    async def test_what_is_made_again_of_it_says_what_was_said(self, storage, files):
        """No empty answers of questions that were cancelled; the next question goes to the same Claude session."""
        journal = await storage.create(sample_session("mine"), "mine")
        turn = Turn(id="cancelled", question="Never mind", prompt="Never mind")
        await journal.append(TurnAsked(turn=turn))
        await journal.append(TurnFinished(turn_id="cancelled", state=TurnState.CANCELLED))
        before = await journal.state()
        await journal.close()
        files.snapshot.write_text("{")
        with pytest.raises(SessionCorruptError):
            await storage.load("mine")
        after = await storage.load("mine")
        assert after.current_session_id == before.current_session_id is not None
        assert [message.content for message in after.messages if message.turn_id == "cancelled"] == ["Never mind"]
        assert all(message.content for message in after.messages)

    async def test_half_a_character_is_no_damage(self, storage, files):
        """JavaScript writes halves of surrogate pairs, which are no Unicode."""
        await storage.save(sample_session("mine"), "mine")
        text = files.snapshot.read_text(encoding="utf-8")
        files.snapshot.write_text(text.replace('"content": "', '"content": "\\ud83d ', 1), encoding="utf-8")
        state = await storage.load("mine")
        assert state.messages[0].content.startswith("\ufffd ")

    async def test_without_anything_else_it_is_set_aside_only(self, storage, files):
        """There is no session then; the name is free, the rubbish is kept."""
        files.folder.mkdir()
        content = damage(files.snapshot, b"{ rubbish")
        with pytest.raises(SessionCorruptError, match="Nothing of it could be read"):
            await storage.load("mine")
        assert list(set_aside(files).values()) == [content]
        with pytest.raises(SessionNotFoundError):
            await storage.load("mine")
        await storage.save(SessionState(), "mine")
        assert list(set_aside(files).values()) == [content]

    async def test_a_list_leaves_it_out(self, storage, files, session, caplog):
        """One bad file is no reason to show none; listing touches nothing."""
        await storage.save(sample_session("other"), "other")
        damage(files.snapshot, b"{")
        assert [info.name for info in await storage.list()] == ["other"]
        assert str(files.snapshot) in caplog.text
        assert set_aside(files) == {}

    async def test_a_save_keeps_it_aside(self, storage, files, session):
        """What can't be read is never overwritten."""
        content = damage(files.snapshot, b"{")
        await storage.save(sample_session("mine", turns=1), "mine")
        assert list(set_aside(files).values()) == [content]
        assert len((await storage.load("mine")).messages) == 3

    @pytest.mark.parametrize("use", ["load", "rename", "fold", "close", "append", "refresh"])
    async def test_whoever_meets_it(self, storage, files, session, use):
        """Whatever is being done, the rubbish is kept aside; a record that is being made is made."""
        content = damage(files.snapshot, b"{")
        uses = {
            "load": lambda: storage.load("mine"),
            "rename": lambda: storage.rename("mine", "new"),
            "fold": session.fold,
            "close": session.close,
            "append": lambda: session.append(*answered(4)),
            "refresh": session.refresh,
        }
        if use in ("load", "rename", "fold"):
            with pytest.raises(SessionCorruptError):
                await uses[use]()
        else:
            await uses[use]()
        assert list(set_aside(files).values()) == [content]
        state = await storage.load("mine")
        assert list(state.turns)[:4] == ["turn-1", "turn-2", "turn-waiting", "turn-3"]
        assert ("turn-4" in state.turns) == (use == "append")

    async def test_two_of_one_moment_are_both_kept(self, storage, files):
        """A second one set aside in the same second has a name of its own."""
        files.folder.mkdir()
        contents = {damage(files.snapshot, f"{{ {number}".encode()) for number in range(1)}
        with pytest.raises(SessionCorruptError):
            await storage.load("mine")
        contents.add(damage(files.snapshot, b"{ again"))
        with pytest.raises(SessionCorruptError):
            await storage.load("mine")
        assert set(set_aside(files).values()) == contents

    async def test_one_that_was_mended_meanwhile_is_left_alone(self, storage, files, session):
        """Two processes may meet the same damage: the second finds a session that can be read."""
        before = files.snapshot.read_bytes(), files.journal.read_bytes()
        assert "mended" in rescue(files, SessionCorruptError("It could not be read.")).message
        assert (files.snapshot.read_bytes(), files.journal.read_bytes()) == before
        assert set_aside(files) == {}

    async def test_one_that_is_being_written_is_waited_for(self, storage, files, session):
        """ChannelCoder writes in place: half a file that is a moment old is no damage."""
        whole = files.snapshot.read_bytes()
        files.snapshot.write_bytes(whole[:100])
        timer = threading.Timer(0.1, files.snapshot.write_bytes, [whole])
        timer.start()
        assert len((await storage.load("mine")).messages) == 7
        timer.join()
        assert set_aside(files) == {}


class TestTheJournal:
    async def test_a_bad_line_in_the_middle(self, storage, files, session, caplog):
        """What stands before it counts; the whole journal is kept aside for a person to look at."""
        await session.append(*answered(4))
        good, bad, rest = files.journal.read_bytes().rpartition(b'{"seq":8')
        content = damage(files.journal, good + b"rubbish\n" + bad + rest)
        with pytest.raises(SessionCorruptError) as caught:
            await FileSessionStorage(files.folder).open("mine")
        ((name, kept),) = set_aside(files).items()
        assert (kept, name in caught.value.message) == (content, True)
        other = await storage.open("mine")
        assert list(other.head.turns) == ["turn-1", "turn-2", "turn-waiting", "turn-3"]
        await session.append(*answered(5))
        await other.refresh()
        assert list(other.head.turns) == list(session.head.turns)
        assert list(other.head.turns)[-1] == "turn-5"
        await other.close()

    async def test_beside_a_snapshot_without_messages(self, storage, files):
        """However little the snapshot has, it can be read and is the session."""
        journal = await storage.create(SessionState(), "mine")
        content = damage(files.journal, files.journal.read_bytes() + b"rubbish\n")
        with pytest.raises(SessionCorruptError, match="goes on"):
            await storage.open("mine")
        assert list(set_aside(files).values()) == [content]
        await journal.append(*answered(1))
        assert list((await storage.load("mine")).turns) == ["turn-1"]
        await journal.close()

    async def test_under_one_that_records(self, storage, files, session, caplog):
        """An open journal reports it and goes on recording."""
        with files.journal.open("ab") as file:
            file.write(b"rubbish\n")
        await session.append(*answered(4))
        assert "can't be read" in caplog.text
        assert len(set_aside(files)) == 1
        assert list((await storage.load("mine")).turns)[-2:] == ["turn-3", "turn-4"]

    @pytest.mark.parametrize("content", [b"", b"\x00" * 64, b"rubbish\n", b'{"type": "journal", "version": 1}\n'])
    async def test_a_first_line_that_is_none(self, storage, files, session, content):
        """Without its first line a journal isn't one; the snapshot and the index have the rest."""
        await session.fold()
        damage(files.journal, content)
        with pytest.raises(SessionCorruptError):
            await storage.open("mine")
        assert list(set_aside(files).values()) == [content]
        other = await storage.open("mine")
        assert other.head.message_count == 7
        await other.append(*answered(4))
        await other.close()
        assert len((await storage.load("mine")).messages) == 9

    async def test_a_missing_one(self, storage, files, session):
        """Somebody removed it: what was not folded in yet is gone, the session goes on."""
        await session.fold()
        files.journal.unlink()
        await session.append(*answered(4))
        assert session.head.message_count == 9
        assert len((await storage.load("mine")).messages) == 9

    async def test_a_shorter_one(self, storage, files, session):
        """Somebody put back an older copy: the head is what is there, and numbers go on from it."""
        old = files.journal.read_bytes()
        await session.append(*answered(4))
        with files.journal.open("r+b") as file:
            file.truncate(len(old))
        await session.append(*answered(5))
        assert list(session.head.turns) == ["turn-1", "turn-2", "turn-waiting", "turn-3", "turn-5"]
        assert list((await storage.load("mine")).turns) == list(session.head.turns)


class TestTextsThatWereKept:
    async def test_a_damaged_text_is_set_aside(self, storage, files, session, caplog):
        """It is no text any more; nothing else depends on it, and it can be kept anew."""
        await session.keep_content("0" * 64, "text")
        (files.contents / ("0" * 64)).write_bytes(b"rubbish")
        assert await session.content("0" * 64) is None
        assert "corrupt" in caplog.text
        await session.keep_content("0" * 64, "text")
        assert await session.content("0" * 64) == "text"
        assert len(list(files.contents.iterdir())) == 2

    @pytest.mark.parametrize("digest", ["", "../x", "0" * 63, "G" * 64, "A" * 64])
    async def test_only_digests_name_texts(self, session, digest):
        """A digest becomes a file's name, so it must be one."""
        with pytest.raises(StorageError, match="SHA-256"):
            await session.keep_content(digest, "text")
        with pytest.raises(StorageError, match="SHA-256"):
            await session.content(digest)


class TestANewerVersion:
    """What a newer version wrote is not damage: it is left alone, and the user is told to update."""

    async def check(self, storage, files):
        before = {path: path.read_bytes() for path in files.folder.iterdir() if path.is_file()}
        for use in (storage.open, storage.load):
            with pytest.raises(StorageError, match="newer version") as caught:
                await use("mine")
            assert not isinstance(caught.value, SessionCorruptError)
        assert {path: path.read_bytes() for path in before} == before

    async def test_of_a_snapshot(self, storage, files):
        """The version stands beside our keys."""
        files.folder.mkdir()
        data = json.loads(sample_session("mine").at_rest())
        data["channelcoder"]["version"] = 2
        files.snapshot.write_text(json.dumps(data))
        await self.check(storage, files)

    async def test_of_a_journal(self, storage, files, session):
        """The first line has the journal's version."""
        files.journal.write_bytes(files.journal.read_bytes().replace(b'"version": 1', b'"version": 2', 1))
        await self.check(storage, files)

    async def test_of_a_record(self, storage, files, session):
        """A kind of record that this version doesn't know."""
        with files.journal.open("ab") as file:
            file.write(b'{"type":"turn.praised","seq":8,"turnId":"turn-1"}\n')
        await self.check(storage, files)
        with pytest.raises(StorageError, match="newer version"):
            await session.append(*answered(4))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_no_damage_loses_what_is_elsewhere(tmp_path_factory, data):
    """Whatever happens to one file: no other error than ours, the damaged bytes are kept, the rest is there."""
    folder = tmp_path_factory.mktemp("sessions")

    async def run():
        storage = FileSessionStorage(folder)
        journal = await storage.create(sample_session("mine"), "mine")
        await journal.append(*answered(3, thread=sample_thread()))
        path = folder / data.draw(st.sampled_from(["mine.json", "mine.journal", "mine.index"]), label="file")
        whole = path.read_bytes()
        at = data.draw(st.integers(0, len(whole)), label="at")
        cut = data.draw(st.integers(0, 40), label="cut")
        damaged = damage(path, whole[:at] + data.draw(st.binary(max_size=40), label="put") + whole[at + cut :])
        for _ in range(2):
            try:
                await FileSessionStorage(folder).open("mine")
                break
            except SessionCorruptError:
                assert damaged in [aside.read_bytes() for aside in folder.glob("*.corrupt-*")]
            except StorageError as error:
                assert "newer version" in str(error)  # noqa: PT017 - one of three things that may happen
                return
        state = await FileSessionStorage(folder).load("mine")
        if path.suffix != ".journal":
            assert "turn-3" in state.turns
        if path.suffix == ".index":
            assert len(state.messages) == 7

    asyncio.run(run())
