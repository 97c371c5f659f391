"""What we keep of a session beside the guide's keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from channelcoder_lsp.domain.container import ContainerOfSession
from channelcoder_lsp.domain.model import Model
from channelcoder_lsp.domain.proposal import Proposal
from channelcoder_lsp.domain.records import (
    ContainerChosen,
    ProposalChanged,
    ReviewChanged,
    ThreadMoved,
    ThreadOpened,
    ThreadRemoved,
    ThreadResolved,
    TurnFinished,
    WorktreeChosen,
    WorktreeOfSession,
)
from channelcoder_lsp.domain.review import Review
from channelcoder_lsp.domain.thread import Thread, ThreadStatus
from channelcoder_lsp.domain.turn import ContextUse, Turn, Usage

if TYPE_CHECKING:
    from channelcoder_lsp.domain.place import Anchor

Kept = (
    ThreadOpened
    | ThreadMoved
    | ThreadResolved
    | ThreadRemoved
    | ProposalChanged
    | ReviewChanged
    | WorktreeChosen
    | ContainerChosen
)
"""Records of what is in the ledger alone: they say nothing in the conversation."""


class Compaction(Model):
    """The last time that the conversation was summarised, and Claude went on from the summary."""

    turn_id: str
    """The turn whose answer is the summary: what was said before its messages, Claude has the summary of."""
    session_id: str | None = None
    """The Claude session that knows all of what was said before."""


class Totals(Model):
    """Sums over all turns of a session."""

    turns: int = 0
    cost_usd: float = 0.0
    usage: Usage = Field(default_factory=Usage)


class Ledger(Model):
    """What we keep of a session beside the guide's keys: the value of ``channelcoder``."""

    version: Literal[1] = 1
    seq: int = 0
    """The number of the last record that is folded in."""
    checkout: str | None = None
    """The folder that the session belongs to: its real path."""
    model: str | None = None
    """The model chosen for this session, if one was."""
    worktree: WorktreeOfSession | None = None
    """The worktree that it works in, if not in the checkout itself."""
    container: ContainerOfSession | None = None
    """The container that it works in, if in one."""
    forked_from: str | None = None
    """The Claude session that another session uses too: it is forked before it is asked in."""
    threads: dict[str, Thread] = Field(default_factory=dict)
    turns: dict[str, Turn] = Field(default_factory=dict)
    proposals: dict[str, Proposal] = Field(default_factory=dict)
    reviews: dict[str, Review] = Field(default_factory=dict)
    totals: Totals = Field(default_factory=Totals)
    limit_usd: float | None = None
    """What the session may cost altogether."""
    context: ContextUse | None = None
    """How full Claude's context was after the last answer."""
    context_told: bool | None = None
    """Whether the user was told that it is nearly full."""
    compaction: Compaction | None = None
    spent: dict[str, float] = Field(default_factory=dict)
    """By Claude session id: what it had cost altogether when last heard of."""
    first_question: str | None = None
    cleared: bool | None = None
    """Whether the history was dropped once: the end of a turn that isn't here belongs to what was dropped."""
    last_finished: str | None = None
    """The turn that Claude heard of last, by whomever it was asked: it moves when the session moves on."""
    active: str | None = None
    """In the journal of a project that several machines share: the name of its active session."""
    copied: str | None = None
    """For a session that was copied here: a digest of what it was then, which says whether anybody added to it."""

    def context_is(self, record: TurnFinished) -> None:
        """Take in how full the context is; one that got much emptier was compacted by Claude Code itself."""
        if record.context is not None:
            if self.context is not None and record.context.tokens < self.context.tokens / 2:
                self.context_told = None
            self.context = record.context
        self.context_told = self.context_told or record.near_limit

    def keep(self, record: Kept) -> None:
        """Take in what becomes of threads, proposals, reviews and the place of work."""
        match record:
            case ContainerChosen():
                self.container = record.container
            case WorktreeChosen():
                self.worktree = record.worktree
            case ThreadOpened():
                self._opened(record.thread)
            case ThreadMoved():
                self._changed(record.thread_id, anchor=record.anchor)
            case ThreadResolved():
                self._changed(record.thread_id, status=record.status)
            case ThreadRemoved():
                self.threads.pop(record.thread_id, None)
                for proposal in list(self.proposals.values()):
                    if proposal.thread_id == record.thread_id:
                        del self.proposals[proposal.id]
            case ProposalChanged():
                self._proposed(record.proposal)
            case ReviewChanged():
                self.reviews[record.review.id] = record.review

    def _opened(self, thread: Thread) -> None:
        known = self.threads.get(thread.id)
        if known is not None:
            # Whoever recorded the change may not have seen all turns that others asked in the thread.
            thread.turn_ids = list(dict.fromkeys([*known.turn_ids, *thread.turn_ids]))
        self.threads[thread.id] = thread

    def _changed(self, thread_id: str, **news: Anchor | ThreadStatus) -> None:
        if (thread := self.threads.get(thread_id)) is not None:  # else somebody has removed it
            self.threads[thread_id] = thread.model_copy(update=news)

    def _proposed(self, proposal: Proposal) -> None:
        if proposal.thread_id is not None and proposal.thread_id not in self.threads:
            return  # it went with its thread, and whoever recorded this had not seen that
        known = self.proposals.get(proposal.id)
        self.proposals[proposal.id] = proposal if known is None else proposal.without_discarded(known)
