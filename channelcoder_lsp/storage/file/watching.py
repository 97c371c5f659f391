"""Noticing that sessions change."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

log = logging.getLogger(__name__)

_TOLD = ("json", "journal")
"""The endings of the files whose changes are a session's."""


async def changed_sessions(folder: Path) -> AsyncIterator[str]:
    """The names of the sessions in ``folder`` whose files changed, as they change, without end.

    Where the system gives no notice (it has a limit, and file systems that don't), the folder is looked at
    now and then.
    """
    import watchfiles  # noqa: PLC0415 - only who watches pays for it

    for polling in (False, True):
        try:
            async for changes in watchfiles.awatch(
                folder, recursive=False, debounce=200, step=20, force_polling=polling, poll_delay_ms=500
            ):
                names = (Path(path).name.rpartition(".") for _, path in changes)
                for name in sorted({stem for stem, _, ending in names if ending in _TOLD}):
                    yield name
        except (OSError, RuntimeError) as error:
            if polling:
                raise
            log.warning("%s is looked at now and then, since the system doesn't tell its changes: %s", folder, error)
