"""The texts that a review looks at: the buffer of an open file, else the file on disk, and what it was before."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import anyio.to_thread

from channelcoder_lsp.domain.errors import RepositoryError, ReviewError
from channelcoder_lsp.domain.text import split_lines, well_formed
from channelcoder_lsp.domain.uri import path_of, uri_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from channelcoder_lsp.domain.repository import Repository
    from channelcoder_lsp.services.project import Project

logger = logging.getLogger(__name__)

FILE_BYTES = 5_000_000
_NAME_CHARS = 400


@dataclass(frozen=True)
class Source:
    """A text to look at.

    Args:
        uri: the document.
        path: the file as anchors keep it.
        lines: the text's lines without their ends.
        language: the LSP language id, where it is known.
        version: the document's version in the editor, if it is open.
        before: for a review of changes the lines that they are relative to; none for a new file.
    """

    uri: str
    path: str | None
    lines: tuple[str, ...]
    language: str = ""
    version: int | None = None
    before: tuple[str, ...] | None = None

    @property
    def text(self) -> str:
        r"""The whole text, ``\n`` between the lines."""
        return "\n".join(self.lines)

    @property
    def name(self) -> str:
        """What it is called in a sentence: one line, whatever the file's name has in it."""
        return " ".join((self.path or self.uri).split())[:_NAME_CHARS]


class Sources:
    """Reads what a project's review looks at.

    Args:
        project: the project.
        repository: its version control.
    """

    def __init__(self, project: Project, repository: Repository) -> None:
        self._project = project
        self._repository = repository
        self._renames: Mapping[str, str] | None = None

    async def read(self, uri: str) -> Source:
        """A document as it is now.

        Raises:
            ReviewError: it can't be read, is too large or no text, or is kept from Claude; the message is the reason.
        """
        path = self._project.relative(uri)
        file = path_of(uri)
        if file is not None and await anyio.to_thread.run_sync(self._is_kept, file):
            raise ReviewError("it is kept from Claude, since its name says that it holds secrets or a rule denies it")
        document = self._project.documents.get(uri) or next(
            (each for each in self._project.documents if path is not None and each.path == path), None
        )
        if document is not None:
            lines = tuple(map(well_formed, document.lines))
            if sum(map(len, lines)) > FILE_BYTES:
                raise ReviewError("it is larger than 5 MB")
            return Source(document.uri, document.path, lines, document.language, document.version)
        if file is None:
            raise ReviewError("it is not open in the editor")
        inside = path is not None and not Path(path).is_absolute()
        root = self._project.checkout.root if inside else None
        text = await anyio.to_thread.run_sync(_on_disk, file, root)
        return Source(uri, path, tuple(split_lines(text)))

    async def changed(self, path: str, commit: str | None) -> Source | None:
        """A file and what it was in a commit; None if nothing changed in it.

        Raises:
            ReviewError: see :meth:`read`.
            RepositoryError: what it was can't be had.
        """
        source = await self.read(self.uri(path))
        old = await self._text(commit, path) if commit is not None else None
        before = tuple(split_lines(old)) if old is not None else ()
        return None if before == source.lines else replace(source, before=before)

    async def paths(self, commit: str | None) -> list[str]:
        """The files that may have changed since a commit, those with unsaved changes included.

        Raises:
            RepositoryError: it can't be told.
        """
        found = set(await self._repository.changed(commit))
        for document in self._project.documents:
            path = document.path
            if path is None or Path(path).is_absolute() or path in found or commit is None:
                continue
            # What has no text there is not looked after: an ignored file.
            if await self._repository.text(commit, path) is not None:
                found.add(path)
        return sorted(found)

    def uri(self, path: str) -> str:
        """The document of a path: as the editor names it, if it is open."""
        for document in self._project.documents:
            if document.path == path:
                return document.uri
        return uri_of(self._project.checkout.root / path)

    def _is_kept(self, file: Path) -> bool:
        return self._project.deny_list().denies(file)

    async def _text(self, commit: str, path: str) -> str | None:
        text = await self._repository.text(commit, path)
        if text is None:
            if self._renames is None:
                try:
                    self._renames = await self._repository.renames()
                except RepositoryError as problem:
                    logger.warning("a renamed file is looked at as a new one: %s", problem)
                    self._renames = {}
            for old in (old for old, new in self._renames.items() if new == path):
                if (text := await self._repository.text(commit, old)) is not None:
                    break
        return text.removeprefix("\ufeff") if text is not None else None


def _on_disk(file: Path, root: Path | None) -> str:
    """The text of a file.

    Args:
        file: the file.
        root: what it must not lead out of, over links.
    """
    try:
        real = file.resolve(strict=True)
        if root is not None and not real.is_relative_to(root.resolve()):
            raise ReviewError("it leads outside of the folder")
        if not real.is_file():
            raise ReviewError("it is no file")
        if real.stat().st_size > FILE_BYTES:
            raise ReviewError("it is larger than 5 MB")
        content = real.read_bytes()
    except (OSError, RuntimeError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else str(problem)
        raise ReviewError(f"it can't be read ({reason})") from problem
    try:
        text = content.decode("utf-8-sig" if content.startswith(b"\xef\xbb\xbf") else "utf-8")
    except UnicodeDecodeError:
        raise ReviewError("it is no text in UTF-8") from None
    if "\0" in text:
        raise ReviewError("it is no text")
    return text
