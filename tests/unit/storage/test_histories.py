"""Whatever happens in which order, a session is its records applied one by one, and ChannelCoder's messages."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from channelcoder_lsp.domain.records import (
    ModelChosen,
    SessionCleared,
    ThreadOpened,
    TurnAsked,
    TurnDelta,
    TurnFinished,
    TurnStarted,
)
from channelcoder_lsp.domain.session import SessionMetadata, SessionState
from channelcoder_lsp.domain.turn import Turn, TurnState
from channelcoder_lsp.storage import FileSessionStorage
from channelcoder_lsp.storage.file import lines, tidying
from channelcoder_lsp.testing import sample_thread
from channelcoder_lsp.testing.samples import MADE

TURNS = [f"turn-{number}" for number in range(4)]


def records():
    """Any record, also those that make no sense where they come."""
    turn_ids = st.sampled_from(TURNS)
    texts = st.text(max_size=5)
    return st.one_of(
        st.builds(
            lambda turn_id, text, thread: TurnAsked(
                at=MADE,
                turn=Turn(id=turn_id, question=text or "?", asked=MADE, thread_id="thread-1" if thread else None),
                thread=sample_thread() if thread else None,
            ),
            turn_ids,
            texts,
            st.booleans(),
        ),
        st.builds(lambda turn_id: TurnStarted(at=MADE, turn_id=turn_id, session_id="claude-1"), turn_ids),
        st.builds(
            lambda turn_id, text, replace: TurnDelta(at=MADE, turn_id=turn_id, text=text, replace=replace),
            turn_ids,
            texts,
            st.booleans(),
        ),
        st.builds(
            lambda turn_id, text: TurnFinished(
                at=MADE, turn_id=turn_id, state=TurnState.DONE, answer=text, session_id="claude-2", cost_usd=0.5
            ),
            turn_ids,
            texts,
        ),
        st.builds(lambda model: ModelChosen(at=MADE, model=model), st.none() | texts),
        st.just(ThreadOpened(at=MADE, thread=sample_thread())),
        st.just(SessionCleared(at=MADE)),
    )


@dataclass
class Session:
    """The session as it must be, and those who work on it."""

    storage: FileSessionStorage
    model: SessionState
    journals: list = field(default_factory=list)

    async def record(self, who, batch):
        batch = [record for record in batch if self.takes(record)]
        await self.journals[who].append(*batch)

    def takes(self, record):
        """Apply a record to the model, unless it ends a turn that was never asked."""
        if isinstance(record, TurnFinished) and record.turn_id not in self.model.turns:
            return False
        self.model.apply(record.model_copy(update={"seq": self.model.channelcoder.seq + 1}, deep=True))
        return True

    async def reopen(self, who, _):
        await self.journals[who].close()
        self.journals[who] = await self.storage.open("mine")

    async def crash(self, who, _):
        """As far as files are concerned, a process that dies is one that does nothing any more."""
        self.journals[who] = await self.storage.open("mine")

    async def fold(self, who, _):
        await self.journals[who].fold()

    async def refresh(self, who, _):
        await self.journals[who].refresh()

    async def without_index(self, who, _):
        (self.storage.directory / "mine.index").unlink(missing_ok=True)

    async def rename(self, who, _):
        for journal in self.journals:
            await journal.close()
        await self.storage.rename("mine", "other")
        await self.storage.rename("other", "mine")
        self.journals = [await self.storage.open("mine") for _ in self.journals]

    async def check(self):
        expected = comparable(self.model)
        assert comparable(await self.storage.load("mine")) == expected
        (row,) = await self.storage.list()
        assert row.message_count == len(self.model.messages)
        assert row.cost_usd == self.model.channelcoder.totals.cost_usd
        for journal in self.journals:
            await journal.refresh()
            assert journal.head.channelcoder == self.model.channelcoder
            assert journal.head.message_count == len(self.model.messages)
            assert journal.head.session_chain == self.model.session_chain


def comparable(state):
    return json.loads(state.at_rest())


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("record"), st.integers(0, 1), st.lists(records(), max_size=4)),
            st.tuples(
                st.sampled_from(["reopen", "crash", "fold", "refresh", "without_index", "rename"]),
                st.integers(0, 1),
                st.none(),
            ),
        ),
        max_size=12,
    ),
    st.sampled_from([100, 600, 256 * 1024]),
)
def test_any_history(tmp_path_factory, steps, size):
    """Two journals record, fold, close and die in any order: load, list and every head agree with the records."""
    folder = tmp_path_factory.mktemp("history")
    metadata = SessionMetadata(name="mine", created=MADE, last_active=MADE)
    previous = tidying.LEAST, lines.CARRIED_BYTES
    tidying.LEAST = lines.CARRIED_BYTES = size

    async def run():
        storage = FileSessionStorage(folder)
        session = Session(storage, SessionState(metadata=metadata.model_copy()))
        session.journals = [await storage.create(SessionState(metadata=metadata), "mine"), await storage.open("mine")]
        for step, who, batch in steps:
            await getattr(session, step)(who, batch)
        await session.check()
        for journal in session.journals:
            await journal.close()
        assert comparable(SessionState.model_validate_json((folder / "mine.json").read_bytes())) == comparable(
            session.model
        )

    try:
        asyncio.run(run())
    finally:
        tidying.LEAST, lines.CARRIED_BYTES = previous
