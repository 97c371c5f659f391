"""The port that asks Claude, and what is heard from it while it answers.

The real one (:mod:`channelcoder_lsp.claude`) drives the Claude Code CLI through the Agent SDK.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from channelcoder_lsp.domain.container import ContainerRun
from channelcoder_lsp.domain.editor import EditorTools
from channelcoder_lsp.domain.errors import AgentError
from channelcoder_lsp.domain.permission import Permissions
from channelcoder_lsp.domain.transcripts import Transcripts
from channelcoder_lsp.domain.turn import ContextUse, ToolUse, Usage


@dataclass(frozen=True)
class AgentOptions:
    """What a program or a command line may choose for a question (session guide, "Session Options" and prompt files).

    With these Claude works as in its own command line: with its own tools, each use allowed by ``allowed_tools`` or by
    a person, in place of the few tools that an editor's question has.
    """

    system_prompt: str | None = None
    """Takes the place of Claude Code's own."""
    append_system_prompt: str | None = None
    allowed_tools: tuple[str, ...] = ()
    """Tools, or uses of them, that need no consent: ``Read``, ``Bash(git log:*)``."""
    disallowed_tools: tuple[str, ...] = ()
    mcp_config: Path | None = None
    """A file that names MCP servers to start."""
    permission_tool: str | None = None
    """The tool of an MCP server that decides about uses of tools that are not allowed: ``mcp__SERVER__TOOL``."""
    max_turns: int | None = None
    max_budget_usd: float | None = None


@dataclass(frozen=True)
class ConnectionRequest:
    """What a connection to Claude is opened with.

    Either ``resume`` names a Claude session to go on with, or ``session_id`` the UUID of a new one.
    """

    cwd: Path
    session_id: str | None = None
    resume: str | None = None
    fork: bool = False
    """Whether ``resume`` is to be copied first: somebody else goes on with it."""
    model: str | None = None
    trusted: bool = False
    """Whether the folder's own Claude settings may be loaded (design decision 8)."""
    budget_usd: float | None = None
    """What the connection may cost altogether, over all its questions; None: there is no limit."""
    spent_usd: float = 0.0
    """What the resumed Claude session has cost so far: the SDK's figure is cumulative, a turn's is not."""
    environment: Mapping[str, str] = field(default_factory=dict)
    output_schema: Mapping[str, Any] | None = None
    """The JSON schema that answers are to have (:attr:`Finished.structured`); None: answers are text."""
    editor: EditorTools | None = None
    """The editor's buffers, and where proposals go; None: Claude sees the disk only and proposes nothing."""
    permissions: Permissions | None = None
    """Who is asked about tools that need consent; None: they are denied."""
    more_tools: tuple[str, ...] = ()
    """Built-in tools beyond those that only read; each use needs consent."""
    options: AgentOptions | None = None
    """What a program chose; None: what an editor's question has."""
    container: ContainerRun | None = None
    """The container that Claude works in; None: it works on the machine itself."""
    transcripts: Transcripts | None = None
    """Where Claude's own copy of the conversation is kept for other machines; None: nowhere."""


@dataclass(frozen=True)
class TextDelta:
    """Some more text of the answer."""

    text: str


@dataclass(frozen=True)
class TextReplaced:
    """The text so far, anew: it takes the place of all deltas before it (a stream was cut and repeated)."""

    text: str


@dataclass(frozen=True)
class StructuredDelta:
    """Some more JSON of a structured answer; with ``replace`` it begins anew (the first was not valid)."""

    text: str
    replace: bool = False


@dataclass(frozen=True)
class ToolStarted:
    """Claude uses a tool."""

    tool: ToolUse


@dataclass(frozen=True)
class Retrying:
    """Claude's service did not answer; the CLI tries again by itself."""

    attempt: int
    of: int
    delay_seconds: float
    reason: str


@dataclass(frozen=True)
class Finished:
    """The turn is over. Always the last event, exactly once.

    ``answer`` is the whole text, or what had come of it. ``error`` is None for a turn that went well.
    """

    answer: str
    session_id: str
    cancelled: bool = False
    error: AgentError | None = None
    model: str | None = None
    usage: Usage = field(default_factory=Usage)
    cost_usd: float = 0.0
    cumulative_cost_usd: float | None = None
    tools: tuple[ToolUse, ...] = ()
    context: ContextUse | None = None
    """How full the context is now, if that was told."""
    structured: Any = None
    """The structured answer as JSON, if one was asked for and came; it has the schema."""


AgentEvent = TextDelta | TextReplaced | StructuredDelta | ToolStarted | Retrying | Finished


class AgentConnection(Protocol):
    """One open conversation with Claude: used by one task, the one that opened it."""

    @property
    def session_id(self) -> str:
        """The Claude session."""
        ...

    def ask(self, prompt: str) -> AsyncGenerator[AgentEvent, None]:
        """Send ``prompt`` and yield what is heard, up to and including one :class:`Finished`.

        Must be read to its end, or closed. Faults of the service are told by ``Finished.error``, not raised.

        Raises:
            AgentGoneError: the CLI ended; the connection is of no more use.
        """
        ...

    async def interrupt(self) -> None:
        """End the turn under way: :class:`Finished` follows with ``cancelled``. May be called by any task."""
        ...


class Agent(Protocol):
    """Asks Claude."""

    def connect(self, request: ConnectionRequest) -> AbstractAsyncContextManager[AgentConnection]:
        """A warm connection, open for as long as the context is.

        Raises on entering:
            CliNotFoundError, CliTooOldError, NotLoggedInError: as they say.
            ConversationLostError: ``resume`` names a Claude session that is gone.
            AgentError: anything else that kept the CLI from starting.
        """
        ...
