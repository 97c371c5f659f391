"""A folder's Git repository (:class:`~channelcoder_lsp.domain.repository.Repository`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channelcoder_lsp.domain.errors import RepositoryError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class GitRepository:
    """The Git repository that ``folder`` is in, through the ``git`` command.

    Args:
        folder: a folder in it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def base(self, branch: str | None = None) -> str:
        """The commit where the current branch left ``branch``."""
        raise RepositoryError(f"{self._folder} is not in a Git repository.")

    async def head(self) -> str | None:
        """The current commit."""
        raise RepositoryError(f"{self._folder} is not in a Git repository.")

    async def changed(self, commit: str | None) -> list[str]:
        """The files whose content may differ from ``commit``."""
        raise RepositoryError(f"{self._folder} is not in a Git repository.")

    async def text(self, commit: str, path: str) -> str | None:
        """A file's text in ``commit``."""
        raise RepositoryError(f"{self._folder} is not in a Git repository.")

    async def renames(self) -> Mapping[str, str]:
        """Old path to newest path, of renamed files."""
        raise RepositoryError(f"{self._folder} is not in a Git repository.")
