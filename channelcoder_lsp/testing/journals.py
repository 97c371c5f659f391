"""The promises of a storage that records turn by turn."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import aclosing
from hashlib import sha256

from anyio import create_task_group, fail_after
from anyio.lowlevel import checkpoint

from channelcoder_lsp.domain.errors import SessionExistsError, SessionNotFoundError, StorageError
from channelcoder_lsp.domain.records import (
    ModelChosen,
    ThreadOpened,
    ThreadRemoved,
    TurnAsked,
    TurnFinished,
)
from channelcoder_lsp.domain.session import SessionMetadata, SessionState
from channelcoder_lsp.domain.storage import Journal, JournaledStorage
from channelcoder_lsp.domain.turn import Turn, TurnState
from channelcoder_lsp.testing.expect import expect, expect_raises
from channelcoder_lsp.testing.histories import applied, every_record, expected_in
from channelcoder_lsp.testing.leases import LEASE_PROMISES
from channelcoder_lsp.testing.samples import answered, sample_session, sample_thread
from channelcoder_lsp.testing.storages import at_rest

Connect = Callable[[], JournaledStorage]

_PATIENCE = 20.0
"""Seconds after which something that must happen is taken not to happen."""


async def a_created_session_is_there(connect: Connect) -> None:
    """``create`` stores the session; others can open, load and list it at once."""
    state = sample_session("mine")
    journal = await connect().create(state, "mine")
    expect("the journal has the session's name", journal.name, "mine")
    expect("the journal says where it is", bool(journal.location))
    other = await connect().open("mine")
    for each in (journal, other):
        expect("the head has the threads", list(each.head.threads), ["thread-1"])
        expect("the head counts the messages", each.head.message_count, 5)
        expect("the head has what has not ended", [turn.id for turn in each.head.unfinished()], ["turn-waiting"])
        expect("the head has the answers", each.head.turns["turn-2"].answer, state.turns["turn-2"].answer)
    expect("it can be loaded", at_rest(await connect().load("mine")), at_rest(state))
    expect("it exists", await connect().exists("mine"))
    expect("others don't", await connect().exists("other"), expected=False)


async def a_taken_name_is_refused(connect: Connect) -> None:
    """``create`` never touches a session that is there."""
    await (await connect().create(sample_session("mine"), "mine")).close()
    with expect_raises("create under a taken name raises SessionExistsError", SessionExistsError):
        await connect().create(SessionState(), "mine")
    expect("what was there still is", (await connect().load("mine")).message_count, 5)


async def a_missing_session_cannot_be_opened(connect: Connect) -> None:
    """``open`` makes no session."""
    with expect_raises("open without a session raises SessionNotFoundError", SessionNotFoundError):
        await connect().open("missing")
    expect("and makes none", await connect().exists("missing"), expected=False)


async def records_are_numbered_and_applied(connect: Connect) -> None:
    """``append`` numbers from 1 without holes and changes the head, which stays the same object."""
    journal = await connect().create(SessionState(), "mine")
    head = journal.head
    records = every_record()
    await journal.append(records[0])
    await journal.append(*records[1:], durable=False)
    expect("the head stays the same object", journal.head is head)
    expect("as many numbers as records", head.channelcoder.seq, len(records))
    expect("the records have their numbers", [each.seq for each in records], [*range(1, len(records) + 1)])
    expected = applied(records)
    expect("the head follows", head.channelcoder, expected.channelcoder)
    expect("the head counts", head.message_count, expected.message_count)
    expect("state has it all", at_rest(await journal.state()), at_rest(expected_in(journal, expected)))


async def appending_nothing_changes_nothing(connect: Connect) -> None:
    """``append`` without records is fine."""
    journal = await connect().create(SessionState(), "mine")
    await journal.append()
    expect("nothing was numbered", journal.head.channelcoder.seq, 0)


async def everybody_sees_what_was_appended(connect: Connect) -> None:
    """``load``, ``list`` and a new journal have it, while the one that recorded it is still open."""
    journal = await connect().create(SessionState(), "mine")
    records = every_record()
    for record in records:
        await journal.append(record)
    expected = at_rest(expected_in(journal, applied(records)))
    expect("load has it", at_rest(await connect().load("mine")), expected)
    rows = await connect().list()
    expect("list counts it", [row.message_count for row in rows], [journal.head.message_count])
    expect("list sums it up", [row.cost_usd for row in rows], [journal.head.channelcoder.totals.cost_usd])
    expect("list has the first question", [row.first_question for row in rows], ["Question 1: text"])
    other = await connect().open("mine")
    expect("a new journal has it", other.head.channelcoder, journal.head.channelcoder)


async def nothing_is_shared_with_who_appends(connect: Connect) -> None:
    """What the caller does with its objects afterwards does not reach the session."""
    journal = await connect().create(SessionState(), "mine")
    turn, thread = Turn(id="turn-1", question="Why?"), sample_thread()
    await journal.append(TurnAsked(turn=turn, thread=thread))
    turn.question = "changed"
    thread.language = "changed"
    expect("the turn is the storage's own", journal.head.turns["turn-1"].question, "Why?")
    expect("the thread is the storage's own", journal.head.threads[thread.id].language, "python")


async def a_cut_character_is_no_harm(connect: Connect) -> None:
    """Half of a surrogate pair, as an editor may send it, is recorded as U+FFFD."""
    journal = await connect().create(SessionState(), "mine")
    await journal.append(TurnAsked(turn=Turn(id="turn-1", question="half \ud83d")))
    await journal.append(TurnFinished(turn_id="turn-1", state=TurnState.DONE, answer="\ude42 half"))
    texts = [message.content for message in (await connect().load("mine")).messages]
    expect("the rest of the text is kept", texts, ["half \ufffd", "\ufffd half"])
    await journal.close()
    texts = [message.content for message in (await connect().load("mine")).messages]
    expect("also at rest", texts, ["half \ufffd", "\ufffd half"])


async def journals_follow_each_other(connect: Connect) -> None:
    """``refresh`` takes in what others recorded; ``append`` does so before it returns."""
    one = await connect().create(SessionState(), "mine")
    other = await connect().open("mine")
    await one.append(*answered(1))
    expect("refresh says that there was something", await other.refresh())
    expect("and takes it in", other.head.channelcoder, one.head.channelcoder)
    expect("then there is nothing more", await other.refresh(), expected=False)
    await other.append(*answered(2))
    await one.append(ModelChosen(model="model"))
    expect("append took in what came before", list(one.head.turns), ["turn-1", "turn-2"])
    expect("the numbers go on", one.head.channelcoder.seq, 5)
    await other.refresh()
    expect("both heads are equal", other.head.channelcoder, one.head.channelcoder)
    expect("both count alike", other.head.message_count, one.head.message_count)


async def journals_append_at_once(connect: Connect) -> None:
    """Nothing is lost or doubled when several record at the same time."""
    first = await connect().create(SessionState(), "mine")
    journals = [first, *[await connect().open("mine") for _ in range(3)]]

    async def record(journal: Journal, writer: int) -> None:
        for number in range(10):
            await journal.append(TurnAsked(turn=Turn(id=f"turn-{writer}-{number}", question="Why?")))
            await checkpoint()

    async with create_task_group() as tasks:
        for writer, journal in enumerate(journals):
            tasks.start_soon(record, journal, writer)
    state = await connect().load("mine")
    expect("every record has its own number", state.channelcoder.seq, 40)
    expect("none is lost or doubled", len(state.messages), 40)
    for writer in range(4):
        mine = [turn for turn in state.turns if turn.startswith(f"turn-{writer}-")]
        expect("each writer's are in order", mine, [f"turn-{writer}-{number}" for number in range(10)])
    for journal in journals:
        await journal.refresh()
        expect("every head has all, in the same order", list(journal.head.turns), list(state.turns))
        await journal.close()


async def folding_and_closing_lose_nothing(connect: Connect) -> None:
    """``fold`` and ``close`` change what is at rest, not what the session is."""
    journal = await connect().create(SessionState(), "mine")
    other = await connect().open("mine")
    await journal.append(*answered(1))
    await journal.fold()
    await journal.append(*answered(2))
    expect("after a fold it goes on", journal.head.channelcoder.seq, 4)
    await journal.close()
    await journal.close()
    await other.append(*answered(3))
    expect("others go on too", list(other.head.turns), ["turn-1", "turn-2", "turn-3"])
    with expect_raises("a closed journal refuses to append", StorageError):
        await journal.append(*answered(4))
    await other.close()
    expect("all is there", list((await connect().load("mine")).turns), ["turn-1", "turn-2", "turn-3"])


async def a_save_is_seen_by_open_journals(connect: Connect) -> None:
    """``save`` takes the place of everything, also of what is in the open journals' heads."""
    journal = await connect().create(sample_session("mine", turns=3), "mine")
    await journal.append(*answered(4))
    await connect().save(sample_session("mine", turns=1), "mine")
    expect("refresh sees it", await journal.refresh())
    expect("the head is the saved one", sorted(journal.head.turns), ["turn-1", "turn-waiting"])
    await journal.append(*answered(5))
    state = await connect().load("mine")
    expect("what is appended then counts", sorted(state.turns), ["turn-1", "turn-5", "turn-waiting"])
    expect("once", len(state.messages), 5)


