"""A session's data: the fold of its records, and the guide's JSON at rest."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channelcoder_lsp.domain.ledger import Compaction, Ledger
from channelcoder_lsp.domain.model import now
from channelcoder_lsp.domain.place import Anchor, Position, Range
from channelcoder_lsp.domain.proposal import FileKind, Hunk, Proposal, ProposalStatus, ProposedFile
from channelcoder_lsp.domain.records import (
    ModelChosen,
    ProposalChanged,
    Record,
    SessionCleared,
    SpendingLimited,
    ThreadMoved,
    ThreadOpened,
    ThreadRemoved,
    ThreadResolved,
    TurnAsked,
    TurnDelta,
    TurnFinished,
    TurnStarted,
    dump_record,
    parse_record,
)
from channelcoder_lsp.domain.session import Message, SessionMetadata, SessionState
from channelcoder_lsp.domain.thread import Thread, ThreadStatus
from channelcoder_lsp.domain.turn import ContextUse, Turn, TurnState, Usage
from channelcoder_lsp.services.proposals import discard
from channelcoder_lsp.testing import sample_session, sample_thread

HERE = Anchor(uri="file:///p/a.py", path="a.py", range=Range(Position(1, 0), Position(2, 3)), quote="x = 1\ny")


def asked(number: int, *, thread: Thread | None = None, thread_id: str | None = None) -> TurnAsked:
    turn = Turn(id=f"turn-{number}", question=f"Q{number}", thread_id=thread.id if thread else thread_id)
    return TurnAsked(turn=turn, thread=thread)


def finished(number: int, answer: str = "A", session_id: str | None = "claude-1", **more: Any) -> TurnFinished:
    more.setdefault("state", TurnState.DONE)
    return TurnFinished(turn_id=f"turn-{number}", answer=answer, session_id=session_id, **more)


def folded(*records: Record) -> SessionState:
    state = SessionState(metadata=SessionMetadata(name="work"))
    for seq, record in enumerate(records, start=1):
        state.apply(record.model_copy(update={"seq": seq}, deep=True))
    return state


class TestApplying:
    """A session is the fold of its records."""

    def test_a_turn_goes_from_queued_to_done(self):
        """Asked, started, deltas, finished: state, texts, times and the two messages."""
        state = folded(asked(1))
        assert state.turns["turn-1"].state is TurnState.QUEUED
        state = folded(asked(1), TurnStarted(turn_id="turn-1", session_id="claude-1"))
        assert (state.turns["turn-1"].state, state.current_session_id) == (TurnState.RUNNING, "claude-1")
        state = folded(asked(1), TurnDelta(turn_id="turn-1", text="An "), TurnDelta(turn_id="turn-1", text="answer"))
        assert state.turns["turn-1"].answer == "An answer"
        state = folded(asked(1), finished(1, "Whole", cost_usd=0.5, usage=Usage(input_tokens=3)))
        assert [(m.role, m.content, m.turn_id) for m in state.messages] == [
            ("user", "Q1", "turn-1"),
            ("assistant", "Whole", "turn-1"),
        ]
        totals = state.channelcoder.totals
        assert (totals.turns, totals.cost_usd, totals.usage.input_tokens) == (1, 0.5, 3)

    def test_a_delta_that_replaces_takes_the_place_of_those_before_it(self):
        """A stream that was cut and repeated shows no text twice."""
        state = folded(
            asked(1),
            TurnDelta(turn_id="turn-1", text="half"),
            TurnDelta(turn_id="turn-1", text="whole", replace=True),
        )
        assert state.turns["turn-1"].answer == "whole"

    def test_nothing_changes_a_turn_that_has_ended(self):
        """A late start, delta or second end of a turn adds nothing."""
        state = folded(
            asked(1),
            finished(1, "first", cost_usd=1),
            TurnStarted(turn_id="turn-1", session_id="claude-1"),
            TurnDelta(turn_id="turn-1", text="late"),
            finished(1, "second", cost_usd=1),
        )
        assert (state.turns["turn-1"].state, state.turns["turn-1"].answer) == (TurnState.DONE, "first")
        assert len(state.messages) == 2
        assert state.channelcoder.totals.cost_usd == 1

    def test_a_record_that_was_taken_in_changes_nothing(self):
        """Whole histories applied again, as after a crash between snapshot and journal."""
        thread = sample_thread()
        records = [
            asked(1, thread=thread),
            TurnStarted(turn_id="turn-1", session_id="claude-1"),
            TurnDelta(turn_id="turn-1", text="An"),
            finished(1, cost_usd=0.5),
            ThreadResolved(thread_id=thread.id, status=ThreadStatus.RESOLVED),
            ModelChosen(model="claude-x"),
            asked(2, thread_id=thread.id),
        ]
        numbered = [record.model_copy(update={"seq": seq}) for seq, record in enumerate(records, start=1)]
        state = folded(*records)
        before = state.at_rest()
        for record in numbered:
            assert state.apply(record) == []
        assert state.at_rest() == before

    @pytest.mark.parametrize("record", [asked(1), finished(1, cost_usd=1)], ids=["asked", "finished"])
    def test_a_turns_record_counts_once_even_without_a_number(self, record: Record):
        """What was applied in memory because it could not be written comes again when it is written."""
        state = folded(asked(1)) if isinstance(record, TurnFinished) else folded()
        state.apply(record.model_copy(deep=True))
        before = (len(state.messages), state.message_count, state.channelcoder.totals.model_copy(deep=True))
        state.apply(record.model_copy(update={"seq": 7}, deep=True))
        assert (len(state.messages), state.message_count, state.channelcoder.totals) == before

    def test_the_chain_has_each_claude_session_once_in_order(self):
        """Started and finished in one Claude session is one entry; another is the next."""
        state = folded(
            asked(1),
            TurnStarted(turn_id="turn-1", session_id="claude-1"),
            finished(1),
            asked(2),
            finished(2, session_id="claude-2"),
        )
        assert state.session_chain == ["claude-1", "claude-2"]
        assert state.current_session_id == "claude-2"

    def test_last_finished_moves_with_what_claude_heard_only(self):
        """A question that was cancelled before it was sent does not make other processes reconnect."""
        state = folded(asked(1), finished(1), asked(2), finished(2, "", None, state=TurnState.CANCELLED))
        assert state.channelcoder.last_finished == "turn-1"

    def test_a_thread_opens_with_its_first_question_and_collects_the_others(self):
        """The thread has its turns, oldest first, each once."""
        thread = Thread(id="thread-1", anchor=HERE)
        state = folded(asked(1, thread=thread), asked(2, thread_id="thread-1"), asked(2, thread_id="thread-1"))
        assert state.threads["thread-1"].turn_ids == ["turn-1", "turn-2"]

    def test_a_thread_as_it_was_recorded_before_keeps_the_turns_that_its_author_did_not_know(self):
        """Each change was the whole thread; another editor may have asked in it meanwhile."""
        thread = Thread(id="thread-1", anchor=HERE)
        seen = thread.model_copy(update={"turn_ids": ["turn-1"], "status": ThreadStatus.RESOLVED})
        changed = ThreadOpened(type="thread.changed", thread=seen)
        state = folded(asked(1, thread=thread), asked(2, thread_id="thread-1"), parse_record(dump_record(changed)))
        assert state.threads["thread-1"].turn_ids == ["turn-1", "turn-2"]
        assert state.threads["thread-1"].status is ThreadStatus.RESOLVED

    def test_a_thread_that_moves_in_one_editor_stays_as_another_one_left_it(self):
        """Both changes count, whichever is recorded first."""
        moved = ThreadMoved(thread_id="thread-1", anchor=HERE.model_copy(update={"path": "moved.py"}))
        resolved = ThreadResolved(thread_id="thread-1", status=ThreadStatus.RESOLVED)
        for changes in ((moved, resolved), (resolved, moved)):
            state = folded(asked(1, thread=Thread(id="thread-1", anchor=HERE)), *changes)
            assert state.threads["thread-1"].anchor.path == "moved.py"
            assert state.threads["thread-1"].status is ThreadStatus.RESOLVED

    def test_what_was_removed_does_not_come_back(self):
        """Neither the thread nor a proposal of it, by an editor that had not seen that."""
        proposal = Proposal(turn_id="turn-1", thread_id="thread-1")
        state = folded(
            asked(1, thread=Thread(id="thread-1", anchor=HERE)),
            ThreadRemoved(thread_id="thread-1"),
            ThreadMoved(thread_id="thread-1", anchor=HERE),
            ThreadResolved(thread_id="thread-1", status=ThreadStatus.OPEN),
            ProposalChanged(proposal=proposal),
        )
        assert (state.threads, state.proposals) == ({}, {})

    def test_what_was_discarded_of_a_proposal_stays_discarded(self):
        """Whoever notes that a change is applied may not have seen that another one was discarded."""
        hunks = [Hunk(start=0, end=1, lines=["a"]), Hunk(start=5, end=6, lines=["b"])]
        files = [ProposedFile(uri="file:///a.py", hunks=hunks), ProposedFile(uri="file:///b.py", kind=FileKind.DELETE)]
        made = Proposal(turn_id="turn-1", files=files)
        last = folded(
            ProposalChanged(proposal=made),
            ProposalChanged(proposal=discard(made, "file:///a.py", 1)),
            ProposalChanged(proposal=discard(made, "file:///b.py")),
        ).proposals[made.id]
        assert [hunk.discarded is not None for hunk in last.files[0].hunks] == [False, True]
        assert (last.files[0].discarded, last.status) == (None, ProposalStatus.OPEN)
        assert last.files[1].discarded
        both = folded(
            ProposalChanged(proposal=discard(made, "file:///b.py")),
            ProposalChanged(proposal=discard(made, "file:///a.py")),
        )
        assert both.proposals[made.id].status is ProposalStatus.DISCARDED

    def test_clearing_drops_history_threads_and_chain_and_keeps_the_rest(self):
        """Name, creation date, checkout and model stay."""
        state = folded(asked(1, thread=sample_thread()), finished(1), ModelChosen(model="claude-x"), SessionCleared())
        assert (state.messages, state.message_count, state.turns, state.threads) == ([], 0, {}, {})
        assert (state.session_chain, state.current_session_id) == ([], None)
        assert (state.metadata.name, state.channelcoder.model) == ("work", "claude-x")

    def test_an_answer_that_comes_after_clearing_does_not_come_back(self):
        """Another process was being answered when the session was cleared: its end brings no history back."""
        state = folded(
            asked(1), TurnStarted(turn_id="turn-1", session_id="claude-1"), SessionCleared(), finished(1, cost_usd=1)
        )
        assert (state.messages, state.session_chain, state.current_session_id) == ([], [], None)

    def test_clearing_without_a_number_forgets_no_number(self):
        """A record that was folded in before is still known to be."""
        state = folded(asked(1), finished(1))
        state.apply(SessionCleared())
        assert state.apply(asked(1).model_copy(update={"seq": 1})) == []
        assert state.messages == []

    def test_the_end_of_a_turn_that_is_not_in_the_head_counts(self):
        """A head may leave turns out; their answers still are messages."""
        state = folded()
        state.apply(finished(9, "late").model_copy(update={"seq": 5}))
        assert [message.content for message in state.messages] == ["late"]

    def test_time_only_goes_on(self):
        """``lastActive`` is the latest record's time, in whatever order they come."""
        late, early = now() + timedelta(hours=2), now() + timedelta(hours=1)
        state = folded(asked(1).model_copy(update={"at": late}), finished(1).model_copy(update={"at": early}))
        assert state.metadata.last_active == late

    def test_unfinished_turns_are_those_that_wait_or_run(self):
        """Whatever their order."""
        state = folded(asked(1), finished(1), asked(2), asked(3), TurnStarted(turn_id="turn-2", session_id="s"))
        assert [turn.id for turn in state.unfinished()] == ["turn-2", "turn-3"]


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
extras = st.dictionaries(
    st.text("abcdefgh", min_size=9, max_size=12),
    st.recursive(
        st.booleans() | st.integers(-(2**53), 2**53) | texts,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
        max_leaves=5,
    ),
    max_size=2,
)


