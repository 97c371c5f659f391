"""Code that seems to hold a secret: the person at the editor is asked before anything of it is sent."""

from __future__ import annotations

import json

import pytest

from .conftest import Machine, answered, ask

ONCE, SESSION, DENY = "Allow once", "Allow for this session", "Deny"
KEY = "AKIA" + "QW3RTY4UIOP5ASDF"
SOURCE = f'REGION = "eu"\nKEY = "{KEY}"\nprint(REGION)\n'
BOTH, FIRST = ((0, 0), (2, 13)), ((0, 0), (0, 13))


def asked(editor) -> list[str]:
    return [
        message["params"]["message"]
        for message in editor.received
        if message.get("method") == "window/showMessageRequest"
    ]


async def sent(machine: Machine) -> str:
    """All that the model was sent."""
    return json.dumps([request.messages for request in await machine.model.requests(None)])


async def test_the_message_says_what_it_is_and_where(machine: Machine):
    async with machine.opened(text=SOURCE) as (editor, uri):
        await answered(editor, uri, BOTH, "Why?")
        [message] = asked(editor)
        assert message == (
            'The code that goes to Claude with "Why?" may be secret. Send it?\nan AWS access key in line 2'
        )


@pytest.mark.parametrize("choice", [DENY, None])
async def test_without_a_yes_nothing_is_sent_and_the_question_can_be_asked_again(machine: Machine, choice):
    async with machine.opened(text=SOURCE) as (editor, uri):
        editor.choice = choice
        turn, over = await answered(editor, uri, BOTH)
        assert over["state"] == "failed"
        assert await machine.model.requests(None) == []
        editor.choice = ONCE
        again = await editor.execute("channelcoder.retry", {"turnId": turn["turnId"]})
        assert (await editor.finished(again["turnId"]))["state"] == "done"
        assert len(asked(editor)) == 2
        assert KEY in await sent(machine)


async def test_nobody_is_asked_about_lines_that_stay_here(machine: Machine):
    async with machine.opened(text=SOURCE, settings={"contextLines": 0}) as (editor, uri):
        _, over = await answered(editor, uri, FIRST)
        assert over["state"] == "done"
        assert asked(editor) == []
        assert KEY not in await sent(machine)


async def test_lines_around_the_selection_count_too(machine: Machine):
    async with machine.opened(text=SOURCE) as (editor, uri):
        await answered(editor, uri, FIRST)
        assert len(asked(editor)) == 1
        assert await machine.model.requests(None) == []


async def test_a_file_whose_name_says_it(machine: Machine):
    async with machine.opened(".env", text="COLOUR=blue\n") as (editor, uri):
        await answered(editor, uri, ((0, 0), (0, 11)))
        assert asked(editor)[0].endswith("lines of .env, whose name says that it holds secrets or which a rule denies")
        assert await machine.model.requests(None) == []


@pytest.mark.parametrize("name", ["notes.plan", "diary.md", "private/a.py", "linked.py"])
async def test_a_file_that_a_setting_or_a_rule_denies(machine: Machine, name):
    """The rules are those of Claude Code's settings, the user's and the folder's."""
    (machine.home / "claude").mkdir()
    (machine.home / "claude/settings.json").write_text(json.dumps({"permissions": {"deny": ["Read(diary.md)"]}}))
    machine.write(".claude/settings.json", json.dumps({"permissions": {"deny": ["Read(/private/**)"]}}))
    machine.write("private/b.py", "X = 1\n")
    (machine.project / "linked.py").symlink_to("private/b.py")
    async with machine.opened(name, text="COLOUR=blue\n", settings={"deniedFiles": ["*.plan"]}) as (editor, uri):
        await answered(editor, uri, ((0, 0), (0, 11)))
        assert "a rule denies" in asked(editor)[0]
        assert await machine.model.requests(None) == []
        editor.choice = ONCE
        _, over = await answered(editor, uri, ((0, 0), (0, 11)))
        assert over["state"] == "done"


async def test_consent_for_the_session_is_for_the_same_place(machine: Machine):
    async with machine.opened(text=SOURCE) as (editor, uri):
        editor.choice = SESSION
        await answered(editor, uri, BOTH)
        await answered(editor, uri, BOTH, "And why?")
        assert len(asked(editor)) == 1


async def test_a_question_can_be_cancelled_while_it_waits_for_a_yes(machine: Machine):
    async with machine.opened(text=SOURCE) as (editor, uri):
        editor.slow = True
        turn = await ask(editor, uri, BOTH)
        await editor.wait_for(lambda message: message.get("method") == "window/showMessageRequest")
        await editor.execute("channelcoder.cancel", {"turnId": turn["turnId"]})
        assert (await editor.finished(turn["turnId"]))["state"] == "cancelled"
        editor.slow = False
        _, over = await answered(editor, uri, FIRST, "And this?")
        assert over["state"] == "failed"  # asked again, and nobody said yes
        assert await machine.model.requests(None) == []


async def test_it_can_be_switched_off(machine: Machine):
    async with machine.opened(text=SOURCE, settings={"askBeforeSecrets": False}) as (editor, uri):
        _, over = await answered(editor, uri, BOTH)
        assert over["state"] == "done"
        assert asked(editor) == []
