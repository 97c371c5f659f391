"""The main job, for real: ask about code, read the answer on hover, restart, go on; then what keeps answers in place.

The server is started as an editor starts it, the question goes through the real Claude command line, and the session
is kept in real files. Without --live the offline model answers in Claude's place, and says so.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from typing import TYPE_CHECKING

from channelcoder_lsp.cli.demo_stage import Stage, about, ask, say
from channelcoder_lsp.cli.demo_threads import ThreadsDemo
from channelcoder_lsp.domain.errors import ChannelCoderError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from channelcoder_lsp.cli.editor import Editor

_FIRST = "What does this function do, and what would you change?"
_FOLLOW_UP = "What was my first question in this session, word for word?"
_PARTS = ("main", "threads")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; the process's exit code."""
    parser = argparse.ArgumentParser(prog="channelcoder demo", description=__doc__)
    parser.add_argument("part", nargs="?", choices=_PARTS, help="only one part of it (default: all)")
    parser.add_argument("--live", action="store_true", help="ask Claude, with ANTHROPIC_API_KEY or a Claude login")
    options = parser.parse_args(arguments)
    try:
        asyncio.run(_run(options.part, live=options.live))
    except ChannelCoderError as problem:
        print(f"\nThe demo failed: {problem}", file=sys.stderr)
        return 1
    return 0


async def _run(part: str | None, *, live: bool) -> None:
    step = 1
    if part in (None, "main"):
        step = await Demo(Stage(live=live)).run()
    if part in (None, "threads"):
        await ThreadsDemo(Stage(live=live), step).run()


class Demo:
    """One run of the main job.

    Args:
        stage: where.
    """

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    async def run(self) -> int:
        """Do everything, and say so; the number of the step that comes next.

        Raises:
            ChannelCoderError: something did not work.
        """
        stage = self._stage
        first, last, width = stage.lines_of("def total")
        selected = (first, 0), (last, width)

        say(f"1. Start the server, open {stage.source.name}, ask about lines {first + 1} to {last + 1}: {_FIRST}")
        async with stage.editor() as editor:
            uri = editor.open(stage.source)
            await ask(editor, "channelcoder.ask", about(uri, *selected, _FIRST))
            say("2. Hover over the function")
            before = await _hover(editor, uri, first)
            print(before)
            say("3. The code actions there, and the code lens above it")
            for action in await editor.code_actions(uri, *selected):
                print(f"  • {action['title']}")
            print("  " + " | ".join(lens["command"]["title"] for lens in await editor.code_lenses(uri)))

        say("4. Restart the server: the hover is still there")
        async with stage.editor() as editor:
            uri = editor.open(stage.source)
            await editor.code_lenses(uri)
            after = await _hover(editor, uri, first)
            print(after.split("\n", maxsplit=1)[0])
            say(f"5. Continue the session: {_FOLLOW_UP}")
            turn_id = await ask(editor, "channelcoder.continue", {"question": _FOLLOW_UP, "uri": uri})
            shown = await editor.execute("channelcoder.turn.show", {"turnId": turn_id})
            answer = shown["markdown"].split("## What was sent")[0]
            print(answer.strip())
            if not stage.live and _FIRST not in answer:
                raise ChannelCoderError("the answer does not know the first question: the context was lost.")
            saved = await editor.execute("channelcoder.session.save", {})
        say("6. The session is kept here, and goes on whenever you ask again")
        print(f"  {saved['path']}")
        return 7


async def _hover(editor: Editor, uri: str, line: int) -> str:
    text = await editor.hover(uri, line, 4)
    if text is None:
        raise ChannelCoderError("there is no hover where the answer should be.")
    return text


if __name__ == "__main__":
    sys.exit(main())
