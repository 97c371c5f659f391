"""Passwords of servers, from the system's keyring."""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import threading
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING

from channelcoder_lsp.domain.errors import StorageUnreachableError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

logger = logging.getLogger(__name__)

SERVICE = "channelcoder"
"""What the entries are kept under; each one's user is a storage's URL without password, query and fragment."""
_SECONDS = 2.0
"""How long the keyring may take: a locked one asks the user."""


def from_keyring(entry: str) -> Callable[[], Awaitable[str | None]] | None:
    """What looks a password up, each time that the server is connected to; None where no keyring is installed.

    Args:
        entry: the storage's URL as :func:`channelcoder_lsp.storage.opening.masked` shows it.
    """
    return _Lookup(entry) if find_spec("keyring") is not None else None


class _Lookup:
    """The look-up of one password. Who comes while one is under way waits for the same: the user is asked once."""

    def __init__(self, entry: str) -> None:
        self._entry = entry
        self._looking: asyncio.Future[str | None] | None = None

    async def __call__(self) -> str | None:
        if self._looking is None:
            self._looking = self._begin()
        looking = self._looking
        await asyncio.wait({looking}, timeout=_SECONDS)
        if not looking.done():
            raise StorageUnreachableError(f"The keyring has not given the password of {self._entry} yet. Unlock it.")
        self._looking = None
        try:
            return looking.result()
        except Exception as problem:  # whatever a keyring's back end raises
            raise StorageUnreachableError(
                f"The keyring could not be asked for the password of {self._entry}: {problem}. Unlock it, or put the "
                "password into CHANNELCODER_STORAGE_PASSWORD."
            ) from problem

    def _begin(self) -> asyncio.Future[str | None]:
        """Ask in a thread that nobody waits for at the end: who never unlocks the keyring must not keep us here."""
        loop = asyncio.get_running_loop()
        asked: concurrent.futures.Future[str | None] = concurrent.futures.Future()

        def ask() -> None:
            try:
                asked.set_result(self._password())
            except Exception as problem:  # noqa: BLE001 - it is told to who waits
                asked.set_exception(problem)

        threading.Thread(target=ask, name="keyring", daemon=True).start()
        return asyncio.wrap_future(asked, loop=loop)

    def _password(self) -> str | None:
        keyring = import_module("keyring")
        try:
            password: str | None = keyring.get_password(SERVICE, self._entry)
        except keyring.errors.NoKeyringError:  # the package is here, and nothing to keep passwords in
            password = None
        logger.debug("the keyring has %s password of %s", "a" if password else "no", self._entry)
        return password
