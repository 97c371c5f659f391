"""What Claude sees of the editor, and how it proposes edits."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from channelcoder_lsp.domain.deny_list import DenyList, DenyRules
from channelcoder_lsp.domain.errors import ToolError
from channelcoder_lsp.domain.place import Diagnostic, Position, Range, Severity
from channelcoder_lsp.domain.proposal import FileKind, Hunk, Proposal, ProposalStatus
from channelcoder_lsp.domain.text import split_lines
from channelcoder_lsp.domain.uri import path_of, uri_of
from channelcoder_lsp.services.compose import Question
from channelcoder_lsp.services.threads import Document, OpenDocuments
from channelcoder_lsp.services.told import EditorTold
from channelcoder_lsp.services.toolbox import READ_LINES, Toolbox

from .desk import Desk, Reply, soon

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from channelcoder_lsp.domain.turn import Turn
    from channelcoder_lsp.services.session import Session

CODE = "def one():\n    return 1\n\n\ndef two():\n    return 2\n"


@dataclass
class Shop:
    """A folder, an editor on it, and a session that answers a question."""

    root: Path
    session: Session
    desk: Desk
    documents: OpenDocuments = field(default_factory=OpenDocuments)
    told: EditorTold = field(default_factory=EditorTold)
    rules: list[str] = field(default_factory=list)
    tools: Toolbox = field(init=False)
    reply: Reply = field(init=False)

    def __post_init__(self) -> None:
        self.tools = Toolbox(
            self.session,
            self.root,
            self.documents,
            self.told,
            relative=self.relative,
            denied=[self.root / "sessions"],
            deny_list=lambda: DenyList(self.root, [DenyRules(tuple(self.rules), self.root)]),
        )

    def relative(self, uri: str) -> str | None:
        path = path_of(uri)
        return path.relative_to(self.root).as_posix() if path and path.is_relative_to(self.root) else None

    def write(self, name: str, text: str = CODE) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
        return path

    def open(self, name: str, text: str = CODE, **more: Any) -> Document:
        uri = name if ":" in name else uri_of(self.root / name)
        document = Document(uri, self.relative(uri), split_lines(text), language="python", **more)
        self.documents.add(document)
        return document

    async def asked(self) -> Turn:
        """A question that is being answered until :meth:`answered`."""
        self.reply = self.desk.agent.will(Reply(held=True))
        turn = await self.session.ask(Question("Mend it."))
        await soon(self.reply.streamed.wait())
        return turn

    async def answered(self, turn: Turn) -> None:
        self.reply.go.set()
        await self.desk.heard.over(turn)

    @property
    def proposals(self) -> list[Proposal]:
        return list(self.session.head.proposals.values())


@pytest.fixture
async def shop(desk: Desk, tmp_path: Path) -> Shop:
    root = (tmp_path / "shop").resolve()
    root.mkdir()
    return Shop(root, await desk.session(), desk)


@pytest.fixture
async def asked(shop: Shop) -> AsyncIterator[Turn]:
    turn = await shop.asked()
    yield turn
    await shop.answered(turn)


class TestSeeing:
    """The editor's state, in words for Claude."""

    async def test_what_is_open(self, shop: Shop):
        """Buffers without a file too, by their URI; nothing that is kept from Claude."""
        shop.open("a.py", unsaved=True)
        shop.open("untitled:Untitled-1", "x")
        shop.open(".env", "SECRET=1")
        assert await shop.tools.open_documents() == (
            "- a.py (python, 7 lines, unsaved changes)\n- untitled:Untitled-1 (python, 1 lines)"
        )

    async def test_nothing_is_open(self, shop: Shop):
        assert await shop.tools.open_documents() == "No document is open."

    async def test_which_files_are_unsaved(self, shop: Shop):
        """By whatever path they are named, links followed."""
        shop.open("a.py", unsaved=True)
        shop.open("b.py")
        (shop.root / "link.py").symlink_to(shop.write("a.py"))
        assert [shop.tools.is_unsaved(shop.root / name) for name in ("a.py", "b.py", "c.py", "link.py")] == [
            True,
            False,
            False,
            True,
        ]
        assert shop.tools.unsaved() == ["a.py"]

    @pytest.mark.parametrize("name", ["a.py", "./a.py", "lib/../a.py", "URI", "ABSOLUTE"])
    async def test_a_buffer_is_read_with_numbers(self, shop: Shop, name: str):
        """As it is in the editor, by any name of the file."""
        document = shop.open("a.py", "a = 1\n\nb = 2")
        name = {"URI": document.uri, "ABSOLUTE": str(shop.root / "a.py")}.get(name, name)
        assert await shop.tools.read_buffer(name) == "1| a = 1\n2| \n3| b = 2"
        assert await shop.tools.read_buffer(name, 2, 1) == "2| \n(The file goes on to line 3: read on with offset 3.)"

    async def test_a_long_buffer_is_read_in_parts(self, shop: Shop):
        """The note says how to read on, and so one comes to the end."""
        shop.open("a.py", "\n".join(f"line {number}" for number in range(1, 3 * READ_LINES)))
        first = await shop.tools.read_buffer("a.py")
        assert first.endswith(f"read on with offset {READ_LINES + 1}.)")
        last = await shop.tools.read_buffer("a.py", 2 * READ_LINES + 1)
        assert last.endswith(f"{3 * READ_LINES - 1}| line {3 * READ_LINES - 1}")

    async def test_long_lines_are_cut(self, shop: Shop):
        """And no more is shown than the tool may answer; at least one line."""
        shop.open("a.js", "\n".join(["x" * 1_000_000] * 100))
        text = await shop.tools.read_buffer("a.js")
        assert len(text) < 60_000
        assert "(Lines are cut at 2,000 characters.)" in text
        assert "read on with offset" in text

    @pytest.mark.parametrize(
        ("name", "offset", "message"),
        [
            ("a.py", 9, "a.py has 7 lines; there is no line 9"),
            ("a.py", 0, "there is no line 0"),
            ("b.py", 1, "b.py is not open in the editor"),
            ("../x.py", 1, "outside the project folder"),
            (".env", 1, "kept from you"),
            ("untitled:none", 1, "not open"),
            ("", 1, "not the name of a file"),
        ],
    )
    async def test_what_can_not_be_read(self, shop: Shop, name: str, offset: int, message: str):
        """The error says why."""
        shop.open("a.py")
        shop.open(".env", "SECRET=1")
        with pytest.raises(ToolError, match=message):
            await shop.tools.read_buffer(name, offset)

    @pytest.mark.parametrize("name", ["notes.md", "private/a.py", "link.py"])
    async def test_what_a_rule_denies_is_neither_shown_nor_changed(self, shop: Shop, asked: Turn, name: str):
        """The command line's own rules know nothing of buffers. A rule holds at once, by either name of a link."""
        shop.write("private/a.py")
        (shop.root / "link.py").symlink_to("private/a.py")
        document = shop.open(name, unsaved=True)
        shop.told.select(document, _range(0, 0, 1, 0))
        shop.told.diagnose(document, [Diagnostic(range=_range(0, 0, 0, 1), message="x", severity=Severity.ERROR)])
        assert "def one()" in await shop.tools.read_buffer(name)
        assert "def one()" in await shop.tools.selection()
        shop.rules += ["notes.md", "/private/**"]
        for call in (
            shop.tools.read_buffer(name),
            shop.tools.diagnostics(name),
            shop.tools.propose_edit(name, "one", "two"),
            shop.tools.propose_file(name, "x"),
            shop.tools.propose_deletion(name),
        ):
            with pytest.raises(ToolError, match="kept from you"):
                await call
        assert await shop.tools.open_documents() == "No document is open."
        assert "def one()" not in await shop.tools.selection()
        assert name not in await shop.tools.diagnostics()
        assert shop.tools.unsaved() == []

    async def test_diagnostics_stay_with_their_lines(self, shop: Shop):
        """Those of lines that were changed are told no more."""
        document = shop.open("a.py")
        assert "told of no diagnostics" in await shop.tools.diagnostics()
        one = Diagnostic(range=_range(1, 4, 1, 10), message="a\nb", severity=Severity.WARNING, source="mypy", code="x")
        two = Diagnostic(range=_range(5, 4, 5, 10), message="two")
        shop.told.diagnose(document, [one, two])
        shop.documents.edit(document.uri, _range(0, 0, 0, 0), "# new\n")
        assert await shop.tools.diagnostics("a.py") == (
            "- a.py line 3, warning (mypy x): a b\n- a.py line 7, error: two"
        )
        shop.documents.edit(document.uri, _range(2, 0, 2, 4), "\t")
        assert await shop.tools.diagnostics() == "- a.py line 7, error: two"
        shop.documents.edit(document.uri, _range(0, 0, 0, 0), "    return 2\n    return 2\n")
        assert "told of no diagnostics" in await shop.tools.diagnostics(), "it may be about any of the three lines"
        shop.documents.edit(document.uri, _range(0, 0, 2, 0), "")
        assert await shop.tools.diagnostics() == "- a.py line 7, error: two"
        shop.told.diagnose(document, [], within=_range(6, 0, 6, 5))
        assert "told of no diagnostics" in await shop.tools.diagnostics()

    async def test_the_selection(self, shop: Shop):
        """Its lines; only as long as it is true."""
        assert "did not tell" in await shop.tools.selection()
        document = shop.open("a.py")
        shop.told.select(document, _range(1, 4, 1, 10))
        assert await shop.tools.selection() == (
            "Selected is a.py, line 2, column 5 to line 2, column 10:\n2|     return 1"
        )
        shop.told.select(document, _range(1, 4, 1, 4))
        assert await shop.tools.selection() == "Nothing is selected; the cursor is at a.py, line 2, column 5."
        shop.told.select(document, _range(1, 4, 1, 10))
        shop.documents.edit(document.uri, _range(1, 4, 1, 6), "x")
        assert "was changed since" in await shop.tools.selection()
        shop.told.forget(document.uri)
        assert "did not tell" in await shop.tools.selection()


