"""Sessions from files: the guide's JSON, and the transcripts of Claude Code."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from anyio import to_thread

from channelcoder_lsp.domain.errors import SessionError, SessionExistsError
from channelcoder_lsp.services.archive import set_apart
from channelcoder_lsp.services.checkouts import Checkout
from channelcoder_lsp.services.elsewhere import session_of
from channelcoder_lsp.storage.file.loading import load_path

if TYPE_CHECKING:
    from channelcoder_lsp.domain.session import SessionState
    from channelcoder_lsp.domain.storage import JournaledStorage

_TRANSCRIPT = ".jsonl"


async def take_in(storage: JournaledStorage, path: Path, name: str | None, config: Path) -> str:
    """Store the session in a file; the file itself is left as it is.

    Args:
        storage: where to.
        path: a JSON file of ours or of the guide's, or a transcript of Claude Code's (``.jsonl``).
        name: what it is called from now on; None: as in the file, or after it.
        config: the configuration folder of Claude Code.

    Returns:
        The name it has.

    Raises:
        SessionExistsError, SessionNameError: the name is taken, or can't be one.
        SessionError: there is no session in the file.
        StorageError: it can't be read or stored.
    """
    if path.suffix == _TRANSCRIPT:
        state = await _from_transcript(path, name, config)
    else:
        state = await to_thread.run_sync(load_path, str(path))
        state.metadata.name = name or state.metadata.name or path.stem
        set_apart(state)
    wanted = state.metadata.name or path.stem
    try:
        journal = await storage.create(state, wanted)
    except SessionExistsError:
        if name is not None:
            raise
        wanted = state.metadata.name = f"{wanted}-{uuid4().hex[:8]}"
        journal = await storage.create(state, wanted)
    await journal.close()
    return wanted


async def _from_transcript(path: Path, name: str | None, config: Path) -> SessionState:
    from channelcoder_lsp.claude.transcripts import keeps_transcript, read_transcript_file  # noqa: PLC0415 - the SDK

    try:
        found = await read_transcript_file(path)
    except OSError as problem:
        raise SessionError(f"{path} can't be read: {problem.strerror}. Check the path.") from problem
    folder = Checkout.of(Path(found.cwd)) if found.cwd else None
    slug = folder.slug if folder is not None else "claude"
    state = session_of(
        found.turns,
        name=name or f"{slug}-{found.session_id[:8]}",
        checkout=str(folder.root) if folder is not None else None,
        cost_usd=found.cost_usd,
    )
    if not keeps_transcript(config, path):
        # Claude Code does not have it: it is told what was said with the next question.
        state.current_session_id = state.channelcoder.forked_from = None
    return state
