"""Every command and every notification of ours, declared once.

docs/protocol.md is made from this module. A command takes one argument, an object; its keys are the fields here
in camelCase. What a command returns is declared the same way.

Only the standard library is imported: the server announces its commands before anything heavier is loaded.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar


def camel(name: str) -> str:
    """``thread_id`` as ``threadId``."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


_STRICT = {"alias_generator": camel, "extra": "forbid"}
_LENIENT = {"extra": "ignore"}
"""For LSP's own types, of which a client may send more than we use."""


@dataclass(frozen=True)
class ClientPosition:
    """LSP's Position: ``character`` counts in the encoding that was negotiated."""

    __pydantic_config__ = _LENIENT
    line: int
    character: int


@dataclass(frozen=True)
class ClientRange:
    """LSP's Range."""

    __pydantic_config__ = _LENIENT
    start: ClientPosition
    end: ClientPosition


@dataclass(frozen=True)
class ClientDiagnostic:
    """LSP's Diagnostic, as far as Claude is told of it."""

    __pydantic_config__ = _LENIENT
    range: ClientRange
    message: str
    severity: int | None = None
    source: str | None = None
    code: str | int | None = None


@dataclass(frozen=True)
class ClientContext:
    """Something more to send along with a question: a file, a part of it, or a text.

    Give ``uri`` for a file (open or on disk), with ``range`` for a part of it or ``symbol`` for the definition of
    that name in it; or ``text`` with a ``label`` for anything else: a checker's output, a log.
    """

    __pydantic_config__ = _STRICT
    uri: str | None = None
    range: ClientRange | None = None
    symbol: str | None = None
    text: str | None = None
    label: str | None = None


@dataclass(frozen=True)
class AskArguments:
    """What to ask, and about which code.

    Either ``question`` or ``prompt`` is needed. An empty range means the line it lies on.
    """

    __pydantic_config__ = _STRICT
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

    __pydantic_config__ = _STRICT
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

    __pydantic_config__ = _STRICT
    turn_id: str | None = None


@dataclass(frozen=True)
class Cancelled:
    """The turns that were ended."""

    turn_ids: list[str]


@dataclass(frozen=True)
class TurnArguments:
    """A turn."""

    __pydantic_config__ = _STRICT
    turn_id: str


@dataclass(frozen=True)
class ThreadArguments:
    """A thread."""

    __pydantic_config__ = _STRICT
    thread_id: str


@dataclass(frozen=True)
class ReplyArguments:
    """A further question in a thread; it goes with the thread's code as it is now."""

    __pydantic_config__ = _STRICT
    thread_id: str
    question: str
    context: list[ClientContext] = field(default_factory=list)
    """What to send along, by choice: files, parts of them, a text."""


@dataclass(frozen=True)
class ThreadListArguments:
    """Which threads to list: those of a folder's active session, or of one document of it."""

    __pydantic_config__ = _STRICT
    folder: str | None = None
    uri: str | None = None
    show: bool = False
    """Whether to show the list of the folder's threads as a document, too."""


@dataclass(frozen=True)
class ThreadRow:
    """A thread, as the list shows it.

    ``state`` is the anchor's (``exact``, ``moved``, ``edited``, ``orphaned``), ``status`` the thread's (``open``,
    ``resolved``). ``range`` is where the code is, or for an orphaned thread where it last was.
    """

    thread_id: str
    uri: str
    path: str | None
    range: ClientRange
    state: str
    status: str
    question: str
    turns: int
    code: str
    """The code when it was first asked about, cut."""
    answers: int = 0
    waiting: bool = False
    """Whether something is being asked in it."""
    severity: str | None = None
    """A finding's: ``error``, ``warning``, ``information``, ``hint``."""
    proposal_ids: list[str] = field(default_factory=list)
    """The proposals that wait to be applied, oldest first."""
    symbol: str | None = None
    """The definition that the code was in when it was first asked about: `Cart.total`."""


@dataclass(frozen=True)
class TurnContent:
    """A question and its answer, for editors that show threads by themselves.

    ``answer`` is Markdown that is safe to show: no HTML, no remote images, no links that run commands.
    """

    turn_id: str
    question: str
    answer: str
    state: str
    error: str | None
    notes: list[str]
    model: str | None
    author: str | None
    cost_usd: float
    asked: str
    finished: str | None


@dataclass(frozen=True)
class FindingContent:
    """The remark of a review that opened a thread; ``message`` is safe Markdown."""

    severity: str
    code: str | None
    message: str


