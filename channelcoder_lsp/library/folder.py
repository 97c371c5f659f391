"""The folder that one is in, and the session that is active in it: the one that editors use, too."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from channelcoder_lsp.domain.errors import SessionExistsError, SessionNotFoundError
from channelcoder_lsp.services.checkouts import Checkout, Checkouts
from channelcoder_lsp.settings import state_folder

if TYPE_CHECKING:
    from channelcoder_lsp.library.session import Session


def checkouts() -> Checkouts:
    """What is remembered of folders."""
    return Checkouts(state_folder())


def project(cwd: Path | None = None) -> Checkout:
    """The project that a folder is in.

    It is the nearest folder upwards that has an active session, else the repository, else the folder itself.
    """
    here = Checkout.of(cwd or Path.cwd())
    known = checkouts()
    for folder in (here.root, *here.root.parents):
        checkout = Checkout.of(folder)
        if known.active_session(checkout) is not None or (folder / ".git").exists():
            return checkout
    return here


async def active_name(checkout: Checkout) -> str | None:
    """The name of a project's active session, which may have been chosen on another machine."""
    await share(checkout)
    return checkouts().active_session(checkout)


async def choose(checkout: Checkout, name: str) -> None:
    """Make the session ``name`` the active one of a project, on other machines too where they share it.

    Raises:
        StorageNotWritableError: the state folder can't be written.
    """
    checkouts().set_active_session(checkout, name)
    await share(checkout)


async def share(checkout: Checkout) -> None:
    """Have the same active session as the project's checkouts on other machines, where they share it."""
    from channelcoder_lsp.library.runtime import Runtime  # noqa: PLC0415 - on first use
    from channelcoder_lsp.services.sharing import share_active  # noqa: PLC0415

    runtime = Runtime()
    storage = runtime.configuration.storage()
    try:
        ports = runtime.ports
        await share_active(
            checkout, checkouts(), storage.active_sessions, ports.settings(), lambda: ports.repositories(checkout.root)
        )
    finally:
        await storage.close()


async def follow(name: str, new_name: str) -> None:
    """Have the session ``name``, which is called ``new_name`` now, stay the active one wherever it is.

    Raises:
        StorageNotWritableError: the state folder can't be written.
    """
    for checkout in checkouts().rename_session(name, new_name):
        await share(checkout)


async def active_session(checkout: Checkout) -> Session:
    """The active session of a project; a new one, which becomes the active one, if there is none.

    Raises:
        StorageError: it can't be opened or made.
    """
    await share(checkout)
    return await _known(checkout) or await _chosen(checkout)


async def _known(checkout: Checkout) -> Session | None:
    from channelcoder_lsp.library.session import Session  # noqa: PLC0415 - on first use

    name = checkouts().active_session(checkout)
    if name is None:
        return None
    try:
        return await Session.load(name)
    except SessionNotFoundError:
        checkouts().set_active_session(checkout, None)
        return None


async def _chosen(checkout: Checkout) -> Session:
    async with checkouts().choosing(checkout):
        return await _known(checkout) or await _new(checkout)


async def _new(checkout: Checkout) -> Session:
    from channelcoder_lsp.library.session import Session  # noqa: PLC0415 - on first use

    for candidate in checkout.session_names():
        session = Session(candidate, cwd=checkout.root)
        try:
            await session.save()
        except SessionExistsError:
            await session.close()
            continue
        await choose(checkout, candidate)
        return session
    raise AssertionError("session_names() never ends")
