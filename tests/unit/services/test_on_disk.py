"""Threads in files that aren't open: found again where the files are, and as they are."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from channelcoder_lsp.domain.errors import RepositoryError
from channelcoder_lsp.domain.place import AnchorState, Position, Range, Selection
from channelcoder_lsp.domain.text import split_lines
from channelcoder_lsp.domain.uri import uri_of
from channelcoder_lsp.services.checkouts import Checkouts
from channelcoder_lsp.services.compose import Question
from channelcoder_lsp.services.events import SessionMoved
from channelcoder_lsp.services.projects import Projects
from channelcoder_lsp.services.threads import Document

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from channelcoder_lsp.domain.place import Anchor
    from channelcoder_lsp.services.project import Project

    from .desk import Desk

CODE = 'import os\n\n\ndef tötal(items):\n    """🧮"""\n    return sum(items)\n\n\nprint(tötal([1]))\n'
TOTAL = Range(Position(3, 0), Position(5, 21))


class Renames:
    """Version control that knows of renames, or of nothing."""

    def __init__(self) -> None:
        self.known: dict[str, str] | None = {}
        self.asked = 0

    async def renames(self) -> Mapping[str, str]:
        self.asked += 1
        if self.known is None:
            raise RepositoryError("This folder is in no repository.")
        return self.known


class Shop:
    """A project folder with real files, in an editor."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.renames = Renames()
        desk.ports = replace(desk.ports, repositories=lambda folder: self.renames)
        self.root = desk.folder / "shop"
        self.root.mkdir(exist_ok=True)
        self.projects = Projects(desk.storage, Checkouts(desk.folder / "state"), desk.ports, desk.folder / "scratch")
        self.project: Project

    async def start(self) -> Shop:
        self.project = await self.projects.add(self.root)
        return self

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())

    async def open(self, name: str, text: str | None = None) -> str:
        uri = uri_of(self.root / name)
        lines = split_lines((self.root / name).read_bytes().decode() if text is None else text)
        await self.project.opened(Document(uri=uri, path=self.project.relative(uri), lines=lines))
        return uri

    async def asked(self, name: str = "a.py", span: Range = TOTAL) -> str:
        """A thread in a file that is closed again."""
        self.write(name, CODE)
        uri = await self.open(name)
        selection = Selection(uri=uri, path=name, range=span, text="", document=CODE)
        turn = await self.project.ask(Question("What is it?", selection=selection))
        await self.desk.heard.over(turn)
        await self.project.closed(uri)
        return turn.thread_id or ""

    async def anchor(self, thread_id: str) -> Anchor:
        await self.project.on_disk.up_to_date()
        assert self.project.session is not None
        return self.project.session.thread(thread_id).anchor

    async def state(self, thread_id: str) -> tuple[str | None, AnchorState, int]:
        """In which file it is, how sure that is, and the first line."""
        anchor = await self.anchor(thread_id)
        return anchor.path, anchor.state, anchor.range.start.line


@pytest.fixture
async def open_shop(open_desk: Callable[[], Desk]) -> AsyncIterator[Callable[[], Shop]]:
    shops: list[Shop] = []

    def open_one() -> Shop:
        shops.append(Shop(open_desk()))
        return shops[-1]

    yield open_one
    for shop in shops:
        await shop.projects.close()


@pytest.fixture
async def shop(open_shop: Callable[[], Shop]) -> Shop:
    return await open_shop().start()


