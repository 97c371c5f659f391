"""Noticing that sessions change."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from channelcoder_lsp.services.watching import changed_files

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator
    from pathlib import Path

_TOLD = ("json", "journal")
"""The endings of the files whose changes are a session's."""


async def changed_sessions(folder: Path) -> AsyncGenerator[str, None]:
    """The names of the sessions in ``folder`` whose files changed, as they change, without end."""
    async with aclosing(changed_files(folder)) as told:
        async for changes in told:
            names = (path.name.rpartition(".") for path in changes)
            for name in sorted({stem for stem, _, ending in names if ending in _TOLD}):
                yield name
