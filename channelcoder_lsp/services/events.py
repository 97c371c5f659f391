"""What a session tells whoever shows it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from channelcoder_lsp.domain.review import Review
    from channelcoder_lsp.domain.turn import Turn
    from channelcoder_lsp.services.session import Session


@dataclass(frozen=True)
class TurnQueued:
    """A question was recorded and waits for its turn."""

    session: Session
    turn: Turn


@dataclass(frozen=True)
class TurnRunning:
    """The question is on its way to Claude."""

    session: Session
    turn: Turn


@dataclass(frozen=True)
class TurnText:
    """Some more text came; with ``replace`` it takes the place of all before it."""

    session: Session
    turn: Turn
    text: str
    replace: bool = False


@dataclass(frozen=True)
class TurnStatus:
    """Something worth a line of progress: a tool, a retry."""

    session: Session
    turn: Turn
    message: str


@dataclass(frozen=True)
class TurnOver:
    """The turn came to its end; its ``state`` says how."""

    session: Session
    turn: Turn


@dataclass(frozen=True)
class ContextNearlyFull:
    """Claude's context is nearly full, as of the turn's end; told once until the session is compacted."""

    session: Session
    turn: Turn


@dataclass(frozen=True)
class SessionMoved:
    """Threads or turns changed otherwise: another process recorded something, a thread changed."""

    session: Session


@dataclass(frozen=True)
class ReviewMoved:
    """A review began, came further, or came to its end (nothing of it is waiting or running any more)."""

    session: Session
    review: Review


@dataclass(frozen=True)
class Trouble:
    """Something went wrong with keeping a session; what, and what becomes of it, in one sentence or two."""

    message: str


@dataclass(frozen=True)
class TroubleOver:
    """What could not be kept has been, after all; in one sentence."""

    message: str


SessionEvent = (
    TurnQueued
    | TurnRunning
    | TurnText
    | TurnStatus
    | TurnOver
    | ContextNearlyFull
    | SessionMoved
    | ReviewMoved
    | Trouble
    | TroubleOver
)
Listener = Callable[[SessionEvent], None]
