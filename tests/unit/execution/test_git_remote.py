"""What a project is called on every machine, after its Git remote."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from unit.execution.test_git import Folder

from channelcoder_lsp.domain.errors import RepositoryError
from channelcoder_lsp.execution.git import GitRepository
from channelcoder_lsp.execution.git_remote import name_of

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/team/shop.git",
        "https://someone:secret@Example.org/team/shop",
        "https://example.org:8443/team/shop/",
        "ssh://git@example.org:2222/team/shop.git",
        "git@example.org:team/shop.git",
        "example.org:/team/shop.git/",
        "git://example.org/team/shop",
    ],
)
def test_a_remote_has_one_name(url: str):
    """Whichever way it is reached, and without whom reaches it."""
    assert name_of(url) == "example.org/team/shop"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/a/shop.git",
        "../shop",
        "./a:b",
        "file:///srv/shop",
        "C:/shop",
        r"C:\shop",
        "https://",
        "https://[x/y",
    ],
)
def test_a_place_on_this_machine_has_none(url: str):
    """On another one it would be something else."""
    assert name_of(url) is None


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path / "shop")
    made.path.mkdir()
    made.git("init", "--quiet")
    return made


async def test_a_folder_in_a_repository_has_its_path_in_the_name(folder: Folder):
    folder.git("remote", "add", "origin", "git@example.org:team/shop.git")
    folder.git("remote", "add", "mine", "git@example.org:me/shop.git")
    folder.write("packages/till/one.py")
    assert await folder.repository.project() == "example.org/team/shop"
    assert await GitRepository(folder.path / "packages" / "till").project() == "example.org/team/shop/packages/till"


async def test_without_an_origin_the_only_remote_counts(folder: Folder):
    """Of several none can be told to be the project's."""
    assert await folder.repository.project() is None
    folder.git("remote", "add", "upstream", "git@example.org:team/shop.git")
    assert await folder.repository.project() == "example.org/team/shop"
    folder.git("remote", "add", "mine", "git@example.org:me/shop.git")
    assert await folder.repository.project() is None


async def test_a_linked_worktree_has_none(folder: Folder, tmp_path: Path):
    """It is there to work on something else at the same time."""
    folder.git("remote", "add", "origin", "git@example.org:team/shop.git")
    folder.commit()
    folder.git("worktree", "add", "--quiet", str(tmp_path / "tree"), "-b", "side")
    assert await GitRepository(tmp_path / "tree").project() is None


async def test_a_folder_in_no_repository_says_so(tmp_path: Path):
    with pytest.raises(RepositoryError):
        await GitRepository(tmp_path).project()
