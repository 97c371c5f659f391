"""Markdown documents made to be shown: a turn, a thread, the list of threads, a transcript, a proposal.

A client that fetches documents of other schemes from the server (``workspace/textDocumentContent``, LSP 3.18) gets
threads and the list as ``channelcoder:`` documents, which it draws anew when they change; every other client gets
files, which are written anew.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, quote, unquote, urlsplit

import anyio.to_thread

from channelcoder_lsp.domain.errors import ArgumentsError, ChannelCoderError
from channelcoder_lsp.domain.uri import uri_of
from channelcoder_lsp.features.documents import (
    ListedThread,
    thread_document,
    thread_list,
    transcript,
    turn_document,
)
from channelcoder_lsp.features.render import file_and_subject, open_proposals
from channelcoder_lsp.protocol import CONTENT_SCHEME, Shown

if TYPE_CHECKING:
    from pathlib import Path

    from channelcoder_lsp.domain.proposal import Proposal
    from channelcoder_lsp.domain.session import SessionState
    from channelcoder_lsp.domain.thread import Thread
    from channelcoder_lsp.domain.turn import Turn
    from channelcoder_lsp.features.face import Face
    from channelcoder_lsp.services.project import Project
    from channelcoder_lsp.services.session import Session

logger = logging.getLogger(__name__)

_FOLLOWED = 20
"""Documents that are kept up to date, the latest shown."""


@dataclass(frozen=True)
class Subject:
    """What a document is about: a thread, or with None all threads of the folder's session."""

    folder: Path
    thread_id: str | None = None
    label: str = ""
    """What people know the thread by: editors take the last part of a URI for a document's name."""

    @property
    def uri(self) -> str:
        """Its URI for clients that fetch it from the server."""
        if self.thread_id is not None:
            return f"{CONTENT_SCHEME}:/thread/{quote(self.thread_id, safe='')}/{quote(self.label, safe='')}.md"
        return f"{CONTENT_SCHEME}:/threads.md?folder={quote(uri_of(self.folder), safe='')}"

    @property
    def key(self) -> str:
        """What its file is named after."""
        return self.thread_id or f"threads-{self.folder}"


async def show_turn(face: Face, session: Session, turn: Turn) -> Shown:
    """Show a turn whole."""
    return await _show_file(face, turn.id, turn_document(turn, session.text_so_far(turn)))


async def show_thread(face: Face, project: Project, thread: Thread) -> Shown:
    """Show a thread whole."""
    _, session = face.projects.with_thread(thread.id)
    label = file_and_subject(project.placed.anchor_of(thread), thread, session.turns_of(thread))
    return await _show(face, Subject(project.checkout.root, thread.id, label))


async def show_threads(face: Face, project: Project) -> Shown:
    """Show the list of a project's threads."""
    return await _show(face, Subject(project.checkout.root))


async def show_proposal(face: Face, proposal: Proposal, markdown: str) -> Shown:
    """Show what a proposal would change."""
    return await _show_file(face, proposal.id, markdown)


async def show_permission(face: Face, turn: Turn, markdown: str) -> bool:
    """Show what Claude wants to run in a turn; whether it could be shown."""
    return (await _show_file(face, f"permission-{turn.id}", markdown)).shown


async def show_transcript(face: Face, name: str, state: SessionState) -> Shown:
    """Show a session's messages."""
    return await _show_file(face, f"session-{name}", await anyio.to_thread.run_sync(transcript, name, state))


async def content(face: Face, uri: str) -> str:
    """workspace/textDocumentContent: the text of a ``channelcoder:`` document.

    Raises:
        ArgumentsError: there is no such document.
        ThreadNotFoundError: the thread was removed.
        StorageError: it can't be read.
    """
    subject = _subject_of(face, uri)
    text = await _text(face, subject)
    _follow(face, subject)
    return text


def thread_link(face: Face, thread_id: str) -> str | None:
    """Where the whole thread can be read, if there is a file of it; links that run commands are no way.

    Clients that fetch ``channelcoder:`` documents don't open them from a hover: VS Code takes such links out.
    """
    subject = next((one for one in face.followed if one.thread_id == thread_id), None)
    if face.client.fetches_documents:
        return None
    return uri_of(_path(face, subject.key)) if subject is not None else None


def refresh(face: Face) -> None:
    """Bring the documents up to date that were shown and whose threads changed since."""
    for subject, before in list(face.followed.items()):
        stamp = _stamp(face, subject)
        if stamp != before:
            face.followed[subject] = stamp
            if face.client.fetches_documents:
                face.client.refresh_document(subject.uri)
            elif stamp is not None:
                face.client.spawn(_write_anew(face, subject))


