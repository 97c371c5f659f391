"""Histories of sessions, and what becomes of a session by them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channelcoder_lsp.domain.container import ContainerOfSession
from channelcoder_lsp.domain.proposal import FileKind, Hunk, Proposal, ProposedFile
from channelcoder_lsp.domain.records import (
    ContainerChosen,
    ModelChosen,
    ProposalChanged,
    Record,
    ReviewChanged,
    SessionCleared,
    SessionContinued,
    ThreadMoved,
    ThreadOpened,
    ThreadRemoved,
    ThreadResolved,
    TurnAsked,
    TurnDelta,
    TurnFinished,
    TurnStarted,
    WorktreeChosen,
    WorktreeOfSession,
)
from channelcoder_lsp.domain.review import Review, ReviewedFile, ReviewScope
from channelcoder_lsp.domain.session import SessionState
from channelcoder_lsp.domain.thread import ThreadStatus
from channelcoder_lsp.domain.turn import Turn, TurnState
from channelcoder_lsp.testing.samples import answered, sample_thread

if TYPE_CHECKING:
    from channelcoder_lsp.domain.storage import Journal


def every_record() -> list[Record]:
    """One of each kind of record of a session's own journal, and some more, as its history."""
    thread = sample_thread()
    asked, finished = answered(1, thread=thread, text="text")
    other = thread.model_copy(update={"id": "thread-other", "turn_ids": []})
    change = ProposedFile(uri="file:///a.py", base="0" * 64, hunks=[Hunk(start=1, end=2, lines=["ü", ""])])
    proposal = Proposal(id="proposal-1", turn_id="turn-1", thread_id=thread.id, files=[change])
    gone = proposal.model_copy(update={"id": "proposal-2", "thread_id": other.id, "files": []})
    deleted = ProposedFile(uri="file:///b.py", kind=FileKind.DELETE)
    review = Review(id="review-1", scope=ReviewScope.FILE, files=[ReviewedFile(uri="file:///a.py")])
    moved = thread.anchor.model_copy(update={"path": "moved.py"})
    records: list[Record] = [
        asked,
        TurnStarted(turn_id="turn-1", session_id="claude-1"),
        TurnDelta(turn_id="turn-1", text="Ans"),
        TurnDelta(turn_id="turn-1", text="wer"),
        TurnDelta(turn_id="turn-1", text="Other", replace=True),
        finished,
        ModelChosen(model="model"),
        ThreadMoved(thread_id=thread.id, anchor=moved),
        ThreadResolved(thread_id=thread.id, status=ThreadStatus.RESOLVED),
        *answered(2, text="dropped"),
        SessionCleared(),
        *answered(1, thread=thread, text="text"),
        ProposalChanged(proposal=proposal),
        ProposalChanged(proposal=proposal.model_copy(update={"files": [change, deleted]})),
        ReviewChanged(review=review),
        SessionContinued(session_id="claude-2"),
        WorktreeChosen(worktree=WorktreeOfSession(branch="feature/x", path="/projects/x")),
        ContainerChosen(container=ContainerOfSession(image="security-scanner", mounts=["/data:/data"])),
        ThreadOpened(thread=other),
        ProposalChanged(proposal=gone),
        ThreadRemoved(thread_id=other.id),
        TurnAsked(turn=Turn(id="turn-2", question="And?")),
        TurnFinished(turn_id="turn-2", state=TurnState.FAILED, error="It failed.", cost_usd=0.5),
        TurnAsked(turn=Turn(id="turn-3", question="And now?")),
        TurnDelta(turn_id="turn-3", text="So far"),
    ]
    return [record.model_copy(update={"seq": 0}, deep=True) for record in records]


def applied(records: list[Record]) -> SessionState:
    """What the records make of an empty session."""
    state = SessionState()
    for number, record in enumerate(records, start=1):
        state.apply(record.model_copy(update={"seq": number}, deep=True))
    return state


def expected_in(journal: Journal, state: SessionState) -> SessionState:
    """``state`` with the dates of the journal's session, which was made a moment before."""
    return state.model_copy(update={"metadata": journal.head.metadata})
