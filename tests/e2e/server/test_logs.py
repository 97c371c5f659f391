"""What the server writes down and tells of its own doing: enough to find a fault, and nothing secret."""

from __future__ import annotations

import json
import stat
import sys

import pytest

from .conftest import Machine, answered

QUESTION, ANSWER, CODE = "Why so plaintive?", "Because of the marzipan.", "result = result + item"


def logged(machine: Machine) -> list[dict]:
    """The entries of all servers' log files."""
    files = sorted((machine.home / "state" / "channelcoder" / "log").iterdir())
    return [json.loads(line) for file in files for line in file.read_text(encoding="utf-8").splitlines()]


def traced(editor) -> list[dict]:
    return [message["params"] for message in editor.received if message.get("method") == "$/logTrace"]


async def ask_once(machine: Machine, **options) -> str:
    """One question in an editor that is closed then; the turn's id."""
    await machine.model.script(ANSWER)
    async with machine.opened(**options) as (editor, uri):
        asked, over = await answered(editor, uri, question=QUESTION)
        assert over["state"] == "done"
    return asked["turnId"]


class TestTheLogFile:
    async def test_has_the_steps_of_a_turn_under_its_id(self, machine: Machine):
        turn = await ask_once(machine)
        steps = [entry["message"] for entry in logged(machine) if entry.get("turn") == turn]
        assert any("is sent to Claude" in step for step in steps)
        assert any(step.endswith(f"{turn} is done") for step in steps)

    async def test_has_neither_questions_nor_answers_nor_code(self, machine: Machine):
        await ask_once(machine)
        text = json.dumps(logged(machine))
        assert "is sent to Claude" in text
        assert not [secret for secret in (QUESTION, ANSWER, CODE) if secret in text]

    async def test_with_debug_has_the_prompt_and_still_nothing_that_opens_a_door(self, machine: Machine):
        machine.more_environment["CHANNELCODER_LOG_LEVEL"] = "debug"
        machine.more_environment["CHANNELCODER_STORAGE_PASSWORD"] = "open-sesame"
        await ask_once(machine)
        text = json.dumps(logged(machine))
        assert QUESTION in text
        assert not [secret for secret in (machine.environment["ANTHROPIC_API_KEY"], "open-sesame") if secret in text]

    async def test_takes_the_editors_level(self, machine: Machine):
        await ask_once(machine, settings={"logLevel": "error"})
        assert "is sent to Claude" not in json.dumps(logged(machine))

    @pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
    async def test_is_for_the_user_alone(self, machine: Machine):
        await ask_once(machine)
        folder = machine.home / "state" / "channelcoder" / "log"
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}

    async def test_that_cannot_be_there_stops_nothing(self, machine: Machine):
        (machine.home / "state" / "channelcoder").mkdir(parents=True)
        (machine.home / "state" / "channelcoder" / "log").write_text("in the way")
        assert await ask_once(machine)


class TestTrace:
    async def test_tells_each_step_of_a_turn(self, machine: Machine):
        await machine.model.script(ANSWER)
        path = machine.write("shop.py")
        editor = machine.editor()
        editor.trace = "messages"
        async with editor:
            asked, _ = await answered(editor, editor.open(path), question=QUESTION)
            told = [params["message"] for params in traced(editor)]
            assert [step for step in told if step.startswith(asked["turnId"])] == told
            assert [step.rpartition(": ")[2] for step in (told[1], told[-1])] == ["starting Claude", "done"]
            assert not any("verbose" in params for params in traced(editor))

    async def test_tells_more_when_more_is_wanted_and_nothing_when_it_is_off(self, machine: Machine):
        async with machine.opened() as (editor, uri):
            await answered(editor, uri, question=QUESTION)
            assert traced(editor) == []
            editor.notify("$/setTrace", {"value": "verbose"})
            await answered(editor, uri, question=QUESTION)
            assert traced(editor)[0]["verbose"] == QUESTION
            assert "USD" in traced(editor)[-1]["verbose"]
            editor.notify("$/setTrace", {"value": "off"})
            many = len(traced(editor))
            await answered(editor, uri, question=QUESTION)
            assert len(traced(editor)) == many
