"""Copying sessions from one place to another: from files to a database that a team shares, and back."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

from channelcoder_lsp.domain.errors import ArgumentsError, StorageUnreachableError
from channelcoder_lsp.library.all_sessions import journaled
from channelcoder_lsp.library.runtime import Runtime
from channelcoder_lsp.services.copying import Copied, copy_session, names_to_copy
from channelcoder_lsp.settings import state_folder
from channelcoder_lsp.storage.opening import PASSWORD_VARIABLE, masked, open_storage, outbox_folder, with_password

if TYPE_CHECKING:
    from collections.abc import Sequence

    from channelcoder_lsp.domain.storage import JournaledStorage, SessionStorage

Tell = Callable[[int, int, "Copied | None"], None]
"""Told how many are done, of how many, and what became of the last one."""

__all__ = ["Copied", "Tell", "copy_sessions"]


async def copy_sessions(
    source: str | SessionStorage,
    target: str | SessionStorage,
    names: Sequence[str] = (),
    *,
    new_name: str | None = None,
    tell: Tell | None = None,
) -> list[Copied]:
    """Copy sessions. What was copied before, wholly or in part, is not copied twice: call it again if it was stopped.

    Each session is read back and compared with what was copied. One whose name is taken by another session is left
    out, which its outcome says; the others are copied all the same. Nothing is ever removed from ``source``.

    Args:
        source: a storage, or its URL (see :func:`channelcoder_lsp.storage.opening.open_storage`).
        target: likewise.
        names: which ones; none: all.
        new_name: what the one session that ``names`` names is called in ``target``.
        tell: called before the first session and after each one with how many are done, of how many, and what became
            of the last one.

    Returns:
        What became of each.

    Raises:
        ArgumentsError: something does not fit.
        SessionNotFoundError: one that was named is not there.
        StorageError: one of the two can't be used.
    """
    if new_name is not None and len(names) != 1:
        raise ArgumentsError("new_name: it is for one session. Name that one.")
    if new_name is None and isinstance(source, str) and source == target:
        raise ArgumentsError(f"Both are {masked(source)}. Name two places, or a new name.")
    async with AsyncExitStack() as stack:
        one, other = [await _opened(each, stack, delivering=each is source) for each in (source, target)]
        wanted = await names_to_copy(one, list(dict.fromkeys(names)))
        copied: list[Copied] = []
        if tell is not None:
            tell(0, len(wanted), None)
        for name in wanted:
            copied.append(await copy_session(one, other, name, new_name or name))
            if tell is not None:
                tell(len(copied), len(wanted), copied[-1])
        return copied


async def _opened(place: str | SessionStorage, stack: AsyncExitStack, *, delivering: bool) -> JournaledStorage:
    if not isinstance(place, str):
        return journaled(place, auto_save=True)
    settings = Runtime().configuration.settings
    if place == settings.storage:  # no other server is told this one's password
        place = with_password(place, os.environ.get(PASSWORD_VARIABLE))
    if delivering:
        await _deliver(place)
    storage = open_storage(place, directory=settings.sessions)
    stack.push_async_callback(storage.close)
    return storage


async def _deliver(url: str) -> None:
    """Have what this machine could not deliver there yet arrive, so that it is copied, too.

    Raises:
        StorageUnreachableError: it can't be delivered.
    """
    outbox = state_folder() / "outbox"
    if not outbox_folder(url, outbox).is_dir():
        return
    storage = open_storage(url, outbox=outbox)
    try:
        await storage.list()
        if storage.away is not None:
            raise StorageUnreachableError(storage.away)
    finally:
        await storage.close()  # which delivers
