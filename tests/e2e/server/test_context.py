"""What Claude is given with a question: the buffers as they are in the editor, and what the person chose besides."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from channelcoder_lsp.cli.connection import ResponseError
from channelcoder_lsp.cli.editor import capabilities

from .conftest import SLOW, TOTAL, Machine, action, answered, ask

if TYPE_CHECKING:
    from channelcoder_lsp.cli.editor import Editor

CART = """\
LIMIT = "größe 🙂"; x = 1


class Cart:
    @property
    def total(self):
        return "größe 🙂"

    def clear(self):
        pass
"""
UNITS = {"utf-8": 4, "utf-16": 2, "utf-32": 1}
"""What 🙂 counts."""
encodings = pytest.mark.parametrize("encoding", sorted(UNITS))


async def sent(machine: Machine) -> str:
    """The text of the last question that the model was given."""
    return (await machine.model.requests())[-1].prompt


def client(encoding: str) -> dict[str, Any]:
    return {"client": capabilities(encoding, turns=True, input=True)}


def at(line: int, character: int = 0) -> dict[str, int]:
    return {"line": line, "character": character}


class TestBuffers:
    @encodings
    async def test_the_model_is_given_the_unsaved_text_of_selection_and_context(self, machine: Machine, encoding: str):
        """What is on disk of either is not."""
        cart = machine.write("cart.py", CART)
        async with machine.opened(**client(encoding)) as (editor, uri):
            editor.change(uri, (6, 4), (6, 10), "🙂unsaved")
            editor.change(uri, (6, 4 + UNITS[encoding]), (6, 4 + UNITS[encoding]), "größe_")
            other = editor.open(cart, text=CART.replace("pass", "typed = 'ü'"))
            context = [{"uri": other, "symbol": "Cart.clear"}]
            await answered(editor, uri, context=context)
            prompt = await sent(machine)
            assert " 7|     🙂größe_unsaved = 0" in prompt
            assert "result = 0" not in prompt
            assert (
                '<file path="cart.py" language="python" symbol="Cart.clear" lines="9-10">\n'
                " 9|     def clear(self):\n"
                "10|         typed = 'ü'\n"
                "</file>"
            ) in prompt
            assert "pass" not in prompt

    async def test_a_part_is_sent_by_its_lines(self, machine: Machine):
        """Of a file that is open, and of one that isn't: a range that ends at a line's beginning stops above it."""
        cart = machine.write("cart.py", CART)
        part = {"start": at(5, 8), "end": at(7, 0)}
        lines = '6|     def total(self):\n7|         return "größe 🙂"'
        async with machine.opened() as (editor, uri):
            closed = [{"uri": cart.as_uri(), "range": part}]
            await answered(editor, uri, context=closed)
            assert f'<file path="cart.py" lines="6-7">\n{lines}\n</file>' in await sent(machine)
            await answered(editor, uri, context=[{"uri": editor.open(cart), "range": part}])
            assert f'<file path="cart.py" language="python" lines="6-7">\n{lines}\n</file>' in await sent(machine)


class TestChosen:
    async def test_what_was_sent_along_is_shown_with_the_turn(self, machine: Machine):
        """Exactly as it was sent, an output too."""
        machine.write("src/größe.py", "x = 1\n")
        context = [
            {"uri": (machine.project / "src" / "größe.py").as_uri()},
            {"text": "1 failed\n</output>\nE   🙂", "label": "pytest"},
        ]
        async with machine.opened() as (editor, uri):
            asked, _ = await answered(editor, uri, context=context)
            shown = await editor.execute("channelcoder.turn.show", {"turnId": asked["turnId"]})
            for part in (
                '<file path="src/größe.py" lines="1-1">\n1| x = 1\n</file>',
                '<output label="pytest">\n| 1 failed\n| </output>\n| E   🙂\n</output>',
            ):
                assert part in await sent(machine)
                assert part in shown["markdown"]

    async def test_a_question_about_no_code_and_a_reply_can_have_it_too(self, machine: Machine):
        context = [{"text": "1 failed", "label": "pytest"}]
        async with machine.opened() as (editor, uri):
            first, _ = await answered(editor, uri)
            reply = {"threadId": first["threadId"], "question": "And now?", "context": context}
            asked = await editor.execute("channelcoder.thread.reply", reply)
            await editor.finished(asked["turnId"])
            assert "def total(items):" in await sent(machine)
            assert "| 1 failed" in await sent(machine)
            asked = await editor.execute(
                "channelcoder.continue", {"uri": uri, "question": "Why?", "context": [{"uri": uri}, *context]}
            )
            await editor.finished(asked["turnId"])
            prompt = await sent(machine)
            assert "<question>\nWhy?\n</question>" in prompt
            assert '<file path="shop.py" language="python" lines="1-14">' in prompt
            assert prompt.endswith('<output label="pytest">\n| 1 failed\n</output>')

    async def test_a_file_of_another_open_folder_is_named_by_its_whole_path(self, machine: Machine):
        bank = machine.home / "bank"
        bank.mkdir()
        (bank / "bank.py").write_text("balance = 0\n")
        path = machine.write("shop.py")
        async with machine.editor(folders=[machine.project, bank]) as editor:
            await answered(editor, editor.open(path), context=[{"uri": (bank / "bank.py").as_uri()}])
            assert f'<file path="{bank / "bank.py"}" lines="1-1">' in await sent(machine)

    async def test_what_another_open_folder_keeps_from_claude_is_not_sent(self, machine: Machine):
        """Its rules are about nothing in this one."""
        bank = machine.home / "bank"
        (bank / ".claude").mkdir(parents=True)
        (bank / "bank.py").write_text("balance = 0\n")
        deny = {"permissions": {"deny": ["Read(bank.py)", "Read(//**)"]}}
        (bank / ".claude/settings.json").write_text(json.dumps(deny))
        path = machine.write("shop.py")
        async with machine.editor(folders=[machine.project, bank]) as editor:
            uri = editor.open(path)
            with pytest.raises(ResponseError, match="kept from Claude"):
                await ask(editor, uri, context=[{"uri": (bank / "bank.py").as_uri()}])
            _, over = await answered(editor, uri, context=[{"uri": uri}])
            assert over["state"] == "done"

    async def test_what_is_too_much_is_cut_with_a_note_on_the_turn(self, machine: Machine):
        settings = {"maxSelectionChars": 1000}
        async with machine.opened(settings=settings) as (editor, uri):
            context = [{"text": "x" * 600 + "\n" + "y" * 600, "label": "server.log"}]
            asked, _ = await answered(editor, uri, SLOW, context=context)
            assert "yyy" not in await sent(machine)
            shown = await editor.execute("channelcoder.turn.show", {"turnId": asked["turnId"]})
            assert "server.log: only 1 of its 2 lines were sent" in shown["markdown"].replace("\\", "")

    async def test_order_is_kept_though_one_question_reads_the_disk(self, machine: Machine):
        """What is open is sent as it was when the question was asked."""
        machine.write("cart.py", CART)
        async with machine.opened() as (editor, uri):
            await editor.code_lenses(uri)
            argument = {"uri": uri, "range": {"start": at(5), "end": at(9, 17)}}
            disk = [{"uri": (machine.project / "cart.py").as_uri(), "symbol": "Cart"}, {"uri": uri}]
            first = editor.send_request(
                "workspace/executeCommand",
                {"command": "channelcoder.ask", "arguments": [{**argument, "question": "One?", "context": disk}]},
            )
            second = editor.send_request(
                "workspace/executeCommand",
                {"command": "channelcoder.ask", "arguments": [{**argument, "question": "Two?"}]},
            )
            editor.change(uri, (0, 0), (0, 0), "# typed later\n")
            turns = [await first, await second]
            for turn in turns:
                await editor.finished(turn["turnId"])
            assert turns[0]["threadId"] == turns[1]["threadId"]
            one, two = (request for request in await machine.model.requests() if request.kind == "question")
            assert "One?" in one.prompt
            assert "typed later" not in one.prompt
            assert "Two?" in two.prompt


class TestRefused:
    @pytest.mark.parametrize(
        ("entry", "said"),
        [
            ({}, "context.0: give either uri"),
            ({"uri": "PROJECT/none.py"}, "context.0.uri: there is no file"),
            ({"uri": "PROJECT/.env"}, "context.0.uri: .env is kept from Claude"),
            ({"uri": "PROJECT/../outside.py"}, "is outside of the open folders"),
            ({"uri": "PROJECT/shop.py", "symbol": "totl"}, "context.0.symbol: no definition of 'totl'"),
            ({"uri": "PROJECT/shop.py", "range": {"start": at(0)}}, "context.0.range.end"),
            ({"text": "x"}, "context.0.label: say what the text is"),
        ],
    )
    async def test_the_error_names_the_entry_and_nothing_is_asked(self, machine: Machine, entry: dict, said: str):
        """Nor is a thread left behind, and the next question is answered."""
        machine.write(".env", "KEY=1\n")
        (machine.home / "outside.py").write_text("x = 1\n")
        if "uri" in entry:
            entry = {**entry, "uri": entry["uri"].replace("PROJECT", machine.project.as_uri())}
        async with machine.opened() as (editor, uri):
            with pytest.raises(ResponseError) as refused:
                await ask(editor, uri, context=[entry])
            assert refused.value.code == -32602
            assert said in refused.value.text
            assert await machine.model.requests() == []
            assert await editor.code_lenses(uri) == []
            assert (await answered(editor, uri))[1]["state"] == "done"


async def _reply_by_comment(editor: Editor, uri: str) -> Any:
    actions = await editor.code_actions(uri, (7, 8), (7, 8))
    return await editor.choose(action(actions, "Reply to Claude: and this loop, größe 🙂?"))


@encodings
async def test_a_comment_in_the_range_of_a_thread_replies_with_the_code_as_it_is_now(machine: Machine, encoding: str):
    """The model is given the unsaved code, and what it was when the thread began."""
    async with machine.opened(**client(encoding)) as (editor, uri):
        first, _ = await answered(editor, uri, TOTAL)
        editor.change(uri, (6, 13), (6, 14), "'🙂'")
        editor.change(uri, (7, 0), (7, 0), "    # claude: and this loop, größe 🙂?\n")
        reply = await _reply_by_comment(editor, uri)
        assert reply["threadId"] == first["threadId"]
        await editor.finished(reply["turnId"])
        request = (await machine.model.requests())[-1]
        assert "and this loop, größe 🙂?" in request.question
        assert "result = '🙂'" in request.prompt.split("<before>")[0]
        assert "|     result = 0" in request.prompt.split("<before>")[1]
        assert "What is this?" in json.dumps(request.messages)


async def test_what_is_not_used_of_a_folder_that_is_not_trusted_is_told_with_its_first_question(machine: Machine):
    """Once, also over restarts; and what it says is so."""
    machine.write("CLAUDE.md", "Answer in Esperanto.")
    told = "This folder is not trusted, so CLAUDE.md was not used."
    notes = []
    for question in ("One?", "Two?"):
        async with machine.opened() as (editor, uri):
            asked, _ = await answered(editor, uri, question=question)
            thread = await editor.execute("channelcoder.thread.read", {"threadId": asked["threadId"]})
            notes.append([note for turn in thread["turns"] for note in turn["notes"]])
            assert "Esperanto" not in json.dumps((await machine.model.requests())[-1].messages)
            if question == "Two?":
                await editor.execute("channelcoder.trust", {"trusted": True})
                await answered(editor, uri, SLOW)
                assert "Esperanto" in json.dumps((await machine.model.requests())[-1].messages)
    assert [len(found) for found in notes] == [1, 1]
    assert notes[0][0].replace("\\", "").startswith(told)
