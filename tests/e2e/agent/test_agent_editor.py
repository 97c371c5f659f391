"""Claude sees the editor's buffers, and proposes edits to them instead of writing files."""

from __future__ import annotations

import asyncio

import anyio
import pytest
from agent_bench import finished, heard, tool_results
from editor_double import OpenEditor

from channelcoder_lsp.claude.editor_tools import EDITOR_TOOLS, RESULT_CHARS
from channelcoder_lsp.domain.agent import ToolStarted
from channelcoder_lsp.domain.turn import ToolUse as ToolUsed
from channelcoder_lsp.offline.script import ToolCall, ToolUse

ON_DISK = "def greet():\n    return 'hello'\n"
UNSAVED = "def greet():\n    return 'grüß dich 👋'\n"


@pytest.fixture
def editor(bench) -> OpenEditor:
    """A file that was changed in the editor since it was saved, and one that is not open."""
    bench.file("shop.py", ON_DISK)
    bench.file("src/other.py", ON_DISK)
    return OpenEditor(bench.project, {"shop.py": UNSAVED})


def call(name, **arguments) -> ToolCall:
    return ToolCall(name=f"mcp__channelcoder__{name}", input=arguments)


def use(first: ToolCall, *also: ToolCall) -> ToolUse:
    return ToolUse(name=first.name, input=first.input, also=also)


async def results(bench, editor, *calls: ToolCall, **request) -> list[str]:
    """What the model was told when it called for all of this at once."""
    await bench.model.script(use(*calls), "Done.")
    async with bench.connected(editor=editor, **request) as connection:
        assert (await finished(connection, "Look.")).answer == "Done."
    return tool_results((await bench.model.requests())[-1])


class TestTheTools:
    @pytest.mark.parametrize("trusted", [False, True])
    async def test_the_model_is_shown_them_with_their_schemas(self, bench, editor, trusted):
        async with bench.connected(editor=editor, trusted=trusted) as connection:
            await finished(connection, "Why?")
        [request] = await bench.model.requests()

        shown = {tool["name"]: tool for tool in request.tools}
        ours = {f"mcp__channelcoder__{tool.name}": tool for tool in EDITOR_TOOLS}
        assert set(ours) <= set(shown) <= {*ours, "Read", "Grep", "Glob", "DeferredToolPlaceholder"}
        for name, tool in ours.items():
            assert shown[name]["input_schema"] == tool.schema
            assert shown[name]["description"] == tool.description

    async def test_without_an_editor_there_are_none(self, bench):
        async with bench.connected() as connection:
            await finished(connection, "Why?")
        [request] = await bench.model.requests()
        assert not any(name.startswith("mcp__") for name in request.tool_names)
        assert "propose" not in request.system

    async def test_the_model_is_told_to_propose_changes_and_to_answer_questions(self, bench, editor):
        async with bench.connected(editor=editor) as connection:
            await finished(connection, "Why?")
        [request] = await bench.model.requests()
        assert "mcp__channelcoder__propose_edit" in request.system
        assert "When asked a question, answer it and propose nothing." in request.system

    @pytest.mark.parametrize("trusted", [False, True])
    async def test_the_unsaved_text_is_what_the_model_is_given(self, bench, editor, trusted):
        [told] = await results(bench, editor, call("read_buffer", path="shop.py"), trusted=trusted)
        assert "grüß dich 👋" in told or "gr\\u00fc\\u00df dich \\ud83d\\udc4b" in told
        assert "hello" not in told

    async def test_each_does_what_it_says(self, bench, editor):
        told = await results(
            bench,
            editor,
            call("open_documents"),
            call("read_buffer", path="shop.py", offset=2, limit=1),
            call("diagnostics"),
            call("diagnostics", path="shop.py"),
            call("selection"),
            call("propose_edit", path="shop.py", old_string="greet", new_string="welcome"),
            call("propose_edit", path="shop.py", old_string="e", new_string="E", replace_all=True),
            call("propose_file", path="new.py", content="pass\n"),
            call("propose_deletion", path="src/other.py"),
        )
        assert "shop.py: unsaved changes" in told[0]
        assert "2| " in told[1]
        assert "1| " not in told[1]
        assert "everywhere: nothing" in told[2]
        assert "shop.py: nothing" in told[3]
        assert "(nothing)" in told[4]
        assert editor.proposed == [
            ("edit", "shop.py", "greet", "welcome"),
            ("edit", "shop.py", "e", "E", "all"),
            ("file", "new.py", "pass\n"),
            ("deletion", "src/other.py"),
        ]
        assert (bench.project / "shop.py").read_text() == ON_DISK
        assert not (bench.project / "new.py").exists()
        assert (bench.project / "src/other.py").exists()

    async def test_proposals_of_one_message_are_made_one_after_the_other(self, bench, editor):
        """Each builds on those before it, so none begins before the last one is done."""
        edits = [call("propose_edit", path="shop.py", old_string=f"v{n}", new_string=f"v{n + 1}") for n in range(3)]
        editor.buffers["shop.py"] = "v0"
        propose, overlapping, running = editor.propose_edit, anyio.Event(), []

        async def slowly(*arguments, **options):
            running.append(arguments)
            if len(running) > 1:
                overlapping.set()
            with anyio.move_on_after(0.1):
                await overlapping.wait()
            running.remove(arguments)
            return await propose(*arguments, **options)

        editor.propose_edit = slowly
        told = await results(bench, editor, *edits)
        assert ["Proposed." in result for result in told] == [True] * 3
        assert not overlapping.is_set()
        assert editor.buffers["shop.py"] == "v3"


