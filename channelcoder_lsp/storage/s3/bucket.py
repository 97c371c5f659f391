"""The one way to the bucket: within bounds of time, and with errors in our words."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import obstore
from anyio import fail_after
from obstore.exceptions import AlreadyExistsError, BaseError, InvalidPathError, NotModifiedError, PreconditionError

from channelcoder_lsp.domain.errors import StorageError, StorageUnreachableError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

TIMEOUT_SECONDS = 15.0
"""What one request may take at most, with what the client does to repeat it."""
AT_ONCE = 32
"""Requests that are sent without waiting for each other."""
COLLISIONS = 100
"""How often others may be faster before something must be wrong."""
_LONGEST = 300
"""Characters of what a server says that are told on."""


@dataclass(frozen=True)
class Found:
    """An object as it was read."""

    data: bytes
    e_tag: str
    modified: datetime


@dataclass(frozen=True)
class Listed:
    """An object as it is listed."""

    path: str
    e_tag: str
    modified: datetime


class Bucket:
    """Reads and writes objects whose paths begin with a prefix.

    Args:
        store: an obstore store, made for the bucket.
        address: where that is, for people: without credentials.
        prefix: what all paths begin with; empty, or with a slash at its end.
    """

    def __init__(self, store: Any, address: str, prefix: str) -> None:
        self._store = store
        self._prefix = prefix
        self._places = asyncio.Semaphore(AT_ONCE)
        self.address = address

    def expect_an_end(self, lost: int) -> None:
        """End the tries to change an object that others were always faster with.

        Args:
            lost: how many tries there were.

        Raises:
            StorageUnreachableError: there were so many that something must be wrong.
        """
        if lost > COLLISIONS:
            raise StorageUnreachableError(
                f"The bucket at {self.address} refused a change {lost} times, as if others were faster each time. It "
                "may be too busy, or not keep to If-Match."
            )

    async def get(self, path: str, unless: Found | None = None) -> Found | None:
        """An object; None: there is none.

        Args:
            path: the object's.
            unless: what was read before: itself is returned when nothing has changed since.

        Raises:
            StorageUnreachableError: the bucket is away, too slow, or refuses (so in all that follows).
        """
        options: Any = {"if_none_match": unless.e_tag} if unless is not None else None
        with self._visiting():
            try:
                async with self._places:
                    result = await obstore.get_async(self._store, self._prefix + path, options=options)
                    data = bytes(await result.bytes_async())
            except NotModifiedError:
                return unless
            except FileNotFoundError as problem:
                self._expect_bucket(problem)
                return None
        meta = result.meta
        return Found(data, _e_tag(meta["e_tag"]), meta["last_modified"])

    async def put(self, path: str, data: bytes) -> None:
        """Write an object, in place of what may be there."""
        with self._visiting():
            async with self._places:
                await obstore.put_async(self._store, self._prefix + path, data, use_multipart=False)

    async def put_if(self, path: str, data: bytes, e_tag: str | None) -> str | None:
        """Write an object if the one that is there is as it was read, or if there is none.

        Args:
            path: the object's.
            data: what to write.
            e_tag: the tag of what was read; None: nothing may be there.

        Returns:
            The new tag; None: it is not as it was. That is also heard when the request came through, its answer was
            lost, and the client sent it once more: who writes finds out by what is in the object now.
        """
        mode: Any = "create" if e_tag is None else {"e_tag": e_tag}
        with self._visiting():
            try:
                async with self._places:
                    result = await obstore.put_async(self._store, self._prefix + path, data, mode=mode)
            except (AlreadyExistsError, PreconditionError):
                return None
            except FileNotFoundError as problem:  # what some servers say when there is nothing to match
                self._expect_bucket(problem)
                return None
        return _e_tag(result["e_tag"])

    async def list(self, folder: str, after: str = "") -> Sequence[Listed]:
        """The objects of a folder (with a slash at its end), in the order of their names.

        Args:
            folder: its path.
            after: the name in the folder that those wanted come after.
        """
        offset = f"{self._prefix}{folder}{after}" if after else None
        with self._visiting():
            async with self._places:
                stream = obstore.list(self._store, self._prefix + folder.rstrip("/"), offset=offset)
                found = cast("list[dict[str, Any]]", await stream.collect_async())
        cut = len(self._prefix)
        listed = [Listed(each["path"][cut:], _e_tag(each["e_tag"]), each["last_modified"]) for each in found]
        return sorted(listed, key=lambda each: each.path)

    async def folders(self, folder: str) -> Sequence[str]:
        """The names of the folders in a folder."""
        with self._visiting():
            async with self._places:
                found = await obstore.list_with_delimiter_async(self._store, self._prefix + folder.rstrip("/"))
        return [prefix.rstrip("/").rpartition("/")[2] for prefix in found["common_prefixes"]]

    async def delete(self, paths: Iterable[str]) -> None:
        """Remove objects, some of which may have gone."""
        wanted = [self._prefix + path for path in paths]
        if not wanted:
            return
        with self._visiting():
            try:
                async with self._places:
                    await obstore.delete_async(self._store, wanted)
            except FileNotFoundError as problem:
                self._expect_bucket(problem)

    def _expect_bucket(self, problem: Exception) -> None:
        if "NoSuchBucket" in str(problem):
            raise StorageUnreachableError(
                f"There is no bucket at {self.address}. Make it first, or correct the storage's URL."
            ) from problem

    @contextmanager
    def _visiting(self) -> Iterator[None]:
        """Bound the time, and tell errors in our words."""
        try:
            with fail_after(TIMEOUT_SECONDS):
                yield
        except TimeoutError as problem:
            raise StorageUnreachableError(
                f"The bucket at {self.address} did not answer in {TIMEOUT_SECONDS:.0f} seconds. It may be busy or "
                "unreachable."
            ) from problem
        except InvalidPathError as problem:
            raise StorageError(f"The bucket at {self.address} can't be used: {_said(problem)}.") from problem
        except (OSError, BaseError) as problem:
            self._expect_bucket(problem)
            raise StorageUnreachableError(
                f"The bucket at {self.address} can't be used: {_said(problem)}. Check that it is there, and that the "
                "credentials may use it."
            ) from problem


def _e_tag(given: str | None) -> str:
    if not given:
        raise StorageError("This bucket's server gives no ETags. Sessions can't be kept there.")
    return given


def _said(problem: Exception) -> str:
    """What went wrong: the first line, which has no credentials in it and nothing of what was sent."""
    return (str(problem).strip() or type(problem).__name__).splitlines()[0][:_LONGEST].rstrip(".: ")
