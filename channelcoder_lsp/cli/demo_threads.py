"""Answers stay with the code: edits, undo, other branches, a renamed file; what the thread shows each time."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

import anyio

from channelcoder_lsp.cli.demo_stage import about, ask, say
from channelcoder_lsp.domain.errors import ChannelCoderError

if TYPE_CHECKING:
    from pathlib import Path

    from channelcoder_lsp.cli.demo_stage import Json, Stage
    from channelcoder_lsp.cli.editor import Editor

_LOOK_SECONDS = 20.0
_QUESTION = "Does this add up?"
_FUNCTION = "def total"
_LOOP = "    for item in items:\n        result = result + item.price * item.quantity\n    return result\n"
_REWRITTEN = "    for item in items:\n        result += item.price * item.quantity\n    return round(result, 2)\n"


class ThreadsDemo:
    """One run.

    Args:
        stage: where.
        step: the number of the first step.
    """

    def __init__(self, stage: Stage, step: int) -> None:
        self._stage = stage
        self._step = step
        self._source = stage.source
        self._first = 0

    async def run(self) -> None:
        """Do everything, and say so.

        Raises:
            ChannelCoderError: something did not work.
        """
        await self._git("init", "--quiet", "--initial-branch=main")
        await self._commit("A shop")
        async with self._stage.editor() as editor:
            uri = await self._ask(editor)
            await self._edit(editor, uri)
            await self._switch(editor, uri)
            await self._rename(editor, uri)

    async def _ask(self, editor: Editor) -> str:
        first, last, width = self._stage.lines_of(_FUNCTION)
        self._first = first
        self._say(f"In a git repository, ask about lines {first + 1} to {last + 1} of {self._source.name}: {_QUESTION}")
        uri = editor.open(self._source)
        await ask(editor, "channelcoder.ask", about(uri, (first, 0), (last, width), _QUESTION), quiet=True)
        await self._show(editor, uri, "exact")
        return uri

    async def _edit(self, editor: Editor, uri: str) -> None:
        self._say("Type two lines above the function: the thread moves along")
        editor.change(uri, (2, 0), (2, 0), "import math\nimport os\n")
        await self._show(editor, uri, "exact")
        self._say("Change the function itself: the thread says so, and its list keeps what the code was")
        sum_line = self._first + 2 + 4
        editor.change(uri, (sum_line, 8), (sum_line, 14), "self.result")
        await self._show(editor, uri, "edited")
        self._say("Delete the function: the thread is listed as orphaned, and shown at no guessed place")
        taken = "".join(f"{line}\n" for line in editor.texts[uri].split("\n")[self._first + 2 : sum_line + 2])
        editor.change(uri, (self._first + 2, 0), (sum_line + 2, 0), "")
        await self._show(editor, uri, "orphaned")
        self._say("Undo all of it: the thread is back, and exact")
        editor.change(uri, (self._first + 2, 0), (self._first + 2, 0), taken)
        editor.change(uri, (sum_line, 8), (sum_line, 19), "result")
        editor.change(uri, (2, 0), (4, 0), "")
        await self._show(editor, uri, "exact")

    async def _switch(self, editor: Editor, uri: str) -> None:
        text = self._source.read_text(encoding="utf-8")
        await self._git("switch", "--quiet", "--create", "rewrite")
        self._source.write_text(text.replace(_LOOP, _REWRITTEN), encoding="utf-8")
        await self._commit("Rewrite")
        self._say("Switch to a branch where the function was rewritten; the editor reads the file again")
        await self._reload(editor, uri, "edited")
        await self._git("switch", "--quiet", "--create", "remove", "main")
        start, end = text.index(_FUNCTION), text.index(_LOOP) + len(_LOOP)
        self._source.write_text(text[:start] + text[end:], encoding="utf-8")
        await self._commit("Remove")
        self._say("Switch to a branch where the function is gone")
        await self._reload(editor, uri, "orphaned")
        await self._git("switch", "--quiet", "main")
        self._say("Switch back to main")
        await self._reload(editor, uri, "exact")

    async def _rename(self, editor: Editor, uri: str) -> None:
        renamed = self._source.with_name("store.py")
        editor.close(uri)
        await self._git("switch", "--quiet", "--create", "rename")
        await self._git("mv", self._source.name, renamed.name)
        await self._commit("Rename")
        self._say(f"Close the file, and rename it with git to {renamed.name}, on another branch")
        await self._show(editor, renamed.as_uri(), "exact", opened=renamed)
        await self._git("switch", "--quiet", "main")
        self._say("Switch back to main: the thread is found under the old name")
        await self._show(editor, uri, "exact", opened=self._source)

    async def _reload(self, editor: Editor, uri: str, state: str) -> None:
        last = editor.texts[uri].count("\n") + 1
        editor.change(uri, (0, 0), (last, 0), self._source.read_text(encoding="utf-8"))
        await self._show(editor, uri, state)

    async def _show(self, editor: Editor, uri: str, expected: str, *, opened: Path | None = None) -> None:
        """Print what the thread shows; a file that is closed is listed before it is opened."""
        row = await self._row(editor, expected)
        if opened is not None:
            editor.open(opened)
        lenses = [lens for lens in await editor.code_lenses(uri) if lens["command"]["title"].startswith("Claude")]
        line = lenses[0]["range"]["start"]["line"] if lenses else self._first
        hover = await editor.hover(uri, line, 4)
        print(f"  thread list  {_listed(row)}")
        print("  code lens    " + (f"above line {line + 1}: {lenses[0]['command']['title']}" if lenses else "none"))
        print(f"  hover        {hover.splitlines()[0] if hover else 'none'}", flush=True)
        if row["state"] != expected or (hover is None) != (expected == "orphaned"):
            raise ChannelCoderError(f"the thread is {row['state']}, it should be {expected}.")

    async def _row(self, editor: Editor, expected: str) -> Json:
        """The thread as it is listed: as expected, or as it still is when there was time to look at the disk."""
        row: Json = {}
        with anyio.move_on_after(_LOOK_SECONDS):
            while True:
                seen = len(editor.received)
                (row,) = (await editor.execute("channelcoder.thread.list", {}))["threads"]
                if row["state"] == expected:
                    break
                await editor.wait_for(lambda message: message["method"] == "workspace/codeLens/refresh", after=seen)
        return row

    def _say(self, text: str) -> None:
        say(f"{self._step}. {text}")
        self._step += 1

    async def _commit(self, message: str) -> None:
        await self._git("add", "--all")
        await self._git("commit", "--quiet", "--message", message)

    async def _git(self, *arguments: str) -> None:
        """Run git in the demo's own repository, with nothing of the user's configuration."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        environment |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
        who = ("-c", "user.name=Demo", "-c", "user.email=demo@example.org")
        try:
            process = await asyncio.create_subprocess_exec(
                "git", *who, *arguments, cwd=self._stage.project, env=environment, stderr=asyncio.subprocess.PIPE
            )
        except FileNotFoundError:
            raise ChannelCoderError("this part of the demo needs git. Install it, or run the part `main`.") from None
        _, said = await process.communicate()
        if process.returncode:
            raise ChannelCoderError(f"git {' '.join(arguments)} failed: {said.decode(errors='replace').strip()}")


def _listed(row: Json) -> str:
    first, last = row["range"]["start"]["line"] + 1, row["range"]["end"]["line"] + 1
    if row["state"] == "orphaned":
        return f"orphaned: {row['code'].splitlines()[0]} … was in {row['path']}, lines {first} to {last}"
    return f"{row['state']}: {row['symbol']} in {row['path']}, lines {first} to {last}"