@dataclass(frozen=True)
class ThreadContent:
    """A thread whole, as its editor shows it; ``proposal_ids`` are those that still wait, oldest first."""

    thread_id: str
    uri: str
    range: ClientRange
    state: str
    status: str
    finding: FindingContent | None
    turns: list[TurnContent]
    proposal_ids: list[str]


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


@dataclass(frozen=True)
class ChangedNotification:
    """``channelcoder/changed``: threads, turns or the session of a folder changed; ask for what is shown of them."""

    folders: list[str]


@dataclass(frozen=True)
class ThreadRows:
    """The threads, oldest first, and the same as a Markdown document."""

    threads: list[ThreadRow]
    markdown: str
    uri: str = ""
    """The document that was made, if it was to be shown."""
    shown: bool = False
    """Whether the editor was asked to show it."""


@dataclass(frozen=True)
class ThreadState:
    """The thread, and its status now."""

    thread_id: str
    status: str


@dataclass(frozen=True)
class AnswerArguments:
    """A code block of a turn's answer, counted from 0."""

    __pydantic_config__ = _STRICT
    turn_id: str
    block: int = 0


@dataclass(frozen=True)
class Applied:
    """Whether the editor took the edit, and if not, why."""

    applied: bool
    reason: str | None = None


@dataclass(frozen=True)
class TrustArguments:
    """Whether Claude's instructions and settings in a folder may be used."""

    __pydantic_config__ = _STRICT
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

    __pydantic_config__ = _STRICT
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

    __pydantic_config__ = _STRICT
    folder: str | None = None


@dataclass(frozen=True)
class SessionArguments:
    """A session by name; without a name the active one of the folder."""

    __pydantic_config__ = _STRICT
    name: str | None = None
    folder: str | None = None


@dataclass(frozen=True)
class NamedSessionArguments:
    """A session by name."""

    __pydantic_config__ = _STRICT
    name: str
    folder: str | None = None


@dataclass(frozen=True)
class RenameArguments:
    """A session's name, and the one it is to have."""

    __pydantic_config__ = _STRICT
    name: str
    new_name: str


@dataclass(frozen=True)
class ForkArguments:
    """The name of a copy of the folder's active session, which becomes the active one."""

    __pydantic_config__ = _STRICT
    new_name: str
    folder: str | None = None


@dataclass(frozen=True)
class SearchArguments:
    """What to look for in all messages of all sessions, whatever the case."""

    __pydantic_config__ = _STRICT
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

    __pydantic_config__ = _STRICT
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
class Done:
    """It was done."""

    session: str


@dataclass(frozen=True)
class Shown:
    """A Markdown document: where it was written, its text, and whether the client was asked to show it."""

    uri: str
    markdown: str
    shown: bool


@dataclass(frozen=True)
class TurnNotification:
    """``channelcoder/turn``: what happens to a turn, for clients that ask for it.

    ``state`` is the turn's; ``text`` is further text of the answer, or with ``replace`` all of it so far.
    """

    session: str
    turn_id: str
    thread_id: str | None
    uri: str | None
    state: str
    text: str | None = None
    replace: bool = False
    message: str | None = None


@dataclass(frozen=True)
class ReviewArguments:
    """What to review: ``scope`` is ``selection``, ``file``, ``changes`` (uncommitted) or ``branch`` (against its base).

    ``resume`` goes on with the folder's latest review that was not finished, or with the one of ``reviewId``.
    """

    __pydantic_config__ = _STRICT
    scope: str = "file"
    uri: str | None = None
    """The document; for ``changes`` and ``branch`` it may be left out."""
    range: ClientRange | None = None
    folder: str | None = None
    base: str | None = None
    """For ``branch``: what to compare with; without it the remote's default branch, ``main`` or ``master``."""
    resume: bool = False
    review_id: str | None = None


@dataclass(frozen=True)
class Reviewing:
    """A review under way: each file is asked about in a turn of its own, and each finding becomes a thread."""

    review_id: str
    session: str
    files: list[str]
    """Documents that are looked at, one after the other."""
    turn_ids: list[str]
    """The turns that are asked so far; the others follow as each file's turn comes."""
    notes: list[str] = field(default_factory=list)
    """What was left out, and why."""


@dataclass(frozen=True)
class ProposalArguments:
    """A proposal; with ``uri`` only what it does to that file, with ``hunk`` (from 0) only that change of it."""

    __pydantic_config__ = _STRICT
    proposal_id: str
    uri: str | None = None
    hunk: int | None = None


