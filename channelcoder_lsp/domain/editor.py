"""The port through which Claude sees the editor's buffers and proposes edits to them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from pathlib import Path


class EditorTools(Protocol):
    """What Claude may ask of the editor and propose to it; each answer is text for Claude.

    Paths are as Claude names files: relative to the checkout's root, or absolute. What Claude got wrong is told
    by :class:`~channelcoder_lsp.domain.errors.ToolError`, whose message says how to do better.
    """

    def is_unsaved(self, path: Path) -> bool:
        """Whether the file is open with changes that are not on disk."""
        ...

    def unsaved(self) -> list[str]:
        """The paths of all such files, as Claude names them."""
        ...

    async def open_documents(self) -> str:
        """What is open: path, language, lines, whether it has unsaved changes."""
        ...

    async def read_buffer(self, path: str, offset: int = 1, limit: int | None = None) -> str:
        """An open document's lines as they are in the editor, numbered.

        Args:
            path: the file.
            offset: the first line, from 1.
            limit: how many lines at most; None: as many as fit.

        Raises:
            ToolError: it isn't open, or has no such line.
        """
        ...

    async def diagnostics(self, path: str | None = None) -> str:
        """What checkers say about a file, or about all open ones, as far as the editor told.

        Raises:
            ToolError: the file isn't open.
        """
        ...

    async def selection(self) -> str:
        """What the person has selected, as far as the editor told."""
        ...

    async def propose_edit(self, path: str, old_string: str, new_string: str, *, replace_all: bool = False) -> str:
        """Suggest to replace text of a file, on top of what was proposed before in the same answer.

        Raises:
            ToolError: the old text isn't there, or is there more than once; or the file can't be read.
        """
        ...

    async def propose_file(self, path: str, content: str) -> str:
        """Suggest a new file, or a file's whole new text.

        Raises:
            ToolError: the path leads outside of the project, or to what is kept from Claude.
        """
        ...

    async def propose_deletion(self, path: str) -> str:
        """Suggest to delete a file.

        Raises:
            ToolError: there is no such file.
        """
        ...
