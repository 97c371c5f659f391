"""The Git adapter: what it finds, in all kinds of repositories, and that nothing of a repository ever runs."""

from __future__ import annotations

import os
import stat
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from channelcoder_lsp.domain.errors import RepositoryError
from channelcoder_lsp.execution import git_process
from channelcoder_lsp.execution.git import GitRepository
from channelcoder_lsp.execution.git_files import parse_index
from channelcoder_lsp.execution.git_process import Git, Said, environment, find_git

if TYPE_CHECKING:
    from pathlib import Path

LONG = "".join(f"line {number}\n" for number in range(30))


@dataclass
class Folder:
    """A repository, as its owner works in it."""

    path: Path

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", "-c", "protocol.file.allow=always", *arguments],
            cwd=self.path,
            env={
                **environment(os.environ),
                "GIT_ALLOW_PROTOCOL": "file",
                "GIT_CONFIG_GLOBAL": os.devnull,
                **{f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
            },
            check=True,
            capture_output=True,
        )
        return os.fsdecode(done.stdout).strip()

    def write(self, name: str, text: str | bytes = LONG, *, later: bool = False) -> Path:
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        if later:  # as if it was written some time after the index: no race to tell
            os.utime(path, (time.time() + 60, time.time() + 60))
        return path

    def commit(self, **files: str) -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--no-verify", "--message", "Work")
        return self.git("rev-parse", "HEAD")

    @property
    def repository(self) -> GitRepository:
        return GitRepository(self.path)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    path = tmp_path / "shop"
    path.mkdir()
    folder = Folder(path)
    folder.git("init", "--quiet", "--initial-branch=main")
    return folder


class TestChanged:
    async def test_has_what_is_edited_staged_and_new_but_not_what_is_ignored_deleted_or_the_same(self, folder: Folder):
        for name in ("same.py", "edited.py", "staged.py", "deleted.py", "touched.py"):
            folder.write(name)
        folder.write(".gitignore", "*.log\n")
        commit = folder.commit()
        folder.write("edited.py", LONG + "more\n")
        folder.write("staged.py", "other\n")
        folder.write("touched.py", later=True)
        folder.git("add", "staged.py")
        folder.write("new.py")
        folder.write("some.log")
        (folder.path / "deleted.py").unlink()
        assert await folder.repository.changed(commit) == ["edited.py", "new.py", "staged.py"]

    async def test_sees_an_edit_that_left_size_and_time_as_they_were(self, folder: Folder):
        path = folder.write("a.py", "one\n", later=True)
        commit = folder.commit()
        before = path.stat()
        path.write_text("two\n")
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        assert await folder.repository.changed(commit) == ["a.py"]

    async def test_is_against_the_given_commit(self, folder: Folder):
        folder.write("a.py")
        first = folder.commit()
        folder.write("b.py")
        second = folder.commit()
        assert await folder.repository.changed(first) == ["b.py"]
        assert await folder.repository.changed(second) == []

    async def test_is_everything_where_there_is_no_commit_yet(self, folder: Folder):
        folder.write("staged.py")
        folder.git("add", "staged.py")
        folder.write("new.py")
        assert await folder.repository.head() is None
        assert await folder.repository.changed(None) == ["new.py", "staged.py"]

    async def test_has_files_in_conflict(self, folder: Folder):
        folder.write("a.py", "base\n")
        folder.commit()
        folder.git("checkout", "--quiet", "-b", "side")
        folder.write("a.py", "side\n")
        folder.commit()
        folder.git("checkout", "--quiet", "main")
        folder.write("a.py", "main\n")
        head = folder.commit()
        with pytest.raises(subprocess.CalledProcessError):
            folder.git("merge", "side")
        assert await folder.repository.changed(head) == ["a.py"]

    @pytest.mark.skipif(os.name == "nt", reason="such names can't be there")
    async def test_takes_any_name(self, folder: Folder):
        strange = ["a b.py", "a\nb.py", "-x.py", ":y.py", "*.py", "sch\u00f6n.py", os.fsdecode(b"\xff.py"), '"q".py']
        for name in strange:
            folder.write(name)
        assert await folder.repository.changed(None) == sorted(strange)
        commit = folder.commit()
        for name in strange:
            assert await folder.repository.text(commit, name) == LONG
            folder.write(name, "changed\n")
        assert await folder.repository.changed(commit) == sorted(strange)

    async def test_of_a_subfolder_is_what_lies_in_it(self, folder: Folder):
        folder.write("top.py")
        folder.write("part/in.py")
        commit = folder.commit()
        folder.write("top.py", "changed\n")
        folder.write("part/in.py", "changed\n")
        folder.write("part/new.py", "new\n")
        part = GitRepository(folder.path / "part")
        assert await part.changed(commit) == ["in.py", "new.py"]
        assert await part.text(commit, "in.py") == LONG
        assert await part.text(commit, "top.py") is None

    async def test_of_a_worktree_is_its_own(self, folder: Folder, tmp_path: Path):
        folder.write("a.py")
        commit = folder.commit()
        folder.git("worktree", "add", "--quiet", str(tmp_path / "tree"), "-b", "side")
        (tmp_path / "tree" / "a.py").write_text("changed\n")
        assert await GitRepository(tmp_path / "tree").changed(commit) == ["a.py"]
        assert await folder.repository.changed(commit) == []

    async def test_leaves_out_links_and_what_lies_behind_them(self, folder: Folder, tmp_path: Path):
        secret = tmp_path / "secret"
        secret.write_text("outside\n")
        folder.write("a.py")
        folder.write("part/secret", "inside\n")
        folder.commit()
        (folder.path / "link.py").symlink_to(secret)
        (folder.path / "part" / "secret").unlink()
        (folder.path / "part").rmdir()
        (folder.path / "part").symlink_to(tmp_path)
        assert await folder.repository.changed(None) == ["a.py"]

    async def test_leaves_submodules_alone(self, folder: Folder, tmp_path: Path):
        inner = Folder(tmp_path / "inner")
        inner.path.mkdir()
        inner.git("init", "--quiet")
        inner.write("x.py")
        inner.commit()
        folder.git("submodule", "--quiet", "add", str(inner.path), "inner")
        commit = folder.commit()
        Folder(folder.path / "inner").write("x.py", "changed\n")
        assert await folder.repository.changed(commit) == []

    def test_does_without_what_git_says_for_debugging(self):
        """The format of ``--debug`` is not promised: without it files are compared by their bytes."""
        digest = "a" * 40
        found = parse_index(f"100644 {digest} 0\tx.py\x00160000 {digest} 0\tsub\x00".encode())
        assert found["x.py"].modified is None
        assert list(found) == ["x.py"]

    def test_refuses_a_list_that_it_cannot_read(self):
        with pytest.raises(RepositoryError, match="can't be read"):
            parse_index(b"something else")


