"""Sessions go back and forth between FileSessionStorage and channelcoder@3.0.2."""

from __future__ import annotations

import json
from hashlib import sha256

import pytest

from channelcoder_lsp.domain.model import iso
from channelcoder_lsp.storage import FileSessionStorage
from channelcoder_lsp.testing import sample_session
from channelcoder_lsp.testing.samples import answered


@pytest.fixture
def storage(folder):
    return FileSessionStorage(folder)


def rows(messages):
    """Messages as ChannelCoder shows them."""
    return [
        {
            "role": message.role,
            "content": message.content,
            "timestamp": iso(message.timestamp),
            "sessionId": message.session_id,
        }
        for message in messages
    ]


def known(messages):
    """ChannelCoder's messages without the keys that it carries along for us."""
    return [{key: value for key, value in message.items() if key != "turnId"} for message in messages]


async def test_what_channelcoder_saved_loads_here(channelcoder, storage):
    """A session that ChannelCoder made is a session here: same messages, dates, ids and name."""
    theirs = channelcoder.run("start", "theirs", "What is TypeScript? 🙂", "Show me an example")
    state = await storage.load("theirs")
    assert rows(state.messages) == theirs["messages"]
    assert [message.role for message in state.messages] == ["user", "assistant", "user", "assistant"]
    assert state.messages[1].content == "ChannelCoder's answer to What is TypeScript? 🙂"
    assert state.current_session_id == theirs["id"] == "claude-of-channelcoder"
    assert state.metadata.name == "theirs"
    journal = await storage.open("theirs")
    assert journal.head.message_count == 4


async def test_half_a_character_that_channelcoder_saved_loads_here(channelcoder, storage, folder):
    """JavaScript's strings may end in the middle of a character, and its JSON too."""
    folder.mkdir()
    (folder / "theirs.json").write_text(sample_session("theirs").at_rest().replace("And then?", "And \\ud83d?"))
    channelcoder.run("save", "theirs", "again")
    assert "\\ud83d" in (folder / "again.json").read_text()
    state = await storage.load("again")
    assert state.messages[-1].content == "And \ufffd?"
    assert len(state.messages) == 5


async def test_both_list_alike(channelcoder, storage):
    """The two lists have the same sessions in the same order, whoever made them."""
    await storage.save(sample_session("ours"), "ours")
    channelcoder.run("start", "theirs", "Why?")
    expected = [
        {
            "name": info.name,
            "path": info.path,
            "created": iso(info.created),
            "lastActive": iso(info.last_active),
            "messageCount": info.message_count,
        }
        for info in await storage.list()
    ]
    assert channelcoder.run("list") == expected
    assert [row["name"] for row in expected] == ["theirs", "ours"]


async def test_channelcoder_reads_what_we_leave_at_rest(channelcoder, storage, folder):
    """It loads and lists our sessions, and is not disturbed by any other file of ours."""
    journal = await storage.create(sample_session("ours"), "ours")
    await journal.keep_content(sha256(b"text").hexdigest(), "text")
    await journal.append(*answered(3))
    async with journal.lease():
        (folder / "ours.corrupt-20240101T000000Z").write_text("{")
        (folder / "ours.tmp-1234").write_text("{")
        await journal.fold()
        state = await journal.state()
        loaded = channelcoder.run("load", "ours")
        assert known(loaded["messages"]) == rows(state.messages)
        assert loaded["id"] == "claude-1"
        assert [row["messageCount"] for row in channelcoder.run("list")] == [7]
    await journal.close()


async def test_a_round_trip_keeps_threads_and_turns(channelcoder, storage):
    """ChannelCoder asks in our session: its messages are taken in, nothing of ours is lost."""
    journal = await storage.create(sample_session("ours"), "ours")
    await journal.close()
    before = await storage.load("ours")
    channelcoder.run("resume", "ours", "And in Rust?")
    after = await storage.load("ours")
    assert after.channelcoder == before.channelcoder
    assert rows(after.messages[:5]) == rows(before.messages)
    assert [message.content for message in after.messages[5:]] == [
        "And in Rust?",
        "ChannelCoder's answer to And in Rust?",
    ]
    journal = await storage.open("ours")
    assert journal.head.message_count == 7
    assert journal.head.current_session_id == "claude-of-channelcoder"
    await journal.append(*answered(3))
    await journal.close()
    assert len(channelcoder.run("load", "ours")["messages"]) == 9
    assert list((await storage.load("ours")).turns) == ["turn-1", "turn-2", "turn-waiting", "turn-3"]