class TestAChangedFile:
    @pytest.mark.parametrize(
        ("text", "state", "line"),
        [
            (CODE, AnchorState.EXACT, 3),
            ("# one\n" + CODE, AnchorState.MOVED, 4),
            (CODE.replace("sum(items)", "sum(items, 0)"), AnchorState.EDITED, 3),
            (CODE.replace("\n", "\r\n"), AnchorState.EXACT, 3),
            ("\ufeff" + CODE, AnchorState.EXACT, 3),
            ("print()\n", AnchorState.ORPHANED, 3),
            ("", AnchorState.ORPHANED, 3),
        ],
    )
    async def test_moves_edits_or_orphans_its_threads_which_come_back_with_the_text(self, shop, text, state, line):
        thread = await shop.asked()
        shop.write("a.py", text)
        assert await shop.state(thread) == ("a.py", state, line)
        shop.write("a.py", CODE)
        assert await shop.state(thread) == ("a.py", AnchorState.EXACT, 3)

    async def test_says_what_stands_there_now(self, shop: Shop):
        thread = await shop.asked()
        shop.write("a.py", CODE.replace("sum(items)", "0"))
        anchor = await shop.anchor(thread)
        assert anchor.current == 'def tötal(items):\n    """🧮"""\n    return 0'
        assert anchor.quote == 'def tötal(items):\n    """🧮"""\n    return sum(items)'

    async def test_orphans_its_threads_when_it_is_gone_until_it_is_back(self, shop: Shop):
        thread = await shop.asked()
        (shop.root / "a.py").unlink()
        assert await shop.state(thread) == ("a.py", AnchorState.ORPHANED, 3)
        shop.write("a.py", "\n" + CODE)
        assert await shop.state(thread) == ("a.py", AnchorState.MOVED, 4)

    @pytest.mark.parametrize("content", [b"\xff\xfe\0", b"x" * 5_000_001], ids=["no text", "huge"])
    async def test_that_cannot_be_read_leaves_its_threads_where_they_were(self, shop: Shop, content: bytes):
        thread = await shop.asked()
        (shop.root / "a.py").write_bytes(content)
        assert await shop.state(thread) == ("a.py", AnchorState.EXACT, 3)

    async def test_that_is_open_is_the_buffers_business(self, shop: Shop):
        thread = await shop.asked()
        await shop.open("a.py")
        shop.write("a.py", "print()\n")
        assert await shop.state(thread) == ("a.py", AnchorState.EXACT, 3)

    async def test_whose_buffer_is_closed_unsaved_counts_as_it_is_on_disk(self, shop: Shop):
        thread = await shop.asked()
        uri = await shop.open("a.py", "# not saved\n" + CODE)
        await shop.project.closed(uri)
        assert await shop.state(thread) == ("a.py", AnchorState.EXACT, 3)

    async def test_is_noticed_when_the_session_is_opened_again(self, open_shop: Callable[[], Shop]):
        first = await open_shop().start()
        thread = await first.asked()
        await first.projects.close()
        first.write("a.py", "\n\n" + CODE)
        second = await open_shop().start()
        await second.desk.heard.until(lambda: second.project.session.thread(thread).anchor.range.start.line == 5)

    async def test_that_moved_its_threads_has_them_moved_until_they_are_back(self, open_shop: Callable[[], Shop]):
        """Looking again does not make it the place where the question was asked."""
        first = await open_shop().start()
        thread = await first.asked()
        first.write("a.py", "\n" + CODE)
        assert await first.state(thread) == ("a.py", AnchorState.MOVED, 4)
        await first.projects.close()
        second = await open_shop().start()
        assert await second.state(thread) == ("a.py", AnchorState.MOVED, 4)
        await second.open("a.py")
        (here,) = second.project.placed.threads_in(uri_of(second.root / "a.py"))
        assert here.place.state is AnchorState.MOVED

    async def test_is_noticed_when_the_editor_tells_of_it(self, shop: Shop):
        thread = await shop.asked()
        await shop.anchor(thread)
        shop.write("a.py", "\n" + CODE)
        told = len(shop.desk.heard.of(SessionMoved))
        shop.project.on_disk.files_changed(["else.py", "a.py"])
        await shop.desk.heard.until(lambda: len(shop.desk.heard.of(SessionMoved)) > told)
        assert shop.project.session.thread(thread).anchor.state is AnchorState.MOVED

    async def test_in_a_folder_that_came_or_went_as_a_whole(self, shop: Shop):
        thread = await shop.asked("deep/er/a.py")
        await shop.anchor(thread)
        (shop.root / "deep" / "er" / "a.py").unlink()
        shop.project.on_disk.files_changed(["deep"])
        heard = shop.desk.heard
        await heard.until(lambda: shop.project.session.thread(thread).anchor.state is AnchorState.ORPHANED)

    async def test_that_has_no_threads_is_not_looked_at(self, shop: Shop):
        await shop.anchor(await shop.asked())
        on_disk = shop.project.on_disk
        await on_disk.close()
        on_disk.files_changed([f"src/{number}.py" for number in range(5000)])
        assert not on_disk._waiting
        on_disk.files_changed(["a.py"])
        assert on_disk._waiting