@st.composite
def histories(draw: st.DrawFn) -> list[Record]:
    """Records as they may come, but none of an end before its beginning."""
    turn_ids, thread_ids = st.integers(1, 4), st.sampled_from(["thread-1", "thread-2"])
    sessions = st.sampled_from(["claude-1", "claude-2"])

    def one() -> st.SearchStrategy[Record]:
        return st.one_of(
            st.builds(
                lambda n, t, q, c, e: TurnAsked(
                    turn=Turn(id=f"turn-{n}", question=q, prompt=q * 2, thread_id=t, compacts=c, **e),
                    thread=Thread(id=t, anchor=HERE) if t else None,
                ),
                turn_ids,
                st.none() | thread_ids,
                texts,
                st.sampled_from([None, True]),
                extras,
            ),
            st.builds(lambda n, s: TurnStarted(turn_id=f"turn-{n}", session_id=s), turn_ids, sessions),
            st.builds(
                lambda n, t, r: TurnDelta(turn_id=f"turn-{n}", text=t, replace=r), turn_ids, texts, st.booleans()
            ),
            st.builds(lambda n, t, s: finished(n, t, s, cost_usd=0.25), turn_ids, texts, st.none() | sessions),
            st.builds(lambda t: ThreadOpened(thread=Thread(id=t, anchor=HERE)), thread_ids),
            st.builds(lambda t: ThreadMoved(thread_id=t, anchor=HERE), thread_ids),
            st.builds(lambda m: ModelChosen(model=m), st.none() | texts),
            st.builds(lambda usd: SpendingLimited(usd=usd), st.none() | st.just(2.5)),
            st.just(SessionCleared()),
        )

    records = draw(st.lists(one(), max_size=8))
    known: set[str] = set()
    history: list[Record] = []
    for record in records:
        if isinstance(record, TurnAsked):
            known.add(record.turn.id)
        if not isinstance(record, TurnFinished) or record.turn_id in known:
            history.append(record)
    return history


