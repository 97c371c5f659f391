"""The main job, for real: ask about code, read the answer on hover, restart, go on with the conversation.

The server is started as an editor starts it, the question goes through the real Claude command line, and the session
is kept in real files. Without ``--live`` the offline model answers in Claude's place, and says so.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sys
import tempfile
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from channelcoder_lsp.cli.editor import Editor, capabilities
from channelcoder_lsp.domain.errors import ChannelCoderError

if TYPE_CHECKING:
    from collections.abc import Sequence

Json = dict[str, Any]

_FIRST = "What does this function do, and what would you change?"
_FOLLOW_UP = "What was my first question in this session, word for word?"
_FUNCTION = "def total"
_RULE = "─" * 72


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; the process's exit code."""
    parser = argparse.ArgumentParser(prog="python -m channelcoder_lsp.cli.demo", description=__doc__)
    parser.add_argument("--live", action="store_true", help="ask Claude, with ANTHROPIC_API_KEY or a Claude login")
    options = parser.parse_args(arguments)
    try:
        asyncio.run(Demo(live=options.live).run())
    except ChannelCoderError as problem:
        print(f"\nThe demo failed: {problem}", file=sys.stderr)
        return 1
    return 0


class Demo:
    """One run.

    Args:
        live: ask Claude instead of the offline model.
    """

    def __init__(self, *, live: bool) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="channelcoder-demo-"))
        self._project = self._folder / "shop"
        self._live = live

    async def run(self) -> None:
        """Do everything, and say so.

        Raises:
            ChannelCoderError: something did not work.
        """
        with resources.as_file(resources.files("channelcoder_lsp.cli") / "sample_project") as sample:
            shutil.copytree(sample, self._project, ignore=shutil.ignore_patterns("__pycache__"))
        source = self._project / "shop.py"
        lines = source.read_text(encoding="utf-8").split("\n")
        first = next(number for number, line in enumerate(lines) if line.startswith(_FUNCTION))
        last = next(number for number in range(first, len(lines)) if lines[number].strip().startswith("return"))
        selected = (first, 0), (last, len(lines[last]))

        _say(f"1. Start the server, open {source.name}, ask about lines {first + 1} to {last + 1}: {_FIRST}")
        async with self._editor() as editor:
            uri = editor.open(source)
            turn_id = await self._ask(editor, "channelcoder.ask", self._question(uri, *selected))
            _say("2. Hover over the function")
            before = await _hover(editor, uri, first)
            print(before)
            _say("3. The code actions there, and the code lens above it")
            for action in await editor.code_actions(uri, *selected):
                print(f"  • {action['title']}")
            print("  " + " | ".join(lens["command"]["title"] for lens in await editor.code_lenses(uri)))

        _say("4. Restart the server: the hover is still there")
        async with self._editor() as editor:
            uri = editor.open(source)
            await editor.code_lenses(uri)
            after = await _hover(editor, uri, first)
            print(after.split("\n", maxsplit=1)[0])
            _say(f"5. Continue the session: {_FOLLOW_UP}")
            turn_id = await self._ask(editor, "channelcoder.continue", {"question": _FOLLOW_UP, "uri": uri})
            shown = await editor.execute("channelcoder.turn.show", {"turnId": turn_id})
            answer = shown["markdown"].split("## What was sent")[0]
            print(answer.strip())
            if not self._live and _FIRST not in answer:
                raise ChannelCoderError("the answer does not know the first question: the context was lost.")
            saved = await editor.execute("channelcoder.session.save", {})
        _say("6. The session is kept here, and goes on whenever you ask again")
        print(f"  {saved['path']}")

    def _editor(self) -> Editor:
        environment = {
            "CHANNELCODER_SESSION_DIR": str(self._folder / "sessions"),
            "XDG_STATE_HOME": str(self._folder / "state"),
            "XDG_CACHE_HOME": str(self._folder / "cache"),
        }
        command = [sys.executable, "-m", "channelcoder_lsp.cli.lsp", *([] if self._live else ["--offline"])]
        return Editor(command, folders=[self._project], environment=environment, client=capabilities(turns=True))

    def _question(self, uri: str, start: tuple[int, int], end: tuple[int, int]) -> Json:
        places = [{"line": line, "character": character} for line, character in (start, end)]
        return {"uri": uri, "range": {"start": places[0], "end": places[1]}, "question": _FIRST}

    async def _ask(self, editor: Editor, command: str, argument: Json) -> str:
        """Ask, print the answer as it streams, and return the turn's id."""
        seen = len(editor.received)
        asked: Json = await editor.execute(command, argument)
        print(f"  (the command returned at once: {asked['turnId']})\n")
        while True:
            message = await editor.wait_for(lambda found: found["method"] == "$/progress", after=seen)
            seen = editor.received.index(message, seen) + 1
            value = message["params"]["value"]
            print(f"  [progress: {value['kind']}] {value.get('message', '')}", flush=True)
            if value["kind"] == "end":
                break
        over = await editor.finished(asked["turnId"])
        if over["state"] != "done":
            shown = await editor.execute("channelcoder.turn.show", {"turnId": asked["turnId"]})
            raise ChannelCoderError(shown["markdown"].split("## What was sent")[0].strip())
        return str(asked["turnId"])


async def _hover(editor: Editor, uri: str, line: int) -> str:
    text = await editor.hover(uri, line, 4)
    if text is None:
        raise ChannelCoderError("there is no hover where the answer should be.")
    return text


def _say(text: str) -> None:
    print(f"\n{_RULE}\n{text}\n{_RULE}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
