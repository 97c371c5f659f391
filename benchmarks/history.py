"""A project with many threads, recorded with the product's own code in the server's own folders."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING
from uuid import uuid4

from channelcoder_lsp.domain.ledger import Ledger
from channelcoder_lsp.domain.place import Position, Range, Selection
from channelcoder_lsp.domain.records import Record, TurnAsked, TurnFinished, TurnStarted
from channelcoder_lsp.domain.session import SessionMetadata, SessionState
from channelcoder_lsp.domain.turn import Turn, TurnState, Usage
from channelcoder_lsp.services.checkouts import Checkout, Checkouts
from channelcoder_lsp.services.threads import thread_about
from channelcoder_lsp.storage import FileSessionStorage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.place import Place
    from channelcoder_lsp.domain.thread import Thread

FILES = 20
THREADS_PER_FILE = 50
LINES = 8
"""Lines of each function in the files, with the empty ones around it."""
NAME = "long-history"

ANSWER = """\
`total_{n}` adds the **prices** up, one after the other, and leaves out what was [returned](https://example.org/r).

1. It starts at `0`, so an empty basket costs nothing.
2. It takes `item.price * item.count`; a price of `None` would raise `TypeError` here.
3. It does *not* round: ask for cents & round once, at the end.

A shorter way, with the same result:

```python
def total_{n}(items):
    return sum(item.price * item.count for item in items if not item.returned)
```

> If `items` is a list of > 10,000 rows, let the database do it: `SELECT SUM(price * count) FROM items`.

What would change for the callers: nothing, as long as they pass a list and do not look at the order of the items.
"""


def source(file: int, functions: int = THREADS_PER_FILE + 2) -> str:
    """The text of a file of the project: functions, one after the other, ``LINES`` lines each."""
    return "".join(
        f"def total_{n}(items):\n"
        f'    """The total of basket {file}."""\n'
        "    result = 0\n"
        "    for item in items:\n"
        "        if not item.returned:\n"
        "            result += item.price * item.count\n"
        "    return result\n"
        "\n"
        for n in range(functions)
    )


def file_name(file: int) -> str:
    """The name of a file of the project."""
    return f"basket_{file:02}.py"


def place_of(function: int) -> tuple[int, int]:
    """The first and the last line of a function."""
    return function * LINES, function * LINES + 6


async def make(
    place: Place,
    project: Path | None = None,
    *,
    files: int = FILES,
    functions: int = THREADS_PER_FILE + 2,
    turns: int = 0,
    name: str = NAME,
) -> Path:
    """Make a project, and its active session with ``THREADS_PER_FILE`` threads in each file.

    Args:
        place: whose state it is in.
        project: the folder; None: the place's own.
        files: how many files it has.
        functions: how many functions each file has; the threads are about the first ones.
        turns: how many questions were asked without a thread.
        name: the session's.

    Returns:
        The file to open.
    """
    project = project or place.project
    state = SessionState(metadata=SessionMetadata(name=name), channelcoder=Ledger(checkout=str(project)))
    texts = {}
    for number in range(turns):
        for record in answered(None, number):
            state.apply(record)
    for file in range(files):
        text = source(file, functions)
        path = project / file_name(file)
        path.write_text(text, "utf-8")
        texts[sha256(text.encode()).hexdigest()] = text
        for function in range(THREADS_PER_FILE):
            for record in answered(_thread(path, text, function), function):
                state.apply(record)
    journal = await FileSessionStorage(place.sessions).create(state, name)
    for digest, text in texts.items():
        await journal.keep_content(digest, text)
    await journal.close()
    Checkouts(place.state).set_active_session(Checkout.of(project), name)
    return project / file_name(files // 2)


def answered(thread: Thread | None, number: int) -> Iterator[Record]:
    """What is recorded of a question and its answer."""
    claude = "6c1f2d5e-0b1e-4f58-9c1b-2a6a9a3f0c11"
    turn = Turn(
        id=f"turn-{uuid4().hex}",
        thread_id=thread.id if thread else None,
        question=f"What does total_{number} do, and what would you change?",
        prompt=f"What does total_{number} do?\n{thread.anchor.quote if thread else ''}",
    )
    yield TurnAsked(turn=turn, thread=thread)
    yield TurnStarted(turn_id=turn.id, session_id=claude)
    yield TurnFinished(
        turn_id=turn.id,
        state=TurnState.DONE,
        answer=ANSWER.format(n=number),
        model="claude-test",
        usage=Usage(input_tokens=1000, output_tokens=300),
        cost_usd=0.01,
        session_id=claude,
    )


def _thread(path: Path, text: str, function: int) -> Thread:
    first, last = place_of(function)
    lines = text.split("\n")
    span = Range(Position(first, 0), Position(last, len(lines[last])))
    selection = Selection(
        uri=path.as_uri(),
        path=path.name,
        language="python",
        range=span,
        text="\n".join(lines[first : last + 1]),
        document=text,
    )
    return thread_about(selection)
