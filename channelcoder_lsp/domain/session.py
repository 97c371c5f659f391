"""A session's data: the guide's ``SessionState``, and what can be known of it without the history.

At rest a session is the guide's JSON (session guide, "TypeScript Interfaces"), with our own data under the
one further key ``channelcoder``. The guide's leaner shape ("Storage Format": an ``id``, messages without
time and session) is taken in as well.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from channelcoder_lsp.domain.ledger import Compaction, Ledger
from channelcoder_lsp.domain.model import Model, Timestamp, now
from channelcoder_lsp.domain.proposal import Proposal
from channelcoder_lsp.domain.records import (
    ActiveChosen,
    ModelChosen,
    Record,
    SessionCleared,
    SessionContinued,
    SpendingLimited,
    TranscriptKept,
    TurnAsked,
    TurnDelta,
    TurnFinished,
    TurnStarted,
)
from channelcoder_lsp.domain.review import Review
from channelcoder_lsp.domain.thread import Thread
from channelcoder_lsp.domain.turn import Turn, TurnState

Role = Literal["user", "assistant"]

HEAD_TEXT_LIMIT = 20_000
"""Characters that every storage keeps of a text in the head."""


class Message(Model):
    """One message of the conversation (session guide, "Message")."""

    role: Role
    content: str
    timestamp: Timestamp
    session_id: str = ""
    turn_id: str | None = None
    """Ours: the turn that the message belongs to."""
    author: str | None = None
    """Ours: who asked, if that is recorded."""


class SessionMetadata(Model):
    """The guide's metadata."""

    name: str | None = None
    created: Timestamp = Field(default_factory=now)
    last_active: Timestamp = Field(default_factory=now)
    compacted_from: str | None = None
    """Ours: the Claude session from whose summary the conversation went on last. It stands in the chain, too."""


class SessionHead(Model):
    """A session without its messages: what start-up, lists and the editor's faces need.

    The turns it holds may be fewer than the session has (a storage may leave out those that hang on no
    thread), and the texts of those that ended may be cut, at ``HEAD_TEXT_LIMIT`` characters or later.
    """

    session_chain: list[str] = Field(default_factory=list)
    current_session_id: str | None = None
    metadata: SessionMetadata = Field(default_factory=SessionMetadata)
    channelcoder: Ledger = Field(default_factory=Ledger)
    message_count: int = Field(default=0, exclude=True)

    @property
    def threads(self) -> dict[str, Thread]:
        """The threads by id, oldest first."""
        return self.channelcoder.threads

    @property
    def turns(self) -> dict[str, Turn]:
        """The turns by id, oldest first."""
        return self.channelcoder.turns

    @property
    def proposals(self) -> dict[str, Proposal]:
        """The proposals by id, oldest first."""
        return self.channelcoder.proposals

    @property
    def reviews(self) -> dict[str, Review]:
        """The reviews by id, oldest first."""
        return self.channelcoder.reviews

    def apply(self, record: Record) -> list[Message]:
        """Take ``record`` in and return the messages that it adds to the conversation.

        A record that was taken in before (``seq`` not above the ledger's) changes nothing.
        """
        ledger = self.channelcoder
        if record.seq and record.seq <= ledger.seq:
            return []
        added: list[Message] = []
        match record:
            case TurnAsked():
                added = self._asked(record)
            case TurnFinished():
                added = self._finished(record)
            case TurnStarted() | TurnDelta():
                self._went_on(record)
            case ModelChosen():
                ledger.model = record.model
            case SessionContinued():
                self._in_session(record.session_id)
            case SpendingLimited():
                ledger.limit_usd = record.usd
            case SessionCleared():
                self.session_chain.clear()
                self.current_session_id = None
                self.message_count = 0
                self.metadata.compacted_from = None
                self.channelcoder = ledger = Ledger(
                    checkout=ledger.checkout,
                    model=ledger.model,
                    limit_usd=ledger.limit_usd,
                    worktree=ledger.worktree,
                    container=ledger.container,
                    seq=ledger.seq,
                    cleared=True,
                )
            case TranscriptKept():
                pass  # what Claude goes on from; nothing of it is said here
            case ActiveChosen():
                ledger.active = record.session
            case _:
                ledger.keep(record)
        ledger.seq = max(ledger.seq, record.seq)
        self.metadata.last_active = max(self.metadata.last_active, record.at)
        self.message_count += len(added)
        return added

    def unfinished(self) -> list[Turn]:
        """The turns that wait for an answer or are being answered."""
        return [turn for turn in self.turns.values() if not turn.state.finished]

    def _asked(self, record: TurnAsked) -> list[Message]:
        turn = record.turn
        if turn.id in self.turns:
            return []
        self.turns[turn.id] = turn
        ledger = self.channelcoder
        ledger.totals.turns += 1
        if turn.compacts:
            return []  # it is said in the conversation once it is answered; else nothing has come of it
        ledger.first_question = ledger.first_question or turn.question[:200]
        if record.thread is not None:
            ledger.threads.setdefault(record.thread.id, record.thread)
        thread = ledger.threads.get(turn.thread_id or "")
        if thread is not None and turn.id not in thread.turn_ids:
            thread.turn_ids.append(turn.id)
        return [
            Message(
                role="user",
                content=turn.question,
                timestamp=record.at,
                session_id=self.current_session_id or "",
                turn_id=turn.id,
                author=turn.author,
            )
        ]

    def _went_on(self, record: TurnStarted | TurnDelta) -> None:
        turn = self.turns.get(record.turn_id)
        if turn is None or turn.state.finished:
            return
        if isinstance(record, TurnDelta):
            turn.answer = record.text if record.replace else turn.answer + record.text
            return
        if not turn.compacts:
            self._in_session(record.session_id)
        turn.state = TurnState.RUNNING
        turn.started = record.at
        turn.session_id = record.session_id

    def _finished(self, record: TurnFinished) -> list[Message]:
        turn = self.turns.get(record.turn_id)
        if turn.state.finished if turn is not None else self.channelcoder.cleared:
            return []
        if turn is not None:
            turn.state = record.state
            turn.answer = record.answer
            turn.error = record.error
            turn.retryable = record.retryable
            turn.notes = [*turn.notes, *record.notes]
            turn.model = record.model
            turn.usage = record.usage
            turn.cost_usd = record.cost_usd
            turn.tools = record.tools
            turn.permissions = record.permissions
            turn.finished = record.at
            turn.session_id = record.session_id or turn.session_id
            turn.context = record.context
            turn.near_limit = record.near_limit
        totals = self.channelcoder.totals
        totals.cost_usd += record.cost_usd
        totals.usage = totals.usage + record.usage
        if turn is not None and turn.compacts:
            return self._compacted(turn, record)
        if record.session_id:
            self.channelcoder.last_finished = record.turn_id
            self._in_session(record.session_id)
            if record.cumulative_cost_usd is not None:
                self.channelcoder.spent[record.session_id] = record.cumulative_cost_usd
        self.channelcoder.context_is(record)
        if not record.answer:
            return []
        return [
            Message(
                role="assistant",
                content=record.answer,
                timestamp=record.at,
                session_id=record.session_id or self.current_session_id or "",
                turn_id=record.turn_id,
            )
        ]

    def _compacted(self, turn: Turn, record: TurnFinished) -> list[Message]:
        """Go on from a summary: the chain stays, and what Claude is asked next begins a session of its own.

        Without a summary nothing has happened but that it cost something.
        """
        if record.state is not TurnState.DONE or not record.answer:
            return []
        ledger, before = self.channelcoder, self.current_session_id
        ledger.compaction = Compaction(turn_id=turn.id, session_id=before)
        ledger.last_finished = turn.id
        ledger.context = ledger.context_told = None
        self.metadata.compacted_from = before
        self.current_session_id = None
        said = {"session_id": before or "", "turn_id": turn.id}
        return [
            Message(role="user", content=turn.question, timestamp=turn.asked, **said),
            Message(role="assistant", content=record.answer, timestamp=record.at, **said),
        ]

    def _in_session(self, session_id: str) -> None:
        if self.current_session_id != session_id:
            self.session_chain.append(session_id)
            self.current_session_id = session_id


