"""Markdown documents made to be shown: a turn, a thread, a transcript."""

from __future__ import annotations

import hashlib
import logging
from typing import TYPE_CHECKING

import anyio.to_thread

from channelcoder_lsp.domain.uri import uri_of
from channelcoder_lsp.features.render import thread_document, transcript, turn_document
from channelcoder_lsp.protocol import Shown

if TYPE_CHECKING:
    from pathlib import Path

    from channelcoder_lsp.domain.proposal import Proposal
    from channelcoder_lsp.domain.session import SessionState
    from channelcoder_lsp.domain.thread import Thread
    from channelcoder_lsp.domain.turn import Turn
    from channelcoder_lsp.features.face import Face
    from channelcoder_lsp.services.session import Session

logger = logging.getLogger(__name__)


async def show_turn(face: Face, session: Session, turn: Turn) -> Shown:
    """Show a turn whole."""
    return await _show(face, turn.id, turn_document(turn, session.text_so_far(turn)))


async def show_thread(face: Face, session: Session, thread: Thread) -> Shown:
    """Show a thread whole."""
    turns = [await session.whole(turn.id) for turn in session.turns_of(thread)]
    texts = [session.text_so_far(turn) for turn in turns]
    return await _show(face, thread.id, thread_document(thread, turns, texts))


async def show_proposal(face: Face, proposal: Proposal, markdown: str) -> Shown:
    """Show what a proposal would change."""
    return await _show(face, proposal.id, markdown)


async def show_permission(face: Face, turn: Turn, markdown: str) -> bool:
    """Show what Claude wants to run in a turn; whether it could be shown."""
    return (await _show(face, f"permission-{turn.id}", markdown)).shown


async def show_transcript(face: Face, name: str, state: SessionState) -> Shown:
    """Show a session's messages."""
    return await _show(face, f"session-{name}", await anyio.to_thread.run_sync(transcript, name, state))


async def _show(face: Face, key: str, markdown: str) -> Shown:
    digest = hashlib.sha256(key.encode()).hexdigest()[:16]
    path = face.shown_folder / f"claude-{digest}.md"
    try:
        await anyio.to_thread.run_sync(_write, path, markdown)
    except OSError as problem:
        logger.warning("%s can't be written: %s", path, problem)
        return Shown(uri="", markdown=markdown, shown=False)
    uri = uri_of(path)
    return Shown(uri=uri, markdown=markdown, shown=await face.client.show_document(uri))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
