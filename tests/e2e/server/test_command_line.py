"""The editor and the command line go on with one session, each knowing what was asked in the other."""

from __future__ import annotations

import asyncio
import os
import sys

from .conftest import Machine, answered


async def shell(machine: Machine, question: str) -> str:
    """``channelcoder run -c`` in the project's folder; what it printed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "channelcoder_lsp.cli.command", "run", "-c", question),
        cwd=machine.project,
        env={**os.environ, **machine.environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, error = await process.communicate()
    assert process.returncode == 0, error.decode()
    return out.decode()


async def known(machine: Machine) -> list[str]:
    """The questions that the model was given with the last one."""
    last = (await machine.model.requests())[-1]
    return [*last.earlier_questions, last.question]


async def test_the_shell_goes_on_with_the_editors_session_and_the_editor_with_the_shells_turn(machine: Machine):
    async with machine.opened() as (editor, uri):
        await answered(editor, uri, question="In the editor?")
        await shell(machine, "In the shell?")
        assert await known(machine) == ["In the editor?", "In the shell?"]
        await answered(editor, uri, question="In the editor again?")
        assert await known(machine) == ["In the editor?", "In the shell?", "In the editor again?"]
        transcript = await editor.execute("channelcoder.session.show", {})
        assert "In the shell?" in transcript["markdown"]


async def test_the_editor_goes_on_with_a_session_that_the_shell_began(machine: Machine):
    machine.write("shop.py")
    await shell(machine, "In the shell first?")
    async with machine.opened() as (editor, uri):
        await answered(editor, uri, question="And in the editor?")
        assert await known(machine) == ["In the shell first?", "And in the editor?"]


async def test_an_editor_that_is_open_sees_a_session_that_the_shell_begins(machine: Machine):
    async with machine.opened() as (editor, uri):
        assert (await editor.execute("channelcoder.status"))["session"] is None
        await shell(machine, "In the shell first?")
        await answered(editor, uri, question="And in the editor?")
        assert await known(machine) == ["In the shell first?", "And in the editor?"]
