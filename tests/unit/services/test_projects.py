"""Folders, their sessions, and which of them a document belongs to."""

from __future__ import annotations

import asyncio

import pytest

from channelcoder_lsp.domain.errors import (
    ArgumentsError,
    SessionExistsError,
    SessionNameError,
    SessionNotFoundError,
    ThreadNotFoundError,
    TurnNotFoundError,
)
from channelcoder_lsp.domain.place import AnchorState, Position, Range, Selection
from channelcoder_lsp.domain.turn import TurnState
from channelcoder_lsp.domain.uri import uri_of
from channelcoder_lsp.services.compose import Question

from .desk import CODE, TOTAL, Editor, Reply, ScriptedAgent, soon


class TestSessionsOfFolders:
    """A folder has one active session."""

    async def test_a_folder_has_none_until_something_is_asked(self, editor: Editor):
        """Opening a folder leaves nothing behind."""
        project = await editor.folder("shop")
        assert project.session is None
        assert await editor.desk.storage.list() == []
        await editor.ask(await editor.open("shop/a.py"))
        (info,) = await editor.desk.storage.list()
        assert info.name.startswith("shop-")
        assert info.checkout == str(project.checkout.root)

    async def test_two_questions_at_once_in_a_new_folder_make_one_session(self, editor: Editor, agent: ScriptedAgent):
        """Neither is cancelled by the other's making another session."""
        project = await editor.folder("shop")
        turns = await asyncio.gather(*[project.ask(Question(text)) for text in ("one", "two", "three")])
        await editor.desk.heard.over(*turns)
        assert len(await editor.desk.storage.list()) == 1
        assert sorted(agent.prompts) == ["one", "three", "two"]
        assert {project.session.turn(turn.id).state for turn in turns} == {TurnState.DONE}

    async def test_two_editors_that_ask_at_once_in_a_new_folder_make_one_session(
        self, open_editor, agent: ScriptedAgent
    ):
        """Of two processes neither leaves the other's question in a session that nobody is in."""
        editors = [open_editor() for _ in range(4)]
        projects = [await editor.folder("shop") for editor in editors]
        await asyncio.gather(*[project.ask(Question("what?")) for project in projects])
        assert len(await editors[0].desk.storage.list()) == 1
        assert len({project.session.name for project in projects}) == 1

    async def test_the_next_editor_goes_on_with_it(self, open_editor, agent: ScriptedAgent):
        """After a restart, or in another editor at the same time."""
        one = open_editor()
        await one.folder("shop")
        await one.ask(await one.open("shop/a.py"))
        two = open_editor()
        project = await two.folder("shop")
        assert project.session is not None
        assert project.session.name == one.projects.of_folder(None).session.name
        await two.ask(await two.open("shop/a.py"))
        assert len(agent.asked[-1].known) == 1

    async def test_folders_of_one_name_have_sessions_of_their_own(self, editor: Editor):
        """A readable name is not what they are known by."""
        one, two = await editor.folder("1/shop"), await editor.folder("2/shop")
        names = [(await project.new_session()).name for project in (one, two)]
        assert len(set(names)) == 2

    async def test_a_session_that_is_gone_is_replaced_by_a_new_one(
        self, editor: Editor, caplog: pytest.LogCaptureFixture
    ):
        """Removed by another process: the next question starts anew, and is not lost."""
        project = await editor.folder("shop")
        uri = await editor.open("shop/a.py")
        first = (await editor.ask(uri)).id
        await editor.desk.storage.delete(project.session.name)
        second = await editor.ask(uri)
        assert second.id != first
        assert project.session.turn(second.id).state is TurnState.DONE

    async def test_sessions_can_be_named_switched_renamed_and_removed(self, editor: Editor):
        """The folder follows."""
        project = await editor.folder("shop")
        first, second = await project.new_session("first"), await project.new_session("second")
        assert project.session is second
        assert (await project.switch("first")).name == first.name
        await editor.projects.rename_session("first", "third")
        assert project.session.name == "third"
        assert editor.projects.checkouts.active_session(project.checkout) == "third"
        await editor.projects.remove_session("third")
        assert project.session is None
        assert [info.name for info in await editor.desk.storage.list()] == ["second"]

    async def test_a_session_stays_the_active_one_while_it_is_renamed(self, editor: Editor):
        """Who asks for it meanwhile gets it, by the one name or the other."""
        project = await editor.folder("shop")
        await project.new_session("first")
        renaming = asyncio.create_task(editor.projects.rename_session("first", "second"))
        while not renaming.done():
            assert await project.resume() is not None
            await asyncio.sleep(0)
        await renaming
        assert editor.projects.checkouts.active_session(project.checkout) == "second"
        assert project.session.name == "second"

    async def test_names_that_do_not_fit_are_refused_and_change_nothing(self, editor: Editor):
        """Taken, impossible, unknown."""
        project = await editor.folder("shop")
        session = await project.new_session("first")
        with pytest.raises(SessionExistsError):
            await project.new_session("first")
        with pytest.raises(SessionNameError):
            await project.new_session("../first")
        with pytest.raises(SessionNotFoundError):
            await project.switch("second")
        with pytest.raises(SessionNotFoundError):
            await editor.projects.remove_session("second")
        await editor.desk.storage.create(await session.state(), "taken")
        with pytest.raises(SessionExistsError):
            await editor.projects.rename_session("first", "taken")
        assert project.session.name == "first"

    async def test_the_list_has_this_folders_sessions_first(self, editor: Editor):
        """The newest first among them."""
        shop, other = await editor.folder("shop"), await editor.folder("other")
        for project, name in ((shop, "a"), (other, "b"), (shop, "c")):
            await project.new_session(name)
        listed = await editor.projects.list_sessions(other)
        assert listed[0].name == "b"
        assert {info.name for info in listed[1:]} == {"a", "c"}


