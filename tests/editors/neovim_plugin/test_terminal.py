"""The plugin in a real terminal, with the keys that a person presses; these tests take the pictures of its pages.

With `CHANNELCODER_PICTURES=docs/images` in the environment the pictures are written there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from channelcoder_lsp.offline.script import Text, ToolCall, ToolUse
from editors.conftest import SHOP, Machine
from editors.neovim.watched import Watched

from .nvim import Plugin, arguments

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ANSWER = """It compares every item with every other one: `count` goes through the whole list once for each item.

Count the names once, then look them up:

```python
times = Counter(item.name for item in items)
return [name for name, count in times.items() if count > 1]
```
"""


@pytest.fixture
def watch(machine: Machine) -> Iterator[Callable[..., Watched]]:
    """Start Neovim in a terminal on the shop."""
    path = machine.write("shop.py", SHOP.replace("    # claude: why is this slow?\n", ""))
    started: list[Watched] = []

    def start(*more: str) -> Watched:
        started.append(
            Watched(machine, path, *arguments(), "--cmd", "set noruler", *more, connected=Plugin, columns=100, rows=34)
        )
        return started[-1]

    yield start
    for watched in started:
        watched.close()


def test_ask_read_reply_resolve_and_come_back(machine: Machine, watch: Callable[..., Watched]):
    """The answer streams into a float; sign and question stay at the code; started again, the session goes on."""
    machine.model.script(
        Text(text=ANSWER, words_per_chunk=3, hold_after=9),
        Text(text="With few items nobody notices: the time grows with the square of their number."),
    )
    seen = watch("--cmd", r"set number statusline=\ %f%=%{v:lua.require'channelcoder'.statusline()}\ ")
    seen.type("21GztV27G")
    seen.wait_for("VISUAL LINE")
    seen.type(":ChannelCoder ask Why is this slow?\r")
    seen.wait_for("Count the names")
    seen.wait_for(lambda text: "Claude: answering" in text.splitlines()[-2])
    seen.picture("nvim-plugin-answering", "Neovim with the plugin: an answer streams in")
    machine.model.release()
    seen.wait_for("times.items() if count > 1")
    seen.wait_for("$0.")
    seen.type("q")
    seen.wait_for("◆ Why is this slow? · 1 answer")
    seen.picture("nvim-plugin-thread", "Neovim with the plugin: the thread at its code")
    seen.type("21Gztj:ChannelCoder reply\r")
    seen.wait_for("Reply:")
    seen.type("And with few items?\r")
    seen.wait_for("nobody notices")
    seen.type("q")
    seen.wait_for("◆ Why is this slow? · 2 answers")
    seen.type("ggO# moved\x1b")
    seen.wait_for(lambda text: "# moved" in text and "◆ Why is this slow? · 2 answers" in text)
    seen.type("u:ChannelCoder threads\r")
    seen.wait_for("shop.py|21-27| Why is this slow? · 2 answers")
    seen.picture("nvim-plugin-threads", "Neovim with the plugin: the threads of the project")
    seen.type(":cclose\r")
    seen.quit()

    seen = watch()
    seen.wait_for("◆ Why is this slow? · 2 answers")
    seen.type("21Gzt:ChannelCoder show\r")
    seen.wait_for("## Why is this slow?")
    seen.type("G")
    seen.wait_for("nobody notices")
    seen.type("q:ChannelCoder resolve\r")
    seen.wait_for(lambda text: "◆" not in text and "resolved" in text)
    seen.quit()


def test_an_edit_is_looked_at_and_applied(machine: Machine, watch: Callable[..., Watched]):
    """A diff of the buffer and what is proposed; `a` applies, `u` takes it back."""
    old = [line for line in SHOP.splitlines() if "count(item.name)" in line or "found.append" in line]
    new = ["        if item.name in seen and item.name not in found:", old[1], "        seen.add(item.name)"]
    texts = {"old_string": "\n".join(old), "new_string": "\n".join(new)}
    edit = ToolCall(name="mcp__channelcoder__propose_edit", input={"path": "shop.py", **texts})
    machine.model.script(ToolUse(name=edit.name, input=edit.input), Text(text="A set of the names seen is enough."))
    seen = watch()
    seen.type("21GztV26G")
    seen.wait_for("VISUAL LINE")
    seen.type(":ChannelCoder prompts fix\r")
    seen.wait_for("An edit is proposed:")
    seen.type("a")
    seen.wait_for("Claude proposes · a apply · d discard · q close")
    seen.picture("nvim-plugin-edit", "Neovim with the plugin: a proposed edit as a diff")
    seen.type("a")
    seen.wait_for("applied; u takes it back.")
    seen.wait_for("seen.add(item.name)")
    seen.type("\ru")
    seen.wait_for("[other.name for other in items]")
    seen.quit()


def test_light_and_narrow(machine: Machine, watch: Callable[..., Watched]):
    """Nothing is cut or covered on a light screen that is small."""
    machine.model.script(Text(text=ANSWER))
    seen = watch("--cmd", "set background=light")
    seen.type("21Gzt:21,26ChannelCoder ask Why is this slow?\r")
    seen.wait_for("$0.")
    text = seen.wait_for("r reply · x cancel · K keep · q close")
    assert "Claude: answered" in text
    seen.picture("nvim-plugin-light", "Neovim with the plugin on a light screen")
    seen.type("q")
    seen.wait_for("◆ Why is this slow? · 1 answer")
    seen.quit()
