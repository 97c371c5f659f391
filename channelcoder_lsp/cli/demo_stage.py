"""What the demos play on: a project of their own, editors on it, a question and its answer."""

from __future__ import annotations

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

_RULE = "─" * 72


class Stage:
    """A folder with the sample project in it, and the servers' own folders beside it.

    Args:
        live: ask Claude instead of the offline model.
    """

    def __init__(self, *, live: bool) -> None:
        self.live = live
        self._folder = Path(tempfile.mkdtemp(prefix="channelcoder-demo-"))
        self.project = self._folder / "shop"
        with resources.as_file(resources.files("channelcoder_lsp.cli") / "sample_project") as sample:
            shutil.copytree(sample, self.project, ignore=shutil.ignore_patterns("__pycache__"))
        self.source = self.project / "shop.py"

    def editor(self) -> Editor:
        """An editor on the project, with a server of its own."""
        environment = {
            "CHANNELCODER_SESSION_DIR": str(self._folder / "sessions"),
            "XDG_STATE_HOME": str(self._folder / "state"),
            "XDG_CACHE_HOME": str(self._folder / "cache"),
        }
        command = [sys.executable, "-m", "channelcoder_lsp.cli.lsp", *([] if self.live else ["--offline"])]
        return Editor(command, folders=[self.project], environment=environment, client=capabilities(turns=True))

    def lines_of(self, start: str) -> tuple[int, int, int]:
        """The first line that begins so, the next one that returns, and that one's length."""
        lines = self.source.read_text(encoding="utf-8").split("\n")
        first = next(number for number, line in enumerate(lines) if line.startswith(start))
        last = next(number for number in range(first, len(lines)) if lines[number].strip().startswith("return"))
        return first, last, len(lines[last])


def say(text: str) -> None:
    """Print a headline."""
    print(f"\n{_RULE}\n{text}\n{_RULE}", flush=True)


def about(uri: str, start: Sequence[int], end: Sequence[int], question: str) -> Json:
    """The argument of a question about a range."""
    places = [{"line": line, "character": character} for line, character in (start, end)]
    return {"uri": uri, "range": {"start": places[0], "end": places[1]}, "question": question}


async def ask(editor: Editor, command: str, argument: Json, *, quiet: bool = False) -> str:
    """Ask, print how it goes unless ``quiet``, and return the turn's id when it is answered.

    Raises:
        ChannelCoderError: it was not answered.
    """
    seen = len(editor.received)
    asked: Json = await editor.execute(command, argument)
    if not quiet:
        print(f"  (the command returned at once: {asked['turnId']})\n")
        await _progress(editor, seen)
    over = await editor.finished(asked["turnId"])
    if over["state"] != "done":
        shown = await editor.execute("channelcoder.turn.show", {"turnId": asked["turnId"]})
        raise ChannelCoderError(shown["markdown"].split("## What was sent")[0].strip())
    return str(asked["turnId"])


async def _progress(editor: Editor, seen: int) -> None:
    kind = ""
    while kind != "end":
        message = await editor.wait_for(lambda found: found["method"] == "$/progress", after=seen)
        seen = editor.received.index(message, seen) + 1
        value = message["params"]["value"]
        kind = value["kind"]
        print(f"  [progress: {kind}] {value.get('message', '')}", flush=True)
