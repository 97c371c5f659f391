"""Threads keep their place: branches are switched, files renamed, pulled, formatted, open or closed."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from channelcoder_lsp.cli.editor import capabilities

from .conftest import Machine, answered

if TYPE_CHECKING:
    from pathlib import Path

    from channelcoder_lsp.cli.editor import Editor

FIRST = '"""Ein Geschäft 🛒."""\n\nimport os\n\n\n'
LAST = "    return summe  # 💶 €"
TOTAL = f"""\
def gesamtgröße(körbe):
    summe = 0  # 💶
    for preis in körbe:
        summe = summe + preis
{LAST}
"""
AFTER = "\n\ndef langsam(zahlen):\n    return [n for n in zahlen if n in list(zahlen)]\n"
SOURCE = FIRST + TOTAL + AFTER
CHANGED = SOURCE.replace("summe = 0", "summe = 0.0").replace("import os\n", "import os\nimport sys\n")
WITHOUT = FIRST + AFTER.lstrip("\n")
LENGTH = {"utf-8": len(LAST.encode()), "utf-16": len(LAST.encode("utf-16-le")) // 2}

encodings = pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])


class Repository:
    """A real one, with what is in the folder committed, or a clone of another."""

    def __init__(self, folder: Path, *, of: Path | None = None) -> None:
        self.folder = folder
        if of is not None:
            folder.mkdir()
            self.git("clone", "--quiet", str(of), ".")
            return
        self.git("init", "--quiet", "--initial-branch=main")
        self.commit("begin")

    def git(self, *arguments: str) -> None:
        who = ["-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *who, *arguments], cwd=self.folder, check=True, capture_output=True)

    def commit(self, message: str) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", message)

    def branch(self, name: str) -> None:
        """Make a branch and be on it."""
        self.git("switch", "--quiet", "--create", name)

    def switch(self, name: str) -> None:
        self.git("switch", "--quiet", name)


def client(encoding: str) -> dict[str, Any]:
    return capabilities(encoding, turns=True, changes=True)


async def row(editor: Editor) -> dict[str, Any]:
    """The only thread of the project, as the list has it."""
    (found,) = (await editor.execute("channelcoder.thread.list", {}))["threads"]
    return found


async def where(editor: Editor) -> tuple[str, str, int, int]:
    """The thread's file, its state, its first and its last line."""
    found = await row(editor)
    return found["path"], found["state"], found["range"]["start"]["line"], found["range"]["end"]["line"]


async def reload(editor: Editor, uri: str, path: Path) -> None:
    """The editor reads a file that changed on disk again: the whole text at once."""
    last = len(editor.texts[uri].split("\n"))
    editor.change(uri, (0, 0), (last, 0), path.read_bytes().decode())
    assert editor.texts[uri] == path.read_bytes().decode()


async def ask_here(editor: Editor, uri: str, encoding: str) -> None:
    await answered(editor, uri, ((5, 0), (9, LENGTH[encoding])), "Was ist das?")
    assert "> Was ist das?" in (await editor.hover(uri, 5) or "")


