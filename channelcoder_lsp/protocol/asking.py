"""Asking, answers, documents that are shown, and what an editor tells by itself."""

from __future__ import annotations

from dataclasses import dataclass, field

from channelcoder_lsp.protocol.base import STRICT, ClientDiagnostic, ClientRange


@dataclass(frozen=True)
class ClientContext:
    """Something more to send along with a question: a file, a part of it, a text, or what is not committed.

    Give ``uri`` for a file (open or on disk), with ``range`` for a part of it or ``symbol`` for the definition of
    that name in it; or ``text`` with a ``label`` for anything else: a checker's output, a log; or ``changes`` for a
    diff of the folder against its last commit, with what is not saved.
    """

    __pydantic_config__ = STRICT
    uri: str | None = None
    range: ClientRange | None = None
    symbol: str | None = None
    text: str | None = None
    label: str | None = None
    changes: bool = False


@dataclass(frozen=True)
class AskArguments:
    """What to ask, and about which code.

    Either ``question`` or ``prompt`` is needed. An empty range means the line it lies on.
    """

    __pydantic_config__ = STRICT
    uri: str
    range: ClientRange
    question: str | None = None
    prompt: str | None = None
    """The name of a prompt: ``explain``, ``review``, ``fix``, ``tests``, ``document``, ``refactor``."""
    thread_id: str | None = None
    """The thread to go on with."""
    diagnostics: list[ClientDiagnostic] = field(default_factory=list)
    """What checkers say about the code; those on the range are sent along (a setting)."""
    context: list[ClientContext] = field(default_factory=list)
    """What else to send along, by choice: other files, further selections, a text."""
    comment_line: int | None = None
    """The line of the comment that asks; it is taken away once the question was recorded (a setting)."""


@dataclass(frozen=True)
class ContinueArguments:
    """A further question in the session of a folder, about no code in particular."""

    __pydantic_config__ = STRICT
    question: str
    uri: str | None = None
    """A document of the folder."""
    folder: str | None = None
    """The folder itself, as a URI or a path. Without both: the only open folder."""
    context: list[ClientContext] = field(default_factory=list)
    """What to send along, by choice: files, parts of them, a text."""


@dataclass(frozen=True)
class Asked:
    """The ids of what was recorded; the answer comes later."""

    turn_id: str
    thread_id: str | None
    session: str


@dataclass(frozen=True)
class CancelArguments:
    """Which turn to end; without an id all that wait or are being answered."""

    __pydantic_config__ = STRICT
    turn_id: str | None = None


@dataclass(frozen=True)
class Cancelled:
    """The turns that were ended."""

    turn_ids: list[str]


@dataclass(frozen=True)
class ChangedNotification:
    """``channelcoder/changed``: threads, turns or the session of a folder changed; ask for what is shown of them."""

    folders: list[str]


@dataclass(frozen=True)
class AnswerArguments:
    """A code block of a turn's answer, counted from 0."""

    __pydantic_config__ = STRICT
    turn_id: str
    block: int = 0


@dataclass(frozen=True)
class Applied:
    """Whether the editor took the edit, and if not, why."""

    applied: bool
    reason: str | None = None


@dataclass(frozen=True)
class Shown:
    """A Markdown document: where it was written, its text, and whether the client was asked to show it."""

    uri: str
    markdown: str
    shown: bool


@dataclass(frozen=True)
class DocumentDiagnostics:
    """All that checkers say about an open document."""

    __pydantic_config__ = STRICT
    uri: str
    diagnostics: list[ClientDiagnostic]


@dataclass(frozen=True)
class EditorNotification:
    """``channelcoder/editor``: what the language server protocol has no request for, told as it changes.

    Claude may ask for it while it answers. What is left out stays as it was told before.
    """

    __pydantic_config__ = STRICT
    active_uri: str | None = None
    """The document that has the cursor."""
    selection: ClientRange | None = None
    """What is selected in it; empty for a cursor."""
    diagnostics: list[DocumentDiagnostics] | None = None