def listed(project: Project, session: Session, *, uri: str | None = None) -> list[ListedThread]:
    """The threads of a session where they are now, oldest first.

    Args:
        project: the project whose active session it is.
        session: the session.
        uri: only those about this document.
    """
    path = project.relative(uri) if uri is not None else None
    waiting = open_proposals(session.head.proposals.values())
    return [
        ListedThread(thread, project.placed.anchor_of(thread), session.turns_of(thread), waiting.get(thread.id, []))
        for thread in session.head.threads.values()
        if uri is None or thread.anchor.uri == uri or (path and thread.anchor.path == path)
    ]


async def _show(face: Face, subject: Subject) -> Shown:
    markdown = await _text(face, subject)
    if face.client.fetches_documents and face.client.shows_documents:
        _follow(face, subject)
        face.client.refresh_document(subject.uri)  # the editor may have it from before
        return Shown(subject.uri, markdown, await face.client.show_document(subject.uri))
    shown = await _show_file(face, subject.key, markdown)
    if shown.uri:
        _follow(face, subject)
    return shown


async def _text(face: Face, subject: Subject) -> str:
    if subject.thread_id is None:
        project = face.projects.of_folder(str(subject.folder))
        session = project.session
        await project.on_disk.up_to_date()
        return thread_list(listed(project, session) if session is not None else [])
    project, session = face.projects.with_thread(subject.thread_id)
    thread = session.thread(subject.thread_id)
    turns = [await session.whole(turn.id) for turn in session.turns_of(thread)]
    row = ListedThread(thread, project.placed.anchor_of(thread), turns, session.proposals_of(thread))
    return thread_document(row, [session.text_so_far(turn) for turn in turns])


def _subject_of(face: Face, uri: str) -> Subject:
    parts = urlsplit(uri)
    kind, _, name = parts.path.strip("/").removesuffix(".md").partition("/")
    if parts.scheme == CONTENT_SCHEME and kind == "thread" and name:
        thread_id, _, label = map(unquote, name.partition("/"))
        project, session = face.projects.with_thread(thread_id)
        return Subject(project.checkout.root, session.thread(thread_id).id, label)
    if parts.scheme == CONTENT_SCHEME and kind == "threads" and not name:
        folder = parse_qs(parts.query).get("folder", [None])[0]
        return Subject(face.projects.of_folder(folder).checkout.root)
    raise ArgumentsError(f"uri: {uri!r} is none of this server's documents.")


def _follow(face: Face, subject: Subject) -> None:
    face.followed.pop(subject, None)
    face.followed[subject] = _stamp(face, subject)
    while len(face.followed) > _FOLLOWED:
        del face.followed[next(iter(face.followed))]


def _stamp(face: Face, subject: Subject) -> int | None:
    """Something that changes when the document would; None while there is nothing to show."""
    for project in face.projects:
        if (session := project.session) is None or project.checkout.root != subject.folder:
            continue
        threads = session.head.threads
        if subject.thread_id is None:
            chosen = list(threads.values())
        elif (thread := threads.get(subject.thread_id)) is not None:
            chosen = [thread]
        else:
            return None
        proposed: dict[str, list[tuple[str, int]]] = {}
        for proposal in session.head.proposals.values():
            done = sum(hunk.applied is not None for file in proposal.files for hunk in file.hunks)
            proposed.setdefault(proposal.thread_id or "", []).append((proposal.status.value, done))
        return hash(tuple(_thread_stamp(project, session, each, proposed.get(each.id, [])) for each in chosen))
    return None


def _thread_stamp(
    project: Project, session: Session, thread: Thread, proposed: list[tuple[str, int]]
) -> tuple[object, ...]:
    anchor = project.placed.anchor_of(thread)
    turns = tuple((turn.id, turn.state) for turn in session.turns_of(thread))
    return (thread.id, thread.status, anchor.path, anchor.range, anchor.state, anchor.current, turns, tuple(proposed))


async def _write_anew(face: Face, subject: Subject) -> None:
    path = _path(face, subject.key)
    try:
        await anyio.to_thread.run_sync(_write, path, await _text(face, subject))
    except (OSError, ChannelCoderError) as problem:
        logger.warning("%s can't be brought up to date: %s", path, problem)


async def _show_file(face: Face, key: str, markdown: str) -> Shown:
    path = _path(face, key)
    try:
        await anyio.to_thread.run_sync(_write, path, markdown)
    except OSError as problem:
        logger.warning("%s can't be written: %s", path, problem)
        return Shown(uri="", markdown=markdown, shown=False)
    uri = uri_of(path)
    return Shown(uri=uri, markdown=markdown, shown=await face.client.show_document(uri))


def _path(face: Face, key: str) -> Path:
    return face.shown_folder / f"claude-{hashlib.sha256(key.encode()).hexdigest()[:16]}.md"


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
