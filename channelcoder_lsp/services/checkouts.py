"""Folders on this machine: how they are known, which session is active in each, and which are trusted."""

from __future__ import annotations

import hashlib
import logging
import os
import re
import tempfile
from contextlib import aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from channelcoder_lsp.domain.errors import StorageNotWritableError
from channelcoder_lsp.services.locks import FileLock, locked
from channelcoder_lsp.services.watching import changed_files

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator

logger = logging.getLogger(__name__)

_TRUSTED_FILES = ("CLAUDE.md", "CLAUDE.local.md", ".mcp.json", ".claude", ".channelcoder")
_USED_IF_TRUSTED = (
    "CLAUDE.md",
    ".claude/CLAUDE.md",
    ".claude/rules",
    ".claude/settings.json",
    ".claude/settings.local.json",
    ".channelcoder/prompts",
)
"""What is used of a folder that is trusted, and else left out."""
_HASH_IN_NAMES = 6


@dataclass(frozen=True)
class Checkout:
    """One folder on one machine, known by its canonical real path."""

    root: Path

    @classmethod
    def of(cls, folder: Path) -> Checkout:
        """The checkout of ``folder``: links resolved, the drive letter in lower case, the case as on disk."""
        real = Path(os.path.realpath(folder))
        return cls(Path(_canonical(str(real))))

    @property
    def key(self) -> str:
        """A file name for it: a readable prefix and the whole hash of its path."""
        digest = hashlib.sha256(os.fsencode(self.root)).hexdigest()
        return f"{self.slug}-{digest}"

    @property
    def slug(self) -> str:
        """Its folder's name, as far as it can be part of a session's name."""
        return re.sub(r"[^A-Za-z0-9_.-]+", "-", self.root.name).strip("-.")[:40] or "root"

    def session_names(self) -> Iterable[str]:
        """Names for sessions of this checkout, the plainest first."""
        base = f"{self.slug}-{self.key[-64:][:_HASH_IN_NAMES]}"
        yield base
        number = 2
        while True:
            yield f"{base}-{number}"
            number += 1

    def contains(self, path: Path) -> bool:
        """Whether ``path`` (real, canonical) lies in the folder."""
        return path == self.root or self.root in path.parents


class CheckoutState(BaseModel):
    """What is kept about a checkout, as JSON in the state folder."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="allow")

    path: str
    session: str | None = None
    """The active session's name."""
    shared: str | None = None
    """The name that it had when it was last the same as on the project's other machines."""
    trusted: str | None = None
    """A digest of what was trusted: when it changes, trust ends."""
    left_out: list[str] | None = None
    """What was left out, when the user was last told of it."""


