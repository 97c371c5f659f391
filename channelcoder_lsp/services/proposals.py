"""Proposals: made from texts, and what becomes of them in the files as they are now."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from channelcoder_lsp.domain.model import now
from channelcoder_lsp.domain.proposal import FileKind, Proposal, ProposalStatus, ProposedFile
from channelcoder_lsp.domain.text import clamp, split_lines
from channelcoder_lsp.services.fitting import fitted
from channelcoder_lsp.services.hunks import HunkNow, HunkState, hunks_between, hunks_now

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

    from channelcoder_lsp.domain.place import Range
    from channelcoder_lsp.domain.thread import Thread
    from channelcoder_lsp.services.session import Session


@dataclass(frozen=True)
class FileNow:
    """A proposed file, and what the proposal comes to in it as it is now.

    Args:
        file: what is proposed.
        state: of an edited file: open while a change of it is, else stale while one is, else applied.
        hunks: of an edited file: its changes, but for those that were discarded.
        reason: for a stale one why.
    """

    file: ProposedFile
    state: HunkState
    hunks: list[HunkNow] = field(default_factory=list)
    reason: str | None = None

    def hunk(self, index: int) -> HunkNow | None:
        """The change of that number, unless it was discarded."""
        return next((hunk for hunk in self.hunks if hunk.index == index), None)

    def of(self, state: HunkState) -> list[HunkNow]:
        """The changes in that state."""
        return [hunk for hunk in self.hunks if hunk.state is state]


async def propose_replacement(
    session: Session, thread: Thread, lines: Sequence[str], range_: Range, replacement: str
) -> Proposal | None:
    """Propose other code for a part of a document, and keep that in its thread: a finding's replacement.

    Args:
        session: where it is kept.
        thread: the thread that it belongs to; its document is the one that would change.
        lines: the document's lines without their ends.
        range_: what is replaced, in code points.
        replacement: what takes its place, indented like it whatever its own indentation.

    Returns:
        The proposal; None if it changes nothing.

    Raises:
        StorageError: it could not be recorded.
    """
    span = clamp(lines, range_)
    text = fitted(lines, span, replacement) if replacement.strip() else replacement
    head, tail = lines[span.start.line][: span.start.character], lines[span.end.line][span.end.character :]
    put = split_lines(f"{head}{text}{tail}")
    hunks = hunks_between(lines, [*lines[: span.start.line], *put, *lines[span.end.line + 1 :]])
    if not hunks:
        return None
    anchor, finding = thread.anchor, thread.finding
    base = await session.keep_text("\n".join(lines))
    proposal = Proposal(
        turn_id=finding.turn_id if finding is not None else thread.turn_ids[-1],
        thread_id=thread.id,
        files=[ProposedFile(uri=anchor.uri, path=anchor.path, base=base, hunks=hunks)],
    )
    await session.keep_proposal(proposal)
    return proposal


def file_now(file: ProposedFile, base: str | None, lines: Sequence[str] | None) -> FileNow:
    r"""What a proposal comes to in one file.

    Args:
        file: what is proposed.
        base: the text that it is about, ``\n`` between lines; None if there was none, or it is lost.
        lines: the file's lines now; None if there is no file.
    """
    match file.kind:
        case FileKind.CREATE:
            return _created(file, lines)
        case FileKind.DELETE:
            return _deleted(file, base, lines)
    kept = [(index, hunk) for index, hunk in enumerate(file.hunks) if hunk.discarded is None]
    if base is None or lines is None:
        reason = "there is no such file any more" if lines is None else "the text that it was made for is lost"
        stale = [HunkNow(index, hunk, HunkState.STALE, reason=reason) for index, hunk in kept]
        return FileNow(file, HunkState.STALE, stale, reason)
    found = hunks_now([hunk for _, hunk in kept], split_lines(base), lines)
    hunks = [replace(each, index=kept[each.index][0]) for each in found]
    states = [hunk.state for hunk in hunks]
    state = next((one for one in (HunkState.OPEN, HunkState.STALE) if one in states), HunkState.APPLIED)
    return FileNow(file, state, hunks, next((hunk.reason for hunk in hunks if hunk.reason), None))


def _created(file: ProposedFile, lines: Sequence[str] | None) -> FileNow:
    if lines is None:
        return FileNow(file, HunkState.OPEN)
    if list(lines) == new_lines(file):
        return FileNow(file, HunkState.APPLIED)
    return FileNow(file, HunkState.STALE, reason="there is a file of that name now")


def _deleted(file: ProposedFile, base: str | None, lines: Sequence[str] | None) -> FileNow:
    if lines is None:
        return FileNow(file, HunkState.APPLIED)
    if base is not None and split_lines(base) == list(lines):
        return FileNow(file, HunkState.OPEN)
    return FileNow(file, HunkState.STALE, reason="the file was changed since")


def new_lines(file: ProposedFile) -> list[str]:
    """The lines of a file that is to be created."""
    return [line for hunk in file.hunks for line in hunk.lines] or [""]


def with_news(proposal: Proposal, files: Sequence[FileNow]) -> Proposal:
    """``proposal`` with what is applied now noted, as it is to be recorded."""
    seen = {id(each.file): each for each in files}
    changed = [_noted(file, seen.get(id(file))) for file in proposal.files]
    done = [done_by_record(file) for file in changed if file.discarded is None]
    status = ProposalStatus.APPLIED if done and all(done) else ProposalStatus.OPEN
    return proposal.model_copy(update={"files": changed, "status": status})


def believed(file: FileNow, done: Container[int]) -> FileNow:
    """``file`` with the changes of those numbers taken for applied."""
    if file.file.kind is not FileKind.EDIT:
        return replace(file, state=HunkState.APPLIED)
    hunks = [replace(hunk, state=HunkState.APPLIED) if hunk.index in done else hunk for hunk in file.hunks]
    return replace(file, hunks=hunks)


def _noted(file: ProposedFile, news: FileNow | None) -> ProposedFile:
    if news is None:
        return file
    if file.kind is not FileKind.EDIT:
        applied = (file.applied or now()) if news.state is HunkState.APPLIED else None
        return file.model_copy(update={"applied": applied})
    applied_now = {hunk.index for hunk in news.of(HunkState.APPLIED)}
    open_now = {hunk.index for hunk in news.of(HunkState.OPEN)}
    hunks = []
    for index, hunk in enumerate(file.hunks):
        applied = (hunk.applied or now()) if index in applied_now else None if index in open_now else hunk.applied
        hunks.append(hunk.model_copy(update={"applied": applied}))
    return file.model_copy(update={"hunks": hunks})


def done_by_record(file: ProposedFile) -> bool:
    """Whether all that is proposed for a file was applied, as far as was recorded."""
    if file.kind is not FileKind.EDIT:
        return file.applied is not None
    return all(hunk.applied is not None or hunk.discarded is not None for hunk in file.hunks)


def discard(proposal: Proposal, uri: str | None = None, index: int | None = None) -> Proposal:
    """``proposal`` without the change ``index`` of the file ``uri``, without that file, or without anything."""
    at = now()
    files = []
    for file in proposal.files:
        if uri is None or file.uri == uri:
            if index is None:
                file = file.model_copy(update={"discarded": at})  # noqa: PLW2901 - the file as it is from here on
            else:
                hunks = list(file.hunks)
                hunks[index] = hunks[index].model_copy(update={"discarded": at})
                gone = at if all(hunk.discarded for hunk in hunks) else None
                file = file.model_copy(update={"hunks": hunks, "discarded": gone})  # noqa: PLW2901 - likewise
        files.append(file)
    kept = [file for file in files if file.discarded is None]
    status = proposal.status if kept else ProposalStatus.DISCARDED
    if kept and all(map(done_by_record, kept)):
        status = ProposalStatus.APPLIED
    return proposal.model_copy(update={"files": files, "status": status})


def summary(proposal: Proposal) -> str:
    """What is proposed and what became of it, in one line: ``2 changes in shop.py · new.py (new) · applied``."""
    parts = [_file_summary(file) for file in proposal.files if file.discarded is None] or ["an edit"]
    return " · ".join([*parts, _became(proposal)])


def _became(proposal: Proposal) -> str:
    if proposal.status is ProposalStatus.OPEN:
        files = [file for file in proposal.files if file.discarded is None]
        some = any(file.applied or any(hunk.applied for hunk in file.hunks) for file in files)
        return "partly applied" if some else "not applied yet"
    return str(proposal.status.value)


def _file_summary(file: ProposedFile) -> str:
    name = file.path or file.uri
    match file.kind:
        case FileKind.CREATE:
            return f"{name} (new)"
        case FileKind.DELETE:
            return f"{name} (to be deleted)"
    count = sum(hunk.discarded is None for hunk in file.hunks)
    return f"{count} change{'' if count == 1 else 's'} in {name}"
