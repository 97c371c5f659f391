"""Asking in the background: the run goes on when the program that began it has ended."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from channelcoder_lsp.domain.errors import ArgumentsError
from channelcoder_lsp.execution.background import Detached, runs, start
from channelcoder_lsp.settings import state_folder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from channelcoder_lsp.domain.storage import SessionStorage
    from channelcoder_lsp.library.asking import Options

MODULE = "channelcoder_lsp.library.detached_run"
_NOT_THERE = ("output", "dry_run")


async def begin(
    prompt: str | Path,
    options: Options,
    *,
    log_file: str | Path | None,
    stream: bool,
    cwd: Path,
    session: str | None = None,
    storage: SessionStorage | None = None,
    resume: str | None = None,
) -> Detached:
    """Start asking in the background.

    Args:
        prompt: the text, or the path of a prompt file.
        options: what was chosen.
        log_file: the file that the answer is added to; None: one of its own, in the state folder.
        stream: write the answer as it comes, not at its end.
        cwd: the folder that Claude works in, if neither an option nor the session names another.
        session: the stored session to ask in; None: none is left.
        storage: where that is; None: where the settings say.
        resume: without a session: the Claude session to go on with.

    Raises:
        ArgumentsError: something can't be taken along to another process.
        StorageNotWritableError: the state folder can't be written.
    """
    if unfit := [name for name in _NOT_THERE if options.get(name)]:
        raise ArgumentsError(f"{unfit[0]}: it can't be had from a run in the background. Leave it out.")
    url: str | None = getattr(storage, "url", None)
    if storage is not None and url is None:
        raise ArgumentsError(
            "storage: a run in the background opens it by its URL, and this one has none. Let the setting `storage` "
            "name the place, or ask with claude() or stream()."
        )
    task = {
        "prompt": str(prompt),
        "file": isinstance(prompt, Path),
        "options": dict(options),
        "cwd": str(cwd),
        "session": session,
        "storage": url,  # with its password, which so is seen neither among the processes nor in a file
        "resume": resume,
        "stream": stream,
        "here": str(Path.cwd()),
    }
    try:
        carried = json.loads(json.dumps(task, default=_as_text))
    except (TypeError, ValueError) as problem:
        raise ArgumentsError(f"data: it can't be taken along to another process: {problem}.") from problem
    return await asyncio.to_thread(
        start,
        MODULE,
        carried,
        folder=folder(),
        log=Path(log_file) if log_file is not None else None,
        session=session,
        question=str(prompt),
    )


def detached_runs() -> Sequence[Detached]:
    """The runs in the background that are remembered, those that ended within a month, too; the newest first."""
    return runs(folder())


def folder() -> Path:
    """Where runs are remembered, and where their logs are."""
    return state_folder() / "detached"


def _as_text(value: Any) -> str:
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{value!r} is no JSON")