class Checkouts:
    """Remembers, in ``folder`` (the platform's state folder), what there is to remember about checkouts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "checkouts"

    def active_session(self, checkout: Checkout) -> str | None:
        """The name of the session that is active in ``checkout``."""
        return self._read(checkout).session

    def set_active_session(self, checkout: Checkout, name: str | None) -> None:
        """Make the session ``name`` the active one.

        Raises:
            StorageNotWritableError: the state folder can't be written.
        """
        self._update(checkout, session=name)

    def rename_session(self, name: str, new_name: str) -> list[Checkout]:
        """The session ``name`` has another name now: it stays the active one wherever it was, in these folders.

        Raises:
            StorageNotWritableError: the state folder can't be written.
        """
        there = [Checkout(Path(state.path)) for state in self._all() if state.session == name]
        for checkout in there:
            self._update(checkout, session=new_name)
        return there

    def take_shared(self, checkout: Checkout, name: str | None) -> str | None:
        """Have the active session be the one that the project has elsewhere, if that was chosen since.

        Args:
            checkout: the folder.
            name: the session that is active elsewhere; None: none was chosen.

        Returns:
            The session that the others don't know of yet, to be told with :meth:`was_shared` once they do; None: they
            know.

        Raises:
            StorageNotWritableError: the state folder can't be written.
        """
        state = self._read(checkout)
        if name is not None and name != state.shared:
            self._update(checkout, session=name, shared=name)
            return None
        return state.session if name is None or state.session != state.shared else None

    def was_shared(self, checkout: Checkout, name: str) -> None:
        """The others know that the session ``name`` was chosen here.

        Raises:
            StorageNotWritableError: the state folder can't be written.
        """
        self._update(checkout, shared=name)

    @asynccontextmanager
    async def choosing(self, checkout: Checkout) -> AsyncIterator[None]:
        """No other process, and nobody else in this one, is choosing a session for the checkout meanwhile.

        Of several that find none, the first makes one and the others find that.

        Raises:
            StorageNotWritableError: the state folder can't be written.
            StorageError: somebody else has been choosing for half a minute.
        """
        async with self._alone(checkout, ".choosing"):
            yield

    @asynccontextmanager
    async def sharing(self, checkout: Checkout) -> AsyncIterator[None]:
        """Nobody else compares the checkout's active session with that of other machines meanwhile.

        Raises:
            StorageNotWritableError: the state folder can't be written.
            StorageError: somebody else has been at it for half a minute.
        """
        async with self._alone(checkout, ".sharing"):
            yield

    @asynccontextmanager
    async def _alone(self, checkout: Checkout, suffix: str) -> AsyncIterator[None]:
        lock = FileLock(self._file(checkout).with_suffix(suffix))
        try:
            with self._writable(checkout):
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                await lock.wait()
            yield
        finally:
            lock.close()

    async def changes(self) -> AsyncGenerator[None, None]:
        """Tells whenever something is remembered anew, by whatever process; ends with its task.

        Raises:
            OSError, RuntimeError: the state folder can't be watched.
        """
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        async with aclosing(changed_files(self._folder)) as changes:
            async for changed in changes:
                if any(path.suffix == ".json" for path in changed):
                    yield

    def active_sessions(self) -> list[str]:
        """The names of the sessions that are active in any folder, also one that is not there now."""
        return [state.session for state in self._all() if state.session is not None]

    def is_trusted(self, checkout: Checkout) -> bool:
        """Whether the user trusts the folder, and what was trusted is still what is there."""
        trusted = self._read(checkout).trusted
        try:
            return trusted is not None and trusted == _digest(checkout)
        except OSError as problem:
            logger.warning("%s is not trusted, since what was trusted can't be read: %s", checkout.root, problem)
            return False

    def set_trusted(self, checkout: Checkout, *, trusted: bool) -> None:
        """Trust the folder as it is now, or no more.

        Raises:
            StorageNotWritableError: the state folder can't be written.
        """
        digest = _digest(checkout) if trusted else None
        self._update(checkout, trusted=digest, left_out=None)

    def tell_left_out(self, checkout: Checkout) -> str | None:
        """A sentence on what is left out since the folder isn't trusted; None when it was told before, or is nothing.

        It is told again when something else is left out, and when trust ended because the files changed.
        """
        state = self._read(checkout)
        names = [name for name in _USED_IF_TRUSTED if _is_there(checkout.root / name)]
        if not names or state.left_out == names or self.is_trusted(checkout):
            return None
        listed = f"{', '.join(names[:-1])} and {names[-1]} were" if len(names) > 1 else f"{names[0]} was"
        why = "is not trusted" if state.trusted is None else "changed since it was trusted"
        told = f"This folder {why}, so {listed} not used. Trust the folder to have it used."
        logger.warning("%s: %s", checkout.root, told)
        try:
            self._update(checkout, left_out=names)
        except StorageNotWritableError as problem:
            logger.warning("it will be told again: %s", problem)
        return told

    def _all(self) -> list[CheckoutState]:
        found = (self._load(file) for file in sorted(self._folder.glob("*.json")))
        return [state for state in found if state is not None]

    def _file(self, checkout: Checkout) -> Path:
        return self._folder / f"{checkout.key}.json"

    def _read(self, checkout: Checkout) -> CheckoutState:
        return self._load(self._file(checkout)) or CheckoutState(path=str(checkout.root))

    @staticmethod
    def _load(file: Path) -> CheckoutState | None:
        try:
            return CheckoutState.model_validate_json(file.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValidationError) as problem:
            logger.warning("%s can't be read (%s); its folder starts without an active session", file, problem)
            return None

    def _update(self, checkout: Checkout, **changes: str | list[str] | None) -> None:
        """Change what is remembered of a checkout; what other processes change meanwhile stays."""
        file = self._file(checkout)
        with self._writable(checkout):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with locked(file.with_suffix(".lock")):
                state = self._read(checkout).model_copy(update=changes)
                descriptor, temporary = tempfile.mkstemp(dir=self._folder, prefix=f".{checkout.slug}-")
                with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                    stream.write(state.model_dump_json(by_alias=True, exclude_none=True))
                    stream.flush()
                    os.fsync(stream.fileno())
                Path(temporary).replace(file)

    @contextmanager
    def _writable(self, checkout: Checkout) -> Iterator[None]:
        try:
            yield
        except OSError as problem:
            raise StorageNotWritableError(
                f"{self._folder} can't be written ({problem.strerror}), so the active session of "
                f"{checkout.root} can't be remembered. Make the folder writable."
            ) from problem


def _digest(checkout: Checkout) -> str:
    """A digest of everything in the folder that trust gives a say: Claude's instructions and settings."""
    digest = hashlib.sha256()
    for name in _TRUSTED_FILES:
        top = checkout.root / name
        for file in sorted(_files_below(top, set())):
            digest.update(os.fsencode(file.relative_to(checkout.root)) + b"\0")
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # the folder around it can't be looked into: it is there, and can't be used
        return True


def _files_below(path: Path, seen: set[str]) -> Iterator[Path]:
    """``path`` if it is a file, or the files in it: links are followed, as Claude follows them, but not in circles."""
    if path.is_file():
        yield path
    elif path.is_dir() and (real := os.path.realpath(path)) not in seen:
        for inner in path.iterdir():
            yield from _files_below(inner, seen | {real})


def _canonical(path: str) -> str:
    """``path`` with a lower-case drive letter and, where the file system ignores case, the case on disk."""
    if len(path) > 1 and path[1] == ":":
        path = path[0].lower() + path[1:]
    return _case_on_disk(path) if _ignores_case(path) else path


def _ignores_case(path: str) -> bool:
    swapped = path.swapcase()
    try:
        return swapped != path and Path(path).samefile(swapped)
    except OSError:
        return False


def _case_on_disk(path: str) -> str:
    """Each part of ``path`` as its folder lists it."""
    done = Path(path).anchor
    for part in Path(path).parts[1:]:
        try:
            names = os.listdir(done)  # noqa: PTH208 - a string is wanted
        except OSError:
            names = []
        match = part if part in names else next((n for n in names if n.casefold() == part.casefold()), part)
        done = os.path.join(done, match)  # noqa: PTH118 - likewise
    return done