class TestText:
    async def test_is_as_committed_whatever_the_working_tree_says(self, folder: Folder):
        folder.write("a.py", "gr\u00fcn\r\n")
        commit = folder.commit()
        folder.write("a.py", "other\n")
        assert await folder.repository.text(commit, "a.py") == "gr\u00fcn\r\n"

    @pytest.mark.parametrize("content", [b"a\0b", b"\xff\xfe", b"x" * 5_000_001], ids=["binary", "latin", "large"])
    async def test_is_none_for_what_is_no_text(self, folder: Folder, content: bytes):
        folder.write("a.py", content)
        assert await folder.repository.text(folder.commit(), "a.py") is None

    async def test_is_none_for_folders_and_for_names_that_are_not_there(self, folder: Folder):
        folder.write("part/a.py")
        commit = folder.commit()
        assert await folder.repository.text(commit, "part") is None
        assert await folder.repository.text(commit, "gone.py") is None


class TestBase:
    async def test_is_where_the_branch_left_main(self, folder: Folder):
        start = folder.commit()
        folder.git("checkout", "--quiet", "-b", "side")
        folder.commit()
        folder.git("checkout", "--quiet", "main")
        folder.write("later.py")
        folder.commit()
        folder.git("checkout", "--quiet", "side")
        assert await folder.repository.base() == start
        assert await folder.repository.base("main") == start

    async def test_is_taken_against_the_remotes_default_branch_first(self, folder: Folder, tmp_path: Path):
        folder.git("branch", "--move", "trunk")
        start = folder.commit()
        clone = Folder(tmp_path / "clone")
        folder.git("clone", "--quiet", str(folder.path), str(clone.path))
        clone.git("checkout", "--quiet", "-b", "main")
        clone.write("a.py")
        clone.commit()
        assert await clone.repository.base() == start

    async def test_says_when_there_is_no_such_branch(self, folder: Folder):
        folder.git("branch", "--move", "trunk")
        folder.commit()
        with pytest.raises(RepositoryError, match="no main branch to compare with"):
            await folder.repository.base()
        for name in ("nowhere", "--all", "", "a..b", "x\0y"):
            with pytest.raises(RepositoryError, match="There is no branch, tag or commit"):
                await folder.repository.base(name)

    async def test_says_when_nothing_is_in_common(self, folder: Folder):
        folder.commit()
        folder.git("checkout", "--quiet", "--orphan", "other")
        folder.write("a.py")
        folder.commit()
        with pytest.raises(RepositoryError, match="no commit in common"):
            await folder.repository.base()

    async def test_says_when_there_is_no_commit(self, folder: Folder):
        with pytest.raises(RepositoryError, match="no commit yet"):
            await folder.repository.base()


