"""Claude's transcripts as the Agent SDK hands them on, and as it takes them to go on from (its ``SessionStore``)."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import TYPE_CHECKING, Any

from channelcoder_lsp.domain.errors import ChannelCoderError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from claude_agent_sdk import SessionKey, SessionStoreEntry

    from channelcoder_lsp.domain.transcripts import Transcripts

logger = logging.getLogger(__name__)

LOAD_SECONDS = 30.0
"""How long reading a session's transcripts may take. The SDK gives up after 60, and the question with it."""


class Mirror:
    """Keeps what the command line writes into its transcripts, and gives it to a machine that doesn't have it.

    What the SDK calls a project is the folder on this machine: it only says where the command line's own copy is. A
    copy here that has all that was kept is gone on from as it is; what was kept with a gap is not given, so that the
    session is told anew from its record.

    Args:
        transcripts: where they are kept.
        projects: the folder of the command line's own transcripts.
    """

    def __init__(self, transcripts: Transcripts, projects: Path) -> None:
        self._transcripts = transcripts
        self._projects = projects
        self._read: dict[str, Mapping[str, Sequence[str]]] = {}
        """What was kept of the sessions that are being gone on with, since the SDK asks for each part by itself."""

    async def append(self, key: SessionKey, entries: list[SessionStoreEntry]) -> None:
        """Keep some more entries."""
        self._read.pop(key["session_id"], None)
        lines = [json.dumps(entry) for entry in entries]
        await self._transcripts.add(key["session_id"], key.get("subpath", ""), lines)

    async def load(self, key: SessionKey) -> list[SessionStoreEntry] | None:
        """All entries, each once; None for what isn't to be gone on from."""
        subpath = key.get("subpath", "")
        entries = _once(await self._lines(key["session_id"], subpath))
        if not entries:
            return None
        if not subpath:
            if (missing := _missing(entries)) is not None:
                logger.warning("the transcript of %s was kept without %s and is not used", key["session_id"], missing)
                return None
            own = self._projects / key["project_key"] / f"{key['session_id']}.jsonl"
            if await asyncio.to_thread(_has_all, own, entries):
                return None
        return entries

    async def list_subkeys(self, key: SessionKey) -> list[str]:
        """The subpaths of a session's other transcripts."""
        await self._lines(key["session_id"], "")
        return [subpath for subpath in self._read.get(key["session_id"], {}) if subpath]

    async def _lines(self, session_id: str, subpath: str) -> Sequence[str]:
        if session_id not in self._read:
            try:
                self._read[session_id] = await asyncio.wait_for(self._transcripts.lines(session_id), LOAD_SECONDS)
            except (ChannelCoderError, asyncio.TimeoutError) as problem:
                # The session is told anew then; to fail would be to not ask at all.
                why = str(problem) or f"it was not there in {LOAD_SECONDS:.0f} seconds"
                logger.warning("the transcript of %s can't be had: %s", session_id, why)
                return ()
        return self._read[session_id].get(subpath, ())


def _once(lines: Sequence[str]) -> list[Any]:
    entries, seen = [], set()
    for line in lines:
        entry = json.loads(line)
        if (uuid := entry.get("uuid")) is None or uuid not in seen:
            seen.add(uuid)
            entries.append(entry)
    return entries


def _missing(entries: Sequence[Mapping[str, Any]]) -> str | None:
    """An entry that another one follows, and that isn't there."""
    there = {entry.get("uuid") for entry in entries}
    parents = (entry.get("parentUuid") for entry in entries)
    return next((parent for parent in parents if parent is not None and parent not in there), None)


def _has_all(own: Path, entries: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the command line's own copy has all entries that can be told."""
    try:
        text = own.read_text("utf-8", "replace")
    except OSError:
        return False
    return all(f'"{uuid}"' in text for entry in entries if (uuid := entry.get("uuid")) is not None)
