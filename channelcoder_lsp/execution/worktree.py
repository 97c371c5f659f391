"""Git worktrees: a branch in a folder of its own, beside the main repository (session guide, "Sessions + Worktrees").

A worktree that is there is used again; one that was made for a while is removed after it, unless it holds work that
is not committed. Worktrees are always siblings of the main repository, never nested in another worktree.
"""

from __future__ import annotations

import logging
import os
import re
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import anyio.to_thread

from channelcoder_lsp.domain.errors import RepositoryError, WorktreeError
from channelcoder_lsp.execution.git_process import Git

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

logger = logging.getLogger(__name__)

_MARK = "channelcoder"
"""A file of this name in a worktree's own Git folder says that it was made here, and may be cleaned up."""
_NOT_IN_NAMES = re.compile(r'[/\\:*?"<>|\s]+')
_CHECKOUT_SECONDS = 600.0

_current: ContextVar[Path | None] = ContextVar("worktree", default=None)


@dataclass(frozen=True)
class Worktree:
    """One worktree of a repository.

    Args:
        path: its folder.
        branch: the branch that is checked out; None for a detached one.
        commit: what is checked out.
        main: whether it is the repository itself.
        made: whether the call that returned it made it.
    """

    path: Path
    branch: str | None = None
    commit: str | None = None
    main: bool = False
    made: bool = False

    @property
    def there(self) -> bool:
        """Whether its folder exists; Git remembers worktrees whose folder was deleted."""
        return self.path.is_dir()