class TestCompacting:
    """Claude goes on from a summary; the session keeps everything (docs/decisions/compaction.md)."""

    SUMMARY = TurnAsked(turn=Turn(id="turn-9", question="Compact", prompt="Summarise.", compacts=True))
    FULL = ContextUse(tokens=90, window=100)

    def before(self) -> list[Record]:
        return [asked(1), finished(1, "A1", context=self.FULL, near_limit=True), self.SUMMARY.model_copy(deep=True)]

    def test_the_end_of_the_summary_does_it_all(self):
        """One record: the next question finds no Claude session, the chain and the metadata say which there was."""
        state = folded(*self.before(), finished(9, "Summary", "copy"))
        assert (state.current_session_id, state.session_chain) == (None, ["claude-1"])
        assert state.metadata.compacted_from == "claude-1"
        assert state.channelcoder.compaction == Compaction(turn_id="turn-9", session_id="claude-1")
        assert state.channelcoder.last_finished == "turn-9"
        assert [message.content for message in state.messages] == ["Q1", "A1", "Compact", "Summary"]
        assert {message.session_id for message in state.messages[2:]} == {"claude-1"}
        assert (state.channelcoder.context, state.channelcoder.context_told) == (None, None)

    @pytest.mark.parametrize(
        "end",
        [
            [],
            [TurnStarted(turn_id="turn-9", session_id="copy")],
            [finished(9, "half", "copy", state=TurnState.FAILED)],
            [finished(9, "half", "copy", state=TurnState.CANCELLED)],
            [finished(9, "", "copy")],
        ],
        ids=["asked", "begun", "failed", "cancelled", "empty"],
    )
    def test_without_a_summary_nothing_has_changed(self, end: list[Record]):
        before = self.before()
        state, as_it_was = folded(*before, *end), folded(*before[:2])
        for name in ("session_chain", "current_session_id", "messages", "message_count"):
            assert getattr(state, name) == getattr(as_it_was, name)
        for name in ("compaction", "last_finished", "context", "context_told", "first_question", "spent"):
            assert getattr(state.channelcoder, name) == getattr(as_it_was.channelcoder, name)
        assert state.metadata.compacted_from is None

    def test_what_it_cost_counts_in_any_case(self):
        state = folded(*self.before(), finished(9, "", state=TurnState.FAILED, cost_usd=0.5))
        assert state.channelcoder.totals.cost_usd == 0.5

    def test_clearing_forgets_it(self):
        state = folded(*self.before(), finished(9, "Summary"), SessionCleared())
        assert (state.metadata.compacted_from, state.channelcoder.compaction) == (None, None)


