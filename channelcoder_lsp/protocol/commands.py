"""The commands of ``workspace/executeCommand`` and the notifications of our own, by name."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from channelcoder_lsp.protocol.asking import (
    AnswerArguments,
    Applied,
    AskArguments,
    Asked,
    CancelArguments,
    Cancelled,
    ChangedNotification,
    ContinueArguments,
    EditorNotification,
    Shown,
)
from channelcoder_lsp.protocol.sessions import (
    Done,
    ExportArguments,
    Exported,
    FolderArguments,
    ForkArguments,
    LimitArguments,
    ModelArguments,
    ModelInUse,
    NamedSessionArguments,
    PromptRows,
    RenameArguments,
    SearchArguments,
    SearchHits,
    SessionArguments,
    SessionContent,
    SessionNamed,
    SessionRows,
    SessionSaved,
    SpendingLimit,
    Status,
    TrustArguments,
    Trusted,
)
from channelcoder_lsp.protocol.threads import (
    ProposalApplyArguments,
    ProposalArguments,
    ProposalContent,
    ProposalState,
    ReplyArguments,
    ReviewArguments,
    Reviewing,
    ThreadArguments,
    ThreadContent,
    ThreadListArguments,
    ThreadRows,
    ThreadState,
    TurnArguments,
    TurnNotification,
)

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
    "channelcoder.session.fork", ForkArguments, SessionNamed, "Go on in a copy of a session, under a name."
)
SESSION_COMPACT = Command(
    "channelcoder.session.compact",
    FolderArguments,
    Asked,
    "Have the active session summarised; Claude goes on from the summary. Returns at once; cancel ends it.",
)
SESSION_LIMIT = Command(
    "channelcoder.session.limit",
    LimitArguments,
    SpendingLimit,
    "Say what the active session may cost altogether; questions beyond it are refused.",
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
    SESSION_COMPACT,
    SESSION_LIMIT,
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
