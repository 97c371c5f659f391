"""Claude's view of the editor in one session, and its way to propose edits."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio.to_thread

from channelcoder_lsp.domain.deny_list import DenyList
from channelcoder_lsp.domain.errors import ProposalError, ToolError
from channelcoder_lsp.domain.proposal import FileKind, Proposal, ProposalStatus, ProposedFile
from channelcoder_lsp.domain.text import clamp, split_lines
from channelcoder_lsp.domain.uri import path_of, uri_of
from channelcoder_lsp.services.files import read_file
from channelcoder_lsp.services.numbered import LINE_CHARS, numbered
from channelcoder_lsp.services.overlay import Overlay

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from channelcoder_lsp.domain.place import Diagnostic
    from channelcoder_lsp.services.session import Session
    from channelcoder_lsp.services.threads import Document, OpenDocuments
    from channelcoder_lsp.services.told import EditorTold

logger = logging.getLogger(__name__)

READ_LINES = 2_000
READ_CHARS = 50_000
"""What is shown of a buffer at once."""
_DIAGNOSTICS = 200
_DIAGNOSTIC_CHARS = 500
_SELECTED_LINES = 400


@dataclass(frozen=True)
class _Named:
    """A file that Claude named, and the document if it is open."""

    uri: str
    path: str | None
    document: Document | None

    @property
    def name(self) -> str:
        return self.path or self.uri


class Toolbox:
    """The :class:`~channelcoder_lsp.domain.editor.EditorTools` of one session.

    Proposals of one answer are one: each call works on what those before it left, and adds to it.

    Args:
        session: where proposals are kept; the turn that it is answering is the one that proposes.
        root: the folder that Claude is asked about.
        documents: what is open of it.
        told: what the editor said of selection and diagnostics.
        relative: the path of a document as anchors keep it.
        denied: folders that are never shown or changed, with all that is in them.
        deny_list: files that are not.
    """

    def __init__(
        self,
        session: Session,
        root: Path,
        documents: OpenDocuments,
        told: EditorTold,
        *,
        relative: Callable[[str], str | None],
        denied: Sequence[Path] = (),
        deny_list: Callable[[], DenyList] = DenyList,
    ) -> None:
        self._session = session
        self._root = root
        self._documents = documents
        self._told = told
        self._relative = relative
        self._denied = denied
        self._deny_list = deny_list
        self._one_at_a_time = asyncio.Lock()
        self._proposal: Proposal | None = None
        self._overlays: dict[str, Overlay] = {}

    # The editor's state

    def is_unsaved(self, path: Path) -> bool:
        """Whether the file is open with changes that are not on disk."""
        real = (self._root / path).resolve()
        return any(document.unsaved and _real(document.uri) == real for document in self._documents)

    def unsaved(self) -> list[str]:
        """The names of all such files."""
        return [_name(document) for document in self._documents if document.unsaved and self._shown(document)]

    async def open_documents(self) -> str:
        """What is open, one line each."""
        lines = []
        for document in filter(self._shown, self._documents):
            facts = [document.language, f"{len(document.lines)} lines", "unsaved changes" if document.unsaved else ""]
            lines.append(f"- {_name(document)} ({', '.join(filter(None, facts))})")
        return "\n".join(lines) or "No document is open."

    async def read_buffer(self, path: str, offset: int = 1, limit: int | None = None) -> str:
        """Lines of an open document, numbered, with a note if there are more."""
        document = self._open_document(path)
        lines, first = document.lines, offset - 1
        if not 0 <= first < len(lines):
            raise ToolError(f"{_name(document)} has {len(lines)} lines; there is no line {offset}.")
        if limit is not None and limit < 1:
            raise ToolError("limit must be 1 or more.")
        last, room = first, READ_CHARS
        for number in range(first, min(first + min(limit or READ_LINES, READ_LINES), len(lines))):
            room -= min(len(lines[number]), LINE_CHARS) + len(str(len(lines))) + 3
            if room < 0 and number > first:
                break
            last = number
        parts = [numbered(lines, first, last)]
        if any(len(line) > LINE_CHARS for line in lines[first : last + 1]):
            parts.append(f"(Lines are cut at {LINE_CHARS:,} characters.)")
        if last + 1 < len(lines):
            parts.append(f"(The file goes on to line {len(lines)}: read on with offset {last + 2}.)")
        if (overlay := self._overlays.get(document.uri)) is not None and overlay.text != overlay.base:
            parts.append("(This is what the editor has; what you proposed in this answer is not in it.)")
        return "\n".join(parts)

    async def diagnostics(self, path: str | None = None) -> str:
        """What checkers say, one line each."""
        documents = [self._open_document(path)] if path is not None else filter(self._shown, self._documents)
        lines = [
            f"- {_name(document)} {_described(found)}"
            for document in documents
            for found in self._told.diagnostics(document)
        ]
        if len(lines) > _DIAGNOSTICS:
            lines = [*lines[:_DIAGNOSTICS], f"- and {len(lines) - _DIAGNOSTICS} more"]
        return "\n".join(lines) or "The editor told of no diagnostics here. It may not have told of all there are."

    async def selection(self) -> str:
        """What is selected, with its lines."""
        selected = self._told.selected
        document = self._documents.get(selected.uri) if selected is not None else None
        if selected is None or document is None or not self._shown(document):
            return "The editor did not tell what is selected."
        range_ = self._told.selected_now(document)
        if range_ is None:
            return f"What was selected in {_name(document)} was changed since."
        range_ = clamp(document.lines, range_)
        start, end = range_
        where = f"{_name(document)}, line {start.line + 1}, column {start.character + 1}"
        if range_.empty:
            return f"Nothing is selected; the cursor is at {where}."
        last = min(range_.last_line, start.line + _SELECTED_LINES - 1)
        shown = numbered(document.lines, start.line, last)
        more = "" if last == range_.last_line else f"\n(and {range_.last_line - last} lines more)"
        return f"Selected is {where} to line {end.line + 1}, column {end.character}:\n{shown}{more}"

    # Proposals

    async def propose_edit(self, path: str, old_string: str, new_string: str, *, replace_all: bool = False) -> str:
        """Add to the answer's proposal: text replaced by other text."""
        async with self._one_at_a_time:
            proposal, overlay = await self._begin(path)
            if overlay.text is None and overlay.base is None:
                raise ToolError(f"There is no file {overlay.name}. Use propose_file for a new one.")
            overlay.replace(_unified(old_string), _unified(new_string), everywhere=replace_all)
            return await self._keep(proposal)

    async def propose_file(self, path: str, content: str) -> str:
        """Add to the answer's proposal: a new file, or a file's whole new text."""
        async with self._one_at_a_time:
            proposal, overlay = await self._begin(path)
            overlay.text = _unified(content)
            return await self._keep(proposal)

    async def propose_deletion(self, path: str) -> str:
        """Add to the answer's proposal: that a file be deleted."""
        async with self._one_at_a_time:
            proposal, overlay = await self._begin(path)
            if overlay.text is None:
                raise ToolError(f"There is no file {overlay.name} to delete.")
            if path_of(overlay.uri) is None:
                raise ToolError(f"{overlay.name} is not a file on disk, so there is nothing to delete.")
            overlay.text = None
            return await self._keep(proposal)

    async def _begin(self, path: str) -> tuple[Proposal, Overlay]:
        """The proposal of the answer so far, and the file as it left it."""
        turn = self._session.answering
        if turn is None:
            raise ToolError("No question is being answered, so nothing can be proposed.")
        proposal = self._proposal
        if proposal is None or proposal.turn_id != turn.id:
            proposal = self._proposal = Proposal(turn_id=turn.id, thread_id=turn.thread_id)
            self._overlays = {}
        named = self._named(path)
        current = await self._text(named)
        overlay = self._overlays.setdefault(named.uri, Overlay(named.uri, named.path, current, current))
        overlay.follow(current)
        return proposal, overlay

    async def _keep(self, proposal: Proposal) -> str:
        """Record the proposal as it is now; what it comes to, in words for Claude."""
        files = []
        for overlay in self._overlays.values():
            changed = overlay.base is not None and overlay.text != overlay.base
            base = await self._session.keep_text(overlay.base or "") if changed else None
            if (file := overlay.proposed(base)) is not None:
                files.append(file)
        status = ProposalStatus.OPEN if files else ProposalStatus.DISCARDED
        self._proposal = proposal = proposal.model_copy(update={"files": files, "status": status})
        await self._session.keep_proposal(proposal)
        logger.info("%s proposes changes to %d files", proposal.turn_id, len(files))
        if not files:
            return "Nothing is proposed any more: the texts are as they were."
        return "\n".join(["Proposed so far; the person decides whether to apply it:", *map(_told_of, files)])

    async def _text(self, named: _Named) -> str | None:
        r"""The file's text as the person sees it, ``\n`` between lines; None if there is no such file."""
        if named.document is not None:
            return "\n".join(named.document.lines)
        try:
            text = await anyio.to_thread.run_sync(read_file, path_of(named.uri) or self._root)
        except ProposalError as problem:
            raise ToolError(problem.message) from problem
        return "\n".join(text.lines) if text is not None else None

    # Names

    def _named(self, path: str) -> _Named:
        """The file that Claude means.

        Raises:
            ToolError: it may not be shown or changed, or it is no file.
        """
        document = self._documents.get(path)
        if document is None:
            by_uri = "://" in path
            asked = path_of(path) if by_uri else self._root / path
            if asked is None or not path.strip() or "\0" in path or (by_uri and not path.startswith("file:")):
                raise ToolError(f"{path!r} is not the name of a file. Name it by its path in the project folder.")
            real = _resolved(asked)
            found = [one for one in self._documents if _real(one.uri) == real]
            document = next((one for one in found if one.uri.startswith("file:")), None)
            if document is None and found:
                raise ToolError(
                    f"{path} is open as a notebook. Name the cell by its URI, as open_documents lists it: "
                    f"{', '.join(one.uri for one in found[:20])}."
                )
            if document is None:
                self._check(path, asked, real)
                uri = uri_of(asked)
                return _Named(uri, self._relative(uri), None)
        if not self._shown(document):
            raise ToolError(
                f"{path} is kept from you: its name says that it holds secrets or settings, or a rule denies it."
            )
        return _Named(document.uri, document.path, document)

    def _check(self, named: str, asked: Path, real: Path) -> None:
        if not real.is_relative_to(self._root):
            raise ToolError(f"{named} is outside the project folder.")
        if self._is_kept(asked) or self._is_kept(real):
            raise ToolError(
                f"{named} is kept from you: its name says that it holds secrets or settings, or a rule denies it."
            )

    def _open_document(self, path: str) -> Document:
        named = self._named(path)
        if named.document is None:
            raise ToolError(f"{named.name} is not open in the editor: the file on disk is all there is. Use Read.")
        return named.document

    def _shown(self, document: Document) -> bool:
        path = path_of(document.uri)
        return path is None or not (self._is_kept(path) or self._is_kept(_resolved(path)))

    def _is_kept(self, path: Path) -> bool:
        inside = path.parts[len(self._root.parts) :] if path.is_relative_to(self._root) else path.parts
        return (
            self._deny_list().denies(path)
            or ".git" in (part.casefold() for part in inside)
            or any(path.is_relative_to(folder.resolve()) for folder in self._denied)
        )


def _unified(text: str) -> str:
    return "\n".join(split_lines(text))


def _name(document: Document) -> str:
    return document.path if document.path is not None and document.uri.startswith("file:") else document.uri


def _real(uri: str) -> Path | None:
    path = path_of(uri)
    return None if path is None else _resolved(path)


def _resolved(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError, ValueError) as problem:  # a loop of links, a name the system refuses
        raise ToolError(f"{path} can't be followed ({type(problem).__name__}).") from problem


def _described(found: Diagnostic) -> str:
    origin = " ".join(part for part in (found.source, found.code) if part)
    text = " ".join(found.message.split())[:_DIAGNOSTIC_CHARS]
    return f"line {found.range.start.line + 1}, {found.severity.value}{f' ({origin})' if origin else ''}: {text}"


def _told_of(file: ProposedFile) -> str:
    name = file.path or file.uri
    match file.kind:
        case FileKind.CREATE:
            return f"- {name}: new"
        case FileKind.DELETE:
            return f"- {name}: deleted"
    lines = ", ".join(str(hunk.start + 1) for hunk in file.hunks[:20])
    return f"- {name}: {len(file.hunks)} change{'' if len(file.hunks) == 1 else 's'}, at line {lines}"