class TestProposing:
    """Edits on top of the unsaved buffers, in one proposal for an answer."""

    async def test_an_edit_of_an_unsaved_buffer(self, shop: Shop, asked: Turn):
        """The file on disk doesn't matter; the text that it is about is kept."""
        shop.write("a.py", "something else\n")
        shop.open("a.py", unsaved=True)
        said = await shop.tools.propose_edit("a.py", "return 1", "return 11")
        assert said == "Proposed so far; the person decides whether to apply it:\n- a.py: 1 change, at line 2"
        (proposal,) = shop.proposals
        (file,) = proposal.files
        assert (proposal.turn_id, proposal.status, file.path) == (asked.id, ProposalStatus.OPEN, "a.py")
        assert file.hunks == [Hunk(start=1, end=2, lines=["    return 11"])]
        assert await shop.session.kept_text(file.base) == CODE

    async def test_further_edits_are_made_on_top(self, shop: Shop, asked: Turn):
        """In the same proposal, whatever file they are in."""
        shop.open("a.py")
        shop.write("b.py", "x = 1\n")
        await shop.tools.propose_edit("a.py", "return 1", "return 11")
        await shop.tools.propose_edit("a.py", "return 11", "return 111")
        await shop.tools.propose_edit("b.py", "x = 1", "x = 2")
        (proposal,) = shop.proposals
        assert [[hunk.lines for hunk in file.hunks] for file in proposal.files] == [[["    return 111"]], [["x = 2"]]]

    async def test_what_was_taken_back_is_proposed_no_more(self, shop: Shop, asked: Turn):
        shop.open("a.py")
        await shop.tools.propose_edit("a.py", "return 1", "return 11")
        assert "Nothing is proposed any more" in await shop.tools.propose_edit("a.py", "return 11", "return 1")
        (proposal,) = shop.proposals
        assert (proposal.files, proposal.status) == ([], ProposalStatus.DISCARDED)
        await shop.tools.propose_edit("a.py", "return 2", "return 22")
        assert shop.proposals[0].status is ProposalStatus.OPEN

    async def test_each_answer_has_its_own(self, shop: Shop):
        """The next one begins with what the editor has."""
        shop.open("a.py")
        for number in range(2):
            turn = await shop.asked()
            await shop.tools.propose_edit("a.py", "return 1", f"return {number}0")
            await shop.answered(turn)
        assert [proposal.files[0].hunks[0].lines for proposal in shop.proposals] == [
            ["    return 00"],
            ["    return 10"],
        ]

    async def test_what_the_person_types_meanwhile_is_taken_in(self, shop: Shop, asked: Turn):
        document = shop.open("a.py")
        await shop.tools.propose_edit("a.py", "return 1", "return 11")
        shop.documents.edit(document.uri, _range(0, 0, 0, 0), "import os\n")
        await shop.tools.propose_edit("a.py", "import os\n", "import sys\n")
        (file,) = shop.proposals[0].files
        assert [(hunk.start, hunk.lines) for hunk in file.hunks] == [(0, ["import sys"]), (2, ["    return 11"])]

    async def test_line_ends_are_the_documents_business(self, shop: Shop, asked: Turn):
        """Claude sends a line feed where the file has CRLF, or the other way round."""
        shop.open("a.py", CODE.replace("\n", "\r\n"), line_end="\r\n")
        await shop.tools.propose_edit("a.py", "def one():\n    return 1", "def one():\r\n    return 11")
        assert shop.proposals[0].files[0].hunks == [Hunk(start=1, end=2, lines=["    return 11"])]

    async def test_a_new_file_and_a_whole_new_text(self, shop: Shop, asked: Turn):
        shop.write("a.py")
        await shop.tools.propose_file("lib/new.py", "x = 1\r\n")
        await shop.tools.propose_file("a.py", CODE.replace("2", "22"))
        await shop.tools.propose_edit("lib/new.py", "x = 1", "y = 1")
        new, old = shop.proposals[0].files
        assert (new.kind, new.path, new.base, new.hunks) == (
            FileKind.CREATE,
            "lib/new.py",
            None,
            [Hunk(start=0, end=0, lines=["y = 1", ""])],
        )
        assert new.uri == uri_of(shop.root / "lib" / "new.py")
        assert (old.kind, [hunk.start for hunk in old.hunks]) == (FileKind.EDIT, [5])

    async def test_a_deletion(self, shop: Shop, asked: Turn):
        """After which the file is gone for this answer, until it is proposed anew."""
        shop.write("a.py")
        assert "- a.py: deleted" in await shop.tools.propose_deletion("a.py")
        with pytest.raises(ToolError, match="is deleted by your proposal"):
            await shop.tools.propose_edit("a.py", "return 1", "return 2")
        with pytest.raises(ToolError, match=r"no file a\.py to delete"):
            await shop.tools.propose_deletion("a.py")
        assert shop.proposals[0].files[0].kind is FileKind.DELETE
        await shop.tools.propose_file("a.py", "x\n")
        assert shop.proposals[0].files[0].kind is FileKind.EDIT

    async def test_a_buffer_without_a_file(self, shop: Shop, asked: Turn):
        """By its URI; there is nothing to delete."""
        shop.open("untitled:Untitled-1", "x = 1")
        await shop.tools.propose_edit("untitled:Untitled-1", "x", "y")
        assert shop.proposals[0].files[0].uri == "untitled:Untitled-1"
        with pytest.raises(ToolError, match="not a file on disk"):
            await shop.tools.propose_deletion("untitled:Untitled-1")

    async def test_a_cell_of_a_notebook_is_named_by_its_uri(self, shop: Shop, asked: Turn):
        """Its file holds JSON that the editor has open in another form."""
        cell = f"{uri_of(shop.write('n.ipynb')).replace('file:', 'vscode-notebook-cell:')}#c1"
        shop.open(cell, "x = 1")
        with pytest.raises(ToolError, match=f"Name the cell by its URI.*{cell}"):
            await shop.tools.propose_edit("n.ipynb", "x", "y")
        await shop.tools.propose_edit(cell, "x", "y")
        assert shop.proposals[0].files[0].uri == cell

    async def test_without_a_question_nothing_can_be_proposed(self, shop: Shop):
        shop.open("a.py")
        with pytest.raises(ToolError, match="No question is being answered"):
            await shop.tools.propose_edit("a.py", "return 1", "return 2")