async def test_an_open_journal_takes_in_what_channelcoder_adds(channelcoder, storage):
    """While our journal holds records that ChannelCoder doesn't see, both sides' messages are kept."""
    journal = await storage.create(sample_session("ours", turns=1), "ours")
    await journal.append(*answered(2))
    channelcoder.run("resume", "ours", "Theirs?")
    assert await journal.refresh()
    assert list(journal.head.turns) == ["turn-1", "turn-waiting", "turn-2"]
    assert journal.head.message_count == 7
    state = await journal.state()
    assert sorted(message.content[:8] for message in state.messages if message.turn_id is None) == [
        "ChannelC",
        "Theirs?",
    ]
    await journal.close()
    assert known(channelcoder.run("load", "ours")["messages"]) == rows(state.messages)


@pytest.mark.parametrize("many", [3, 400], ids=["still in the journal", "longer ago than the journal reaches"])
async def test_an_old_copy_that_is_written_back_undoes_nothing(channelcoder, storage, many):
    """ChannelCoder saves what it had in memory: what was folded since is brought back."""
    journal = await storage.create(sample_session("ours"), "ours")
    process = channelcoder.start("resumeLate", "ours", "Late?")
    assert process.stdout.readline() == "loaded\n"
    for number in range(3, 3 + many):
        await journal.append(*answered(number, text="word " * 200, thread=sample_session().threads["thread-1"]))
    await journal.close()
    channelcoder.answer(process, told="go on\n")
    state = await storage.load("ours")
    assert len(state.turns) == many + 3
    assert sum(message.role == "assistant" for message in state.messages) == many + 2 + 1
    journal = await storage.open("ours")
    await journal.close()
    assert len(channelcoder.run("load", "ours")["messages"]) == 5 + 2 * many + 2


async def test_clearing_there_clears_here(channelcoder, storage):
    """ChannelCoder's ``clear`` drops history and threads; the session goes on, also for open journals."""
    journal = await storage.create(sample_session("ours"), "ours")
    await journal.fold()
    channelcoder.run("clear", "ours")
    assert await journal.refresh()
    assert journal.head.message_count == 0
    assert journal.head.threads == {}
    assert journal.head.channelcoder.checkout == "/home/someone/project"
    await journal.append(*answered(7))
    await journal.close()
    assert list((await storage.load("ours")).turns) == ["turn-7"]


async def test_the_guides_storage_format_loads(channelcoder, storage, folder):
    """The leaner shape of the guide ("Storage Format") loads, also after ChannelCoder has saved it again."""
    lean = {
        "id": "session_abc123",
        "messages": [
            {"role": "user", "content": "Create a React component"},
            {"role": "assistant", "content": "I'll help you create a React component..."},
        ],
        "metadata": {
            "created": "2024-01-15T10:00:00Z",
            "lastActive": "2024-01-15T11:30:00Z",
            "messageCount": 2,
        },
    }
    folder.mkdir()
    (folder / "lean.json").write_text(json.dumps(lean))

    async def check(name):
        state = await storage.load(name)
        assert [message.content for message in state.messages] == [each["content"] for each in lean["messages"]]
        assert state.current_session_id == "session_abc123"
        assert iso(state.metadata.last_active) == "2024-01-15T11:30:00.000Z"
        assert {iso(message.timestamp) for message in state.messages} == {"2024-01-15T10:00:00.000Z"}

    await check("lean")
    channelcoder.run("save", "lean", "again")
    await check("again")
    journal = await storage.open("lean")
    await journal.append(*answered(1))
    await journal.close()
    assert len(channelcoder.run("load", "lean")["messages"]) == 4