class Worktrees:
    """The worktrees of the repository that a folder is in.

    Hooks of the repository are not run; filters are, since a checkout without them would be wrong.

    Args:
        folder: any folder of the repository or of one of its worktrees.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = (folder or Path.cwd()).resolve()
        self._git = Git(self._folder, seconds=_CHECKOUT_SECONDS)

    async def list(self) -> list[Worktree]:
        """All worktrees, the main one first.

        Raises:
            RepositoryError: the folder is in no repository.
        """
        said = await self._git("worktree", "list", "--porcelain", "-z")
        found: list[Worktree] = []
        for entry in said.output.split(b"\0\0"):
            facts = dict(_fact(line) for line in entry.split(b"\0") if line)
            if "worktree" in facts:
                branch = facts.get("branch", "").removeprefix("refs/heads/") or None
                found.append(Worktree(Path(facts["worktree"]), branch, facts.get("HEAD"), main=not found))
        return found

    async def current(self) -> Worktree | None:
        """The worktree that the folder is in, the main one included."""
        holding = [one for one in await self.list() if self._folder.is_relative_to(one.path.resolve())]
        return max(holding, key=lambda one: len(one.path.parts), default=None)

    async def find(self, branch: str) -> Worktree | None:
        """The worktree that has ``branch`` checked out."""
        return next((one for one in await self.list() if one.branch == branch), None)

    async def exists(self, branch: str) -> bool:
        """Whether a worktree has ``branch`` checked out."""
        return await self.find(branch) is not None

    async def ensure(
        self, branch: str, *, base: str | None = None, path: Path | None = None, create: bool = False
    ) -> Worktree:
        """The worktree for ``branch``, made if there is none.

        Args:
            branch: the branch; one that isn't there is made from ``base``.
            base: a branch or commit; None: what the main worktree has checked out.
            path: where to make it; None: beside the main repository, named after it and the branch.
            create: refuse when there is one already.

        Raises:
            WorktreeError: it can't be made; the message says why.
            RepositoryError: the folder is in no repository.
        """
        await self._check_name(branch)
        worktrees = await self.list()
        found = next((one for one in worktrees if one.branch == branch), None)
        if found is not None:
            if create:
                raise WorktreeError(
                    f"There is a worktree for {branch!r} at {found.path} already. Use it, or remove it."
                )
            if found.there:
                return found
            await self._git("worktree", "prune")
        main = worktrees[0].path
        where = _absolute(path) if path is not None else _beside(main, branch)
        return await self._add(branch, base, where, [one.path for one in worktrees[1:] if one.there])

    async def remove(self, which: str | Path, *, force: bool = False) -> None:
        """Remove a worktree; its branch stays.

        Args:
            which: its branch, or its path.
            force: also when it holds changes that are not committed, which are lost then.

        Raises:
            WorktreeError: there is none, it is the main one, or it holds uncommitted work.
        """
        worktrees = await self.list()
        found = next((one for one in worktrees if one.branch == str(which)), None)
        found = found or next((one for one in worktrees if _same(one.path, which)), None)
        if found is None:
            names = ", ".join(one.branch or str(one.path) for one in worktrees[1:]) or "none"
            raise WorktreeError(f"There is no worktree {str(which)!r}. There are: {names}.")
        if found.main:
            raise WorktreeError(f"{found.path} is the repository itself, not a worktree of it. It is not removed.")
        if not found.there:
            await self._git("worktree", "prune")
            return
        try:
            await self._git("worktree", "remove", *(["--force"] if force else []), "--", str(found.path))
        except RepositoryError as problem:
            if "modified or untracked" in str(problem):
                raise WorktreeError(
                    f"The worktree {found.path} holds changes that are not committed. Commit them, or remove it with "
                    "force."
                ) from problem
            raise WorktreeError(f"The worktree {found.path} can't be removed: {problem}") from problem

    async def cleanup(self, *, dry_run: bool = False) -> Sequence[Path]:
        """Remove the worktrees that were made here and hold no uncommitted work.

        Args:
            dry_run: only say which.

        Returns:
            The paths of those that were, or would be, removed.
        """
        removed = []
        for one in (await self.list())[1:]:
            if not one.there or not await self._made_here(one) or await self._has_work(one):
                continue
            if not dry_run:
                await self.remove(one.path)
            removed.append(one.path)
        return removed

    async def _add(self, branch: str, base: str | None, where: Path, others: Sequence[Path]) -> Worktree:
        if any(_within(where, other) for other in others):
            raise WorktreeError(f"{where} lies in another worktree. Worktrees are not nested; choose another path.")
        if await anyio.to_thread.run_sync(_taken, where):
            raise WorktreeError(f"{where} is there already and not empty. Choose another path, or remove it.")
        known = await self._git("rev-parse", "--verify", "--quiet", f"refs/heads/{branch}", also=(1,))
        arguments = ["worktree", "add"]
        if known.code:
            arguments += ["-b", branch, "--", str(where)]
            if base is not None:
                if base.startswith("-"):
                    raise WorktreeError(f"{base!r} can't be a branch or a commit.")
                arguments.append(base)
        else:
            arguments += ["--", str(where), branch]
        try:
            await self._git(*arguments)
        except RepositoryError as problem:
            raise WorktreeError(f"The worktree for {branch!r} can't be made at {where}: {problem}") from problem
        made = await self.find(branch)
        if made is None:
            raise WorktreeError(f"Git made no worktree for {branch!r}. `git worktree list` shows what there is.")
        (await self._own_folder(made) / _MARK).touch()
        return Worktree(made.path, made.branch, made.commit, made=True)

    async def _check_name(self, branch: str) -> None:
        said = await self._git("check-ref-format", f"refs/heads/{branch}", also=(1,))
        if said.code or branch.startswith("-"):
            raise WorktreeError(f"{branch!r} can't be the name of a branch. Choose one such as feature/login.")

    async def _own_folder(self, one: Worktree) -> Path:
        return Path((await Git(one.path)("rev-parse", "--absolute-git-dir")).text)

    async def _made_here(self, one: Worktree) -> bool:
        try:
            return (await self._own_folder(one) / _MARK).exists()
        except RepositoryError as problem:
            logger.warning("%s: %s", one.path, problem)
            return False

    async def _has_work(self, one: Worktree) -> bool:
        return bool((await Git(one.path)("status", "--porcelain", "-z", "--ignore-submodules=none")).output)


def current_worktree() -> Path | None:
    """The folder of the innermost :func:`worktree` that this task is in."""
    return _current.get()


@asynccontextmanager
async def worktree(
    branch: str,
    *,
    base: str | None = None,
    path: Path | None = None,
    cleanup: bool = True,
    create: bool = False,
    cwd: Path | None = None,
) -> AsyncIterator[Worktree]:
    """Work in the worktree for ``branch`` for as long as the context is.

    Args:
        branch: see :meth:`Worktrees.ensure`, as are ``base``, ``path`` and ``create``.
        base: what a new branch begins with.
        path: where to make it.
        cleanup: remove the worktree in the end if it was made here and holds no uncommitted work.
        create: refuse when there is one already.
        cwd: a folder of the repository; None: the current one.

    Raises:
        WorktreeError, RepositoryError: it can't be had.
    """
    worktrees = Worktrees(cwd)
    found = await worktrees.ensure(branch, base=base, path=path, create=create)
    token = _current.set(found.path)
    try:
        yield found
    finally:
        _current.reset(token)
        if cleanup and found.made:
            try:
                await worktrees.remove(found.path)
            except WorktreeError as problem:
                logger.warning("%s", problem)


def _fact(line: bytes) -> tuple[str, str]:
    key, _, value = line.partition(b" ")
    return key.decode(), os.fsdecode(value)


def _beside(main: Path, branch: str) -> Path:
    return main.parent / f"{main.name}-{_NOT_IN_NAMES.sub('-', branch)}"


def _absolute(path: str | Path) -> Path:
    return Path(os.path.abspath(path))  # noqa: PTH100 - keeps links


def _same(path: Path, other: str | Path) -> bool:
    return path.resolve() == _absolute(other).resolve()


def _within(path: Path, other: Path) -> bool:
    return path.resolve().is_relative_to(other.resolve())


def _taken(path: Path) -> bool:
    try:
        return path.exists() and (not path.is_dir() or any(path.iterdir()))
    except OSError:
        return True