class TestMistakes:
    async def test_the_model_is_told_how_to_do_better_and_can(self, bench, editor):
        await bench.model.script(
            use(call("propose_edit", path="shop.py", old_string="hello", new_string="hi")),
            use(call("propose_edit", path="shop.py", old_string="grüß dich", new_string="hi")),
            "Done.",
        )
        async with bench.connected(editor=editor) as connection:
            events = await heard(connection, "Be brief.")

        wrong, right = tool_results((await bench.model.requests())[-1])
        assert wrong == "'hello' is not in shop.py. Read it anew."
        assert "Proposed." in right
        assert editor.proposed == [("edit", "shop.py", "grüß dich", "hi")]
        assert [event.tool for event in events if isinstance(event, ToolStarted)] == [
            ToolUsed(name="propose_edit", detail="shop.py")
        ] * 2

    async def test_arguments_that_do_not_fit_never_reach_the_editor(self, bench, editor):
        told = await results(
            bench,
            editor,
            call("propose_edit", path="shop.py"),
            call("propose_edit", path="shop.py", old_string="", new_string="x"),
            call("propose_file", path="new.py", content=["pass"]),
            call("read_buffer", path="shop.py", offset=0),
            call("selection", of="everything"),
        )
        assert ["Input validation error" in result for result in told] == [True] * 5
        assert editor.proposed == []

    async def test_a_fault_of_ours_is_logged_and_not_explained_to_the_model(self, bench, editor, caplog):
        async def broken():
            raise RuntimeError("the inside of the server")

        editor.selection = broken
        [told] = await results(bench, editor, call("selection"))
        assert "failed inside the editor's server" in told
        assert "the inside of the server" not in told
        assert "the inside of the server" in caplog.text

    async def test_a_long_answer_is_cut_and_says_so(self, bench, editor):
        editor.buffers["long.txt"] = "x" * (RESULT_CHARS + 1000)
        [told] = await results(bench, editor, call("read_buffer", path="long.txt"))
        assert "cut here; 1,003 more characters" in told
        assert RESULT_CHARS < len(told) < RESULT_CHARS + 500

    async def test_a_tool_that_hangs_does_not_outlive_the_question(self, bench, editor):
        """An interrupt ends the turn, and with it the tool."""
        started, ended = asyncio.Event(), asyncio.Event()

        async def hanging():
            started.set()
            try:
                await asyncio.Event().wait()
            finally:
                ended.set()

        editor.selection = hanging
        await bench.model.script(use(call("selection")), "Done.")
        async with bench.connected(editor=editor) as connection:
            asking = asyncio.create_task(heard(connection, "Look."))
            await started.wait()
            await connection.interrupt()
            assert (await asking)[-1].cancelled
            assert (await finished(connection, "And now?")).error is None
        await asyncio.wait_for(ended.wait(), 5)


class TestUnsavedFiles:
    @pytest.fixture
    def reads(self, bench, editor):
        async def reads(*paths):
            calls = [ToolCall(name="Read", input={"file_path": str(path)}) for path in paths]
            return await results(bench, editor, *calls)

        return reads

    async def test_a_read_is_refused_with_a_pointer_to_the_buffer(self, bench, editor, reads):
        """However the file is named."""
        (bench.project / "link.py").symlink_to("shop.py")
        named = ["shop.py", "./src/../shop.py", bench.project / "shop.py", " shop.py", "link.py"]
        told = await reads(*named)
        assert ["mcp__channelcoder__read_buffer" in result for result in told] == [True] * len(named)
        assert not any("hello" in result for result in told)

    async def test_other_files_are_read(self, bench, reads):
        [told] = await reads("src/other.py")
        assert "hello" in told

    async def test_a_saved_file_is_read_again(self, bench, editor, reads):
        editor.buffers.clear()
        [told] = await reads("shop.py")
        assert "hello" in told

    async def test_a_search_says_which_files_it_saw_as_they_are_on_disk(self, bench, editor):
        editor.buffers |= {f"file{number:02}.py": "" for number in range(30)}
        grep = ToolCall(name="Grep", input={"pattern": "hello", "output_mode": "content"})
        [told] = await results(bench, editor, grep)
        assert "hello" in told
        told = str((await bench.model.requests())[-1].messages)
        assert "does not see: 'file00.py', 'file01.py'," in told
        assert "'file19.py' and 11 more" in told

    async def test_a_search_without_unsaved_files_says_nothing_more(self, bench, editor):
        editor.buffers.clear()
        await results(bench, editor, ToolCall(name="Grep", input={"pattern": "hello"}))
        assert "does not see" not in str((await bench.model.requests())[-1].messages)

    async def test_an_editor_that_fails_blocks_the_read(self, bench, editor, reads):
        """When it can't be told whether a file has unsaved changes, it is not read."""

        def broken():
            raise RuntimeError("the editor is gone")

        editor.unsaved = broken
        [told] = await reads("src/other.py")
        assert "hello" not in told