class TestWhoseDocument:
    """Which folder owns a document."""

    async def test_the_innermost_open_folder(self, editor: Editor):
        """And what merely begins like a folder is not in it."""
        outer, inner = await editor.folder("shop"), await editor.folder("shop/lib")
        of = editor.projects.of
        assert of(uri_of(editor.desk.folder / "shop/a.py")) is outer
        assert of(uri_of(editor.desk.folder / "shop/lib/a.py")) is inner
        assert of(uri_of(editor.desk.folder / "shop/lib2/a.py")) is outer

    @pytest.mark.parametrize("uri", ["untitled:Untitled-1", "file:///elsewhere/a.py", "nonsense", "x://[", ""])
    async def test_the_scratch_folder_for_all_else(self, editor: Editor, uri: str):
        """Claude is shown nothing of the user's there."""
        await editor.folder("shop")
        project = editor.projects.of(uri)
        assert project is editor.projects.scratch
        assert list(project.checkout.root.iterdir()) == []

    async def test_an_unsaved_buffer_can_be_asked_about(self, editor: Editor):
        """Its thread hangs on its URI."""
        uri = await editor.open("untitled:Untitled-1")
        await editor.ask(uri)
        assert len(editor.projects.of(uri).placed.threads_in(uri)) == 1

    async def test_through_a_link_it_is_the_same(self, editor: Editor):
        """An editor may have opened it by another path."""
        project = await editor.folder("shop")
        (editor.desk.folder / "link").symlink_to(editor.desk.folder / "shop")
        uri = uri_of(editor.desk.folder / "link" / "a.py")
        assert editor.projects.of(uri) is project
        assert project.relative(uri) == "a.py"
        assert await editor.folder("link") is project

    async def test_a_folder_by_its_uri_or_path(self, editor: Editor):
        """Without one, the only open one."""
        assert editor.projects.of_folder(None) is editor.projects.scratch
        project = await editor.folder("my shop")
        path = editor.desk.folder / "my shop"
        assert editor.projects.of_folder(None) is project
        assert editor.projects.of_folder(str(path)) is project
        assert editor.projects.of_folder(uri_of(path)) is project

    @pytest.mark.parametrize("folder", ["/not/open", "file:///not/open", "untitled:x"])
    async def test_a_folder_that_is_not_open_is_an_error(self, editor: Editor, folder: str):
        """Not silently another one: a session or trust would go to the wrong place."""
        await editor.folder("shop")
        with pytest.raises(ArgumentsError, match=r"^folder: .* is not open"):
            editor.projects.of_folder(folder)

    async def test_a_folder_that_is_opened_or_closed_takes_its_documents(self, editor: Editor):
        """The thread of a file shows in whichever folder's session has it."""
        outer = await editor.folder("shop")
        (editor.desk.folder / "shop" / "lib").mkdir()
        uri = await editor.open("shop/lib/a.py")
        await editor.ask(uri)
        assert len(outer.placed.threads_in(uri)) == 1
        inner = await editor.folder("shop/lib")
        assert (inner.documents.get(uri).path, outer.documents.get(uri)) == ("a.py", None)
        await editor.projects.remove(editor.desk.folder / "shop/lib")
        assert (outer.documents.get(uri).path, inner.documents.get(uri)) == ("lib/a.py", None)
        assert len(outer.placed.threads_in(uri)) == 1

    async def test_turns_and_threads_are_found_in_whichever_folder(self, editor: Editor):
        """And named when there is none."""
        project = await editor.folder("shop")
        await editor.folder("other")
        turn = await editor.ask(await editor.open("shop/a.py"))
        assert editor.projects.with_turn(turn.id)[0] is project
        assert editor.projects.with_thread(turn.thread_id)[1] is project.session
        with pytest.raises(TurnNotFoundError, match="turn-x"):
            editor.projects.with_turn("turn-x")
        with pytest.raises(ThreadNotFoundError, match="thread-x"):
            editor.projects.with_thread("thread-x")


