"""Copying sessions between files, SQLite, PostgreSQL and Redis: all of each, once, however often it is begun anew."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from hashlib import sha256
from uuid import uuid4

import pytest
from anyio import fail_after, to_thread

from backends.places import PATIENCE
from channelcoder_lsp import FileSessionStorage
from channelcoder_lsp.domain.errors import ArgumentsError, SessionNotFoundError, StorageUnreachableError
from channelcoder_lsp.domain.records import ThreadResolved, TurnFinished
from channelcoder_lsp.domain.session import SessionState
from channelcoder_lsp.domain.thread import ThreadStatus
from channelcoder_lsp.domain.turn import TurnState
from channelcoder_lsp.library.copying import copy_sessions
from channelcoder_lsp.services.archive import export
from channelcoder_lsp.storage.opening import open_storage
from channelcoder_lsp.testing.samples import answered, sample_session

BEFORE = "the file as it was\n"
DIGEST = sha256(BEFORE.encode()).hexdigest()


@pytest.fixture
def files(tmp_path) -> FileSessionStorage:
    return FileSessionStorage(tmp_path / "files")


@pytest.fixture
def url(place) -> str:
    """A place of each kind, in which nothing is."""
    return f"{place.url}?tenant={place.tenant}"


@pytest.fixture
async def there(url):
    """What is in that place."""
    storage = open_storage(url)
    yield storage
    for info in await storage.list():
        await storage.delete(info.name)
    await storage.close()


async def kept(storage, name: str = "mine", session: SessionState | None = None) -> None:
    """Put a session there that has a thread with a kept text, and keys that this version doesn't know."""
    state = session or sample_session(name)
    state.channelcoder.forked_from = "claude-0"
    state.metadata.__pydantic_extra__["mood"] = {"weather": ["rain", 1.5, None]}
    state.__pydantic_extra__["later"] = "kept"
    next(iter(state.threads.values())).anchor.content = DIGEST
    journal = await storage.create(state, name)
    await journal.keep_content(DIGEST, BEFORE)
    await journal.close()


def outcomes(copied) -> list[tuple[str, str]]:
    return [(one.name, one.outcome) for one in copied]


