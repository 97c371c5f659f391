"""Lists and start-up don't read the history."""

from __future__ import annotations

import json
import os
from datetime import timedelta

import pytest

from channelcoder_lsp.domain.records import ModelChosen, SessionCleared, TurnAsked, TurnFinished
from channelcoder_lsp.domain.session import HEAD_TEXT_LIMIT, SessionState
from channelcoder_lsp.domain.turn import Turn, TurnState
from channelcoder_lsp.storage.file import lines, tidying
from channelcoder_lsp.storage.pruning import RECENT_TURNS, prune
from channelcoder_lsp.testing import long_session, sample_session, sample_thread
from channelcoder_lsp.testing.samples import MADE, answered


@pytest.fixture
def reads(monkeypatch):
    """How many bytes were read from which file."""
    counts = {}
    read = os.read

    def counted(descriptor, size):
        data = read(descriptor, size)
        name = os.path.basename(os.readlink(f"/proc/self/fd/{descriptor}"))  # noqa: PTH115, PTH119
        counts[name] = counts.get(name, 0) + len(data)
        return data

    monkeypatch.setattr(os, "read", counted)
    return counts


class TestWhatIsRead:
    async def test_a_list_reads_no_history(self, storage, reads):
        """The list opens neither snapshot nor journal of a session that is at rest."""
        for number in range(3):
            journal = await storage.create(long_session(100), f"s{number}")
            await journal.close()
        reads.clear()
        rows = await storage.list()
        assert [row.message_count for row in rows] == [100] * 3
        assert reads == {}

    async def test_start_up_reads_no_history(self, storage, reads):
        """Opening reads the index, of the snapshot nothing and of the journal the first line."""
        journal = await storage.create(long_session(1000), "mine")
        await journal.close()
        reads.clear()
        journal = await storage.open("mine")
        assert journal.head.message_count == 1000
        assert reads.keys() <= {"mine.journal"}
        assert sum(reads.values()) <= 4096
        await journal.close()

    async def test_a_list_is_up_to_date_while_a_session_is_open(self, storage, reads):
        """Of a session that is being recorded, the end of its journal is read, but not its snapshot."""
        await (await storage.create(long_session(1000), "mine")).close()
        journal = await storage.open("mine")
        await journal.append(*answered(1001))
        reads.clear()
        (row,) = await storage.list()
        assert (row.message_count, row.cost_usd) == (1002, 0.25 * 501)
        assert "mine.json" not in reads
        await journal.close()

    async def test_the_end_that_is_read_stays_short(self, storage, files, monkeypatch):
        """The index is brought up to date when the journal has grown by its size, whatever the snapshot's."""
        monkeypatch.setattr(tidying, "LEAST", 4096)
        await (await storage.create(long_session(2000), "mine")).close()
        journal = await storage.open("mine")
        longest = 0
        for number in range(2001, 2200):
            await journal.append(*answered(number, text="word " * 20))
            journal._file._tidying.wait()
            row = json.loads(files.index.read_bytes().partition(b"\n")[0])
            longest = max(longest, files.journal.stat().st_size - row["offset"])
        assert longest < 3 * max(4096, files.index.stat().st_size)
        assert files.snapshot.stat().st_size > files.journal.stat().st_size
        await journal.close()


class TestWhatTheHeadHas:
    def test_turns_that_are_of_use(self):
        """Turns on threads, turns that have not ended, and the last few; the others are left out."""
        state = sample_session(turns=1)
        for number in range(10, 60):
            for record in answered(number):
                state.apply(record)
        head = prune(state)
        recent = [f"turn-{number}" for number in range(60 - RECENT_TURNS, 60)]
        assert list(head.turns) == ["turn-1", "turn-waiting", *recent]
        assert head.message_count == 103
        assert head.channelcoder.totals == state.channelcoder.totals

    def test_long_texts_are_cut(self):
        """An answer that fills screens is cut in the head; one that is still coming is not."""
        long = "x" * (HEAD_TEXT_LIMIT + 1)
        state = SessionState()
        for record in answered(1, text=long):
            state.apply(record)
        state.apply(TurnAsked(seq=3, turn=Turn(id="turn-2", question=long)))
        head = prune(state)
        assert {len(getattr(head.turns["turn-1"], name)) for name in ("question", "prompt", "answer")} == {
            HEAD_TEXT_LIMIT
        }
        assert len(head.turns["turn-2"].question) == HEAD_TEXT_LIMIT + 1
        assert len(state.turns["turn-1"].answer) > HEAD_TEXT_LIMIT, "the session itself is not cut"

    async def test_it_is_the_same_however_it_is_had(self, storage, files):
        """From the index, from index and journal, or from the snapshot: the same head."""
        journal = await storage.create(sample_session(), "mine")
        await journal.append(*answered(3, thread=sample_thread()), ModelChosen(model="model"))
        (from_index_and_journal := await storage.open("mine")).head.model_copy(deep=True)
        files.index.unlink()
        from_all = await storage.open("mine")
        await journal.close()
        from_index = await storage.open("mine")
        heads = [each.head for each in (journal, from_index_and_journal, from_all, from_index)]
        assert [head.message_count for head in heads] == [7] * 4
        assert all(head == heads[0] for head in heads)


