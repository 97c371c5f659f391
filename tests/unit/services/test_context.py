"""What else is sent along with a question: files, parts, definitions, outputs; or a sentence that says why not."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from channelcoder_lsp.domain.deny_list import DenyList, DenyRules
from channelcoder_lsp.domain.errors import ArgumentsError
from channelcoder_lsp.domain.place import Position, Range
from channelcoder_lsp.services.context import ENTRIES, FILE_BYTES, ChosenContext, ContextItem, Folders, Wanted
from channelcoder_lsp.services.threads import Document

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

CODE = """\
import os

LIMIT = 3


class Cart:
    # What it costs.
    @property
    def total(self):
        return 1

    def clear(self):
        pass


class Order:
    def total(self):
        return 2


def main():
    print("größe 🙂")
"""


async def changed(field: str) -> ContextItem:
    """What is not committed."""
    return ContextItem("changes", (field,))


class Shop:
    """An open folder."""

    def __init__(self, home: Path) -> None:
        self.root = home / "shop"
        self.root.mkdir()
        self.folders = Folders(self.root.resolve(), {self.root.resolve(): DenyList()}, [self.root / "sessions"])

    def write(self, name: str, content: str | bytes = CODE) -> str:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path.as_uri()

    async def items(self, *wanted: Wanted) -> tuple[ContextItem, ...]:
        return await ChosenContext(wanted, self.folders).items(changed)

    async def item(self, uri: str | None = None, **more: object) -> ContextItem:
        [item] = await self.items(Wanted("context.0", uri=uri, **more))
        return item

    async def refusal(self, uri: str | None = None, **more: object) -> str:
        with pytest.raises(ArgumentsError) as refused:
            await self.item(uri, **more)
        return refused.value.message


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def lines(first: int, last: int):
    def part(_lines: Sequence[str]) -> Range:
        return Range(Position(first, 0), Position(last, 1))

    return part


class TestFiles:
    async def test_a_file_is_read_whole_with_its_path(self, shop: Shop):
        """The empty last line that a line end opens is not a line of code."""
        uri = shop.write("src/a.py")
        assert await shop.item(uri) == ContextItem("src/a.py", tuple(CODE.rstrip("\n").split("\n")), 0)

    async def test_an_open_file_is_taken_as_the_editor_has_it(self, shop: Shop):
        """As it is when the question is asked: what is typed afterwards is not sent."""
        uri = shop.write("a.py", "on disk\n")
        document = Document(uri, "a.py", ["in the buffer", "größe 🙂"], "python")
        context = ChosenContext([Wanted("context.0", uri=uri, document=document)], shop.folders)
        document.lines[0] = "typed later"
        assert await context.items(changed) == (ContextItem("a.py", ("in the buffer", "größe 🙂"), 0, "python"),)

    async def test_what_is_not_committed_is_looked_for_in_its_turn(self, shop: Shop):
        """By a way of its own, which is told how to name the entry."""
        wanted = Wanted("context.0", changes=True), Wanted("context.1", text="x", label="log")
        assert await shop.items(*wanted) == (ContextItem("changes", ("context.0",)), ContextItem("log", ("x",)))

    async def test_a_part_has_its_own_lines_and_numbers(self, shop: Shop):
        item = await shop.item(shop.write("a.py"), part=lines(15, 17))
        assert (item.first, item.lines[0], len(item.lines)) == (15, "class Order:", 3)

    async def test_a_part_past_the_end_is_what_there_is(self, shop: Shop):
        item = await shop.item(shop.write("a.py", "a\nb\n"), part=lines(1, 99))
        assert (item.first, item.lines) == (1, ("b",))

    async def test_all_line_ends_and_a_mark_of_byte_order_are_taken(self, shop: Shop):
        assert (await shop.item(shop.write("a.py", b"\xef\xbb\xbfa\r\nb\rc"))).lines == ("a", "b", "c")

    async def test_an_empty_file_is_one_empty_line(self, shop: Shop):
        assert (await shop.item(shop.write("a.py", ""))).lines == ("",)

    async def test_a_buffer_that_is_no_file_is_named_by_its_uri(self, shop: Shop):
        document = Document("untitled:Untitled-1", None, ["x = 1"], "python")
        item = await shop.item("untitled:Untitled-1", document=document)
        assert (item.name, item.lines) == ("untitled:Untitled-1", ("x = 1",))

    async def test_a_file_that_is_open_may_be_anywhere(self, shop: Shop, tmp_path: Path):
        elsewhere = tmp_path / "other.py"
        document = Document(elsewhere.as_uri(), str(elsewhere), ["x = 1"], "python")
        assert (await shop.item(elsewhere.as_uri(), document=document)).name == str(elsewhere)

    async def test_the_order_is_the_one_given(self, shop: Shop):
        first, second = shop.write("b.py", "b"), shop.write("a.py", "a")
        items = await shop.items(
            Wanted("context.0", uri=first),
            Wanted("context.1", text="failed\n", label="pytest"),
            Wanted("context.2", uri=second),
        )
        assert [item.name for item in items] == ["b.py", "pytest", "a.py"]
        assert items[1] == ContextItem("pytest", ("failed",))


class TestDefinitions:
    @pytest.mark.parametrize(
        ("symbol", "name", "first", "last"),
        [
            ("Cart", "Cart", "class Cart:", "        pass"),
            ("Cart.total", "Cart.total", "    # What it costs.", "        return 1"),
            ("Order::total", "Order.total", "    def total(self):", "        return 2"),
            ("clear", "Cart.clear", "    def clear(self):", "        pass"),
            (" main ", "main", "def main():", '    print("größe 🙂")'),
        ],
    )
    async def test_are_found_by_name_with_what_leads_up_to_them(
        self, shop: Shop, symbol: str, name: str, first: str, last: str
    ):
        """Decorators and comments right above belong to it."""
        item = await shop.item(shop.write("a.py"), symbol=symbol)
        assert (item.symbol, item.lines[0], item.lines[-1]) == (name, first, last)
        assert CODE.split("\n")[item.first or 0] == first

    async def test_overloads_are_all_sent(self, shop: Shop):
        uri = shop.write("a.ts", "function f(a: number) {\n  return a\n}\nfunction f(a: string) {\n  return a\n}\n")
        items = await shop.items(Wanted("context.0", uri=uri, symbol="f"))
        assert [item.first for item in items] == [0, 3]

    async def test_a_name_that_several_have_asks_for_the_whole_one(self, shop: Shop):
        refusal = await shop.refusal(shop.write("a.py"), symbol="total")
        assert refusal == "context.0.symbol: 'total' may be Cart.total, Order.total. Give the whole name."

    @pytest.mark.parametrize(
        ("symbol", "hint"),
        [("Crat", " Is it Cart?"), ("Cart.totl", " Is it Cart.total"), ("zzz", " There is Cart, Cart.total, ")],
    )
    async def test_a_name_that_is_not_there_is_answered_with_the_nearest(self, shop: Shop, symbol: str, hint: str):
        refusal = await shop.refusal(shop.write("a.py"), symbol=symbol)
        assert refusal.startswith(f"context.0.symbol: no definition of {symbol!r} was found in the file.{hint}")

    async def test_a_file_without_definitions_has_no_names_to_tell(self, shop: Shop):
        assert (await shop.refusal(shop.write("a.txt", "x"), symbol="x")).endswith("was found in the file.")


class TestRefused:
    async def test_what_is_not_there(self, shop: Shop):
        uri = (shop.root / "none.py").as_uri()
        assert await shop.refusal(uri) == f"context.0.uri: there is no file {shop.root / 'none.py'}."

    async def test_folders(self, shop: Shop):
        (shop.root / "src").mkdir()
        assert "is a folder" in await shop.refusal((shop.root / "src").as_uri())

    async def test_pipes(self, shop: Shop):
        """Nobody may ever write to one: it is not waited for."""
        os.mkfifo(shop.root / "pipe")
        assert "is no ordinary file" in await shop.refusal((shop.root / "pipe").as_uri())

    @pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"a\0b", "größe".encode("latin-1")])
    async def test_what_is_no_text(self, shop: Shop, content: bytes):
        assert "text" in await shop.refusal(shop.write("a.bin", content))

    async def test_what_is_too_large(self, shop: Shop):
        assert "larger than 5,000,000 bytes" in await shop.refusal(shop.write("a.log", b"x" * (FILE_BYTES + 1)))

    @pytest.mark.parametrize("name", [".env", ".env.local", "keys/server.pem", ".ssh/config", "sessions/work.json"])
    async def test_secrets_and_conversations(self, shop: Shop, name: str):
        """Whether they are open or not: a list of open files is not a wish to send one of them."""
        uri = shop.write(name, "KEY=1\n")
        assert "is kept from Claude" in await shop.refusal(uri)
        document = Document(uri, name, ["KEY=1"], "")
        assert "is kept from Claude" in await shop.refusal(uri, document=document)

    @pytest.mark.parametrize("name", ["private/a.py", "PRIVATE/a.py", "link.py", "deep/notes.md"])
    async def test_what_a_rule_denies(self, shop: Shop, name: str):
        """By either name of a link, open or not."""
        rules = DenyRules(("/private", "notes.md"), shop.folders.root)
        shop.folders = replace(shop.folders, deny_list=DenyList(shop.folders.root, [rules]))
        shop.write("private/a.py", "x = 1\n")
        uri = shop.write(name, "x = 1\n") if name != "link.py" else (shop.root / name).as_uri()
        if name == "link.py":
            (shop.root / name).symlink_to("private/a.py")
        assert "is kept from Claude" in await shop.refusal(uri)
        assert "is kept from Claude" in await shop.refusal(uri, document=Document(uri, name, ["x = 1"], ""))

    async def test_a_link_to_a_secret(self, shop: Shop):
        shop.write(".env", "KEY=1\n")
        (shop.root / "a.py").symlink_to(shop.root / ".env")
        assert "is kept from Claude" in await shop.refusal((shop.root / "a.py").as_uri())

    async def test_what_is_outside_of_the_open_folders_and_not_open(self, shop: Shop, tmp_path: Path):
        """Also through a link, or with dots in the path."""
        outside = tmp_path / "other.py"
        outside.write_text("x = 1\n")
        (shop.root / "link.py").symlink_to(outside)
        for uri in (outside.as_uri(), (shop.root / "link.py").as_uri(), f"{shop.root.as_uri()}/../other.py"):
            assert "is outside of the open folders" in await shop.refusal(uri)

    @pytest.mark.parametrize(
        "uri", ["untitled:Untitled-1", "http://localhost/a.py", "a.py", "", "file:", "file:///a%00b"]
    )
    async def test_what_is_neither_open_nor_a_file(self, shop: Shop, uri: str):
        assert "is not open in the editor" in await shop.refusal(uri)

    async def test_a_loop_of_links(self, shop: Shop):
        (shop.root / "loop").symlink_to(shop.root / "loop")
        assert (await shop.refusal((shop.root / "loop").as_uri())).startswith("context.0.uri: ")

    @pytest.mark.parametrize(
        ("entry", "said"),
        [
            ({}, "context.0: give either uri"),
            ({"uri": "file:///a", "text": "x"}, "context.0: give either uri"),
            ({"text": "x"}, "context.0.label: "),
            ({"text": "x", "label": " "}, "context.0.label: "),
            ({"text": " \n", "label": "log"}, "context.0.text: "),
            ({"text": "x", "label": "log", "symbol": "f"}, "context.0: range and symbol are for a file"),
            ({"uri": "file:///a", "label": "log"}, "context.0.label: "),
            ({"uri": "file:///a", "symbol": "f", "part": lines(0, 1)}, "context.0: give either range or symbol"),
            ({"uri": "file:///a", "symbol": " "}, "context.0.symbol: "),
            ({"changes": True, "uri": "file:///a"}, "context.0: changes are the folder's"),
        ],
    )
    def test_an_entry_that_contradicts_itself(self, shop: Shop, entry: dict[str, object], said: str):
        """Told at once, before anything is read."""
        with pytest.raises(ArgumentsError, match=said):
            ChosenContext([Wanted("context.0", **entry)], shop.folders)

    def test_too_many_entries(self, shop: Shop):
        with pytest.raises(ArgumentsError, match="are too many"):
            ChosenContext([Wanted("context.0", text="x", label="y")] * (ENTRIES + 1), shop.folders)
