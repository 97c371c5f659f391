"""Sessions, prompts, models, trust."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from channelcoder_lsp.protocol.base import STRICT
from channelcoder_lsp.protocol.threads import TurnContent  # noqa: TC001 - fields are read when it runs


@dataclass(frozen=True)
class SessionTurnContent:
    """A turn in its session: what it took, and where the code is that it is about."""

    turn: TurnContent
    thread_id: str | None
    uri: str | None
    line: int | None
    """The code's first line, from 0; null where it can't be found any more."""
    input_tokens: int
    """All that went in, what came from the cache included."""
    output_tokens: int


@dataclass(frozen=True)
class SessionContent:
    """A session whole, as its editor shows it, oldest turn first."""

    session: str
    active: bool
    cost_usd: float
    turns: list[SessionTurnContent]


@dataclass(frozen=True)
class PromptRow:
    """A prompt that code can be asked about with."""

    name: str
    title: str
    kind: str
    description: str | None = None
    """What it is good for, in one line; null: its file doesn't say."""
    origin: Literal["built-in", "user", "project"] = "built-in"
    """Where it comes from: the package, the user's folder of prompts, the project's."""


@dataclass(frozen=True)
class PromptRows:
    """The prompts, in the order of the menu."""

    prompts: list[PromptRow]


@dataclass(frozen=True)
class Status:
    """How it stands with a folder: its session, what that cost, what is being asked."""

    folder: str
    session: str | None
    model: str | None
    messages: int
    cost_usd: float
    waiting: int
    """Questions that wait or are being answered."""
    trusted: bool
    offline: bool
    context_tokens: int | None = None
    """What the next question is sent along with, as of the last answer; null: not known, or nothing yet."""
    context_window: int | None = None
    """How much the model can take in."""
    context_share: float | None = None
    """The one by the other: from 0 to 1."""
    spending_limit_usd: float | None = None
    """What the session may cost altogether; null: there is no limit."""
    away: str | None = None
    """Why the place where sessions are kept can't be reached; what is said waits on this machine until it can."""


@dataclass(frozen=True)
class TrustArguments:
    """Whether Claude's instructions and settings in a folder may be used."""

    __pydantic_config__ = STRICT
    folder: str | None = None
    trusted: bool = True


@dataclass(frozen=True)
class Trusted:
    """The folder, and whether it is trusted now."""

    folder: str
    trusted: bool


@dataclass(frozen=True)
class ModelArguments:
    """The model for a folder's session; without one the default."""

    __pydantic_config__ = STRICT
    model: str | None = None
    folder: str | None = None


@dataclass(frozen=True)
class ModelInUse:
    """The model that the next question goes to; null is the CLI's default."""

    session: str
    model: str | None


@dataclass(frozen=True)
class FolderArguments:
    """A folder, as a URI or a path; without one the only open one."""

    __pydantic_config__ = STRICT
    folder: str | None = None


@dataclass(frozen=True)
class SessionArguments:
    """A session by name; without a name the active one of the folder."""

    __pydantic_config__ = STRICT
    name: str | None = None
    folder: str | None = None


@dataclass(frozen=True)
class NamedSessionArguments:
    """A session by name."""

    __pydantic_config__ = STRICT
    name: str
    folder: str | None = None


@dataclass(frozen=True)
class RenameArguments:
    """A session's name, and the one it is to have."""

    __pydantic_config__ = STRICT
    name: str
    new_name: str


@dataclass(frozen=True)
class ForkArguments:
    """The name of a copy of a session, without ``name`` of the folder's active one; it becomes the active one."""

    __pydantic_config__ = STRICT
    new_name: str
    folder: str | None = None
    name: str | None = None


@dataclass(frozen=True)
class SearchArguments:
    """What to look for in all messages of all sessions, whatever the case."""

    __pydantic_config__ = STRICT
    text: str
    limit: int = 200


@dataclass(frozen=True)
class SearchHit:
    """A message in which it was found; ``excerpt`` is the text around it, in one line."""

    session: str
    role: str
    at: str
    turn_id: str | None
    excerpt: str


@dataclass(frozen=True)
class SearchHits:
    """Where it was found, the newest session first."""

    hits: list[SearchHit]


@dataclass(frozen=True)
class ExportArguments:
    """A session and a form: ``markdown``, ``json`` (everything) or ``guide`` (the guide's keys alone)."""

    __pydantic_config__ = STRICT
    name: str | None = None
    folder: str | None = None
    form: Literal["markdown", "json", "guide"] = "markdown"


@dataclass(frozen=True)
class Exported:
    """The session as a text."""

    session: str
    text: str


@dataclass(frozen=True)
class SessionRow:
    """A session, as the list shows it."""

    name: str
    path: str
    created: str
    last_active: str
    message_count: int
    cost_usd: float
    first_question: str | None
    checkout: str | None
    active: bool = False


@dataclass(frozen=True)
class SessionRows:
    """The sessions, this folder's first."""

    sessions: list[SessionRow]


@dataclass(frozen=True)
class SessionNamed:
    """The session that is active now."""

    session: str
    folder: str


@dataclass(frozen=True)
class SessionSaved:
    """Where the session is at rest."""

    session: str
    path: str


@dataclass(frozen=True)
class LimitArguments:
    """What the folder's active session may cost altogether, in US dollars; null takes the limit away."""

    __pydantic_config__ = STRICT
    usd: float | None
    folder: str | None = None


@dataclass(frozen=True)
class SpendingLimit:
    """The session's limit, null without one, and what it has cost so far."""

    session: str
    usd: float | None
    spent_usd: float


@dataclass(frozen=True)
class Done:
    """It was done."""

    session: str
