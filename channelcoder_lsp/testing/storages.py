"""The promises of the guide's three methods."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from datetime import timedelta

from channelcoder_lsp.domain.errors import SessionNotFoundError
from channelcoder_lsp.domain.session import Message, SessionState
from channelcoder_lsp.domain.storage import SessionStorage
from channelcoder_lsp.testing.expect import expect, expect_raises
from channelcoder_lsp.testing.samples import MADE, sample_session

Connect = Callable[[], SessionStorage]


async def what_is_saved_is_loaded(connect: Connect) -> None:
    """A session comes back equal: messages, dates, chain, threads, turns and totals."""
    state = sample_session("mine")
    await connect().save(state, "mine")
    loaded = await connect().load("mine")
    expect("load gives back what save was given", at_rest(loaded), at_rest(state))
    expect("dates come back as they were", loaded.messages[0].timestamp, state.messages[0].timestamp)
    expect("dates are aware", loaded.metadata.created.tzinfo is not None)
    expect("the messages are counted", loaded.message_count, len(state.messages))


async def an_empty_session_is_kept(connect: Connect) -> None:
    """A session in which nothing was asked yet is a session."""
    await connect().save(SessionState(), "empty")
    loaded = await connect().load("empty")
    expect("there are no messages", loaded.messages, [])
    expect("there is no session id", loaded.current_session_id, None)
    expect("the list counts none", [info.message_count for info in await connect().list()], [0])


async def unknown_keys_are_kept(connect: Connect) -> None:
    """What a newer version or another program put into a session is not lost."""
    data = json.loads(sample_session("mine").at_rest())
    data["later"] = {"kept": True}
    data["messages"][0]["tokens"] = 5
    data["channelcoder"]["plans"] = ["one"]
    await connect().save(SessionState.model_validate(data), "mine")
    loaded = json.loads((await connect().load("mine")).at_rest())
    expect("an unknown key of the session is kept", loaded.get("later"), {"kept": True})
    expect("an unknown key of a message is kept", loaded["messages"][0].get("tokens"), 5)
    expect("an unknown key of the ledger is kept", loaded["channelcoder"].get("plans"), ["one"])


async def any_text_is_kept(connect: Connect) -> None:
    """Texts come back to the character; half of a surrogate pair, which UTF-8 can't have, as U+FFFD."""
    texts = ["", "\r\n\t\x00\x1b[31m", "\u2028\ufeff\U0010ffff", "e\u0301 \u00e9", "<b>&amp;", "x" * 1_000_000]
    state = SessionState()
    for text in [*texts, "half \ud83d"]:
        state.messages.append(Message(role="user", content=text, timestamp=MADE))
    await connect().save(state, "mine")
    loaded = [message.content for message in (await connect().load("mine")).messages]
    expect("texts come back as they were", loaded[:-1], texts)
    expect("a cut character is replaced", loaded[-1], "half \ufffd")


async def saving_replaces(connect: Connect) -> None:
    """A second save under a name takes the place of the first."""
    await connect().save(sample_session("mine", turns=3), "mine")
    await connect().save(sample_session("mine", turns=1), "mine")
    loaded = await connect().load("mine")
    expect("only what was saved last is there", len(loaded.messages), 3)
    expect("it is listed once", [info.message_count for info in await connect().list()], [3])


async def a_name_is_the_sessions_name(connect: Connect) -> None:
    """A session that is saved under a name has that name; saved without one, it keeps its own."""
    await connect().save(sample_session(), "given")
    expect("it has the name it was given", (await connect().load("given")).metadata.name, "given")
    await connect().save(sample_session("own"))
    expect("its own name serves", (await connect().load("own")).metadata.name, "own")
    names = sorted(info.name for info in await connect().list())
    expect("both are listed under their names", names, ["given", "own"])


async def without_a_name_the_session_id_serves(connect: Connect) -> None:
    """An unnamed session is stored under its session id."""
    await connect().save(sample_session(session_id="claude-7"))
    loaded = await connect().load("claude-7")
    expect("it is found under its session id", loaded.current_session_id, "claude-7")
    expect("it has no name", loaded.metadata.name, None)


async def two_unnamed_sessions_are_two(connect: Connect) -> None:
    """Sessions with neither name nor id don't take each other's place."""
    await connect().save(SessionState())
    await connect().save(SessionState())
    expect("both are there", len(await connect().list()), 2)


async def what_save_returns_can_be_loaded(connect: Connect) -> None:
    """What ``save`` returns says where the session is: ``load`` takes it."""
    for name in ("mine", None):
        where = await connect().save(sample_session(name))
        expect("save returns a text", bool(where and isinstance(where, str)))
        expect("load takes it", (await connect().load(where)).metadata.name, name)


async def nothing_is_shared_with_the_caller(connect: Connect) -> None:
    """Neither ``save`` nor ``load`` leaves the storage and the caller with one object."""
    storage = connect()
    state = sample_session("mine")
    before = at_rest(state)
    await storage.save(state, "mine")
    expect("save changes nothing in the session", at_rest(state), before)
    state.messages.clear()
    first = await storage.load("mine")
    expect("what happens to the session after the save is not stored", at_rest(first), before)
    first.messages.clear()
    expect("each load gives a new session", at_rest(await storage.load("mine")), before)


async def a_missing_session_is_named(connect: Connect) -> None:
    """``load`` of a session that isn't there says which."""
    with expect_raises("load without a session raises SessionNotFoundError", SessionNotFoundError):
        await connect().load("missing")
    try:
        await connect().load("missing")
    except SessionNotFoundError as error:
        expect("the error names it", "missing" in str(error))


async def the_list_is_sorted(connect: Connect) -> None:
    """``list`` has all sessions, the one that was used last first."""
    expect("an empty storage has an empty list", await connect().list(), [])
    for name, days in (("middle", 1), ("newest", 2), ("oldest", 0)):
        state = sample_session(name)
        state.metadata.last_active = MADE + timedelta(days=days)
        await connect().save(state, name)
    rows = await connect().list()
    expect("newest first", [row.name for row in rows], ["newest", "middle", "oldest"])
    expect("with the day they were made", {row.created for row in rows}, {MADE})
    expect("with when they were used last", rows[0].last_active, MADE + timedelta(days=2))
    expect("with how many messages they have", {row.message_count for row in rows}, {5})
    expect("with where they are", all(isinstance(row.path, str) for row in rows))


def at_rest(state: SessionState) -> str:
    """The session as a text, without the order of keys mattering."""
    return json.dumps(json.loads(state.at_rest()), sort_keys=True, ensure_ascii=False)


STORAGE_PROMISES: tuple[Callable[[Connect], Awaitable[None]], ...] = (
    what_is_saved_is_loaded,
    an_empty_session_is_kept,
    unknown_keys_are_kept,
    any_text_is_kept,
    saving_replaces,
    a_name_is_the_sessions_name,
    without_a_name_the_session_id_serves,
    two_unnamed_sessions_are_two,
    what_save_returns_can_be_loaded,
    nothing_is_shared_with_the_caller,
    a_missing_session_is_named,
    the_list_is_sorted,
)
"""What every adapter must keep: ``await promise(connect)``."""
