"""What to do with a session that can't be read: keep it aside, and go on with what could be read of it."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING
from uuid import uuid4

from channelcoder_lsp.domain.errors import SessionCorruptError
from channelcoder_lsp.domain.session import SessionState
from channelcoder_lsp.services.locks import locked
from channelcoder_lsp.storage.file.disk import Stamp, copy_aside, remove, sync_folder
from channelcoder_lsp.storage.file.lines import Header
from channelcoder_lsp.storage.file.reading import Capture, captured, merge, read_snapshot
from channelcoder_lsp.storage.file.recall import fill, remembered
from channelcoder_lsp.storage.file.writing import install_whole

if TYPE_CHECKING:
    from channelcoder_lsp.storage.file.names import SessionFiles

log = logging.getLogger(__name__)


def rescue(files: SessionFiles, error: SessionCorruptError) -> SessionCorruptError:
    """Set aside what can't be read, put in its place what could be saved, and say so.

    Args:
        files: the session's.
        error: how it was noticed.

    Returns:
        The error to raise: what was wrong, where it is now, what to do.
    """
    try:
        with locked(files.lock):
            done = _rescue(files)
    except OSError as problem:
        done = f"It could not be set aside either ({problem}); it was not touched."
    told = SessionCorruptError(f"{error} {done}")
    log.error("%s", told)
    return told


def _rescue(files: SessionFiles) -> str:
    with captured(files) as capture:
        parsed = capture.lines()
        state = _snapshot(capture)
        if state is not None and not parsed.problem:
            return "It was mended meanwhile; open it again."
        aside = []
        if lost := state is None:
            aside.append(files.aside())
            copy_aside(files.snapshot, aside[-1])
            state = SessionState()
            if (head := remembered(files)) is not None:
                state.metadata = head.metadata
                fill(state, head)
        if parsed.problem:
            aside.append(files.aside())
            copy_aside(files.journal, aside[-1])
        sync_folder(files.folder)
        old = capture.header or Header(uuid4().hex, 0, capture.stamp)
    merge(state, parsed.records, edited=False)
    state.channelcoder.seq = max(state.channelcoder.seq, old.seq)
    kept = " and ".join(path.name for path in aside)
    if lost and not state.messages and not state.turns:
        for path in (files.snapshot, files.journal, files.index):
            remove(path)
        sync_folder(files.folder)
        return f"It was set aside as {kept} in {files.folder}. Nothing of it could be read; start a new session."
    install_whole(files, state, Header(old.session, 0, Stamp(0, 0, 0), edits=old.edits + 1))
    return (
        f"It was set aside as {kept} in {files.folder}, and the session goes on with the "
        f"{len(state.messages)} messages that could be read. Open it again."
    )


def _snapshot(capture: Capture) -> SessionState | None:
    with suppress(SessionCorruptError):
        return read_snapshot(capture)
    return None