class TestRefusing:
    """Errors tell Claude how to do better; nothing is proposed."""

    @pytest.mark.parametrize(
        ("old", "new", "message"),
        [
            ("", "x", "old_string is empty. To insert"),
            ("return 1", "return 1", "nothing would change"),
            ("return", "yield", r"in a.py 2 times \(at lines 2, 6\). Give more of the lines .* replace_all"),
            ("def one():\n\treturn 1", "x", "with other white space:\n1\\| def one\\(\\):\n2\\|     return 1"),
            ("1| def one():\n2|     return 1", "x", "It is there without the line numbers"),
            ("    return 1 + 0", "x", "The nearest lines are:\n1\\| def one"),
            ("class Other:", "x", "Nothing in the file is like it"),
        ],
    )
    async def test_text_that_is_not_there_once(self, shop: Shop, asked: Turn, old: str, new: str, message: str):
        shop.open("a.py")
        with pytest.raises(ToolError, match=message):
            await shop.tools.propose_edit("a.py", old, new)
        assert shop.proposals == []

    async def test_text_that_overlaps_itself_is_there_more_than_once(self, shop: Shop, asked: Turn):
        shop.open("a.py", "aaa")
        with pytest.raises(ToolError, match="2 times"):
            await shop.tools.propose_edit("a.py", "aa", "b")

    async def test_all_of_them_if_it_says_so(self, shop: Shop, asked: Turn):
        shop.open("a.py")
        await shop.tools.propose_edit("a.py", "return", "yield", replace_all=True)
        assert [hunk.start for hunk in shop.proposals[0].files[0].hunks] == [1, 5]

    @pytest.mark.parametrize(
        ("name", "message"),
        [
            ("../x.py", "outside the project folder"),
            ("/etc/passwd", "outside the project folder"),
            ("out.py", "outside the project folder"),
            (".env", "kept from you"),
            ("lib/id_rsa", "kept from you"),
            (".git/hooks/pre-commit", "kept from you"),
            ("sessions/x.json", "kept from you"),
            ("http://x/y.py", "not the name of a file"),
            ("a\0.py", "not the name of a file"),
            ("lib", "lib is a folder"),
            ("bytes.bin", "not text in UTF-8"),
        ],
    )
    async def test_files_that_are_not_to_be_changed(self, shop: Shop, asked: Turn, name: str, message: str):
        """Links are followed."""
        (shop.root / "lib").mkdir()
        (shop.root / "bytes.bin").write_bytes(b"\xff\xfe\x00")
        (shop.root / "out.py").symlink_to(shop.root.parent / "elsewhere.py")
        with pytest.raises(ToolError, match=message):
            await shop.tools.propose_file(name, "x")
        with pytest.raises(ToolError, match=message):
            await shop.tools.propose_edit(name, "x", "y")
        assert shop.proposals == []

    async def test_an_edit_of_a_file_that_is_not_there(self, shop: Shop, asked: Turn):
        with pytest.raises(ToolError, match=r"There is no file a\.py\. Use propose_file"):
            await shop.tools.propose_edit("a.py", "x", "y")


def _range(*at: int) -> Range:
    return Range(Position(*at[:2]), Position(*at[2:]))
