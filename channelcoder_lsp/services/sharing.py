"""One active session for all checkouts of a project, where sessions are kept on a server."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import anyio.to_thread

from channelcoder_lsp.domain.errors import RepositoryError, StorageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from channelcoder_lsp.domain.repository import Repository
    from channelcoder_lsp.domain.storage import ActiveSessions
    from channelcoder_lsp.services.checkouts import Checkout, Checkouts
    from channelcoder_lsp.settings import Settings

logger = logging.getLogger(__name__)


async def share_active(
    checkout: Checkout,
    checkouts: Checkouts,
    elsewhere: ActiveSessions | None,
    settings: Settings,
    repository: Callable[[], Repository],
) -> None:
    """Make a folder's active session the one that its project has elsewhere, or the other way round.

    What was chosen since they were last the same counts; if both were, what was chosen elsewhere. What can't be had now
    is left as it is until the next time.

    Args:
        checkout: the folder. Only one that is trusted: any other could say that it is of a project that it isn't of.
        checkouts: what is remembered of it.
        elsewhere: where the others say what they chose; None: there are no others.
        settings: ``share_session``.
        repository: gives the folder's, which knows what the project is called.
    """
    if elsewhere is None or not settings.share_session:
        return
    try:
        if not await anyio.to_thread.run_sync(checkouts.is_trusted, checkout):
            return
        project = await repository().project()
        if project is None:
            return
        async with checkouts.sharing(checkout):
            mine = checkouts.take_shared(checkout, await elsewhere.active(project))
            if mine is not None:
                await elsewhere.choose(project, mine)
                checkouts.was_shared(checkout, mine)
    except (RepositoryError, StorageError) as problem:
        logger.info("the active session of %s is not shared for now: %s", checkout.root, problem)
