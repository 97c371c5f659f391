"""The proposals of a project's session, in its files: open documents, and those on disk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio.to_thread

from channelcoder_lsp.domain.errors import ProposalError
from channelcoder_lsp.domain.proposal import Proposal, ProposalStatus, ProposedFile
from channelcoder_lsp.domain.text import split_lines
from channelcoder_lsp.domain.uri import path_of, uri_of
from channelcoder_lsp.services.files import read_file
from channelcoder_lsp.services.proposals import FileNow, believed, file_now, with_news

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Mapping, Sequence
    from pathlib import Path

    from channelcoder_lsp.services.session import Session
    from channelcoder_lsp.services.threads import Document, OpenDocuments

_UNDONE = 5
"""How many applied proposals of a document are looked at: an undo may have taken them back."""


@dataclass(frozen=True)
class Target:
    """A file of a proposal as it is now.

    Args:
        now: what the proposal comes to in it.
        uri: the file, as the editor is to be told of it.
        document: the document, if it is open.
        base: the lines that the proposal is about, if there were any.
        lines: its lines now; None if there is no file.
        line_end: what ends them.
    """

    now: FileNow
    uri: str
    document: Document | None
    base: list[str] | None
    lines: list[str] | None
    line_end: str = "\n"

    @property
    def name(self) -> str:
        """The file, as people name it."""
        return self.now.file.path or self.uri


class ProposedEdits:
    """What the proposals of a project come to.

    Args:
        root: the project's folder.
        documents: what is open of it.
        session: its active session, if one is open.
    """

    def __init__(self, root: Path, documents: OpenDocuments, session: Callable[[], Session | None]) -> None:
        self._root = root
        self._documents = documents
        self._session = session
        self._known: dict[tuple[str, str], tuple[ProposedFile, Document, int, FileNow]] = {}

    async def load(self) -> None:
        """Have the texts at hand that :meth:`about` needs for the open documents."""
        session = self._session()
        for document in self._documents if session is not None else ():
            for _, file in self._offered(document):
                if session is not None and file.base is not None:
                    await session.kept_text(file.base)

    def document_of(self, file: ProposedFile) -> Document | None:
        """The open document that ``file`` is about."""
        if (document := self._documents.get(file.uri)) is not None or file.path is None:
            return document
        return next((one for one in self._documents if one.path == file.path and one.uri.startswith("file:")), None)

    def about(self, document: Document) -> Iterator[tuple[Proposal, FileNow]]:
        """What the proposals that wait, or were applied lately, come to in an open document. Reads memory only."""
        for proposal, file in self._offered(document):
            now = self.at_hand(proposal, file, document)
            if now is not None:
                yield proposal, now

    def _offered(self, document: Document) -> list[tuple[Proposal, ProposedFile]]:
        """What was proposed for a document and may be applied, or applied again; oldest first.

        Of what was applied only the latest count: an undo opens them again, and each costs a comparison with the text.
        """
        session = self._session()
        found: list[tuple[Proposal, ProposedFile]] = []
        applied = 0
        for proposal in reversed(list(session.head.proposals.values()) if session is not None else []):
            was_applied = proposal.status is ProposalStatus.APPLIED
            if proposal.status is ProposalStatus.DISCARDED or (was_applied and applied >= _UNDONE):
                continue
            files = [each for each in proposal.files if each.discarded is None and self.document_of(each) is document]
            found[:0] = [(proposal, file) for file in files]
            applied += was_applied and bool(files)
        return found

    def at_hand(self, proposal: Proposal, file: ProposedFile, document: Document) -> FileNow | None:
        """What ``file`` comes to in the open document; None while the text that it is about isn't at hand."""
        key = (proposal.id, file.uri)
        known = self._known.get(key)
        if known is not None and known[0] is file and known[1] is document and known[2] == document.edits:
            return known[3]
        session = self._session()
        base = session.texts.get(file.base) if session is not None else None
        if file.base is not None and base is None:
            return None
        now = file_now(file, base, document.lines)
        self._known[key] = file, document, document.edits, now
        return now

    async def targets(self, session: Session, proposal: Proposal) -> list[Target]:
        """The files of ``proposal`` that were not discarded, as they are now; those not open are read from disk.

        Raises:
            ProposalError: a file can't be read.
            StorageError: what the proposal is about can't be read.
        """
        files = [file for file in proposal.files if file.discarded is None]
        bases = [await session.kept_text(file.base) if file.base is not None else None for file in files]
        texts = [
            await anyio.to_thread.run_sync(read_file, self._path(file)) if self._closed(file) else None
            for file in files
        ]
        targets = []
        for file, base, text in zip(files, bases, texts, strict=True):
            document = self.document_of(file)
            was = split_lines(base) if base is not None else None
            if document is not None:
                now = file_now(file, base, document.lines)
                targets.append(Target(now, document.uri, document, was, document.lines, document.line_end))
                continue
            lines = text.lines if text is not None else None
            uri = uri_of(self._path(file)) if path_of(file.uri) is not None else file.uri
            end = text.line_end if text is not None else "\n"
            targets.append(Target(file_now(file, base, lines), uri, None, was, lines, end))
        return targets

    async def note(self, session: Session, proposal_id: str, done: Mapping[str, Container[int]]) -> Proposal:
        """Record what of a proposal is applied by now; the proposal as it is recorded.

        Args:
            session: where it is kept.
            proposal_id: the proposal.
            done: what the editor says it applied: the changes' numbers, by the file's URI in the proposal. Believed
                for files that aren't open: the editor may not have saved them yet.

        Raises:
            ProposalNotFoundError: the session has none of that id.
            ProposalError, StorageError: see :meth:`targets`.
        """
        targets = await self.targets(session, session.proposal(proposal_id))
        proposal = session.proposal(proposal_id)
        news = [
            believed(target.now, done[target.now.file.uri])
            if target.document is None and target.now.file.uri in done
            else target.now
            for target in targets
        ]
        noted = with_news(proposal, news)
        if noted != proposal:
            await session.keep_proposal(noted)
        return noted

    async def saved(self, document: Document) -> None:
        """Record what is applied in a document and what was undone, as it was saved."""
        session = self._session()
        for proposal, now in list(self.about(document)):
            noted = with_news(proposal, [now])
            if session is not None and noted != proposal:
                await session.keep_proposal(noted)

    async def renamed(self, before: str, after: str) -> None:
        """A file or folder of the project has another path now."""
        session = self._session()
        for proposal in list(session.head.proposals.values()) if session is not None else ():
            files = [self._moved(file, before, after) for file in proposal.files]
            if session is not None and files != proposal.files:
                await session.keep_proposal(proposal.model_copy(update={"files": files}))

    def _moved(self, file: ProposedFile, before: str, after: str) -> ProposedFile:
        if file.path is None or not (file.path == before or file.path.startswith(f"{before}/")):
            return file
        path = after + file.path[len(before) :]
        return file.model_copy(update={"path": path, "uri": uri_of(self._root / path)})

    def _closed(self, file: ProposedFile) -> bool:
        return self.document_of(file) is None and path_of(file.uri) is not None

    def _path(self, file: ProposedFile) -> Path:
        if file.path is not None:
            return self._root / file.path
        if (path := path_of(file.uri)) is None:
            raise ProposalError(f"{file.uri} is not open, and no file on disk.")
        return path


def hunks_at(files: Sequence[tuple[Proposal, FileNow]], first: int, last: int) -> list[tuple[Proposal, FileNow, int]]:
    """The open changes on the lines ``first`` to ``last`` of a document (one without lines: beside its place)."""
    return [
        (proposal, now, hunk.index)
        for proposal, now in files
        for hunk in now.hunks
        if hunk.state.value == "open" and hunk.start <= last and first <= max(hunk.end - 1, hunk.start)
    ]
