"""What is not committed, as a diff that goes along with a question."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from channelcoder_lsp.domain.errors import ArgumentsError, RepositoryError
from channelcoder_lsp.domain.place import Position, Range
from channelcoder_lsp.domain.text import split_lines
from channelcoder_lsp.domain.uri import uri_of
from channelcoder_lsp.services import uncommitted as module
from channelcoder_lsp.services.checkouts import Checkouts
from channelcoder_lsp.services.projects import Projects
from channelcoder_lsp.services.review_sources import Sources
from channelcoder_lsp.services.threads import Document
from channelcoder_lsp.services.uncommitted import LABEL, uncommitted

if TYPE_CHECKING:
    from .desk import Desk

CODE = "one = 1\ntwo = 2\nthree = 3\n"


class Shop:
    """A folder in a repository, open in an editor."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.folder = desk.folder / "shop"
        self.folder.mkdir()

    async def enter(self) -> None:
        state = self.desk.folder / "state"
        projects = Projects(self.desk.storage, Checkouts(state), self.desk.ports, state / "scratch")
        self.project = await projects.add(self.folder)

    def git(self, *arguments: str) -> None:
        identity = ["-c", "user.name=a", "-c", "user.email=a@b"]
        subprocess.run(["git", *identity, *arguments], cwd=self.folder, check=True, capture_output=True)

    def committed(self, **files: str) -> None:
        self.git("init", "--quiet", "--initial-branch=main")
        for name, text in files.items():
            self.write(f"{name}.py", text)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", "Work")

    def write(self, name: str, text: str) -> str:
        (self.folder / name).write_text(text)
        return uri_of(self.folder / name)

    async def type(self, name: str, text: str) -> None:
        """Open a file, and type at its beginning."""
        uri = uri_of(self.folder / name)
        lines = split_lines((self.folder / name).read_text())
        await self.project.opened(Document(uri=uri, path=self.project.relative(uri), lines=lines, language="python"))
        self.project.documents.edit(uri, Range(Position(0, 0), Position(0, 0)), text)

    async def diff(self) -> list[str]:
        repository = self.desk.ports.repositories(self.folder)
        item = await uncommitted("context.0", Sources(self.project, repository), repository)
        assert (item.name, item.first) == (LABEL, None)
        return list(item.lines)


@pytest.fixture
async def shop(desk: Desk) -> Shop:
    shop = Shop(desk)
    await shop.enter()
    return shop


async def test_has_what_is_on_disk_what_is_typed_and_what_is_new(shop: Shop):
    shop.committed(disk=CODE, same=CODE, typed=CODE)
    shop.write("disk.py", CODE.replace("two = 2", "two = 3"))
    shop.write("new.py", "fresh = 1\n")
    await shop.type("typed.py", "zero = 0\n")
    whole = " one = 1", " two = 2", " three = 3"
    assert await shop.diff() == [
        *("--- a/disk.py", "+++ b/disk.py", "@@ -1,4 +1,4 @@"),
        *(" one = 1", "-two = 2", "+two = 3", " three = 3", " "),
        *("--- /dev/null", "+++ b/new.py", "@@ -0,0 +1,2 @@", "+fresh = 1", "+"),
        *("--- a/typed.py", "+++ b/typed.py", "@@ -1,3 +1,4 @@", "+zero = 0", *whole),
    ]


async def test_has_none_of_what_is_kept_from_claude(shop: Shop):
    shop.committed(a=CODE)
    shop.write("a.py", "changed = 1\n")
    shop.write(".env", "KEY=secret\n")
    first, *diff = await shop.diff()
    assert (
        first
        == "Not shown: .env (it is kept from Claude, since its name says that it holds secrets or a rule denies it)."
    )
    assert "secret" not in "\n".join(diff)


async def test_is_bounded_in_files_and_lines(shop: Shop, monkeypatch: pytest.MonkeyPatch):
    """What is beyond the bounds is named."""
    shop.committed()
    monkeypatch.setattr(module, "FILES", 3)
    monkeypatch.setattr(module, "COMPARED_LINES", 10)
    shop.write("a.py", "a = 1\n")
    shop.write("b.py", "b = 1\n" * 20)
    shop.write("c.py", "c = 1\n")
    shop.write("d.py", "d = 1\n")
    first, *diff = await shop.diff()
    assert first == "Not shown: b.py (it is too long to be compared), d.py (too much changed)."
    assert [line for line in diff if line.startswith("+++")] == ["+++ b/a.py", "+++ b/c.py"]
    monkeypatch.setattr(module, "DIFF_LINES", 1)
    assert "c.py (too much changed)" in (await shop.diff())[0]


async def test_of_which_there_is_none_is_told(shop: Shop):
    shop.committed(a=CODE)
    with pytest.raises(ArgumentsError, match=r"context\.0\.changes: nothing is changed since the last commit"):
        await shop.diff()


async def test_needs_a_repository(shop: Shop):
    with pytest.raises(RepositoryError, match="is in no Git repository"):
        await shop.diff()