class TestAll:
    async def test_of_a_session_arrives_and_comes_back(self, files, url, there, tmp_path):
        """Guide keys, ledger, unknown keys and texts; the guide's JSON is the same, byte for byte, on the way back."""
        await kept(files)
        assert outcomes(await copy_sessions(files, url)) == [("mine", "copied")]
        journal = await there.open("mine")
        assert await journal.content(DIGEST) == BEFORE
        await journal.close()
        state = await there.load("mine")
        assert state.metadata.model_extra == {"mood": {"weather": ["rain", 1.5, None]}}
        assert state.channelcoder.forked_from == "claude-0"
        back = FileSessionStorage(tmp_path / "back")
        assert outcomes(await copy_sessions(url, back)) == [("mine", "copied")]
        settled, returned = await there.load("mine"), await back.load("mine")
        assert export(returned, "guide") == export(settled, "guide")
        assert json.loads(export(returned, "guide"))["later"] == "kept"
        original = await files.load("mine")
        assert returned.threads == original.threads
        assert returned.messages == original.messages
        again = await back.open("mine")
        assert await again.content(DIGEST) == BEFORE
        await again.close()

    async def test_sessions_without_a_name_and_those_of_others_arrive(self, files, url, there):
        """The oldest first; ChannelCoder's own files, without a key of ours, are sessions like any other."""
        await files.save(sample_session(session_id="claude-7"))
        (files.directory / "theirs.json").write_text(
            json.dumps(
                {
                    "sessionChain": ["s1"],
                    "currentSessionId": "s1",
                    "messages": [
                        {"role": "user", "content": "Hello", "timestamp": "2020-01-15T10:30:00.000Z", "sessionId": "s1"}
                    ],
                    "metadata": {
                        "name": "theirs",
                        "created": "2020-01-15T10:30:00.000Z",
                        "lastActive": "2020-01-15T10:30:00.000Z",
                    },
                }
            )
        )
        assert outcomes(await copy_sessions(files, url)) == [("theirs", "copied"), ("claude-7", "copied")]
        assert (await there.load("claude-7")).metadata.name is None
        assert export(await there.load("theirs"), "guide") == export(await files.load("theirs"), "guide")
        assert (await there.load("theirs")).messages[0].content == "Hello"

    async def test_only_what_is_named(self, files, url, there):
        await kept(files, "one")
        await kept(files, "two")
        assert outcomes(await copy_sessions(files, url, ["two"])) == [("two", "copied")]
        with pytest.raises(SessionNotFoundError):
            await copy_sessions(files, url, ["three"])
        assert [info.name for info in await there.list()] == ["two"]

    async def test_a_question_that_waits_ends_there_until_its_answer_is_copied(self, files, url, there):
        """Nobody would ever answer it there; once it is answered here, the answer takes the place of that end."""
        await kept(files)
        await copy_sessions(files, url)
        ended = (await there.load("mine")).turns["turn-waiting"]
        assert (ended.state, ended.retryable) == (TurnState.FAILED, True)
        assert "copied before this was answered" in (ended.error or "")
        assert outcomes(await copy_sessions(files, url)) == [("mine", "there")]
        journal = await files.open("mine")
        await journal.append(TurnFinished(turn_id="turn-waiting", state=TurnState.DONE, answer="Then this."))
        await journal.close()
        assert outcomes(await copy_sessions(files, url)) == [("mine", "completed")]
        assert (await there.load("mine")).messages[-1].content == "Then this."


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
class TestAgain:
    async def test_nothing_is_done_twice(self, files, url, there):
        await kept(files, "one")
        await kept(files, "two")
        await copy_sessions(files, url, ["one"])
        before = (await there.load("one")).at_rest()
        told = []
        copied = await copy_sessions(files, url, tell=lambda done, total, _last: told.append((done, total)))
        assert sorted(outcomes(copied)) == [("one", "there"), ("two", "copied")]
        assert told == [(0, 2), (1, 2), (2, 2)]
        assert (await there.load("one")).at_rest() == before

    async def test_a_text_that_is_missing_is_put_there(self, files, url, there):
        """As it is after a copy that was killed between a session and its texts."""
        await kept(files)
        await copy_sessions(files, url)
        handle = await there._backend.find("mine")
        await there._backend.drop_contents(handle, [], -3600)
        assert outcomes(await copy_sessions(files, url)) == [("mine", "completed")]
        journal = await there.open("mine")
        assert await journal.content(DIGEST) == BEFORE
        await journal.close()

    async def test_what_was_said_since_is_added(self, files, url, there):
        await kept(files)
        await copy_sessions(files, url)
        journal = await files.open("mine")
        await journal.append(*answered(9))
        await journal.close()
        assert outcomes(await copy_sessions(files, url)) == [("mine", "completed")]
        assert "turn-9" in (await there.load("mine")).turns
        assert outcomes(await copy_sessions(files, url)) == [("mine", "there")]

    async def test_what_somebody_did_there_meanwhile_stays(self, files, url, there):
        """Be it only that a thread was resolved: the session has gone its own way."""
        await kept(files)
        await copy_sessions(files, url)
        journal = await there.open("mine")
        (thread,) = journal.head.threads.values()
        await journal.append(ThreadResolved(thread_id=thread.id, status=ThreadStatus.RESOLVED))
        await journal.close()
        (refused,) = await copy_sessions(files, url)
        assert refused.outcome == "refused"
        assert "--as" in refused.reason
        assert (await there.load("mine")).threads[thread.id].status is ThreadStatus.RESOLVED
        (again,) = await copy_sessions(files, url, ["mine"], new_name="mine-of-old")
        assert (again.new_name, again.outcome) == ("mine-of-old", "copied")
        assert (await there.load("mine-of-old")).metadata.name == "mine-of-old"

    async def test_the_beginning_of_a_session_is_completed_whoever_put_it_there(self, files, url, there):
        """All that it has is in the session that is copied, so nothing is lost."""
        beginning = sample_session("mine", turns=1)
        del beginning.channelcoder.turns["turn-waiting"]
        beginning.messages = beginning.messages[:2]
        await kept(there, session=beginning)
        await kept(files)
        assert outcomes(await copy_sessions(files, url)) == [("mine", "completed")]
        assert len((await there.load("mine")).messages) == 5

    async def test_another_session_of_that_name_stays(self, files, url, there):
        """An empty one, as an editor makes it that was started there too early, gives way."""
        await (await there.create(SessionState(), "empty")).close()
        other = await there.create(SessionState(), "other")
        await other.append(*answered(1))
        await other.close()
        before = (await there.load("other")).at_rest()
        await kept(files, "other")
        await kept(files, "empty")
        copied = {one.name: one for one in await copy_sessions(files, url)}
        assert (copied["other"].outcome, copied["empty"].outcome) == ("refused", "completed")
        assert "another session named 'other'" in copied["other"].reason
        assert (await there.load("other")).at_rest() == before
        assert len((await there.load("empty")).messages) == 5


