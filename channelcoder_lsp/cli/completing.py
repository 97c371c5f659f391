"""What a shell completes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import click


def session_names(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    """The names of sessions that begin so."""
    from channelcoder_lsp.library.all_sessions import AllSessions  # noqa: PLC0415 - only while completing

    return [info.name for info in asyncio.run(AllSessions.list()) if info.name.startswith(incomplete)]