class SessionState(SessionHead):
    """A whole session, as the guide describes it (session guide, "SessionState")."""

    messages: list[Message] = Field(default_factory=list)

    @model_validator(mode="before")
    @classmethod
    def _from_the_lean_shape(cls, data: Any) -> Any:
        if not isinstance(data, dict) or "sessionChain" in data or "session_chain" in data:
            return data
        data = dict(data)
        session_id = data.get("id")
        if session_id and not data.get("currentSessionId"):
            data["currentSessionId"] = session_id
        data["sessionChain"] = [data["currentSessionId"]] if data.get("currentSessionId") else []
        return data

    @model_validator(mode="before")
    @classmethod
    def _messages_without_time(cls, data: Any) -> Any:
        """Give messages of the lean shape the session's own date and id.

        ChannelCoder loads that shape too, and saves the dates that it didn't find as null.
        """
        if not isinstance(data, dict):
            return data
        metadata = data.get("metadata")
        when = metadata.get("created") if isinstance(metadata, dict) else None
        session_id = data.get("currentSessionId") or data.get("id") or ""
        messages = data.get("messages")
        if not isinstance(messages, list) or all(_complete(message) for message in messages):
            return data
        blank = {"timestamp": when or "1970-01-01T00:00:00.000Z", "sessionId": session_id}
        return {
            **data,
            "messages": [
                {**blank, **{key: value for key, value in message.items() if value is not None}}
                if isinstance(message, dict)
                else message
                for message in messages
            ],
        }

    @model_validator(mode="after")
    def _texts_from_messages(self) -> SessionState:
        """Give the turns their texts back, which are kept in the messages only."""
        self.message_count = len(self.messages)
        for message in self.messages:
            if message.turn_id and (turn := self.turns.get(message.turn_id)):
                if message.role == "user":
                    turn.question = message.content
                else:
                    turn.answer = message.content
        return self

    def apply(self, record: Record) -> list[Message]:
        """Take ``record`` in; see :meth:`SessionHead.apply`."""
        added = super().apply(record)
        if isinstance(record, SessionCleared) and self.message_count == 0:
            self.messages.clear()
        self.messages.extend(added)
        return added

    def at_rest(self) -> str:
        """The session as the guide's JSON, indented by two as ChannelCoder writes it.

        The texts of turns that stand in the messages are not written twice.
        """
        told: dict[str, set[str]] = {}
        for message in self.messages:
            if message.turn_id in self.turns:
                field = "question" if message.role == "user" else "answer"
                told.setdefault(message.turn_id or "", set()).add(field)
        return self.to_json(exclude={"channelcoder": {"turns": told}}, indent=2)

    def head(self) -> SessionHead:
        """A copy without the messages."""
        data = {name: getattr(self, name) for name in SessionHead.model_fields}
        return SessionHead.model_construct(**data).model_copy(deep=True)


class SessionInfo(Model):
    """A row of the list of sessions (session guide, "SessionInfo")."""

    name: str
    path: str
    created: Timestamp
    last_active: Timestamp
    message_count: int
    cost_usd: float = 0.0
    first_question: str | None = None
    checkout: str | None = None


def _complete(message: Any) -> bool:
    if not isinstance(message, dict):
        return False
    return message.get("timestamp") is not None and message.get("sessionId") is not None