@encodings
class TestAFileThatStaysOpen:
    async def test_shows_it_at_its_place_on_each_branch(self, machine: Machine, encoding: str):
        path = machine.write("shop.py", SOURCE)
        repository = Repository(machine.project)
        async with machine.opened(text=SOURCE, client=client(encoding)) as (editor, uri):
            await ask_here(editor, uri, encoding)
            repository.branch("other")
            path.write_text(CHANGED, "utf-8")
            repository.commit("change")
            await reload(editor, uri, path)
            assert await where(editor) == ("shop.py", "edited", 6, 10)
            assert "the code changed since" in (await editor.hover(uri, 7) or "")
            repository.switch("main")
            await reload(editor, uri, path)
            assert await where(editor) == ("shop.py", "exact", 5, 9)
            shown = await editor.hover(uri, 5) or ""
            assert "> Was ist das?" in shown
            assert "since" not in shown.split("\n")[0]
            assert (await row(editor))["range"]["end"]["character"] == LENGTH[encoding]
            editor.close(uri)
            assert (await row(editor))["range"]["end"]["character"] == LENGTH[encoding]

    async def test_shows_it_nowhere_while_it_is_gone(self, machine: Machine, encoding: str):
        path = machine.write("shop.py", SOURCE)
        repository = Repository(machine.project)
        async with machine.opened(text=SOURCE, client=client(encoding)) as (editor, uri):
            await ask_here(editor, uri, encoding)
            repository.branch("other")
            path.write_text(WITHOUT, "utf-8")
            repository.commit("remove")
            await reload(editor, uri, path)
            assert (await row(editor))["state"] == "orphaned"
            assert await editor.code_lenses(uri) == []
            assert "def gesamtgröße(körbe):" in (await row(editor))["code"]
            assert (await row(editor))["symbol"] == "gesamtgröße"
            assert all([await editor.hover(uri, line) is None for line in range(9)])
            editor.save(uri)
            repository.switch("main")
            await reload(editor, uri, path)
            assert await where(editor) == ("shop.py", "exact", 5, 9)
            assert len(await editor.code_lenses(uri)) > 0

    async def test_closed_and_opened_by_the_editor_in_place_of_a_reload(self, machine: Machine, encoding: str):
        path = machine.write("shop.py", SOURCE)
        repository = Repository(machine.project)
        async with machine.opened(text=SOURCE, client=client(encoding)) as (editor, uri):
            await ask_here(editor, uri, encoding)
            for branch, text, found in (
                ("edited", CHANGED, ("shop.py", "edited", 6, 10)),
                ("gone", WITHOUT, ("shop.py", "orphaned", 5, 9)),
                ("moved", "# oben 🙂\n" + SOURCE, ("shop.py", "moved", 6, 10)),
            ):
                repository.branch(branch)
                path.write_text(text, "utf-8")
                repository.commit(branch)
                editor.close(uri)
                editor.open(path)
                assert await where(editor) == found
                repository.switch("main")
                editor.close(uri)
                editor.open(path)
                assert await where(editor) == ("shop.py", "exact", 5, 9)
                assert "> Was ist das?" in (await editor.hover(uri, 5) or "")

    async def test_shows_it_after_undo_and_redo(self, machine: Machine, encoding: str):
        async with machine.opened(text=SOURCE, client=client(encoding)) as (editor, uri):
            await ask_here(editor, uri, encoding)
            editor.change(uri, (7, 0), (8, 0), "")
            editor.change(uri, (5, 0), (9, 0), "")
            assert (await row(editor))["state"] == "orphaned"
            lines = TOTAL.splitlines(keepends=True)
            editor.change(uri, (5, 0), (5, 0), "".join([*lines[:2], *lines[3:]]))
            assert await where(editor) == ("shop.py", "edited", 5, 8)
            editor.change(uri, (7, 0), (7, 0), lines[2])
            assert await where(editor) == ("shop.py", "exact", 5, 9)


