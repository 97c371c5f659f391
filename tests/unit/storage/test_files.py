"""What lies in the sessions folder."""

from __future__ import annotations

import json
import os
import stat
from hashlib import sha256
from pathlib import Path

import pytest

from channelcoder_lsp.domain.errors import SessionCorruptError, SessionNotFoundError
from channelcoder_lsp.domain.session import SessionMetadata, SessionState
from channelcoder_lsp.storage import FileSessionStorage
from channelcoder_lsp.testing import sample_session
from channelcoder_lsp.testing.samples import answered

DIGEST = sha256(b"text").hexdigest()


def bytes_of(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


async def everything(storage):
    """A session with all of its files."""
    journal = await storage.create(sample_session("mine"), "mine")
    await journal.keep_content(DIGEST, "text")
    await journal.append(*answered(3))
    return journal


class TestTheFolder:
    def test_it_is_the_users_by_default(self, monkeypatch, tmp_path):
        """Without a directory: CHANNELCODER_SESSION_DIR, else ChannelCoder's own folder."""
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.delenv("CHANNELCODER_SESSION_DIR", raising=False)
        assert FileSessionStorage().directory == Path.home() / ".channelcoder" / "sessions"
        monkeypatch.setenv("CHANNELCODER_SESSION_DIR", "~/elsewhere")
        assert FileSessionStorage().directory == tmp_path / "elsewhere"
        monkeypatch.setenv("CHANNELCODER_SESSION_DIR", "")
        assert FileSessionStorage().directory == Path.home() / ".channelcoder" / "sessions"

    def test_it_can_be_given(self, monkeypatch, tmp_path):
        """A directory that is given is relative to where the program is when it is given."""
        monkeypatch.setenv("CHANNELCODER_SESSION_DIR", "/elsewhere")
        monkeypatch.chdir(tmp_path)
        storage = FileSessionStorage("./my-sessions")
        monkeypatch.chdir("/")
        assert storage.directory == tmp_path / "my-sessions"

    async def test_it_is_made_when_it_is_needed(self, storage, folder):
        """Looking makes nothing; storing does."""
        assert await storage.list() == []
        assert not await storage.exists("mine")
        with pytest.raises(SessionNotFoundError):
            await storage.open("mine")
        assert not folder.exists()
        await storage.save(SessionState(), "mine")
        assert await storage.exists("mine")

    async def test_it_is_the_users_alone(self, storage, folder):
        """Files 0600, folders 0700: sessions hold code and what was said about it."""
        journal = await everything(storage)
        async with journal.lease():
            modes = {path: stat.S_IMODE(path.stat().st_mode) for path in [folder, *folder.rglob("*")]}
        await journal.close()
        assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}
        assert {mode for path, mode in modes.items() if path.is_file()} == {0o600}
        assert len(modes) == 9

    async def test_only_sessions_end_in_json(self, storage, folder):
        """ChannelCoder takes each such file for a session."""
        journal = await everything(storage)
        async with journal.lease():
            assert [path.name for path in folder.rglob("*.json")] == ["mine.json"]
        await journal.close()
        assert sorted(path.name for path in folder.iterdir()) == [
            "mine.contents",
            "mine.index",
            "mine.journal",
            "mine.json",
            "mine.lease",
            "mine.lock",
            "mine.queue",
        ]

    async def test_looking_for_a_session_leaves_nothing(self, storage, folder):
        """Opening, loading or removing what isn't there makes no file."""
        folder.mkdir()
        for use in (storage.open, storage.load, storage.delete):
            with pytest.raises(SessionNotFoundError):
                await use("missing")
        assert list(folder.iterdir()) == []


class TestAtRest:
    async def test_it_is_the_guides_format(self, storage, files):
        """The guide's keys as ChannelCoder writes them, ours beside them under one further key."""
        journal = await everything(storage)
        await journal.close()
        text = files.snapshot.read_text()
        data = json.loads(text)
        assert text == json.dumps(data, indent=2, ensure_ascii=False)
        assert list(data) == ["sessionChain", "currentSessionId", "metadata", "channelcoder", "messages"]
        assert data["metadata"] == {
            "name": "mine",
            "created": "2024-01-14T09:00:00.123Z",
            "lastActive": "2024-01-14T11:00:00.123Z",
        }
        assert data["messages"][0] | {"content": ""} == {
            "role": "user",
            "content": "",
            "timestamp": "2024-01-14T09:01:00.123Z",
            "sessionId": "",
            "turnId": "turn-1",
        }

    async def test_texts_are_not_written_twice(self, storage, files):
        """A question and its answer stand in the messages only, and are in the turns again after a load."""
        journal = await storage.create(SessionState(), "mine")
        await journal.append(*answered(1, text="unmistakable"))
        await journal.close()
        assert files.snapshot.read_text().count("Answer 1") == 1
        assert (await storage.load("mine")).turns["turn-1"].answer == "Answer 1: unmistakable"

    async def test_a_journal_is_lines_of_records(self, storage, files):
        """What happened is appended, one JSON object a line, and nothing before it changes."""
        journal = await storage.create(SessionState(), "mine")
        before = files.journal.read_bytes()
        await journal.append(*answered(1))
        after = files.journal.read_bytes()
        assert after.startswith(before)
        header, *records = [json.loads(line) for line in after.splitlines()]
        assert (header["type"], header["version"]) == ("journal", 1)
        assert [(record["seq"], record["type"]) for record in records] == [(1, "turn.asked"), (2, "turn.finished")]

    async def test_closing_leaves_everything_in_the_snapshot(self, storage, files, folder):
        """At rest ChannelCoder sees all there is; the journal and the index can go."""
        journal = await everything(storage)
        await journal.close()
        before = await storage.load("mine")
        for path in (files.journal, files.index, files.lock):
            path.unlink()
        assert await storage.load("mine") == before
        assert (await storage.open("mine")).head.message_count == 7

    async def test_closing_what_did_not_change_writes_nothing(self, storage, folder):
        """A session that was only looked at is left as it was."""
        await (await everything(storage)).close()
        before = bytes_of(folder)
        journal = await storage.open("mine")
        await journal.refresh()
        await journal.close()
        assert bytes_of(folder) == before

    async def test_a_name_is_the_files_name(self, storage):
        """A named session is called what its file is called, however it is spelled when it is made."""
        journal = await storage.create(SessionState(metadata=SessionMetadata(name="x.json")), "x.json")
        assert journal.name == "x"
        assert (await journal.state()).metadata.name == "x"