@dataclass(frozen=True)
class ProposalApplyArguments:
    """What to apply of a proposal.

    ``done``: the editor has applied the edit of a code action already; the server only takes note.
    """

    __pydantic_config__ = _STRICT
    proposal_id: str
    uri: str | None = None
    hunk: int | None = None
    done: bool = False


@dataclass(frozen=True)
class ProposalState:
    """The proposal, and its status now: ``open``, ``applied``, ``discarded``."""

    proposal_id: str
    status: str


@dataclass(frozen=True)
class ProposedFileContent:
    """What a proposal comes to in a file, with its text for an editor's own diff; line feeds part its lines.

    ``kind`` is ``edit``, ``create`` or ``delete``; ``state`` is ``open``, ``applied`` or ``stale``.
    """

    uri: str
    path: str | None
    kind: str
    state: str
    reason: str | None
    """Why it, or a part of it, can't be applied."""
    before: str | None
    """The text now, unsaved changes included; null where there is no file."""
    after: str | None
    """The text with all that can be applied; null for a deletion."""


@dataclass(frozen=True)
class ProposalContent:
    """A proposal whole, as its editor shows it: the files that were not discarded."""

    proposal_id: str
    thread_id: str | None
    status: str
    question: str
    files: list[ProposedFileContent]


A = TypeVar("A")
R = TypeVar("R")


@dataclass(frozen=True)
class Command(Generic[A, R]):
    """A command of ``workspace/executeCommand``: its name, its one argument, what it returns."""

    name: str
    arguments: type[A]
    result: type[R]
    description: str = field(compare=False)


ASK = Command("channelcoder.ask", AskArguments, Asked, "Ask about code. Returns at once; the answer arrives later.")
CONTINUE = Command("channelcoder.continue", ContinueArguments, Asked, "Go on with a folder's session. Returns at once.")
CANCEL = Command("channelcoder.cancel", CancelArguments, Cancelled, "End what waits or is being answered.")
RETRY = Command("channelcoder.retry", TurnArguments, Asked, "Ask a turn's question again, word for word.")
TRUST = Command("channelcoder.trust", TrustArguments, Trusted, "Trust a folder's Claude settings, or no more.")
MODEL = Command("channelcoder.model", ModelArguments, ModelInUse, "Choose the model from the next question on.")
SESSION_NEW = Command("channelcoder.session.new", SessionArguments, SessionNamed, "Start a new session in the folder.")
SESSION_LIST = Command("channelcoder.session.list", FolderArguments, SessionRows, "List all sessions.")
SESSION_SWITCH = Command(
    "channelcoder.session.switch",
    NamedSessionArguments,
    SessionNamed,
    "Make a session the folder's active one.",
)
SESSION_RENAME = Command("channelcoder.session.rename", RenameArguments, Done, "Give a session another name.")
SESSION_REMOVE = Command(
    "channelcoder.session.remove", NamedSessionArguments, Done, "Remove a session and all that belongs to it."
)
SESSION_CLEAR = Command(
    "channelcoder.session.clear", FolderArguments, Done, "Drop history and threads of the active session."
)
SESSION_SAVE = Command(
    "channelcoder.session.save",
    SessionArguments,
    SessionSaved,
    "Put the active session at rest in the guide's format; with a name, under that name from now on.",
)
SESSION_FORK = Command(
    "channelcoder.session.fork", ForkArguments, SessionNamed, "Go on in a copy of the active session, under a name."
)
SESSION_SEARCH = Command("channelcoder.session.search", SearchArguments, SearchHits, "Search all sessions.")
SESSION_EXPORT = Command("channelcoder.session.export", ExportArguments, Exported, "A session as a text.")
SESSION_SHOW = Command("channelcoder.session.show", SessionArguments, Shown, "Show a session's transcript as Markdown.")
SESSION_READ = Command(
    "channelcoder.session.read",
    SessionArguments,
    SessionContent,
    "A session with its turns, for editors that show it.",
)
TURN_SHOW = Command(
    "channelcoder.turn.show",
    TurnArguments,
    Shown,
    "Show a turn: the exact prompt, the whole answer, tools, usage and cost.",
)
THREAD_SHOW = Command(
    "channelcoder.thread.show", ThreadArguments, Shown, "Show a thread with all its answers as Markdown."
)
THREAD_LIST = Command("channelcoder.thread.list", ThreadListArguments, ThreadRows, "List threads, orphaned ones too.")
THREAD_READ = Command(
    "channelcoder.thread.read", ThreadArguments, ThreadContent, "A thread with its turns, for editors that show it."
)
PROMPTS = Command("channelcoder.prompts", FolderArguments, PromptRows, "List the prompts.")
STATUS = Command("channelcoder.status", FolderArguments, Status, "How it stands with a folder's session.")
THREAD_REPLY = Command("channelcoder.thread.reply", ReplyArguments, Asked, "Go on with a thread. Returns at once.")
THREAD_RESOLVE = Command(
    "channelcoder.thread.resolve", ThreadArguments, ThreadState, "Resolve a thread: the editor is quiet about it."
)
THREAD_REOPEN = Command("channelcoder.thread.reopen", ThreadArguments, ThreadState, "Open a resolved thread again.")
THREAD_REMOVE = Command(
    "channelcoder.thread.remove", ThreadArguments, Done, "Remove a thread; what was said stays in the transcript."
)
REVIEW = Command(
    "channelcoder.review",
    ReviewArguments,
    Reviewing,
    "Review code; each finding becomes a thread. Returns at once.",
)
PROPOSAL_APPLY = Command(
    "channelcoder.proposal.apply", ProposalApplyArguments, Applied, "Apply a proposed edit, whole or in part."
)
PROPOSAL_PREVIEW = Command(
    "channelcoder.proposal.preview", ProposalArguments, Shown, "Show a proposed edit as a diff against the code now."
)
PROPOSAL_READ = Command(
    "channelcoder.proposal.read",
    ProposalArguments,
    ProposalContent,
    "A proposed edit with the texts that it would make, for editors that show it.",
)
PROPOSAL_DISCARD = Command(
    "channelcoder.proposal.discard", ProposalArguments, ProposalState, "Discard a proposed edit; it is offered no more."
)
ANSWER_INSERT = Command(
    "channelcoder.answer.insert", AnswerArguments, Applied, "Insert a code block of an answer below the code."
)
ANSWER_REPLACE = Command(
    "channelcoder.answer.replace",
    AnswerArguments,
    Applied,
    "Replace the code with a code block of an answer.",
)

