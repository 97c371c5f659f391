"""The same in a real terminal, with the keys that a person presses; these tests take the pictures of the README.

With `CHANNELCODER_PICTURES=docs/images` in the environment the pictures are written there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from channelcoder_lsp.offline.script import Text
from editors.conftest import SHOP, Machine

from .nvim import configure
from .watched import Watched

if TYPE_CHECKING:
    from pathlib import Path

Watch = Callable[..., Watched]
ANSWER = """It compares every item with every other one: `count` goes through the whole list once for each item.
Count the names once, then look them up:

```python
times = Counter(item.name for item in items)
return [name for name, count in times.items() if count > 1]
```
"""


@pytest.fixture
def watch(machine: Machine) -> Iterator[Watch]:
    """Start Neovim in a terminal on a file."""
    configure(machine)
    started: list[Watched] = []

    def start(path: Path, *, rows: int = 30) -> Watched:
        started.append(Watched(machine, path, rows=rows))
        return started[-1]

    yield start
    for watched in started:
        watched.close()


def test_ask_read_take_and_go_on(machine: Machine, watch: Watch):
    """A question about a selection, its answer on hover, its code in the file and out again.

    After `:qa` and a new start the hover is there, and the model is given the first question with the second.
    """
    machine.offline = True
    path = machine.write("shop.py", SHOP.replace("    # claude: why is this slow?\n", ""))
    seen = watch(path, rows=34)
    seen.type("21GztV27G")
    seen.wait_for("VISUAL LINE")
    seen.type("gra")
    number = seen.number("Ask Claude…")
    seen.picture("neovim-actions", "Neovim: the code actions on selected code")
    seen.type(f"{number}\r")
    seen.wait_for("Ask Claude:")
    seen.type("Why is this slow?\r\x1b21Gzt27G")
    seen.wait_for("Claude: 1 answer | Reply | Resolve")
    seen.type("K")
    seen.wait_for("This is the offline model: no Claude was asked.")
    seen.picture("neovim-hover", "Neovim: the answer on hover, the code lens at the function")
    seen.type("k")
    seen.choose("gra", "Claude: Insert the code from the answer")
    seen.wait_for("# Example of the offline model: the selected code, unchanged.")
    seen.type("u")
    seen.wait_for(lambda text: "# Example of the offline model" not in text and "[+]" not in text)
    seen.quit()

    seen = watch(path, rows=38)
    seen.wait_for("Claude: 1 answer | Reply | Resolve")
    seen.type("21GztjK")
    seen.wait_for("> Why is this slow?")
    seen.type("k")
    seen.wait_for(lambda text: "> Why is this slow?" not in text)
    seen.choose("grl", "Reply")
    seen.wait_for("Ask Claude:")
    seen.type("And with few items?\r")
    seen.wait_for("Claude: 2 answers | Reply | Resolve")
    seen.type("6jK")
    seen.wait_for("I was given 1 earlier question of this session:")
    seen.picture("neovim-continue", "Neovim, started again: the session goes on")
    seen.type("k")
    seen.quit()


def test_progress_is_seen_and_cancelled(machine: Machine, watch: Watch):
    """How far the answer is stands in the last line, until the suggested key ends it."""
    machine.model.script(Text(text=ANSWER, hold_after=12, delay_ms=100))
    seen = watch(machine.write("shop.py", SHOP))
    seen.type("21GV28G")
    seen.wait_for("VISUAL LINE")
    seen.choose("gra", "Claude: Explain")
    seen.type("\x1b21G")
    seen.wait_for("Claude is answering… | Reply | Resolve")
    seen.wait_for(lambda text: "answering, " in text.splitlines()[-1])
    seen.picture("neovim-progress", "Neovim: an answer on its way")
    seen.type("grq")
    seen.wait_for(lambda text: "cancelled" in text.splitlines()[-1])
    seen.wait_for("Claude: cancelled | Reply | Resolve")
    seen.type("K")
    seen.wait_for("It compares every item")
    seen.type("k")
    seen.quit()


def test_comment_asks_and_goes(machine: Machine, watch: Watch):
    """No command is typed: the comment is the question, its code action asks it, one undo brings it back."""
    machine.offline = True
    seen = watch(machine.write("shop.py", SHOP))
    seen.type("21Gzt24Ggra")
    number = seen.number("Ask Claude: why is this slow?")
    seen.picture("neovim-comment", "Neovim: a comment that asks")
    seen.type(f"{number}\r")
    seen.wait_for(lambda text: "# claude:" not in text)
    seen.wait_for("Claude: 1 answer | Reply | Resolve")
    seen.type("K")
    seen.wait_for("> why is this slow?")
    seen.type("k")
    seen.wait_for(lambda text: "> why is this slow?" not in text)
    seen.type("u")
    seen.wait_for("# claude: why is this slow?")
    seen.quit()