async def texts_are_kept_by_content(connect: Connect) -> None:
    """A text is found by its digest, by everybody who has the session open."""
    journal = await connect().create(SessionState(), "mine")
    digests = {text: sha256(text.encode()).hexdigest() for text in ("", "x = 1\r\n", "ü🙂" * 10_000)}
    for text, digest in digests.items():
        expect("nothing is kept before", await journal.content(digest), None)
        await journal.keep_content(digest, text)
        await journal.keep_content(digest, text)
    other = await connect().open("mine")
    for text, digest in digests.items():
        expect("the text comes back", await other.content(digest), text)


async def texts_in_use_stay(connect: Connect) -> None:
    """Folding, closing and what becomes of other threads leave a text that something points at, or that is new."""
    journal = await connect().create(SessionState(), "mine")
    texts = ("first\n", "other\n", "new\n")
    first, other, new = (sha256(text.encode()).hexdigest() for text in texts)
    thread = sample_thread()
    for digest, text, name in ((first, texts[0], "thread-1"), (other, texts[1], "thread-2")):
        await journal.keep_content(digest, text)
        anchor = thread.anchor.model_copy(update={"content": digest})
        await journal.append(ThreadOpened(thread=thread.model_copy(update={"id": name, "anchor": anchor})))
    await journal.append(ThreadRemoved(thread_id="thread-2"))
    await journal.keep_content(new, texts[2])
    await journal.fold()
    await journal.append(*answered(1))
    await journal.close()
    reopened = await connect().open("mine")
    expect("what a thread points at stays", await reopened.content(first), texts[0])
    expect("and what was kept a moment ago", await reopened.content(new), texts[2])


