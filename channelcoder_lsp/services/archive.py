"""All sessions of a storage: forking, searching, exporting, clearing out."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from channelcoder_lsp.domain.errors import SessionBusyError, SessionCorruptError, SessionNotFoundError
from channelcoder_lsp.domain.model import now
from channelcoder_lsp.domain.session import SessionMetadata
from channelcoder_lsp.domain.transcripts import copy_transcripts
from channelcoder_lsp.services.safe_text import plain_text, safe_markdown

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Sequence
    from datetime import timedelta

    from channelcoder_lsp.domain.session import Message, SessionState
    from channelcoder_lsp.domain.storage import JournaledStorage, SessionStorage

logger = logging.getLogger(__name__)

Format = Literal["markdown", "json", "guide"]
_NAME_CHARS = 60
AROUND = 60
"""Characters before and after what was found that a hit shows."""


@dataclass(frozen=True)
class Hit:
    """A message in which something was found."""

    session: str
    message: Message
    excerpt: str
    """The text around the first place, in one line."""


async def fork(storage: JournaledStorage, name: str, new_name: str) -> None:
    """Make a copy of a session that goes its own way: its threads and turns, and a conversation that is its own.

    Raises:
        SessionNotFoundError, SessionExistsError, SessionNameError: as they say.
        StorageError: it can't be stored.
    """
    state = await storage.load(name)
    digests = {thread.anchor.content for thread in state.threads.values() if thread.anchor.content}
    digests |= {file.base for proposal in state.proposals.values() for file in proposal.files if file.base}
    compacted_from = state.metadata.compacted_from
    state.metadata = SessionMetadata(name=new_name, created=now(), last_active=now(), compacted_from=compacted_from)
    set_apart(state)
    source = await storage.open(name)
    try:
        copy = await storage.create(state, new_name)
        for digest in digests:
            if (text := await source.content(digest)) is not None:
                await copy.keep_content(digest, text)
        forked = [state.channelcoder.forked_from] if state.channelcoder.forked_from is not None else []
        await copy_transcripts(source.transcripts, copy.transcripts, forked)
        await copy.close()
    finally:
        await source.close()


def _plain_name(name: str | None) -> str:
    return safe_markdown(plain_text(name, max_chars=_NAME_CHARS)).strip() if name else ""


def set_apart(state: SessionState) -> None:
    """Make of ``state`` the copy of a session that goes its own way.

    Its Claude session is copied before anything is asked in it, and what isn't answered yet belongs to the other one.
    """
    ledger = state.channelcoder
    ledger.forked_from = state.current_session_id
    for turn in [turn for turn in ledger.turns.values() if not turn.state.finished]:
        del ledger.turns[turn.id]
        state.messages = [message for message in state.messages if message.turn_id != turn.id]


async def search(storage: SessionStorage, text: str) -> AsyncGenerator[Hit, None]:
    """Every message of every session that has ``text`` in it, whatever the case; the newest session first."""
    wanted = text.casefold()
    for info in await storage.list():
        try:
            state = await storage.load(info.name)
        except (SessionNotFoundError, SessionCorruptError) as problem:  # removed meanwhile, or set aside
            logger.warning("%s was not searched: %s", info.name, problem)
            continue
        for message in state.messages:
            folded = message.content.casefold()
            at = folded.find(wanted)
            if at >= 0:
                yield Hit(info.name, message, _excerpt(message.content, *_unfolded(message.content, at, len(wanted))))


def _unfolded(content: str, at: int, length: int) -> tuple[int, int]:
    """Where in a text is what stands at ``at`` in it with all cases alike, which makes two letters of some."""
    places = [place for place, letter in enumerate(content) for _ in letter.casefold()]
    return places[at], places[at + length - 1] + 1


def _excerpt(content: str, start: int, end: int) -> str:
    """What was found, in one line with whole words around it."""
    first, last = max(0, start - AROUND), min(len(content), end + AROUND)
    before, after = content[first:start], content[end:last]
    if first and not content[first - 1].isspace():
        before = re.sub(r"^\S*(\s|$)", "", before)
    if last < len(content) and not content[last].isspace():
        after = re.sub(r"(\s|^)\S*$", "", after)
    more, still_more = "… " if first else "", " …" if last < len(content) else ""
    return " ".join(f"{more}{before}{content[start:end]}{after}{still_more}".split())


async def prune(storage: JournaledStorage, older_than: timedelta, *, keep: Sequence[str] = ()) -> list[str]:
    """Remove the sessions in which nothing was said for longer than ``older_than``.

    Args:
        storage: where they are.
        older_than: how long.
        keep: names of sessions to leave.

    Returns:
        The names of those that were removed.
    """
    oldest = now() - older_than
    removed = []
    for info in await storage.list():
        if info.last_active < oldest and info.name not in keep:
            try:
                await storage.delete(info.name)
            except (SessionNotFoundError, SessionBusyError) as problem:
                logger.warning("%s was not removed: %s", info.name, problem)
                continue
            removed.append(info.name)
    return removed


def export(state: SessionState, form: Format) -> str:
    """A session as a text.

    Args:
        state: the session.
        form: ``markdown``: what was said, to read. ``json``: everything, as it is stored. ``guide``: the guide's keys
            alone.
    """
    match form:
        case "json":
            return state.at_rest()
        case "guide":
            ours = {"channelcoder": True, "messages": {"__all__": {"turn_id", "author"}}}
            return state.to_json(exclude=ours, indent=2)
        case "markdown":
            title = " ".join((state.metadata.name or state.current_session_id or "Session").split())
            parts = [f"# {title}"]
            for message in state.messages:
                who = _plain_name(message.author) or "You" if message.role == "user" else "Claude"
                parts += [f"## {who} · {message.timestamp:%Y-%m-%d %H:%M} UTC", safe_markdown(message.content).strip()]
            return "\n\n".join(parts) + "\n"