class TestFaults:
    async def test_killed_in_the_middle(self, files, url, there, tmp_path):
        """Kill -9 when some are there and others are not: the next run has them all, each once and whole."""
        names = [f"session-{number}" for number in range(12)]
        for name in names:
            await kept(files, name)
        program = (
            "import asyncio, sys\n"
            "from channelcoder_lsp import FileSessionStorage\n"
            "from channelcoder_lsp.library.copying import copy_sessions\n"
            "tell = lambda done, total, last: print(done, flush=True)\n"
            "asyncio.run(copy_sessions(FileSessionStorage(sys.argv[1]), sys.argv[2], tell=tell))\n"
        )
        process = subprocess.Popen(  # noqa: ASYNC220 - its lines are waited for in a thread
            [sys.executable, "-c", program, str(files.directory), url], stdout=subprocess.PIPE, text=True
        )
        try:
            with fail_after(PATIENCE):
                while await to_thread.run_sync(process.stdout.readline) not in ("4\n", ""):
                    pass
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait(PATIENCE)
            process.stdout.close()
        assert 4 <= len(await there.list()) < len(names)
        copied = await copy_sessions(files, url)
        assert {one.outcome for one in copied} <= {"there", "completed", "copied"}
        assert sum(one.outcome == "there" for one in copied) >= 4
        assert sorted(info.name for info in await there.list()) == sorted(names)
        for name in names:
            journal = await there.open(name)
            assert await journal.content(DIGEST) == BEFORE
            await journal.close()
            assert len((await there.load(name)).messages) == 5

    async def test_one_that_cannot_be_read_leaves_the_others(self, files, tmp_path):
        await kept(files, "good")
        (files.directory / "bad.json").write_text("{ half")
        storage = FileSessionStorage(tmp_path / "there")
        copied = {one.name: one for one in await copy_sessions(files, storage, ["bad", "good"])}
        assert copied["good"].outcome == "copied"
        assert copied["bad"].outcome == "refused"
        assert "is not a session" in copied["bad"].reason

    async def test_a_place_that_is_away_says_so_without_its_password(self, files):
        await kept(files)
        with pytest.raises(StorageUnreachableError) as told:
            await copy_sessions(files, "redis://me:hush-hush@127.0.0.1:1/0")
        assert "hush-hush" not in str(told.value)
        with pytest.raises(ArgumentsError, match="two places"):
            await copy_sessions("redis://me:hush-hush@127.0.0.1:1/0", "redis://me:hush-hush@127.0.0.1:1/0")


async def test_what_waits_to_be_delivered_is_copied_too(own_redis, files, tmp_path, monkeypatch):
    """What was recorded here while the server was away belongs to the session."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    url = f"{own_redis.url}?tenant={uuid4().hex}"
    storage = open_storage(url, outbox=tmp_path / "state/channelcoder/outbox")
    journal = await storage.create(SessionState(), "mine")
    own_redis.stop("immediate")
    await journal.append(*answered(1))
    await journal.close()
    await storage.close()
    own_redis.start()
    assert outcomes(await copy_sessions(url, files)) == [("mine", "copied")]
    assert list((await files.load("mine")).turns) == ["turn-1"]


async def test_the_command(files, tmp_path):
    """It names what became of each, what is no session, and ends with 4 if one was left out."""
    await kept(files)
    (files.directory / "bad.json").write_text("{ half")
    url = f"sqlite:///{tmp_path}/sessions.db"
    environment = {**os.environ, "HOME": str(tmp_path), "CHANNELCODER_SESSION_DIR": str(files.directory)}

    def copy(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "channelcoder_lsp.cli.command", "session", "copy", "--to", url, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=PATIENCE)

    first = await asyncio.to_thread(copy)
    assert (first.returncode, first.stdout) == (0, "copied\tmine\t5 messages\n"), first.stderr
    assert "the setting `storage`" in first.stderr
    assert "'bad' is left out" in first.stderr
    again = await asyncio.to_thread(copy, "--from", "file:", "--json")
    assert json.loads(again.stdout) == [
        {"name": "mine", "new_name": "mine", "outcome": "there", "messages": 5, "reason": ""}
    ]
    there = open_storage(url)
    journal = await there.open("mine")
    await journal.append(*answered(7))
    await journal.close()
    await there.close()
    refused = await asyncio.to_thread(copy)
    assert refused.returncode == 4
    assert refused.stdout.startswith("left out\tmine\tThere is another session named 'mine' there.")
