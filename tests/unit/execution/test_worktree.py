"""Worktrees: made beside the repository, used again, removed without losing work."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from channelcoder_lsp.domain.errors import RepositoryError, WorktreeError
from channelcoder_lsp.execution.worktree import Worktrees, current_worktree, worktree

if TYPE_CHECKING:
    from pathlib import Path


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false")
    return subprocess.run(
        ["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A repository with one commit."""
    folder = tmp_path / "my shop"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    (folder / "a.txt").write_text("one\n")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "one")
    return folder


class TestMaking:
    async def test_it_is_a_sibling_of_the_repository(self, shop: Path):
        made = await Worktrees(shop).ensure("feature/log in".replace(" ", "-"))
        assert (made.path, made.branch, made.made) == (shop.parent / "my shop-feature-log-in", "feature/log-in", True)
        assert (made.path / "a.txt").read_text() == "one\n"

    async def test_one_that_is_there_is_used_again(self, shop: Path):
        first = await Worktrees(shop).ensure("x")
        again = await Worktrees(shop).ensure("x")
        assert (again.path, again.made) == (first.path, False)
        with pytest.raises(WorktreeError, match="already"):
            await Worktrees(shop).ensure("x", create=True)

    async def test_from_within_a_worktree_the_next_is_no_deeper(self, shop: Path):
        first = await Worktrees(shop).ensure("x")
        (first.path / "src").mkdir()
        second = await Worktrees(first.path / "src").ensure("y")
        assert second.path.parent == shop.parent

    async def test_a_new_branch_begins_at_its_base(self, shop: Path):
        old = git(shop, "rev-parse", "HEAD")
        (shop / "a.txt").write_text("two\n")
        git(shop, "commit", "-qam", "two")
        made = await Worktrees(shop).ensure("fix", base=old)
        assert made.commit == old
        with pytest.raises(WorktreeError, match="can't be made"):
            await Worktrees(shop).ensure("other", base="no-such-base")

    async def test_a_branch_that_is_there_is_checked_out(self, shop: Path):
        git(shop, "branch", "old")
        assert (await Worktrees(shop).ensure("old")).branch == "old"

    async def test_one_whose_folder_was_deleted_is_made_anew(self, shop: Path):
        first = await Worktrees(shop).ensure("x")
        shutil.rmtree(first.path)
        assert (await Worktrees(shop).ensure("x")).made

    @pytest.mark.parametrize("branch", ["", "-x", "a..b", "a b", "a~b", "/a", "a.lock"])
    async def test_what_is_no_name_is_refused(self, shop: Path, branch: str):
        with pytest.raises(WorktreeError, match="can't be the name"):
            await Worktrees(shop).ensure(branch)

    async def test_a_path_that_is_taken_or_nested_is_refused(self, shop: Path):
        first = await Worktrees(shop).ensure("x")
        with pytest.raises(WorktreeError, match="not nested"):
            await Worktrees(shop).ensure("y", path=first.path / "y")
        (shop.parent / "full").mkdir()
        (shop.parent / "full/file").touch()
        with pytest.raises(WorktreeError, match="not empty"):
            await Worktrees(shop).ensure("y", path=shop.parent / "full")
        assert (await Worktrees(shop).ensure("y", path=shop.parent / "own")).path == shop.parent / "own"

    async def test_hooks_of_the_repository_do_not_run(self, shop: Path):
        hook = shop / ".git/hooks/post-checkout"
        hook.write_text(f"#!/bin/sh\ntouch '{shop.parent}/ran'\n")
        hook.chmod(0o755)
        await Worktrees(shop).ensure("x")
        assert not (shop.parent / "ran").exists()

    async def test_outside_of_a_repository(self, tmp_path: Path):
        with pytest.raises(RepositoryError, match="in no Git repository"):
            await Worktrees(tmp_path).ensure("x")


class TestFinding:
    async def test_the_list_has_the_repository_first(self, shop: Path):
        made = await Worktrees(shop).ensure("x")
        main, other = await Worktrees(made.path).list()
        assert (main.path, main.branch, main.main) == (shop, "main", True)
        assert (other.path, other.branch, other.main) == (made.path, "x", False)
        assert await Worktrees(shop).exists("x")
        assert not await Worktrees(shop).exists("y")

    async def test_the_current_one_is_the_innermost(self, shop: Path):
        made = await Worktrees(shop).ensure("x")
        for folder, branch in ((shop, "main"), (made.path, "x")):
            current = await Worktrees(folder).current()
            assert current is not None
            assert current.branch == branch


class TestRemoving:
    async def test_by_branch_or_path_and_the_branch_stays(self, shop: Path):
        worktrees = Worktrees(shop)
        await worktrees.ensure("x")
        await worktrees.remove("x")
        await worktrees.remove((await worktrees.ensure("y")).path)
        assert [one.branch for one in await worktrees.list()] == ["main"]
        assert "x" in git(shop, "branch", "--format=%(refname:short)").split()

    async def test_uncommitted_work_is_not_lost(self, shop: Path):
        made = await Worktrees(shop).ensure("x")
        (made.path / "new.txt").write_text("work")
        with pytest.raises(WorktreeError, match="not committed"):
            await Worktrees(shop).remove("x")
        assert (made.path / "new.txt").exists()
        await Worktrees(shop).remove("x", force=True)
        assert not made.path.exists()

    async def test_the_repository_itself_and_unknown_ones_are_refused(self, shop: Path):
        with pytest.raises(WorktreeError, match="the repository itself"):
            await Worktrees(shop).remove("main")
        with pytest.raises(WorktreeError, match="There are: none"):
            await Worktrees(shop).remove("x")

    async def test_cleanup_takes_what_was_made_here_and_holds_no_work(self, shop: Path):
        worktrees = Worktrees(shop)
        clean, dirty = await worktrees.ensure("clean"), await worktrees.ensure("dirty")
        (dirty.path / "new.txt").touch()
        git(shop, "worktree", "add", "-q", "-b", "mine", str(shop.parent / "my shop-feature-mine"))
        assert await worktrees.cleanup(dry_run=True) == [clean.path]
        assert clean.path.exists()
        assert await worktrees.cleanup() == [clean.path]
        assert sorted(one.branch or "" for one in await worktrees.list()) == ["dirty", "main", "mine"]


class TestContext:
    async def test_it_is_there_within_and_gone_after(self, shop: Path):
        async with worktree("x", cwd=shop) as made:
            assert current_worktree() == made.path
            assert made.there
        assert current_worktree() is None
        assert not made.there

    async def test_it_stays_when_it_was_there_before_or_is_to_stay_or_holds_work(self, shop: Path):
        async with worktree("kept", cwd=shop, cleanup=False):
            pass
        async with worktree("kept", cwd=shop) as kept:
            pass
        async with worktree("work", cwd=shop) as work:
            (work.path / "new.txt").touch()
        assert (kept.there, work.there) == (True, True)

    async def test_tasks_beside_each_other_are_each_in_their_own(self, shop: Path):
        inside = asyncio.Barrier(2) if hasattr(asyncio, "Barrier") else None

        async def one(branch: str) -> tuple[Path, Path | None]:
            async with worktree(branch, cwd=shop) as made:
                if inside is not None:
                    await inside.wait()
                return made.path, current_worktree()

        await Worktrees(shop).list()
        (a, seen_a), (b, seen_b) = await asyncio.gather(one("a"), one("b"))
        assert (a, b) == (seen_a, seen_b)
        assert a != b
