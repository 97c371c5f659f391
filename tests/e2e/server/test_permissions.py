"""Claude wants to run something: the person at the editor is asked, and nothing runs without a yes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from channelcoder_lsp.cli.editor import capabilities
from channelcoder_lsp.domain.uri import path_of
from channelcoder_lsp.offline.script import Text, ToolCall, ToolUse

from .conftest import Machine, answered, ask

if TYPE_CHECKING:
    from channelcoder_lsp.cli.editor import Editor

ONCE, SESSION, DENY = "Allow once", "Allow for this session", "Deny"
TOUCH = "touch märker🙂"


def bash(command: str, *also: str) -> ToolUse:
    calls = tuple(ToolCall(name="Bash", input={"command": each}) for each in also)
    return ToolUse(name="Bash", input={"command": command, "description": "Do no harm"}, also=calls)


def asked(editor: Editor) -> list[dict[str, Any]]:
    return [message for message in editor.received if message["method"] == "window/showMessageRequest"]


def is_request(message: dict[str, Any]) -> bool:
    return message["method"] == "window/showMessageRequest"


async def told(machine: Machine) -> str:
    """What the model was told of its tools' results, and all else that it was sent."""
    return json.dumps((await machine.model.requests())[-1].messages, ensure_ascii=False)


async def trusted(editor: Editor) -> None:
    await editor.execute("channelcoder.trust", {"trusted": True})


class TestAsking:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
    async def test_says_who_wants_what_and_why(self, machine: Machine, encoding: str):
        """In the message the tool, the question and all that would run; three answers to choose from."""
        await machine.model.script(bash(TOUCH), "Done.")
        client = capabilities(encoding, turns=True)
        async with machine.opened(settings={"tools": ["Bash"]}, client=client) as (editor, uri):
            await trusted(editor)
            await answered(editor, uri)
            [request] = asked(editor)
            message = request["params"]["message"]
            assert message.startswith('Claude wants to use Bash, to answer "What is this?".')
            assert message.endswith(f"\nBash: {TOUCH}")
            assert [action["title"] for action in request["params"]["actions"]] == [ONCE, SESSION, DENY]

    async def test_progress_says_that_a_person_is_waited_for(self, machine: Machine):
        await machine.model.script(bash(TOUCH), "Done.")
        async with machine.opened(settings={"tools": ["Bash"]}) as (editor, uri):
            await trusted(editor)
            await answered(editor, uri)
            said = [
                message["params"]["message"]
                for message in editor.received
                if message["method"] == "channelcoder/turn" and message["params"]["message"]
            ]
            assert f"waiting for your permission: Bash {TOUCH}" in said
            assert said[-1] == f"denied: Bash {TOUCH}"

    async def test_in_a_folder_that_is_not_trusted_commands_are_not_even_asked_for(self, machine: Machine):
        await machine.model.script(bash(TOUCH), "Done.")
        async with machine.opened(settings={"tools": ["Bash"]}) as (editor, uri):
            editor.choice = ONCE
            await answered(editor, uri)
            assert asked(editor) == []
        assert not (machine.project / TOUCH.split()[1]).exists()


class TestAllowed:
    async def test_once_runs_once_and_is_asked_for_again(self, machine: Machine):
        await machine.model.script(bash("echo a >> log"), bash("echo a >> log"), "Done.")
        async with machine.opened(settings={"tools": ["Bash"]}) as (editor, uri):
            await trusted(editor)
            editor.choice = ONCE
            await answered(editor, uri)
            assert len(asked(editor)) == 2
        assert (machine.project / "log").read_text() == "a\na\n"

    async def test_for_the_session_runs_again_without_asking_but_nothing_else_does(self, machine: Machine):
        """In a later question too. Another command is another thing."""
        await machine.model.script(
            bash("echo a >> log"), "Done.", bash("echo a >> log"), bash("echo b >> log"), "Done."
        )
        async with machine.opened(settings={"tools": ["Bash"]}) as (editor, uri):
            await trusted(editor)
            editor.choice = SESSION
            await answered(editor, uri)
            editor.choice = DENY
            await answered(editor, uri, question="And now?")
            assert [request["params"]["message"].split("\n")[-1] for request in asked(editor)] == [
                "Bash: echo a >> log",
                "Bash: echo b >> log",
            ]
        assert (machine.project / "log").read_text() == "a\na\n"

    async def test_a_restart_forgets_what_was_allowed_for_the_session(self, machine: Machine):
        await machine.model.script(bash("echo a >> log"), "Done.", bash("echo a >> log"), "Done.")
        for choice in (SESSION, DENY):
            async with machine.opened(settings={"tools": ["Bash"]}) as (editor, uri):
                await trusted(editor)
                editor.choice = choice
                await answered(editor, uri)
                assert len(asked(editor)) == 1
        assert (machine.project / "log").read_text() == "a\n"

    async def test_a_command_that_does_not_fit_is_shown_as_a_document_first(self, machine: Machine):
        """And run only when it is allowed after that."""
        command = "touch made # " + "größe 🙂 " * 120
        await machine.model.script(bash(command), "Done.")
        async with machine.opened(settings={"tools": ["Bash"]}) as (editor, uri):
            await trusted(editor)
            editor.first_choice, editor.choice = "Show it whole", ONCE
            await answered(editor, uri)
            assert len(asked(editor)) == 2
            shown = await editor.wait_for(lambda message: message["method"] == "window/showDocument")
            document = path_of(shown["params"]["uri"])
            assert document is not None
            assert f"    {command}\n" in document.read_text()
        assert (machine.project / "made").exists()