class TestContextUse:
    def test_that_was_told_is_told_again_once_claude_code_has_emptied_it_by_itself(self):
        full, low = ContextUse(tokens=90, window=100), ContextUse(tokens=44, window=100)
        told = [asked(1), finished(1, context=full, near_limit=True)]
        assert folded(*told, asked(2), finished(2, context=full)).channelcoder.context_told
        assert not folded(*told, asked(2), finished(2, context=low)).channelcoder.context_told

    @pytest.mark.parametrize(("tokens", "window", "share"), [(50, 200, 0.25), (300, 200, 1.0), (50, None, None)])
    def test_is_a_share_of_the_window(self, tokens: int, window: int | None, share: float | None):
        assert ContextUse(tokens=tokens, window=window).share == share


class TestAtRest:
    """The guide's JSON, our data beside it."""

    @given(histories())
    @settings(deadline=None, max_examples=60)
    def test_a_session_comes_back_as_it_was(self, records: list[Record]):
        """Every session survives a save and a load, to the character."""
        state = folded(*records)
        again = SessionState.model_validate_json(state.at_rest())
        assert again == state
        assert again.at_rest() == state.at_rest()

    @given(histories())
    @settings(deadline=None, max_examples=60)
    def test_a_journal_read_back_makes_the_same_session(self, records: list[Record]):
        """Each record survives its line."""
        numbered = [record.model_copy(update={"seq": seq}) for seq, record in enumerate(records, start=1)]
        lines = [dump_record(record) for record in numbered]
        assert all("\n" not in line for line in lines)
        assert folded(*[parse_record(line) for line in lines]).turns == folded(*numbered).turns

    @given(histories(), st.integers(0, 8))
    @settings(deadline=None, max_examples=60)
    def test_a_snapshot_with_part_of_the_journal_in_it_takes_in_the_whole_journal(
        self, records: list[Record], folded_in: int
    ):
        """A crash between the two steps of a fold doubles nothing."""
        numbered = [record.model_copy(update={"seq": seq}, deep=True) for seq, record in enumerate(records, start=1)]
        snapshot = SessionState(metadata=SessionMetadata(name="work"))
        for record in numbered[:folded_in]:
            snapshot.apply(record.model_copy(deep=True))
        snapshot = SessionState.model_validate_json(snapshot.at_rest())
        for record in numbered:
            snapshot.apply(record.model_copy(deep=True))
        assert snapshot.messages == folded(*records).messages
        assert snapshot.turns == folded(*records).turns
        assert snapshot.threads == folded(*records).threads

    def test_it_has_the_guides_keys(self):
        """ChannelCoder finds what it writes itself, under its own names."""
        data = json.loads(sample_session("work").at_rest())
        assert {"sessionChain", "currentSessionId", "messages", "metadata"} <= data.keys()
        assert {"role", "content", "timestamp", "sessionId"} <= data["messages"][0].keys()
        assert {"name", "created", "lastActive"} <= data["metadata"].keys()
        assert data["metadata"]["created"] == "2024-01-14T09:00:00.123Z"

    def test_a_text_stands_in_it_once(self):
        """Questions and answers are kept in the messages; a turn whose answer is not there keeps its own."""
        state = folded(asked(1), finished(1, "A long answer"), asked(2), TurnDelta(turn_id="turn-2", text="Half of"))
        text = state.at_rest()
        assert (text.count("A long answer"), text.count("Half of")) == (1, 1)
        assert '"question"' not in text
        assert SessionState.model_validate_json(text).turns["turn-2"].answer == "Half of"

    @given(st.lists(extras, min_size=6, max_size=6))
    @settings(deadline=None, max_examples=40)
    def test_keys_that_nobody_knows_are_kept_at_every_level(self, more: list[Any]):
        """A newer version's data, or ChannelCoder's, survives an older version's save."""
        data = json.loads(sample_session("work").at_rest())
        places = [
            data,
            data["metadata"],
            data["messages"][0],
            data["channelcoder"],
            data["channelcoder"]["turns"]["turn-1"],
            data["channelcoder"]["threads"]["thread-1"]["anchor"],
        ]
        for place, extra in zip(places, more, strict=True):
            place.update(extra)
        assert json.loads(SessionState.model_validate(data).at_rest()) == data

    def test_the_guides_lean_shape_is_taken_in(self):
        """An ``id``, no chain, messages without time and session (session guide, "Storage Format")."""
        state = SessionState.model_validate(
            {
                "id": "abc-123",
                "messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}],
                "metadata": {
                    "created": "2024-01-15T10:30:00Z",
                    "lastActive": "2024-01-15T11:00:00Z",
                    "messageCount": 2,
                },
            }
        )
        assert (state.session_chain, state.current_session_id) == (["abc-123"], "abc-123")
        assert {message.session_id for message in state.messages} == {"abc-123"}
        assert state.messages[0].timestamp == state.metadata.created
        assert state.message_count == 2
        assert SessionState.model_validate_json(state.at_rest()) == state

    def test_lean_messages_keep_what_they_have(self):
        """Only what is missing is filled in, and an unknown time is the oldest there is."""
        state = SessionState.model_validate(
            {
                "sessionChain": [],
                "messages": [
                    {"role": "user", "content": "a", "timestamp": "2024-01-15T10:30:00"},
                    {"role": "user", "content": "b", "sessionId": "own"},
                ],
            }
        )
        assert state.messages[0].timestamp.isoformat() == "2024-01-15T10:30:00+00:00"
        assert (state.messages[1].session_id, state.messages[1].timestamp.year) == ("own", 1970)

    @pytest.mark.parametrize(
        "wrong", [[], "text", {"messages": "none"}, {"messages": [1]}, {"messages": [{"role": "x"}]}]
    )
    def test_what_is_no_session_is_refused(self, wrong: Any):
        """By pydantic's error, not by a crash in the shapes that are taken in."""
        with pytest.raises(ValueError, match="validation error"):
            SessionState.model_validate(wrong)