COMMANDS: tuple[Command[Any, Any], ...] = (
    ASK,
    CONTINUE,
    CANCEL,
    RETRY,
    TRUST,
    MODEL,
    SESSION_NEW,
    SESSION_LIST,
    SESSION_SWITCH,
    SESSION_RENAME,
    SESSION_REMOVE,
    SESSION_CLEAR,
    SESSION_SAVE,
    SESSION_FORK,
    SESSION_SEARCH,
    SESSION_EXPORT,
    SESSION_SHOW,
    SESSION_READ,
    TURN_SHOW,
    PROMPTS,
    STATUS,
    THREAD_READ,
    THREAD_SHOW,
    THREAD_LIST,
    THREAD_REPLY,
    THREAD_RESOLVE,
    THREAD_REOPEN,
    THREAD_REMOVE,
    REVIEW,
    PROPOSAL_APPLY,
    PROPOSAL_PREVIEW,
    PROPOSAL_READ,
    PROPOSAL_DISCARD,
    ANSWER_INSERT,
    ANSWER_REPLACE,
)


@dataclass(frozen=True)
class DocumentDiagnostics:
    """All that checkers say about an open document."""

    __pydantic_config__ = _STRICT
    uri: str
    diagnostics: list[ClientDiagnostic]


@dataclass(frozen=True)
class EditorNotification:
    """``channelcoder/editor``: what the language server protocol has no request for, told as it changes.

    Claude may ask for it while it answers. What is left out stays as it was told before.
    """

    __pydantic_config__ = _STRICT
    active_uri: str | None = None
    """The document that has the cursor."""
    selection: ClientRange | None = None
    """What is selected in it; empty for a cursor."""
    diagnostics: list[DocumentDiagnostics] | None = None


CONTENT_SCHEME = "channelcoder"
"""Documents that the server makes for clients that fetch them (LSP 3.18, workspace/textDocumentContent)."""

TURN_METHOD = "channelcoder/turn"
EDITOR_METHOD = "channelcoder/editor"
CHANGED_METHOD = "channelcoder/changed"

NOTIFICATIONS: tuple[tuple[str, type[Any], str], ...] = (
    (EDITOR_METHOD, EditorNotification, "Client to server, from clients that want to."),
    (TURN_METHOD, TurnNotification, "Server to client, if it sets `experimental.channelcoder.turns`."),
    (CHANGED_METHOD, ChangedNotification, "Server to client, if it sets `experimental.channelcoder.changes`."),
)
"""Methods of our own, what they carry, and which way."""