class TestRenames:
    async def test_lead_from_each_old_name_to_the_newest(self, folder: Folder):
        folder.write("one.py")
        folder.commit()
        for old, new in (("one.py", "two.py"), ("two.py", "part/three.py")):
            (folder.path / "part").mkdir(exist_ok=True)
            folder.git("mv", old, new)
            folder.commit()
        folder.git("mv", "part/three.py", "four.py")
        assert await folder.repository.renames() == dict.fromkeys(("one.py", "two.py", "part/three.py"), "four.py")

    async def test_are_seen_that_git_was_not_told_of(self, folder: Folder):
        folder.write("old.py")
        folder.commit()
        (folder.path / "old.py").rename(folder.path / "new.py")
        assert await folder.repository.renames() == {"old.py": "new.py"}

    async def test_are_none_where_the_old_name_is_there_again_or_the_new_one_gone(self, folder: Folder):
        folder.write("again.py")
        folder.write("gone.py", LONG.replace("line", "row"))
        folder.commit()
        folder.git("mv", "again.py", "b.py")
        folder.git("mv", "gone.py", "c.py")
        folder.commit()
        folder.write("again.py", "another\n")
        (folder.path / "c.py").unlink()
        assert await folder.repository.renames() == {}

    async def test_of_a_branch_that_was_merged_count(self, folder: Folder):
        folder.write("old.py")
        folder.commit()
        folder.git("checkout", "--quiet", "-b", "side")
        folder.git("mv", "old.py", "new.py")
        folder.commit()
        folder.git("checkout", "--quiet", "main")
        folder.write("other.py", "x\n")
        folder.commit()
        folder.git("merge", "--quiet", "--no-edit", "side")
        assert await folder.repository.renames() == {"old.py": "new.py"}

    async def test_in_a_subfolder_are_relative_to_it(self, folder: Folder):
        folder.write("part/old.py")
        folder.commit()
        folder.git("mv", "part/old.py", "part/new.py")
        folder.commit()
        assert await GitRepository(folder.path / "part").renames() == {"old.py": "new.py"}

    async def test_one_that_is_committed_while_one_looks_is_known(self, folder: Folder):
        folder.write("old.py")
        folder.commit()
        folder.git("mv", "old.py", "new.py")
        repository, look = folder.repository, Git.__call__

        class Busy(Git):
            async def __call__(self, *arguments: str, **more: Any) -> Said:
                said = await look(self, *arguments, **more)
                if arguments[0] == "rev-list":
                    folder.commit()
                return said

        repository._git = Busy(folder.path)
        assert await repository.renames() == {"old.py": "new.py"}
        assert folder.git("status", "--porcelain") == ""

    async def test_are_none_without_a_commit(self, folder: Folder):
        assert await folder.repository.renames() == {}