class TestARenamedFile:
    async def test_takes_its_threads_along_where_version_control_knows(self, shop: Shop):
        thread = await shop.asked()
        (shop.root / "a.py").rename(shop.root / "b.py")
        shop.renames.known = {"a.py": "b.py"}
        assert await shop.state(thread) == ("b.py", AnchorState.EXACT, 3)
        anchor = await shop.anchor(thread)
        assert (anchor.uri, anchor.former_paths) == (uri_of(shop.root / "b.py"), ["a.py"])

    async def test_finds_them_again_under_its_former_name_without_version_control(self, shop: Shop):
        """Another branch has the old name."""
        thread = await shop.asked()
        (shop.root / "a.py").rename(shop.root / "b.py")
        shop.renames.known = {"a.py": "b.py"}
        await shop.anchor(thread)
        shop.renames.known = None
        (shop.root / "b.py").rename(shop.root / "a.py")
        assert await shop.state(thread) == ("a.py", AnchorState.EXACT, 3)
        (shop.root / "a.py").rename(shop.root / "b.py")
        assert await shop.state(thread) == ("b.py", AnchorState.EXACT, 3)

    async def test_keeps_its_threads_while_it_is_there(self, shop: Shop):
        """Whatever is said of renames: no thread is taken from a file that exists."""
        thread = await shop.asked()
        shop.write("b.py", CODE)
        shop.renames.known = {"a.py": "b.py"}
        await shop.open("b.py")
        assert await shop.state(thread) == ("a.py", AnchorState.EXACT, 3)
        assert shop.renames.asked == 0

    async def test_is_not_followed_to_where_there_is_nothing(self, shop: Shop):
        thread = await shop.asked()
        (shop.root / "a.py").unlink()
        shop.renames.known = {"a.py": "b.py"}
        assert await shop.state(thread) == ("a.py", AnchorState.ORPHANED, 3)

    async def test_that_is_gone_is_asked_about_once(self, shop: Shop):
        """To ask costs a process; a list that is shown again has no reason to."""
        thread = await shop.asked()
        await shop.project.on_disk.close()
        (shop.root / "a.py").unlink()
        for _ in range(3):
            assert (await shop.state(thread))[1] is AnchorState.ORPHANED
        assert shop.renames.asked == 1

    async def test_is_known_by_its_very_text_when_it_is_opened(self, shop: Shop):
        thread = await shop.asked()
        shop.renames.known = None
        (shop.root / "a.py").rename(shop.root / "c.py")
        uri = await shop.open("c.py")
        await shop.desk.heard.until(lambda: shop.project.placed.threads_in(uri))
        assert await shop.state(thread) == ("c.py", AnchorState.EXACT, 3)

    async def test_is_not_known_by_a_text_like_its_own(self, shop: Shop):
        thread = await shop.asked()
        shop.renames.known = None
        (shop.root / "a.py").unlink()
        shop.write("c.py", CODE + "\n")
        await shop.open("c.py")
        assert await shop.state(thread) == ("a.py", AnchorState.ORPHANED, 3)

    async def test_is_placed_where_it_is_open_already(self, shop: Shop):
        thread = await shop.asked()
        (shop.root / "a.py").rename(shop.root / "b.py")
        shop.renames.known = {"a.py": "b.py"}
        uri = await shop.open("b.py", "\n" + CODE)
        await shop.desk.heard.until(lambda: shop.project.placed.threads_in(uri))
        (here,) = shop.project.placed.threads_in(uri)
        assert (here.thread.id, here.range.start.line) == (thread, 4)

    async def test_is_followed_though_it_is_still_open_under_the_name_that_is_gone(self, shop: Shop):
        """Editors keep the tab of a file that another branch doesn't have."""
        thread = await shop.asked()
        old = await shop.open("a.py")
        (shop.root / "a.py").rename(shop.root / "b.py")
        shop.renames.known = {"a.py": "b.py"}
        new = await shop.open("b.py")
        assert await shop.state(thread) == ("b.py", AnchorState.EXACT, 3)
        assert shop.project.placed.threads_in(old) == []
        assert [here.thread.id for here in shop.project.placed.threads_in(new)] == [thread]
        await shop.project.closed(old)
        assert await shop.state(thread) == ("b.py", AnchorState.EXACT, 3)

    async def test_that_is_open_and_nowhere_else_keeps_its_threads(self, shop: Shop):
        """A buffer that was not saved yet, or whose file was deleted."""
        thread = await shop.asked()
        uri = await shop.open("a.py")
        (shop.root / "a.py").unlink()
        assert await shop.state(thread) == ("a.py", AnchorState.EXACT, 3)
        assert len(shop.project.placed.threads_in(uri)) == 1

    async def test_in_the_editor_keeps_its_former_name(self, shop: Shop):
        thread = await shop.asked()
        (shop.root / "a.py").rename(shop.root / "b.py")
        await shop.project.renamed_files(shop.root / "a.py", shop.root / "b.py")
        assert (await shop.anchor(thread)).former_paths == ["a.py"]


