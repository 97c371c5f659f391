"""Where Claude works on a question: the folder or worktree, and the container."""

from __future__ import annotations

import logging
import shlex
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from channelcoder_lsp.domain.errors import ArgumentsError, WorktreeError
from channelcoder_lsp.domain.records import WorktreeOfSession
from channelcoder_lsp.execution.worktree import Worktrees, current_worktree
from channelcoder_lsp.library.contained import made_ready

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from channelcoder_lsp.domain.container import ContainerRun
    from channelcoder_lsp.execution.worktree import Worktree
    from channelcoder_lsp.library.asking import Asking, WorktreeOptions
    from channelcoder_lsp.services.session import Session

logger = logging.getLogger(__name__)


@asynccontextmanager
async def folder_for(session: Session, wanted: Asking, own: Path) -> AsyncIterator[Path]:
    """Where Claude is to work, for as long as the question takes: see :func:`folder_of`.

    A worktree that was made for this question alone is removed in the end, unless it holds uncommitted work.

    Raises:
        WorktreeError: it can't be made, or the session's is gone.
    """
    before = session.head.channelcoder.worktree
    made = await _worktree(session, wanted.worktree, own) if wanted.worktree is not None else None
    try:
        yield await folder_of(session, wanted, own)
    finally:
        if made is not None and made.made and (wanted.worktree or {}).get("cleanup"):
            try:
                await Worktrees(own).remove(made.path)
            except WorktreeError as problem:
                logger.warning("%s", problem)
            else:
                await session.work_in(before)


async def folder_of(session: Session, wanted: Asking, own: Path) -> Path:
    """Where Claude is to work: in the worktree that the session names, else in ``own``.

    Args:
        session: the session.
        wanted: the question.
        own: the folder of whoever asks.

    Raises:
        WorktreeError: the session's is gone.
    """
    if wanted.cwd is not None:
        return wanted.cwd
    if (kept := session.head.channelcoder.worktree) is None:
        return current_worktree() or own
    if not await anyio.Path(kept.path).is_dir():
        raise WorktreeError(
            f"The worktree {kept.path} of this session is gone. Bring it back with "
            f"`git worktree add {shlex.quote(kept.path)} {shlex.quote(kept.branch)}`, or name another."
        )
    return Path(kept.path)


async def _worktree(session: Session, named: WorktreeOptions, own: Path) -> Worktree:
    """The worktree that is named, which the session keeps."""
    where = named.get("path")
    made = await Worktrees(own).ensure(
        named["branch"],
        base=named.get("base"),
        path=Path(where) if where is not None else None,
        create=named.get("create", False),
    )
    await session.work_in(WorktreeOfSession(branch=named["branch"], path=str(made.path)))
    return made


async def container_of(
    session: Session, wanted: Asking, folder: Path, *, trusts: Callable[[Path], bool]
) -> ContainerRun | None:
    """The container that the question or the session names, ready to be started.

    Args:
        session: the session, which keeps the container that is named.
        wanted: the question.
        folder: the folder that Claude works in.
        trusts: whether the user trusts a folder.

    Raises:
        ArgumentsError: something that was chosen is of no use in a container.
        ContainerError: it can't be had.
    """
    if wanted.leaves_container:
        await session.work_inside(None)
    container = wanted.container or session.head.channelcoder.container
    if container is None:
        return None
    if wanted.options.mcp_config is not None:
        raise ArgumentsError("mcp_config: a container does not see the file. Leave one of them out.")
    may_build = wanted.trust or trusts(folder)
    run = await made_ready(container, folder, named=wanted.container is not None, trusted=may_build)
    await session.work_inside(container)
    return run