class TestThreadsOfDocuments:
    """Threads are at their place when a document is opened, and stay there."""

    async def test_a_thread_is_there_again_after_a_restart(self, open_editor):
        """At its old place, sure of it."""
        one = open_editor()
        await one.folder("shop")
        await one.ask(await one.open("shop/a.py"))
        await one.close()
        two = open_editor()
        project = await two.folder("shop")
        (here,) = project.placed.threads_in(await two.open("shop/a.py"))
        assert (here.range, here.place.state) == (TOTAL, AnchorState.EXACT)

    async def test_with_the_editor_closed_the_code_may_move(self, open_editor):
        """As by ``git pull``."""
        one = open_editor()
        await one.folder("shop")
        await one.ask(await one.open("shop/a.py"))
        await one.close()
        two = open_editor()
        project = await two.folder("shop")
        (here,) = project.placed.threads_in(await two.open("shop/a.py", "import re\n" + CODE))
        assert (here.range.start.line, here.place.state) == (4, AnchorState.MOVED)

    @pytest.mark.parametrize("text", ["", "\n" * 20, "nothing = 'like it'\n" * 9], ids=["empty", "blank", "other"])
    async def test_code_that_is_gone_is_shown_nowhere_and_not_forgotten(self, open_editor, text: str):
        """Orphaned, never at a guessed place; back when the code is."""
        one = open_editor()
        await one.folder("shop")
        turn = await one.ask(await one.open("shop/a.py"))
        await one.close()
        two = open_editor()
        project = await two.folder("shop")
        uri = await two.open("shop/a.py", text)
        assert project.placed.threads_in(uri) == []
        await project.placed.closed(uri)
        assert project.session.thread(turn.thread_id).anchor.state is AnchorState.ORPHANED
        assert len(project.placed.threads_in(await two.open("shop/a.py"))) == 1

    async def test_code_that_is_deleted_while_it_is_open_is_shown_nowhere(self, editor: Editor):
        """Until an undo brings it back."""
        project = await editor.folder("shop")
        uri = await editor.open("shop/a.py")
        await editor.ask(uri)
        project.documents.edit(uri, TOTAL, "")
        assert project.placed.threads_in(uri) == []
        project.documents.edit(uri, Range(Position(3, 0), Position(3, 0)), "def total(items):\n    return sum(items)")
        (here,) = project.placed.threads_in(uri)
        assert (here.range, here.place.state) == (TOTAL, AnchorState.EXACT)

    async def test_line_ends_do_not_matter(self, open_editor):
        """A file that Git gave other line ends has the same code in it."""
        one = open_editor()
        await one.folder("shop")
        await one.ask(await one.open("shop/a.py", CODE.replace("\n", "\r\n")))
        await one.close()
        two = open_editor()
        project = await two.folder("shop")
        (here,) = project.placed.threads_in(await two.open("shop/a.py"))
        assert (here.range, here.place.state) == (TOTAL, AnchorState.EXACT)

    async def test_what_another_editor_asks_shows_here(self, open_editor):
        """Once it was taken in."""
        one, two = open_editor(), open_editor()
        a = await one.folder("shop")
        uri = await one.open("shop/a.py")
        await one.ask(uri, Range(Position(0, 0), Position(0, 9)))
        b = await two.folder("shop")
        await two.open("shop/a.py")
        await two.ask(uri)
        await a.session.refresh()
        await a.placed.place_new()
        assert len(a.placed.threads_in(uri)) == len(b.placed.threads_in(uri)) == 2

    async def test_a_renamed_file_or_folder_takes_its_threads_along(self, editor: Editor):
        """To be found under the new name."""
        project = await editor.folder("shop")
        (editor.desk.folder / "shop" / "lib").mkdir()
        turn = await editor.ask(await editor.open("shop/lib/a.py"))
        await project.placed.closed(uri_of(editor.desk.folder / "shop/lib/a.py"))
        await project.renamed_files(editor.desk.folder / "shop/lib", editor.desk.folder / "shop/new")
        anchor = project.session.thread(turn.thread_id).anchor
        assert (anchor.path, anchor.uri) == ("new/a.py", uri_of(editor.desk.folder / "shop/new/a.py"))
        assert len(project.placed.threads_in(await editor.open("shop/new/a.py"))) == 1

    async def test_the_cells_of_a_notebook_keep_to_themselves(self, editor: Editor):
        """They are one file; a thread of one cell is not recorded as lost because another cell has no such code."""
        project = await editor.folder("shop")
        cells = [f"vscode-notebook-cell:{editor.desk.folder}/shop/n.ipynb#{name}" for name in ("one", "two")]
        await editor.open(cells[0], CODE)
        await editor.open(cells[1], "x = 1\n")
        turn = await editor.ask(cells[0])
        await editor.projects.of(cells[1]).placed.place_new()
        assert project.placed.threads_in(cells[1]) == []
        for cell in cells:
            await project.placed.closed(cell)
        anchor = project.session.thread(turn.thread_id).anchor
        assert (anchor.uri, anchor.state) == (cells[0], AnchorState.EXACT)

    async def test_an_unanswered_question_leaves_no_thread_that_nobody_knows(
        self, editor: Editor, monkeypatch: pytest.MonkeyPatch
    ):
        """A question that could not be recorded is followed nowhere."""
        project = await editor.folder("shop")
        uri = await editor.open("shop/a.py")
        selection = Selection(uri=uri, range=TOTAL, text="", document=CODE)
        with pytest.raises(ArgumentsError):
            await project.ask(Question(" ", selection=selection))
        assert project.documents.get(uri).places == {}


async def test_closing_one_folder_ends_what_is_asked_there_only(editor: Editor, agent: ScriptedAgent):
    """The others go on."""
    shop, other = await editor.folder("shop"), await editor.folder("other")
    held = [Reply(held=True), Reply(held=True)]
    agent.will(*held)
    one, two = await shop.ask(Question("one")), await other.ask(Question("two"))
    for reply in held:
        await soon(reply.streamed.wait())
    await soon(editor.projects.remove(shop.checkout.root))
    await editor.desk.heard.over(one)
    assert other.session.turn(two.id).state is TurnState.RUNNING
    for reply in held:
        reply.go.set()
    await editor.desk.heard.over(two)
    assert other.session.turn(two.id).state is TurnState.DONE