class TestAnIndexThatIsNoGood:
    """The index is derived: it may be missing, old, damaged or another session's, and nothing is wrong."""

    @pytest.fixture
    async def session(self, storage):
        journal = await storage.create(sample_session(), "mine")
        await journal.append(*answered(3))
        await journal.close()

    async def check(self, storage, files, count=7):
        (row,) = await storage.list()
        assert row.message_count == count
        journal = await storage.open("mine")
        assert journal.head.message_count == count
        assert journal.head.turns["turn-1"].answer.startswith("Answer 1")
        await journal.close()
        assert json.loads(files.index.read_bytes().partition(b"\n")[0])["messageCount"] == count, "it was made again"

    async def test_missing(self, storage, files, session):
        """Without one, the list makes it."""
        files.index.unlink()
        await self.check(storage, files)

    @pytest.mark.parametrize("content", [b"", b"{", b"[]\n\n", b"\x00" * 100, b"null\n{}\n", b'{"index": 1}\n{}\n'])
    async def test_damaged(self, storage, files, session, content):
        """Whatever stands in it."""
        files.index.write_bytes(content)
        await self.check(storage, files)

    async def test_cut_off(self, storage, files, session):
        """A power loss may leave any part of it, as it is not waited for."""
        whole = files.index.read_bytes()
        for end in range(0, len(whole), 97):
            files.index.write_bytes(whole[:end])
            await self.check(storage, files)

    async def test_with_a_wrong_letter(self, storage, files, session):
        """A disk may give back something else than it was given."""
        files.index.write_bytes(files.index.read_bytes().replace(b"Answer 1", b"Ansker 1"))
        await self.check(storage, files)

    async def test_of_another_version(self, storage, files, session):
        """A newer version's index is none of ours."""
        first, _, second = files.index.read_bytes().partition(b"\n")
        files.index.write_bytes(
            json.dumps({**json.loads(first), "index": 2, "messageCount": 99}).encode() + b"\n" + second
        )
        await self.check(storage, files)

    async def test_older_than_the_snapshot(self, storage, files, session):
        """A snapshot that was replaced is read again."""
        old = files.index.read_bytes()
        await storage.save(sample_session("mine", turns=1), "mine")
        files.index.write_bytes(old)
        await self.check(storage, files, count=3)

    async def test_of_a_copied_folder(self, storage, files, session, tmp_path):
        """Copies have other inodes and dates: their index does not fit, and all is read."""
        data = files.index.read_bytes(), files.snapshot.read_bytes(), files.journal.read_bytes()
        for path, content in zip((files.index, files.snapshot, files.journal), data, strict=True):
            path.unlink()
            path.write_bytes(content)
        await self.check(storage, files)

    async def test_that_cannot_be_written(self, storage, files, session):
        """An index that can't be made costs time, nothing else."""
        files.index.unlink()
        files.index.mkdir()
        assert (await storage.open("mine")).head.message_count == 7

    async def test_made_before_there_was_a_journal(self, storage, files):
        """Of a session that ChannelCoder made, the first turn here needs no second reading of all."""
        files.folder.mkdir()
        files.snapshot.write_text(sample_session("mine").at_rest())
        journal = await storage.open("mine")
        await journal.append(*answered(3))
        os.utime(files.index)
        before = files.index.read_bytes()
        other = await storage.open("mine")
        assert other.head.message_count == 7
        assert files.index.read_bytes() == before
        await other.close()
        await journal.close()


async def test_the_list_has_what_a_list_shows(storage):
    """Name, path, dates, count, cost, first question and the folder that the session belongs to."""
    journal = await storage.create(sample_session("mine"), "mine")
    turn = Turn(id="turn-9", question="Last?")
    await journal.append(
        TurnAsked(turn=turn, at=MADE + timedelta(days=1)),
        TurnFinished(turn_id="turn-9", state=TurnState.DONE, cost_usd=1.5, at=MADE + timedelta(days=2)),
    )
    (row,) = await storage.list()
    assert row.path == str(storage.directory / "mine.json") == journal.location
    assert (row.created, row.last_active) == (MADE, MADE + timedelta(days=2))
    assert (row.message_count, row.cost_usd) == (6, 2.0)
    assert row.first_question.startswith("Question 1")
    assert row.checkout == "/home/someone/project"
    await journal.close()


def test_a_carried_tail_has_its_size(monkeypatch):
    """A new journal starts with the last records that fit, and says from which number on it is complete."""
    monkeypatch.setattr(lines, "CARRIED_BYTES", 3000)
    records = [record for number in range(1, 20) for record in answered(number, text="word " * 20)]
    carried = lines.carried_lines(records)
    assert 2000 < len(carried.lines) <= 3000
    kept = lines.parse_lines(carried.lines).records
    assert kept == records[-len(kept) :]
    assert carried.first == kept[0].seq
    assert lines.carried_lines([]) == (b"", 0)


async def test_what_was_cleared_is_in_no_file_of_a_session_at_rest(storage, folder):
    """Another who has it open follows all the same."""
    journal, other = await storage.create(SessionState(), "mine"), await storage.open("mine")
    await journal.append(*answered(1, text="forgotten"))
    await journal.append(SessionCleared(), *answered(2))
    await journal.close()
    assert not [file for file in folder.rglob("*") if file.is_file() and b"forgotten" in file.read_bytes()]
    await other.append(*answered(3))
    assert list(other.head.turns) == ["turn-2", "turn-3"]
    await other.close()