class TestRefusals:
    async def test_no_repository(self, tmp_path: Path):
        with pytest.raises(RepositoryError, match="is in no Git repository"):
            await GitRepository(tmp_path).head()

    async def test_no_working_tree(self, tmp_path: Path):
        Folder(tmp_path).git("init", "--quiet", "--bare")
        with pytest.raises(RepositoryError, match="without a working tree"):
            await GitRepository(tmp_path).changed(None)

    async def test_no_folder(self, tmp_path: Path):
        with pytest.raises(RepositoryError, match="can't be run"):
            await GitRepository(tmp_path / "gone").head()

    async def test_no_such_commit(self, folder: Folder):
        folder.commit()
        with pytest.raises(RepositoryError, match="git ls-tree failed"):
            await folder.repository.changed("a" * 40)
        with pytest.raises(RepositoryError, match="There is no commit 'nope'"):
            await folder.repository.changed("nope")

    @pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give a folder away")
    async def test_a_repository_of_somebody_else(self, folder: Folder):
        folder.commit()
        os.chown(folder.path, 12345, 12345)
        os.chown(folder.path / ".git", 12345, 12345)
        with pytest.raises(RepositoryError, match="another user owns it"):
            await folder.repository.head()

    async def test_no_git(self, folder: Folder, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setenv("PATH", "")
        with pytest.raises(RepositoryError, match="not installed"):
            await folder.repository.head()

    async def test_too_slow_and_too_much(self, folder: Folder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
        """A ``git`` that hangs is ended with all that it started; one that says too much is not listened to."""
        slow = tmp_path / "slow"
        slow.mkdir()
        program = slow / "git"
        program.write_text(f"#!/bin/sh\n/bin/sleep 60 &\necho $! > {tmp_path}/child\nwait\n")
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(slow))
        with pytest.raises(RepositoryError, match=r"took longer than .* and was stopped"):
            await Git(folder.path, seconds=0.5)("rev-parse")
        child = int((tmp_path / "child").read_text())
        assert not _is_running(child)
        program.write_text("#!/bin/sh\nwhile :; do echo aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa; done\n")
        with pytest.raises(RepositoryError, match="said more than"):
            await Git(folder.path, output_bytes=1_000_000)("rev-parse")


def _is_running(process: int) -> bool:
    return psutil.pid_exists(process) and psutil.Process(process).status() != psutil.STATUS_ZOMBIE


class TestHostile:
    """Whatever a repository holds and configures, reading it runs nothing."""

    @pytest.fixture
    def tripwire(self, tmp_path: Path) -> tuple[str, Path]:
        """A program that leaves a mark, and the mark."""
        mark = tmp_path / "it ran"
        program = tmp_path / "trip"
        program.write_text(f"#!/bin/sh\necho \"$0 $@\" >> '{mark}'\ncat\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        return str(program), mark

    async def read_all(self, repository: GitRepository) -> None:
        """Everything that the adapter can do."""
        head = await repository.head()
        await repository.base("HEAD")
        for name in await repository.changed(head):
            await repository.text(str(head), name)
        await repository.text(str(head), "a.txt")
        await repository.renames()

    def fill(self, folder: Folder) -> None:
        """Something of each kind to look at, none of it older than the index: Git would compare contents."""
        folder.write("a.txt")
        folder.write("old.txt", LONG.replace("line", "row"))
        folder.commit()
        folder.git("mv", "old.txt", "new.txt")
        folder.commit()
        folder.git("mv", "new.txt", "newer.txt")
        folder.write("a.txt", LONG.replace("line", "lime"))
        folder.write("b.txt")

    async def test_settings_and_attributes(self, folder: Folder, tripwire: tuple[str, Path]):
        program, mark = tripwire
        self.fill(folder)
        settings = {
            "core.fsmonitor": program,
            "core.pager": program,
            "core.editor": program,
            "core.sshCommand": program,
            "core.askPass": program,
            "core.gitProxy": program,
            "core.alternateRefsCommand": program,
            "credential.helper": f"!{program}",
            "diff.external": program,
            "diff.trip.command": program,
            "diff.trip.textconv": program,
            "filter.trip.clean": program,
            "filter.trip.smudge": program,
            "filter.trip.process": program,
            "filter.trip.required": "true",
            "merge.trip.driver": program,
            "log.showSignature": "true",
            "gpg.program": program,
            "interactive.diffFilter": program,
            "sequence.editor": program,
            "uploadpack.packObjectsHook": program,
            **{f"pager.{name}": program for name in ("log", "diff", "rev-list", "diff-tree", "ls-files", "cat-file")},
            **{
                f"alias.{name}": f"!{program}" for name in ("rev-parse", "ls-files", "ls-tree", "cat-file", "diff-tree")
            },
        }
        for name, value in settings.items():
            folder.git("config", name, value)
        for name in ("pre-commit", "post-index-change", "post-checkout", "fsmonitor-watchman", "reference-transaction"):
            hook = folder.write(f".git/hooks/{name}", f"#!/bin/sh\n{program}\n")
            hook.chmod(0o755)
        folder.write(".gitattributes", "* filter=trip diff=trip merge=trip text\n")
        folder.write(".git/info/attributes", "* filter=trip diff=trip\n")
        assert not mark.exists()
        await self.read_all(folder.repository)
        assert not mark.exists(), mark.read_text()
        with suppress(subprocess.CalledProcessError):
            folder.git("add", "b.txt")
        assert mark.exists(), "the tripwire itself must work"

    async def test_a_hooks_folder_and_settings_that_are_included(self, folder: Folder, tripwire: tuple[str, Path]):
        program, mark = tripwire
        self.fill(folder)
        hooks = folder.path / "hooks"
        for name in ("post-index-change", "reference-transaction", "fsmonitor-watchman"):
            folder.write(f"hooks/{name}", f"#!/bin/sh\n{program}\n").chmod(0o755)
        folder.write("more", f"[core]\n\tfsmonitor = {program}\n\thooksPath = {hooks}\n")
        folder.git("config", f"includeIf.gitdir:{folder.path}/.path", str(folder.path / "more"))
        folder.git("config", "include.path", str(folder.path / "more"))
        mark.unlink(missing_ok=True)  # Git, as its owner runs it, runs them
        await self.read_all(folder.repository)
        assert not mark.exists(), mark.read_text()

    @pytest.mark.parametrize("older", [False, True], ids=["now", "older"])
    @pytest.mark.parametrize("url", ["ext::{program} %S", "ssh://host/x", "trip::x"])
    async def test_a_part_of_the_history_that_would_have_to_be_fetched(
        self,
        folder: Folder,
        tripwire: tuple[str, Path],
        url: str,
        older: bool,
        monkeypatch: pytest.MonkeyPatch,
    ):
        """In a partial clone Git fetches by itself, through whatever the repository names.

        Also one that doesn't know GIT_NO_LAZY_FETCH yet.
        """
        program, mark = tripwire
        if older:
            monkeypatch.setattr(
                git_process,
                "environment",
                lambda given: {k: v for k, v in environment(given).items() if k != "GIT_NO_LAZY_FETCH"},
            )
        folder.write("a.txt")
        folder.write("b.txt", "b\n")
        folder.commit()
        folder.git("config", "uploadpack.allowFilter", "true")
        clone = Folder(folder.path.parent / "clone")
        folder.git("clone", "--quiet", "--no-checkout", "--filter=blob:none", f"file://{folder.path}", str(clone.path))
        for name, value in {
            "remote.origin.url": url.format(program=program),
            "protocol.ext.allow": "always",
            "protocol.ssh.allow": "always",
            "protocol.trip.allow": "always",
            "core.sshCommand": program,
            "remote.origin.uploadpack": program,
        }.items():
            clone.git("config", name, value)
        head = await clone.repository.head()
        with pytest.raises(RepositoryError, match="is not on this machine"):
            await clone.repository.text(str(head), "a.txt")
        assert not mark.exists(), mark.read_text()

    async def test_variables_of_the_editor(
        self, folder: Folder, tripwire: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ):
        """An editor that was started from a hook has another repository in its environment."""
        program, mark = tripwire
        self.fill(folder)
        other = Folder(tmp_path / "other")
        other.path.mkdir()
        other.git("init", "--quiet")
        for name, value in {
            "GIT_DIR": str(other.path / ".git"),
            "GIT_WORK_TREE": str(other.path),
            "GIT_INDEX_FILE": str(other.path / "index"),
            "GIT_EXTERNAL_DIFF": program,
            "GIT_PAGER": program,
            "GIT_SSH_COMMAND": program,
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "core.fsmonitor",
            "GIT_CONFIG_VALUE_0": program,
            "GIT_TRACE": str(mark),
        }.items():
            monkeypatch.setenv(name, value)
        assert "a.txt" in await folder.repository.changed(await folder.repository.head())
        await self.read_all(folder.repository)
        assert not mark.exists(), mark.read_text()

    async def test_a_git_in_the_folder(
        self, folder: Folder, tripwire: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
    ):
        program, mark = tripwire
        self.fill(folder)
        folder.write("bin/git", f"#!/bin/sh\n{program}\n").chmod(0o755)
        folder.write("git", f"#!/bin/sh\n{program}\n").chmod(0o755)
        path = os.pathsep.join([".", "", str(folder.path), str(folder.path / "bin"), os.environ["PATH"]])
        monkeypatch.setenv("PATH", path)
        monkeypatch.chdir(folder.path)
        assert not find_git(folder.path).startswith(str(folder.path))
        await self.read_all(folder.repository)
        assert not mark.exists(), mark.read_text()

    async def test_a_working_tree_elsewhere(self, folder: Folder, tmp_path: Path):
        """``core.worktree`` can't lead to files outside of the folder."""
        (tmp_path / "private").mkdir()
        (tmp_path / "private" / "letter.txt").write_text("dear\n")
        self.fill(folder)
        folder.git("config", "core.worktree", str(tmp_path))
        assert not [name for name in await folder.repository.changed(None) if "letter" in name]
        folder.git("config", "core.worktree", str(tmp_path / "private"))
        assert await folder.repository.changed(None) == ["a.txt", "newer.txt"]