@encodings
class TestAFileThatIsClosed:
    async def test_is_found_on_each_branch_before_it_is_opened(self, machine: Machine, encoding: str):
        path = machine.write("shop.py", SOURCE)
        repository = Repository(machine.project)
        async with machine.opened(text=SOURCE, client=client(encoding)) as (editor, uri):
            await ask_here(editor, uri, encoding)
            editor.close(uri)
            repository.branch("other")
            path.write_text(CHANGED, "utf-8")
            repository.commit("change")
            assert await where(editor) == ("shop.py", "edited", 6, 10)
            path.unlink()
            repository.commit("remove")
            assert await where(editor) == ("shop.py", "orphaned", 6, 10)
            repository.switch("main")
            assert await where(editor) == ("shop.py", "exact", 5, 9)
            assert "> Was ist das?" in (await editor.hover(editor.open(path), 5) or "")

    async def test_is_followed_when_the_editor_tells_of_the_change(self, machine: Machine, encoding: str):
        """An editor that shows threads by itself asks only when it is told that something changed."""
        path = machine.write("shop.py", SOURCE)
        async with machine.opened(text=SOURCE, client=client(encoding)) as (editor, uri):
            await editor.wait_for(lambda message: message["method"] == "client/registerCapability")
            await ask_here(editor, uri, encoding)
            editor.close(uri)
            assert (await where(editor))[1] == "exact"
            seen = len(editor.received)
            path.write_text(CHANGED, "utf-8")
            events = [{"uri": path.as_uri(), "type": 2}]
            editor.notify("workspace/didChangeWatchedFiles", {"changes": events})
            await editor.wait_for(lambda message: message["method"] == "channelcoder/changed", after=seen)
            assert await where(editor) == ("shop.py", "edited", 6, 10)

    async def test_renamed_on_the_other_branch_is_found_under_both_names(self, machine: Machine, encoding: str):
        path = machine.write("shop.py", SOURCE)
        repository = Repository(machine.project)
        renamed = machine.project / "laden" / "geschäft.py"
        async with machine.opened(text=SOURCE, client=client(encoding)) as (editor, uri):
            await ask_here(editor, uri, encoding)
            editor.close(uri)
            repository.branch("other")
            renamed.parent.mkdir()
            repository.git("mv", "shop.py", "laden/geschäft.py")
            repository.commit("rename")
            assert await where(editor) == ("laden/geschäft.py", "exact", 5, 9)
            there = editor.open(renamed)
            assert "> Was ist das?" in (await editor.hover(there, 5) or "")
            editor.close(there)
            repository.switch("main")
            assert await where(editor) == ("shop.py", "exact", 5, 9)
            assert "> Was ist das?" in (await editor.hover(editor.open(path), 5) or "")

    async def test_renamed_outside_shows_it_when_it_is_opened(self, machine: Machine, encoding: str):
        """Without version control: the text tells."""
        path = machine.write("shop.py", SOURCE)
        async with machine.opened(text=SOURCE, client=client(encoding)) as (editor, uri):
            await ask_here(editor, uri, encoding)
            editor.close(uri)
        path.rename(machine.project / "neu.py")
        async with machine.editor(client=client(encoding)) as editor:
            there = editor.open(machine.project / "neu.py")
            await editor.wait_for(lambda message: message["method"] == "channelcoder/changed")
            while await editor.hover(there, 5) is None:
                seen = len(editor.received)
                await editor.wait_for(lambda message: message["method"] == "channelcoder/changed", after=seen)
            assert await where(editor) == ("neu.py", "exact", 5, 9)

    async def test_formatted_or_pulled_while_no_editor_runs(self, machine: Machine, encoding: str):
        """Other indentation, other line ends, lines above and below, from somebody else's clone."""
        path = machine.write("shop.py", SOURCE)
        repository = Repository(machine.project)
        async with machine.opened(text=SOURCE, client=client(encoding)) as (editor, uri):
            await ask_here(editor, uri, encoding)
        theirs = Repository(machine.home / "clone", of=machine.project)
        pulled = "# Lizenz 📜\n" + SOURCE.replace("list(zahlen)", "set(zahlen)")
        (theirs.folder / "shop.py").write_text(pulled, "utf-8")
        theirs.commit("license")
        repository.git("pull", "--quiet", str(theirs.folder))
        async with machine.editor(client=client(encoding)) as editor:
            uri = editor.open(path)
            assert "the code moved since" in (await editor.hover(uri, 6) or "")
            assert await where(editor) == ("shop.py", "moved", 6, 10)
        path.write_bytes(pulled.replace("    ", "\t").replace("\n", "\r\n").encode())
        async with machine.editor(client=client(encoding)) as editor:
            assert await where(editor) == ("shop.py", "edited", 6, 10)
            assert "the code changed since" in (await editor.hover(editor.open(path), 6) or "")
        path.write_text(SOURCE, "utf-8")
        async with machine.editor(client=client(encoding)) as editor:
            assert await where(editor) == ("shop.py", "exact", 5, 9)
