"""Going on with a thread: what a further question takes along from it."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from channelcoder_lsp.domain.place import QUOTE_LIMIT, AnchorState, Selection
from channelcoder_lsp.domain.text import split_lines, text_in
from channelcoder_lsp.services.places import find_all

if TYPE_CHECKING:
    from pathlib import Path

    from channelcoder_lsp.domain.thread import Thread
    from channelcoder_lsp.services.compose import Question
    from channelcoder_lsp.services.session import Session
    from channelcoder_lsp.services.threads import Document

logger = logging.getLogger(__name__)

_FILE_LIMIT = 5_000_000


def reply(question: Question, session: Session, thread: Thread) -> Question:
    """``question`` with what Claude should know of the thread it goes on with.

    That is the code as it was, when it changed since; and the thread's earlier turns, when the conversation
    went elsewhere in between.
    """
    selection = question.selection
    quote = thread.anchor.quote
    changed = selection is not None and selection.text[:QUOTE_LIMIT] != quote
    turns = session.turns_of(thread)
    asked = list(session.head.turns)
    elsewhere = bool(turns) and asked[-1] != turns[-1].id
    return replace(
        question,
        was=quote if changed and quote else None,
        earlier=tuple((turn.question, turn.answer) for turn in turns) if elsewhere else (),
    )


def selection_in(document: Document, thread: Thread) -> Selection | None:
    """The thread's code in an open document, as it is now; None where it can't be found."""
    place = document.places.get(thread.id)
    if place is None:
        return None
    place.settle(thread.anchor, document.lines)
    if place.range is None or place.state is AnchorState.ORPHANED:
        return None
    return Selection(
        uri=document.uri,
        path=document.path,
        language=document.language,
        version=document.version,
        range=place.range,
        text=text_in(document.lines, place.range),
        document="\n".join(document.lines),
    )


def selection_on_disk(path: Path, thread: Thread, kept: str | None) -> Selection | None:
    """The thread's code in a file that isn't open, as it is now; None where it can't be found or read.

    Args:
        path: the file.
        thread: the thread.
        kept: the file's text when the thread began, if it was kept.
    """
    try:
        if path.stat().st_size > _FILE_LIMIT:
            return None
        lines = split_lines(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as problem:
        logger.warning("%s can't be read for a reply: %s", path, problem)
        return None
    anchor = thread.anchor
    texts = {anchor.content: kept} if anchor.content and kept is not None else {}
    place = find_all({thread.id: anchor}, lines, texts)[thread.id]
    if place.range is None:
        return None
    return Selection(
        uri=anchor.uri,
        path=anchor.path,
        language=thread.language,
        range=place.range,
        text=text_in(lines, place.range),
        document="\n".join(lines),
    )
