"""Asking once: ``claude()``, ``stream()``. No session is left."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from channelcoder_lsp.domain.errors import ArgumentsError, SessionNotFoundError
from channelcoder_lsp.execution.worktree import current_worktree
from channelcoder_lsp.library.asking import asking
from channelcoder_lsp.library.detached import begin
from channelcoder_lsp.library.folder import active_session, project
from channelcoder_lsp.library.session import Session

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from typing_extensions import Unpack

    from channelcoder_lsp.domain.session import SessionInfo, SessionState
    from channelcoder_lsp.execution.background import Detached
    from channelcoder_lsp.library.asking import Options
    from channelcoder_lsp.library.interactive import Interactive
    from channelcoder_lsp.library.results import Chunk, Result


class _Nowhere:
    """A storage that keeps nothing."""

    async def save(self, _state: SessionState, name: str | None = None) -> str:
        return name or ""

    async def load(self, name_or_path: str) -> SessionState:
        raise SessionNotFoundError(name_or_path)

    async def list(self) -> list[SessionInfo]:
        return []


async def claude(
    prompt: str | Path, *, resume: str | None = None, continue_: bool = False, **options: Unpack[Options]
) -> Result:
    """Ask once, and wait for the whole answer.

    Args:
        prompt: the text, or the path of a prompt file.
        resume: the id of a Claude session to go on with.
        continue_: ask in the session that editors use in this folder, which is kept.
        **options: see :class:`~channelcoder_lsp.library.asking.Options`.

    Raises:
        ArgumentsError, PromptError: nothing was asked, since something does not fit.
    """
    async with await _session(resume, options.get("cwd"), continue_=continue_) as session:
        return await session.claude(prompt, **options)


run = claude


async def stream(
    prompt: str | Path, *, resume: str | None = None, continue_: bool = False, **options: Unpack[Options]
) -> AsyncIterator[Chunk]:
    """Ask once, and take the answer as it comes: see :func:`claude`, and :meth:`Session.stream`."""
    async with await _session(resume, options.get("cwd"), continue_=continue_) as session:
        async for chunk in session.stream(prompt, **options):
            yield chunk


async def interactive(
    prompt: str | Path | None = None,
    *,
    resume: str | None = None,
    continue_: bool = False,
    **options: Unpack[Options],
) -> Interactive:
    """Hand the terminal to the real ``claude``; no session of ours is left, but Claude Code's own is.

    Args:
        prompt: what is asked at once, or the path of a prompt file; None: nothing.
        resume: the id of a Claude session to go on with.
        continue_: do it in the session that editors use in this folder, which is kept.
        **options: see :meth:`Session.interactive`.
    """
    async with await _session(resume, options.get("cwd"), continue_=continue_) as session:
        return await session.interactive(prompt, **options)


async def detached(
    prompt: str | Path,
    *,
    log_file: str | Path | None = None,
    stream: bool = False,
    resume: str | None = None,
    continue_: bool = False,
    **options: Unpack[Options],
) -> Detached:
    """Ask once in the background; the answer is in the log, and no session is left.

    Args:
        prompt: see :func:`claude`.
        log_file: the file that the answer is added to; None: one of its own, which the result names.
        stream: write the answer as it comes.
        resume: the id of a Claude session to go on with.
        continue_: ask in the session that editors use in this folder, which is kept.
        **options: see :class:`~channelcoder_lsp.library.asking.Options`.

    Raises:
        ArgumentsError, PromptError, SessionError: something does not fit, so nothing was begun.
        StorageNotWritableError: the state folder can't be written.
    """
    if continue_:
        async with await _session(resume, options.get("cwd"), continue_=True) as session:
            return await session.detached(prompt, log_file=log_file, stream=stream, **options)
    asking(prompt, options, goes_on=resume is not None)
    cwd = current_worktree() or Path.cwd()
    return await begin(prompt, options, log_file=log_file, stream=stream, cwd=cwd, resume=resume)


async def _session(resume: str | None, cwd: str | Path | None, *, continue_: bool) -> Session:
    if not continue_:
        return once(resume, cwd)
    if resume is not None:
        raise ArgumentsError("continue_: another session to go on with is named by resume. Leave one of them out.")
    return await active_session(project(Path(cwd) if cwd is not None else None))


def once(resume: str | None = None, cwd: str | Path | None = None) -> Session:
    """A session that is kept nowhere.

    Args:
        resume: the id of a Claude session to go on with.
        cwd: the folder that Claude works in.
    """
    session = Session(storage=_Nowhere(), auto_save=False, cwd=cwd)
    if resume is not None:
        session.set_id(resume)
    return session
