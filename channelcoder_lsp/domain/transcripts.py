"""Claude's own copies of conversations, kept beside a session that several machines share.

What Claude goes on from is more than what was said: the tools that it used and what they gave stand in the command
line's transcript alone, on the machine that it ran on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Transcripts(Protocol):
    """The transcripts of one session's Claude sessions."""

    async def add(self, session_id: str, subpath: str, lines: Sequence[str]) -> None:
        """Keep some more lines, in order.

        Args:
            session_id: the Claude session.
            subpath: which of its transcripts; empty for its own, else a subagent's.
            lines: the entries, each as JSON in ASCII.

        Raises:
            StorageError: they could not be kept.
        """
        ...

    async def lines(self, session_id: str) -> Mapping[str, Sequence[str]]:
        """All lines of a Claude session's transcripts, by subpath; none if none were kept.

        Raises:
            StorageError: they can't be read.
        """
        ...

    async def delete(self) -> None:
        """Remove all that were kept.

        Raises:
            StorageError: they could not be removed.
        """
        ...


async def copy_transcripts(source: Transcripts | None, target: Transcripts | None, session_ids: Sequence[str]) -> None:
    """Have the transcripts of some Claude sessions in ``target`` as well, as far as ``source`` has them.

    Raises:
        StorageError: one of them can't be read, or not be kept.
    """
    if source is None or target is None:
        return
    for session_id in session_ids:
        there = await target.lines(session_id)
        for subpath, lines in (await source.lines(session_id)).items():
            known = set(there.get(subpath, ()))
            if missing := [line for line in lines if line not in known]:
                await target.add(session_id, subpath, missing)
