"""Sessions by name, and the projects in which they are active."""

from __future__ import annotations

from pathlib import Path

from channelcoder_lsp.library.folder import active_session, checkouts, project, storage
from channelcoder_lsp.services.checkouts import Checkout

__all__ = ["active_session", "checkout_of", "checkouts", "project", "renamed", "storage"]


async def renamed(name: str, new_name: str) -> None:
    """Give a session another name; where it is active, it stays so.

    Raises:
        SessionNotFoundError, SessionExistsError, SessionNameError: as they say.
    """
    at = await checkout_of(name)
    await storage().rename(name, new_name)
    if at is not None and checkouts().active_session(at) == name:
        checkouts().set_active_session(at, new_name)


async def checkout_of(name: str) -> Checkout | None:
    """The project that a session belongs to, if it is known.

    Raises:
        SessionNotFoundError: there is no such session.
    """
    journal = await storage().open(name)
    try:
        root = journal.head.channelcoder.checkout
    finally:
        await journal.close()
    return Checkout.of(Path(root)) if root else None
