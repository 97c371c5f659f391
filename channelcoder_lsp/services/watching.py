"""Noticing that files change."""

from __future__ import annotations

import logging
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

logger = logging.getLogger(__name__)


async def changed_files(folder: Path) -> AsyncGenerator[list[Path], None]:
    """The files in ``folder``, which must be there, that changed, as they change, without end.

    Where the system gives no notice (it has a limit, and file systems that don't), the folder is looked at
    now and then.

    Raises:
        OSError, RuntimeError: the folder can't be watched at all.
    """
    import watchfiles  # noqa: PLC0415 - only who watches pays for it

    for polling in (False, True):
        try:
            async with aclosing(
                watchfiles.awatch(
                    folder, recursive=False, debounce=200, step=20, force_polling=polling, poll_delay_ms=500
                )
            ) as told:
                async for changes in told:
                    yield [Path(path) for _, path in changes]
        except (OSError, RuntimeError) as problem:
            if polling:
                raise
            logger.warning("%s is looked at now and then, since the system tells no changes: %s", folder, problem)