async def a_deleted_session_is_gone(connect: Connect) -> None:
    """``delete`` takes everything, and a journal that is still open brings nothing back."""
    journal = await connect().create(sample_session("mine"), "mine")
    digest = sha256(b"text").hexdigest()
    await journal.keep_content(digest, "text")
    await connect().delete("mine")
    expect("it does not exist", await connect().exists("mine"), expected=False)
    expect("it is not listed", await connect().list(), [])
    for use in (lambda: connect().load("mine"), lambda: connect().open("mine"), lambda: connect().delete("mine")):
        with expect_raises("using it raises SessionNotFoundError", SessionNotFoundError):
            await use()
    for record in (lambda: journal.append(*answered(5)), journal.refresh):
        with expect_raises("its open journal raises SessionNotFoundError", SessionNotFoundError):
            await record()
    with expect_raises("nor does it keep texts", SessionNotFoundError):
        await journal.keep_content(sha256(b"other").hexdigest(), "other")
    await journal.close()
    expect("nothing came back", await connect().exists("mine"), expected=False)
    new = await connect().create(SessionState(), "mine")
    expect("the name can be used again", new.head.message_count, 0)
    expect("nothing of the old session is in it", await new.content(digest), None)


async def a_later_session_of_that_name_is_another(connect: Connect) -> None:
    """A journal of a session that was removed does not record into the next one of its name."""
    old = await connect().create(sample_session("mine"), "mine")
    await connect().delete("mine")
    new = await connect().create(SessionState(), "mine")
    with expect_raises("its journal raises SessionNotFoundError", SessionNotFoundError):
        await old.append(*answered(7))
    await old.close()
    await new.append(*answered(1))
    expect("the new session has its own only", list((await connect().load("mine")).turns), ["turn-1"])