class TestALargeFileReplacedAtOnce:
    async def test_is_looked_through_beside_the_message_loop(self, shop: Shop):
        thread = await shop.asked()
        uri = await shop.open("a.py", CODE + "#\n" * 3000)
        document = shop.project.documents.get(uri)
        shop.project.documents.replaced(uri, "# one\n" + CODE.replace("sum", "max") + "#\n" * 3000)
        assert shop.project.placed.threads_in(uri) == []
        assert document.behind
        await shop.project.placed.catch_up(document)
        (here,) = shop.project.placed.threads_in(uri)
        assert (here.thread.id, here.range.start.line, here.place.state) == (thread, 4, AnchorState.EDITED)
        assert not document.behind

    async def test_comes_back_at_once_with_the_text_that_was_there(self, shop: Shop):
        await shop.asked()
        uri = await shop.open("a.py", CODE + "#\n" * 3000)
        shop.project.documents.replaced(uri, "#\n" * 5000)
        shop.project.documents.replaced(uri, CODE + "#\n" * 3000)
        (here,) = shop.project.placed.threads_in(uri)
        assert (here.range, here.place.state) == (TOTAL, AnchorState.EXACT)


async def test_a_notebooks_cells_are_not_looked_for_in_its_file(shop: Shop):
    """The file holds them as JSON."""
    uri = f"vscode-notebook-cell:{(shop.root / 'n.ipynb').as_posix()}#one"
    await shop.project.opened(Document(uri=uri, path="n.ipynb", lines=split_lines(CODE)))
    selection = Selection(uri=uri, path="n.ipynb", range=TOTAL, text="", document=CODE)
    turn = await shop.project.ask(Question("What is it?", selection=selection))
    await shop.desk.heard.over(turn)
    await shop.project.closed(uri)
    shop.write("n.ipynb", "{}")
    assert (await shop.state(turn.thread_id))[1] is AnchorState.EXACT


async def test_a_session_that_cannot_be_written_is_no_harm(shop: Shop, monkeypatch, caplog):
    thread = await shop.asked()
    shop.write("a.py", "\n" + CODE)
    await shop.project.session.close()
    assert (await shop.state(thread))[2] == 3
    assert "could not be recorded" in caplog.text
