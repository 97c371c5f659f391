"""Who asks, as it is recorded in the turns of sessions that several people share."""

from __future__ import annotations

import getpass
import logging
from typing import TYPE_CHECKING

from channelcoder_lsp.domain.errors import RepositoryError
from channelcoder_lsp.domain.text import well_formed

if TYPE_CHECKING:
    from collections.abc import Callable

    from channelcoder_lsp.domain.repository import Repository
    from channelcoder_lsp.settings import Settings

logger = logging.getLogger(__name__)

_OF_ONE_MACHINE = ("file:", "sqlite:")
_LONGEST = 100


async def author(settings: Settings, repository: Callable[[], Repository], *, location: str) -> str | None:
    """The name that is recorded with a question; None: none is.

    It is what the setting says. Without one it is, where a session is kept on a server, what Git calls the user in the
    folder, else the system's name of the user; a session on this machine is one person's, and tells nobody.

    Args:
        settings: ``author``, and ``record_author``, which leaves it out.
        repository: gives that of the folder in which it is asked, when its Git is to be asked.
        location: where the session is (:attr:`channelcoder_lsp.domain.storage.Journal.location`).
    """
    if not settings.record_author:
        return None
    if settings.author:
        return settings.author
    if "://" not in location or location.startswith(_OF_ONE_MACHINE):
        return None
    try:
        name = await repository().user_name()
    except RepositoryError as problem:
        logger.info("Git does not say who asks: %s", problem)
        name = None
    return well_formed(name or _login())[:_LONGEST] or None


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError) as problem:
        logger.info("the system does not say who asks: %s", problem)
        return ""