async def a_renamed_session_is_the_same(connect: Connect) -> None:
    """``rename`` moves everything; the old name is free."""
    journal = await connect().create(SessionState(metadata=SessionMetadata(name="old")), "old")
    digest = sha256(b"text").hexdigest()
    await journal.keep_content(digest, "text")
    await journal.append(*answered(1))
    await connect().rename("old", "new")
    expect("the old name is free", await connect().exists("old"), expected=False)
    expect("it is listed once", [row.name for row in await connect().list()], ["new"])
    state = await connect().load("new")
    expect("it knows its name", state.metadata.name, "new")
    expect("all turns came along", list(state.turns), ["turn-1"])
    with expect_raises("a journal of the old name raises SessionNotFoundError", SessionNotFoundError):
        await journal.append(*answered(2))
    await journal.close()
    renamed = await connect().open("new")
    expect("the texts came along", await renamed.content(digest), "text")
    await renamed.append(*answered(2))
    expect("the numbers go on", renamed.head.channelcoder.seq, 4)


async def renaming_refuses(connect: Connect) -> None:
    """``rename`` takes the place of nothing."""
    await connect().save(sample_session("one"), "one")
    await connect().save(sample_session("two", turns=1), "two")
    with expect_raises("a taken name raises SessionExistsError", SessionExistsError):
        await connect().rename("one", "two")
    with expect_raises("a missing session raises SessionNotFoundError", SessionNotFoundError):
        await connect().rename("three", "four")
    await connect().rename("one", "one")
    counts = {row.name: row.message_count for row in await connect().list()}
    expect("nothing was changed", counts, {"one": 5, "two": 3})


async def changes_are_watched(connect: Connect) -> None:
    """``watch`` gives the name of a session that somebody changes."""
    journal = await connect().create(SessionState(), "mine")
    seen = False

    async def watch() -> None:
        nonlocal seen
        async with aclosing(connect().watch()) as names:
            async for name in names:
                if name == "mine":
                    seen = True
                    return

    with fail_after(_PATIENCE):
        async with create_task_group() as tasks:
            tasks.start_soon(watch)
            while not seen:  # it may take a moment until the watching has begun
                await journal.append(ModelChosen(model="model"))
                await checkpoint()


JOURNAL_PROMISES: tuple[Callable[[Connect], Awaitable[None]], ...] = (
    a_created_session_is_there,
    a_taken_name_is_refused,
    a_missing_session_cannot_be_opened,
    records_are_numbered_and_applied,
    appending_nothing_changes_nothing,
    everybody_sees_what_was_appended,
    nothing_is_shared_with_who_appends,
    a_cut_character_is_no_harm,
    journals_follow_each_other,
    journals_append_at_once,
    folding_and_closing_lose_nothing,
    a_save_is_seen_by_open_journals,
    texts_are_kept_by_content,
    texts_in_use_stay,
    a_deleted_session_is_gone,
    a_later_session_of_that_name_is_another,
    a_renamed_session_is_the_same,
    renaming_refuses,
    changes_are_watched,
    *LEASE_PROMISES,
)
"""What an adapter that the server works with must keep, besides ``STORAGE_PROMISES``."""
