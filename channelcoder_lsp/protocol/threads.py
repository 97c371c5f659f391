"""Threads and turns, reviews, proposals."""

from __future__ import annotations

from dataclasses import dataclass, field

from channelcoder_lsp.protocol.asking import ClientContext  # noqa: TC001 - fields are read when it runs
from channelcoder_lsp.protocol.base import STRICT, ClientRange


@dataclass(frozen=True)
class TurnArguments:
    """A turn."""

    __pydantic_config__ = STRICT
    turn_id: str


@dataclass(frozen=True)
class ThreadArguments:
    """A thread."""

    __pydantic_config__ = STRICT
    thread_id: str


@dataclass(frozen=True)
class ReplyArguments:
    """A further question in a thread; it goes with the thread's code as it is now."""

    __pydantic_config__ = STRICT
    thread_id: str
    question: str
    context: list[ClientContext] = field(default_factory=list)
    """What to send along, by choice: files, parts of them, a text."""


@dataclass(frozen=True)
class ThreadListArguments:
    """Which threads to list: those of a folder's active session, or of one document of it."""

    __pydantic_config__ = STRICT
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
    left_in: str | None = None
    """The folder in which another session is the active one by now: nobody may be looking at this one."""


@dataclass(frozen=True)
class ReviewArguments:
    """What to review: ``scope`` is ``selection``, ``file``, ``changes`` (uncommitted) or ``branch`` (against its base).

    ``resume`` goes on with the folder's latest review that was not finished, or with the one of ``reviewId``.
    """

    __pydantic_config__ = STRICT
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

    __pydantic_config__ = STRICT
    proposal_id: str
    uri: str | None = None
    hunk: int | None = None


@dataclass(frozen=True)
class ProposalApplyArguments:
    """What to apply of a proposal.

    ``done``: the editor has applied the edit of a code action already; the server only takes note. ``looked``: the
    person has looked at it in the editor's own preview, and need not be asked to confirm it once more.
    """

    __pydantic_config__ = STRICT
    proposal_id: str
    uri: str | None = None
    hunk: int | None = None
    done: bool = False
    looked: bool = False


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
    confirm: bool = True
    """Whether a person is to look at an edit before it is applied (a setting)."""
