"""What can happen to a session, one record for each event: the lines of a journal.

A session's data is the fold of its records (:meth:`SessionHead.apply`). Applying a record twice changes
nothing more than applying it once, so a crash between two writes of a storage can't double a turn.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from channelcoder_lsp.domain.container import ContainerOfSession
from channelcoder_lsp.domain.model import Model, Timestamp, now
from channelcoder_lsp.domain.permission import Permission
from channelcoder_lsp.domain.place import Anchor
from channelcoder_lsp.domain.proposal import Proposal
from channelcoder_lsp.domain.review import Review
from channelcoder_lsp.domain.thread import Thread, ThreadStatus
from channelcoder_lsp.domain.turn import ContextUse, ToolUse, Turn, TurnState, Usage


class RecordBase(Model):
    """What all records have."""

    seq: int = 0
    """Its place in the session's history, given by the storage on append: 1, 2, 3..."""
    at: Timestamp = Field(default_factory=now)


class WorktreeOfSession(Model):
    """The worktree that a session works in."""

    branch: str
    path: str


class TurnAsked(RecordBase):
    """A question was asked. ``thread`` comes with the first question of a thread."""

    type: Literal["turn.asked"] = "turn.asked"
    turn: Turn
    thread: Thread | None = None


class TurnStarted(RecordBase):
    """The question is being sent to Claude, in the Claude session ``session_id``."""

    type: Literal["turn.started"] = "turn.started"
    turn_id: str
    session_id: str


class TurnDelta(RecordBase):
    """Some more text of the answer; ``replace`` when it takes the place of what came before."""

    type: Literal["turn.delta"] = "turn.delta"
    turn_id: str
    text: str
    replace: bool = False


class TurnFinished(RecordBase):
    """A turn came to its end, well or not. ``answer`` is the whole text."""

    type: Literal["turn.finished"] = "turn.finished"
    turn_id: str
    state: TurnState
    answer: str = ""
    error: str | None = None
    retryable: bool = True
    notes: list[str] = Field(default_factory=list)
    model: str | None = None
    usage: Usage = Field(default_factory=Usage)
    cost_usd: float = 0.0
    cumulative_cost_usd: float | None = None
    """What the Claude session had cost altogether, as the SDK reports it."""
    tools: list[ToolUse] = Field(default_factory=list)
    permissions: list[Permission] = Field(default_factory=list)
    context: ContextUse | None = None
    near_limit: bool | None = None
    session_id: str | None = None


class ThreadOpened(RecordBase):
    """A thread was opened without a question: a finding."""

    type: Literal["thread.opened", "thread.changed"] = "thread.opened"
    """Before there were records of what changes, each change was a ``thread.changed`` with the whole thread."""
    thread: Thread


class ThreadMoved(RecordBase):
    """A thread points somewhere else. It says no more: meanwhile others may have resolved or removed the thread."""

    type: Literal["thread.moved"] = "thread.moved"
    thread_id: str
    anchor: Anchor


class ThreadResolved(RecordBase):
    """A thread was resolved, or opened again."""

    type: Literal["thread.resolved"] = "thread.resolved"
    thread_id: str
    status: ThreadStatus


class ThreadRemoved(RecordBase):
    """A thread was removed; its turns stay in the history."""

    type: Literal["thread.removed"] = "thread.removed"
    thread_id: str


class ProposalChanged(RecordBase):
    """A proposal was made, or something became of it; the whole proposal as whoever recorded it knew it."""

    type: Literal["proposal.changed"] = "proposal.changed"
    proposal: Proposal


class ReviewChanged(RecordBase):
    """A review was begun or came further; the whole review as it is now."""

    type: Literal["review.changed"] = "review.changed"
    review: Review


class WorktreeChosen(RecordBase):
    """The session goes on in a worktree, or with None in its own folder again."""

    type: Literal["worktree.chosen"] = "worktree.chosen"
    worktree: WorktreeOfSession | None = None


class ContainerChosen(RecordBase):
    """The session goes on in a container, or with None on the machine itself again."""

    type: Literal["container.chosen"] = "container.chosen"
    container: ContainerOfSession | None = None


class SessionContinued(RecordBase):
    """The session goes on with a Claude session that somebody named."""

    type: Literal["session.continued"] = "session.continued"
    session_id: str


class ModelChosen(RecordBase):
    """Another model was chosen for the turns to come (None: the CLI's default)."""

    type: Literal["model.chosen"] = "model.chosen"
    model: str | None = None


class SpendingLimited(RecordBase):
    """What the session may cost altogether was said (None: there is no limit any more)."""

    type: Literal["spending.limited"] = "spending.limited"
    usd: float | None = None


class SessionCleared(RecordBase):
    """The history, the threads and the chain were dropped; name and creation date stay."""

    type: Literal["session.cleared"] = "session.cleared"


class TranscriptKept(RecordBase):
    """Lines of a Claude session's transcript. They stand in a journal of their own, and change nothing."""

    type: Literal["transcript.kept"] = "transcript.kept"
    session_id: str
    subpath: str = ""
    """Empty for the session's own transcript, else a subagent's."""
    lines: list[str]
    """Each an entry, as JSON in ASCII."""


class ActiveChosen(RecordBase):
    """Which session is the active one of a project that several machines share. It stands in the project's journal."""

    type: Literal["active.chosen"] = "active.chosen"
    session: str
    """Its name."""


Record = Annotated[
    TurnAsked
    | TurnStarted
    | TurnDelta
    | TurnFinished
    | ThreadOpened
    | ThreadMoved
    | ThreadResolved
    | ThreadRemoved
    | ProposalChanged
    | ReviewChanged
    | WorktreeChosen
    | ContainerChosen
    | SessionContinued
    | ModelChosen
    | SpendingLimited
    | SessionCleared
    | TranscriptKept
    | ActiveChosen,
    Field(discriminator="type"),
]


def parse_record(line: str | bytes) -> Record:
    """A record from its JSON line.

    Raises:
        pydantic.ValidationError: the line is not a record that this version knows.
    """
    return _RECORD.validate_json(line)


def dump_record(record: Record) -> str:
    """A record as one line of JSON, without a line end."""
    return record.to_json()


_RECORD: TypeAdapter[Record] = TypeAdapter(Record)
