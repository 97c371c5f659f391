"""The port to version control: what changed in a checkout, and which files were renamed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class Repository(Protocol):
    """The repository that a folder is in. Nothing that the folder holds or configures is ever run.

    All methods raise :class:`~channelcoder_lsp.domain.errors.RepositoryError` when the folder is in no
    repository, version control is not installed, or it fails; the message says which and what to do.
    """

    async def base(self, branch: str | None = None) -> str:
        """The commit where the current branch left ``branch``.

        Args:
            branch: the other branch, tag or commit; None: the remote's default branch, else ``main`` or ``master``.
        """
        ...

    async def head(self) -> str | None:
        """The current commit; None in a repository without one."""
        ...

    async def changed(self, commit: str | None) -> list[str]:
        """The files whose content may differ from ``commit`` (None: from nothing), new ones included, ignored ones not.

        Paths are relative to the folder with forward slashes, and within it. Deleted files are left out.
        """
        ...

    async def text(self, commit: str, path: str) -> str | None:
        """A file's text in ``commit``; None where it has none of that name, or it is not text."""
        ...

    async def renames(self) -> Mapping[str, str]:
        """Old path to newest path, of the renames in the latest commits and those not committed yet."""
        ...

    async def user_name(self) -> str | None:
        """What the user is called in commits; None: nothing is set."""
        ...

    async def project(self) -> str | None:
        """What the folder is called on every machine: where its remote is, and the folder's path in the repository.

        None for what has no remote on another machine, and for a linked worktree: it is there to work on something else
        at the same time.
        """
        ...


class Repositories(Protocol):
    """Finds the repository of a folder."""

    def __call__(self, folder: Path) -> Repository:
        """The repository that ``folder`` is in; whether there is one shows on first use."""
        ...