class TestNotAllowed:
    @pytest.mark.parametrize("choice", [DENY, None])
    async def test_denied_or_dismissed_does_not_run_and_the_model_is_told(self, machine: Machine, choice: str | None):
        await machine.model.script(bash("touch made"), "Done.")
        async with machine.opened(settings={"tools": ["Bash"]}) as (editor, uri):
            await trusted(editor)
            editor.choice = choice
            _, over = await answered(editor, uri)
            assert over["state"] == "done"
            assert "Bash was not run: the user did not allow it" in await told(machine)
        assert not (machine.project / "made").exists()

    async def test_no_answer_in_time_withdraws_the_question_and_does_not_run(self, machine: Machine):
        """Some editors never answer."""
        await machine.model.script(bash("touch made"), "Done.")
        async with machine.opened(settings={"tools": ["Bash"], "permissionSeconds": 1}) as (editor, uri):
            await trusted(editor)
            editor.choice = ONCE
            editor.slow = True
            _, over = await answered(editor, uri)
            assert over["state"] == "done"
            assert "nobody answered in 1 seconds" in await told(machine)
            [request] = asked(editor)
            withdrawn = await editor.wait_for(lambda message: message["method"] == "$/cancelRequest")
            assert withdrawn["params"]["id"] == request["id"]
            # What it says too late changes nothing and harms nothing.
            editor.answer_now()
            assert (await answered(editor, uri, question="Still there?"))[1]["state"] == "done"
        assert not (machine.project / "made").exists()

    async def test_a_cancelled_question_takes_its_request_away(self, machine: Machine):
        """And the session goes on."""
        await machine.model.script(bash("touch made"), Text(text="Done.", when="Still there?"))
        async with machine.opened(settings={"tools": ["Bash"]}) as (editor, uri):
            await trusted(editor)
            editor.slow = True
            turn = await ask(editor, uri)
            request = await editor.wait_for(is_request)
            await editor.execute("channelcoder.cancel", {"turnId": turn["turnId"]})
            assert (await editor.finished(turn["turnId"]))["state"] == "cancelled"
            withdrawn = await editor.wait_for(lambda message: message["method"] == "$/cancelRequest")
            assert withdrawn["params"]["id"] == request["id"]
            editor.answer_now()
            assert (await answered(editor, uri, question="Still there?"))[1]["state"] == "done"
        assert not (machine.project / "made").exists()


class TestRecord:
    async def test_what_was_decided_stays_with_the_turn(self, machine: Machine):
        """After a restart, too: what would have run, and what became of it."""
        await machine.model.script(bash("touch made"), "Done.")
        async with machine.opened(settings={"tools": ["Bash"]}) as (editor, uri):
            await trusted(editor)
            editor.choice = ONCE
            turn, _ = await answered(editor, uri)
        async with machine.opened() as (editor, uri):
            await editor.code_lenses(uri)
            shown = await editor.execute("channelcoder.turn.show", {"turnId": turn["turnId"]})
            assert "touch made" in shown["markdown"].split("**Bash**: ")[1]


async def test_two_sessions_can_ask_at_once(machine: Machine):
    """The second doesn't wait for the answer to the first."""
    await machine.model.script(
        ToolUse(name="Bash", input={"command": "touch one"}, when="One?"),
        ToolUse(name="Bash", input={"command": "touch two"}, when="Two?"),
    )
    other = machine.home / "bank"
    other.mkdir()
    (other / "bank.py").write_text("balance = 0\n")
    path = machine.write("shop.py")
    async with machine.editor(folders=[machine.project, other], settings={"tools": ["Bash"]}) as editor:
        for folder in (machine.project, other):
            await editor.execute("channelcoder.trust", {"folder": str(folder), "trusted": True})
        editor.slow = True
        editor.choice = ONCE
        first = await ask(editor, editor.open(path), question="One?")
        second = await ask(editor, editor.open(other / "bank.py"), ((0, 0), (0, 5)), question="Two?")
        await editor.wait_for(lambda message: is_request(message) and "touch one" in message["params"]["message"])
        await editor.wait_for(lambda message: is_request(message) and "touch two" in message["params"]["message"])
        editor.answer_now()
        for turn in (first, second):
            assert (await editor.finished(turn["turnId"]))["state"] == "done"
    assert (machine.project / "one").exists()
    assert (other / "two").exists()
