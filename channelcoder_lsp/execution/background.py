"""Runs that go on after the process that began them: which there are, where their logs are, how they ended.

Each has two small files in the state folder: one that its starter writes, one that it writes itself at its end. So
neither ever overwrites what the other knows.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from pydantic import ValidationError

from channelcoder_lsp.domain.errors import ArgumentsError, StorageNotWritableError
from channelcoder_lsp.domain.model import Model, Timestamp, now
from channelcoder_lsp.services.owner import is_alive, owner_of

if TYPE_CHECKING:
    from collections.abc import Mapping

logger = logging.getLogger(__name__)

KEPT = timedelta(days=30)
"""How long it is remembered that a run has ended."""
_POLL_SECONDS = 0.1
# Where the child starts: `-m` looks for modules there first, and the current folder may be anybody's.
_ROOT = Path(__file__).resolve().parents[2]


class _Begun(Model):
    """What the starter writes."""

    pid: int
    owner: str
    log: str
    session: str | None = None
    question: str = ""
    started: Timestamp


class _Ended(Model):
    """What the run writes at its end."""

    code: int
    finished: Timestamp


@dataclass(frozen=True)
class Detached:
    """A run in the background, as it was when it was looked at.

    Args:
        id: its own.
        pid: its process.
        log: the file that it writes to.
        session: the session that it asks in, if that is kept.
        question: the beginning of what is asked.
        started: when it began.
        running: whether it was still at work.
        code: how it ended: 0 well, 1 with an error that the log tells, 130 ended from outside; None: it is at work, or
            it was killed.
    """

    id: str
    pid: int
    log: Path
    session: str | None
    question: str
    started: datetime
    running: bool
    code: int | None
    folder: Path

    def now(self) -> Detached:
        """The same run, as it is by now."""
        return _read(self.folder / f"{self.id}.json") or self

    async def wait(self) -> Detached:
        """Wait for its end."""
        run = self.now()
        while run.running:
            await asyncio.sleep(_POLL_SECONDS)
            run = self.now()
        return run


def start(
    module: str, task: Mapping[str, Any], *, folder: Path, log: Path | None, session: str | None, question: str
) -> Detached:
    """Start a Python module in the background, in a process group of its own.

    Args:
        module: its name; it reads the task from its standard input, and calls :func:`ended` at its end.
        task: what it is to do, as JSON. Nobody sees it among the system's processes.
        folder: where runs are remembered.
        log: the file that its output is added to; None: one of its own in ``folder``.
        session: the session it works for.
        question: what is asked, for the list.

    Raises:
        ArgumentsError: the log can't be written.
        StorageNotWritableError: ``folder`` can't be.
    """
    _forget(folder)
    run_id = uuid4().hex
    path = folder / f"{run_id}.log" if log is None else log.resolve()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as problem:
        raise StorageNotWritableError(f"{folder} can't be written: {problem.strerror}. Make it writable.") from problem
    try:
        output = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    except OSError as problem:
        raise ArgumentsError(f"log: {path} can't be written: {problem.strerror}. Choose another file.") from problem
    try:
        child = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", module],
            cwd=_ROOT,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    finally:
        os.close(output)
    begun = _Begun(
        pid=child.pid,
        owner=owner_of(child.pid),
        log=str(path),
        session=session,
        question=" ".join(question.split())[:200],
        started=now(),
    )
    file = folder / f"{run_id}.json"
    _write(file, begun)
    if child.stdin is not None:
        try:
            child.stdin.write(json.dumps({**task, "end": str(file.with_suffix(".end"))}).encode())
            child.stdin.close()
        except BrokenPipeError:
            logger.warning("the run %s ended before it was told what to do; %s says why", run_id, path)
    # Its end is waited for as long as we live, so that it does not stay as a zombie.
    threading.Thread(target=child.wait, name=f"detached {child.pid}", daemon=True).start()
    return _read(file) or _as_begun(file, begun, running=True)


def ended(end: Path, code: int) -> None:
    """Note that this process's run has ended.

    Args:
        end: the file that :func:`start` named in the task as ``end``.
        code: how.
    """
    _write(end, _Ended(code=code, finished=now()))


def runs(folder: Path) -> list[Detached]:
    """The runs that are remembered, the newest first."""
    found = [run for file in folder.glob("*.json") if (run := _read(file)) is not None]
    return sorted(found, key=lambda run: run.started, reverse=True)


def _read(file: Path) -> Detached | None:
    try:
        begun = _Begun.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as problem:
        logger.warning("%s can't be read: %s", file, problem)
        return None
    # Looked at in this order, a run that ends meanwhile is seen as one that has ended.
    running = is_alive(begun.owner)
    try:
        code = _Ended.model_validate_json(file.with_suffix(".end").read_bytes()).code
    except (OSError, ValidationError):
        return _as_begun(file, begun, running=running)
    return _as_begun(file, begun, running=False, code=code)


def _as_begun(file: Path, begun: _Begun, *, running: bool, code: int | None = None) -> Detached:
    return Detached(
        id=file.stem,
        pid=begun.pid,
        log=Path(begun.log),
        session=begun.session,
        question=begun.question,
        started=begun.started,
        running=running,
        code=code,
        folder=file.parent,
    )


def _write(file: Path, value: Model) -> None:
    new = file.with_suffix(f"{file.suffix}.{os.getpid()}")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as written:
        written.write(value.to_json())
    new.replace(file)


def _forget(folder: Path) -> None:
    """Drop what is known of runs that ended long ago, and the logs that are ours."""
    for run in runs(folder):
        if not run.running and now() - run.started > KEPT:
            for suffix in (".json", ".end", ".log"):
                (folder / f"{run.id}{suffix}").unlink(missing_ok=True)