class TestUnnamedSessions:
    async def test_saving_under_a_name_leaves_no_copy(self, storage):
        """A session that was stored under its id moves when it gets a name; what belongs to it comes along."""
        state = sample_session()
        await storage.save(state)
        journal = await storage.open("claude-1")
        await journal.keep_content(DIGEST, "text")
        await journal.close()
        await storage.save(state, "named")
        assert [info.name for info in await storage.list()] == ["named"]
        assert await (await storage.open("named")).content(DIGEST) == "text"

    async def test_saving_over_another_leaves_no_copy_either(self, storage):
        """The name may be taken: save replaces."""
        state = sample_session()
        await storage.save(sample_session(turns=5), "named")
        await storage.save(state)
        await storage.save(state, "named")
        assert [(info.name, info.message_count) for info in await storage.list()] == [("named", 5)]

    async def test_it_stays_one_session_when_its_id_changes(self, storage):
        """Claude gives a session a new id now and then; it is still stored once."""
        state = sample_session()
        await storage.save(state)
        state.session_chain.append("claude-2")
        state.current_session_id = "claude-2"
        await storage.save(state)
        assert [info.name for info in await storage.list()] == ["claude-1"]
        assert (await storage.load("claude-1")).current_session_id == "claude-2"

    async def test_a_fork_is_another_session(self, storage):
        """A session that went through the same ids, made at another time, is not taken for it."""
        await storage.save(sample_session())
        fork = sample_session()
        fork.metadata.created = fork.metadata.last_active
        fork.session_chain.append("claude-2")
        fork.current_session_id = "claude-2"
        await storage.save(fork)
        await storage.save(fork, "fork")
        assert sorted(info.name for info in await storage.list()) == ["claude-1", "fork"]

    async def test_an_id_that_is_no_name_is_not_used(self, storage, folder):
        """A session id comes from outside: it can't lead out of the folder."""
        path = await storage.save(sample_session(session_id="../../evil"))
        assert Path(path).parent == folder
        assert (await storage.load(path)).current_session_id == "../../evil"


class TestPaths:
    async def test_a_path_is_read_and_never_written(self, storage, folder, tmp_path):
        """``load`` takes a path; whatever is wrong there, nothing is changed there."""
        elsewhere = FileSessionStorage(tmp_path / "elsewhere")
        journal = await everything(elsewhere)
        files = {name: elsewhere.directory / name for name in ("mine.json", "mine.index")}
        files["mine.index"].unlink()
        before = bytes_of(elsewhere.directory)
        state = await storage.load(str(files["mine.json"]))
        assert len(state.messages) == 7, "what is in the journal beside it is part of it"
        files["mine.json"].write_text("{")
        os.utime(files["mine.json"], (0, 0))
        with pytest.raises(SessionCorruptError, match=r"mine\.json"):
            await storage.load(str(files["mine.json"]))
        assert set(bytes_of(elsewhere.directory)) == set(before)
        assert not folder.exists()
        await journal.close()

    async def test_a_path_may_have_any_ending(self, storage, tmp_path):
        """A copy that somebody made is a session too."""
        copy = tmp_path / "copy.backup"
        copy.write_text(sample_session("mine").at_rest())
        assert (await storage.load(str(copy))).metadata.name == "mine"

    @pytest.mark.parametrize("path", ["./missing.json", "./missing", "/", "./"])
    async def test_a_path_to_nothing(self, storage, path):
        """There is no session where there is no file."""
        with pytest.raises(SessionNotFoundError):
            await storage.load(path)

    async def test_what_list_says_can_be_loaded(self, storage):
        """The path of each row is the path of its session."""
        await storage.save(sample_session("mine"), "mine")
        (info,) = await storage.list()
        assert await storage.load(info.path) == await storage.load("mine")
