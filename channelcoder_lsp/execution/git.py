"""A folder's Git repository (:class:`~channelcoder_lsp.domain.repository.Repository`).

Only commands that read are used, and of those only such as don't look at the contents of the working tree:
docs/decisions/git.md says why.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import anyio.to_thread

from channelcoder_lsp.domain.errors import RepositoryError
from channelcoder_lsp.execution.git_files import differing, moved, names, parse_index, parse_tree, present
from channelcoder_lsp.execution.git_process import Git
from channelcoder_lsp.execution.git_remote import name_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

TEXT_BYTES = 5_000_000
"""A file of a commit that is larger than this is taken for no text."""
RENAMING_COMMITS = 200
"""How many of the latest commits are searched for renames."""
_DIGEST = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_RENAMES = ("-M", "-l400", "--diff-filter=R", "--name-status", "--relative", "--ignore-submodules=all", "-z")
_DEFAULT_BRANCHES = (
    "refs/remotes/origin/HEAD",
    "refs/remotes/origin/main",
    "refs/remotes/origin/master",
    "refs/heads/main",
    "refs/heads/master",
)


class GitRepository:
    """The Git repository that ``folder`` is in, through the ``git`` command.

    Args:
        folder: a folder in it; all paths are relative to it, and within it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._git = Git(folder)

    async def base(self, branch: str | None = None) -> str:
        """The commit where the current branch left ``branch``.

        Raises:
            RepositoryError: there is no such branch, or no common history.
        """
        names_ = _DEFAULT_BRANCHES if branch is None else (branch, f"refs/remotes/origin/{branch}")
        found = None
        for name in names_:
            if (found := await self._commit(name)) is not None:
                break
        if await self.head() is None:
            raise RepositoryError(f"The repository of {self._folder} has no commit yet. Commit something first.")
        if found is None and branch is None:
            raise RepositoryError(
                f"The repository of {self._folder} has no main branch to compare with: no default branch of the "
                "remote `origin`, no `main`, no `master`. Name the base to compare with."
            )
        if found is None:
            raise RepositoryError(f"There is no branch, tag or commit {branch!r} in the repository of {self._folder}.")
        said = await self._git("merge-base", "HEAD", found, also=(1,))
        if said.code:
            raise RepositoryError(
                f"The current branch of {self._folder} and {branch or 'the main branch'} have no commit in common. "
                "If the clone is shallow, run `git fetch --unshallow`."
            )
        return said.text.split("\n")[0]

    async def head(self) -> str | None:
        """The current commit; None in a repository without one."""
        return await self._commit("HEAD")

    async def changed(self, commit: str | None) -> list[str]:
        """The files whose content may differ from ``commit``, in the order of their names.

        Files that Git would have to run a filter for to compare count as changed.
        """
        tree: dict[str, str] = {}
        if commit is not None:
            resolved = await self._commit(commit)
            if resolved is None:
                raise RepositoryError(f"There is no commit {commit!r} in the repository of {self._folder}.")
            tree = dict(parse_tree((await self._git("ls-tree", "-r", "-z", resolved)).output))
        index = parse_index((await self._git("ls-files", "--stage", "--debug", "-z")).output)
        new = await self._untracked()
        where = (await self._git("rev-parse", "--git-path", "index")).text
        written = await anyio.to_thread.run_sync(_modified, self._folder / where)
        return await anyio.to_thread.run_sync(
            lambda: sorted(present(self._folder, {*differing(self._folder, index, tree, written), *new}))
        )

    async def text(self, commit: str, path: str) -> str | None:
        """A file's text in ``commit``; None where it has none of that name, or it is not text (UTF-8, 5 MB)."""
        resolved = await self._commit(commit)
        if resolved is None:
            raise RepositoryError(f"There is no commit {commit!r} in the repository of {self._folder}.")
        tree = dict(parse_tree((await self._git("ls-tree", "-z", resolved, "--", path)).output))
        if path not in tree:
            return None
        size = await self._git("cat-file", "-s", tree[path])
        if int(size.text) > TEXT_BYTES:
            return None
        content = (await self._git("cat-file", "blob", tree[path])).output
        try:
            return None if b"\0" in content else content.decode("utf-8")
        except UnicodeDecodeError:
            return None

    async def renames(self) -> Mapping[str, str]:
        """Old path to newest path, of the renames in the latest commits and those not committed yet.

        A name that a file has again today is not among the old ones, one that is gone not among the new ones.
        """
        pairs: list[tuple[str, str]] = []
        # One commit for all that follows: what is committed meanwhile would be in neither.
        if (head := await self.head()) is not None:
            latest = await self._git("rev-list", "--topo-order", f"--max-count={RENAMING_COMMITS}", head)
            said = await self._git("diff-tree", "--stdin", "--no-commit-id", "-r", *_RENAMES, given=latest.output)
            pairs = list(reversed(_pairs(said.output)))
            pairs += _pairs((await self._git("diff-index", "--cached", *_RENAMES, head)).output)
        index = parse_index((await self._git("ls-files", "--stage", "--debug", "-z")).output)
        new = await self._untracked()
        pairs += (await anyio.to_thread.run_sync(moved, self._folder, index, new)).items()
        return await anyio.to_thread.run_sync(_chained, self._folder, pairs)

    async def user_name(self) -> str | None:
        """What ``user.name`` is in the folder, also in one that is in no repository."""
        said = await self._git("config", "--get", "user.name", also=(1,))
        return said.text.strip() or None

    async def project(self) -> str | None:
        """The remote ``origin``, else the only one, and the folder's path in the repository."""
        where = await self._git("rev-parse", "--git-dir", "--git-common-dir", "--show-prefix")
        own, common, prefix = f"{where.text}\n".split("\n")[:3]
        if not await anyio.to_thread.run_sync(_same, self._folder / own, self._folder / common):
            return None
        said = await self._git("config", "-z", "--get-regexp", r"^remote\..*\.url$", also=(1,))
        remotes = dict(pair.split("\n", 1) for pair in said.text.split("\0") if "\n" in pair)
        url = remotes.get("remote.origin.url") or (next(iter(remotes.values())) if len(remotes) == 1 else "")
        name = name_of(url)
        return f"{name}/{prefix}".rstrip("/") if name is not None else None

    async def _commit(self, name: str) -> str | None:
        """The commit that ``name`` names."""
        if not name or name.startswith("-") or "\0" in name:
            return None
        if _DIGEST.fullmatch(name):
            return name
        said = await self._git("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}", also=(1, 128))
        return said.text if said.code == 0 else None

    async def _untracked(self) -> list[str]:
        return names((await self._git("ls-files", "--others", "--exclude-standard", "-z")).output)


def _same(one: Path, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def _modified(path: Path) -> float:
    """When ``path`` was last written; nothing is known to be unchanged where that can't be told."""
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _pairs(output: bytes) -> list[tuple[str, str]]:
    """Old and new names of ``--name-status -z``."""
    fields = iter(output.split(b"\0"))
    return [(os.fsdecode(next(fields)), os.fsdecode(next(fields))) for status in fields if status.startswith(b"R")]


def _chained(folder: Path, pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Old names to the newest ones that exist, of renames from the oldest on."""
    newest: dict[str, str] = {}
    before: dict[str, set[str]] = {}
    """By a name: the names that lead to it."""
    for old, new in pairs:
        leading = before.pop(old, set()) | {old}
        for name in leading:
            newest[name] = new
        before.setdefault(new, set()).update(leading)
    there = {name for name in {*newest, *newest.values()} if os.path.lexists(folder / name)}
    return {old: new for old, new in newest.items() if old not in there and new in there}