class TestHead:
    """The session without its messages."""

    @given(histories())
    @settings(deadline=None, max_examples=40)
    def test_the_head_follows_the_same_records_to_the_same_place(self, records: list[Record]):
        """Turns, threads, chain, sums and the number of messages agree with the whole session's."""
        state, head = SessionState(), SessionState().head()
        head.metadata = state.metadata.model_copy()
        for seq, record in enumerate(records, start=1):
            state.apply(record.model_copy(update={"seq": seq}, deep=True))
            head.apply(record.model_copy(update={"seq": seq}, deep=True))
        assert head == state.head()
        assert head.message_count == len(state.messages)

    def test_it_is_a_copy(self):
        """What happens to it does not happen to the session."""
        state = sample_session("work")
        head = state.head()
        head.turns.clear()
        head.metadata.name = "other"
        assert state.turns
        assert state.metadata.name == "work"


def test_values_are_made_from_python_names_and_json_names_alike():
    """``session_id`` in code, ``sessionId`` at rest."""
    when = now()
    message = Message(role="user", content="Hi", timestamp=when, session_id="s")
    assert Message.model_validate(message.model_dump(by_alias=True)) == message
    assert message.model_dump(mode="json", by_alias=True)["sessionId"] == "s"


def test_a_ledger_of_a_newer_version_is_refused():
    """It is not read as if it were ours."""
    with pytest.raises(ValueError, match="version"):
        Ledger.model_validate({"version": 2})
