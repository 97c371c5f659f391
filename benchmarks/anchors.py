"""Following 1,000 anchors in a file of 10,000 lines: while it is edited, and when it is opened after it was changed.

No server takes part: what is measured is what the message loop has to wait for when a change arrives, and what a
thread beside it does when a file is opened (processor time: others may be at work on the machine). While that thread
works, the message loop is asked to do nothing, over and over: how late it comes to it is how long an editor waits.
"""

from __future__ import annotations

import asyncio
import random
import time
from hashlib import sha256
from statistics import median
from typing import TYPE_CHECKING

import anyio.to_thread

from benchmarks.measure import Spread, Table
from channelcoder_lsp.domain.place import AnchorState, Position, Range, Selection
from channelcoder_lsp.services.places import find_all
from channelcoder_lsp.services.threads import Document, OpenDocuments, thread_about

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from channelcoder_lsp.domain.place import Anchor
    from channelcoder_lsp.services.places import Place

ANCHORS = 1000
LINES = 10
EDITS = 400
ROUNDS = 15
EDIT_AIM_MS = 1.0
OPEN_AIM_MS = 100.0
LATE_AIM_MS = 20.0
URI = "file:///large.py"


def measure() -> Table:
    """Edits of several kinds, and openings after several changes."""
    table = Table("1,000 anchors in a file of 10,000 lines", ("what", "time", "aim"))
    for name, change in EDITS_OF.items():
        seconds = _edits(change)
        _add(table, f"an edit: {name}", seconds, median, EDIT_AIM_MS)
    text = source()
    anchors = {f"thread-{number}": anchor for number, anchor in enumerate(_anchors(text))}
    texts = {sha256(text.encode()).hexdigest(): text}
    for name, change in CHANGES.items():
        lines = change(text.split("\n"))
        seconds, late = asyncio.run(_open(anchors, lines, texts))
        _add(table, f"opened after {name}", seconds, median, OPEN_AIM_MS)
        _add(table, f"the message loop's longest wait meanwhile, after {name}", late, median, LATE_AIM_MS)
    return table


def _add(table: Table, name: str, seconds: Sequence[float], of: Callable[[Sequence[float]], float], aim: float) -> None:
    quarter = len(seconds) // 4
    ordered = sorted(seconds)
    spread = Spread(of(seconds) * 1000, ordered[quarter] * 1000, ordered[-1 - quarter] * 1000)
    table.add(name, spread, aim=aim, unit=" ms")
    table.tell(name, seconds)


def source() -> str:
    """Functions, one after the other, ``LINES`` lines each; some of their lines are alike in all of them."""
    return "".join(
        f"def total_{n}(basket_{n}, rate={n}):\n"
        f'    """What basket {n} costs."""\n'
        "    result = 0\n"
        f"    for item in basket_{n}.items:\n"
        "        if item.returned:\n"
        "            continue\n"
        f"        result += item.price * rate + {n}\n"
        "    return result\n"
        "\n"
        "\n"
        for n in range(ANCHORS)
    )


def _anchors(text: str) -> list[Anchor]:
    lines = text.split("\n")
    spans = [Range(Position(n * LINES, 0), Position(n * LINES + 7, 17)) for n in range(ANCHORS)]
    first = thread_about(Selection(uri=URI, path="large.py", range=spans[0], text="", document=text)).anchor
    return [
        first.model_copy(
            update={
                "range": span,
                "origin": span,
                "quote": "\n".join([*lines[span.start.line : span.end.line], lines[span.end.line][:17]]),
            }
        )
        for span in spans
    ]


# Edits


def _edits(change: Callable[[random.Random, Document], tuple[Range, str]]) -> list[float]:
    text = source()
    documents, document = OpenDocuments(), Document(URI, "large.py", text.split("\n"))
    documents.add(document)
    for anchor in _anchors(text):
        thread = thread_about(Selection(uri=URI, range=anchor.range, text="", document="x\n"))
        documents.follow(URI, thread.model_copy(update={"anchor": anchor}))
    assert len(document.places) == ANCHORS
    rng, seconds = random.Random(1), []
    for _ in range(EDITS):
        edited, put = change(rng, document)
        start = time.perf_counter()
        documents.edit(URI, edited, put)
        seconds.append(time.perf_counter() - start)
    return seconds


def _typed(rng: random.Random, document: Document) -> tuple[Range, str]:
    line = rng.randrange(len(document.lines))
    at = Position(line, rng.randint(0, len(document.lines[line])))
    return Range(at, at), "x"


def _line_at_the_top(_rng: random.Random, _document: Document) -> tuple[Range, str]:
    at = Position(0, 0)
    return Range(at, at), "# one line more\n"


def _lines_taken(rng: random.Random, document: Document) -> tuple[Range, str]:
    line = rng.randrange(len(document.lines) - 20)
    return Range(Position(line, 0), Position(line + 15, 0)), ""


EDITS_OF = {"a letter anywhere": _typed, "a line at the top": _line_at_the_top, "15 lines deleted": _lines_taken}


# Openings


async def _open(anchors: dict[str, Anchor], lines: list[str], texts: dict[str, str]) -> tuple[list[float], list[float]]:
    seconds, late = [], []
    for _ in range(ROUNDS):
        watching = asyncio.create_task(_longest_wait())
        await asyncio.sleep(0)
        took, places = await anyio.to_thread.run_sync(_find, anchors, lines, texts)
        seconds.append(took)
        watching.cancel()
        late.append(await watching)
        found = sum(place.state is not AnchorState.ORPHANED for place in places.values())
        assert found > 0.99 * ANCHORS, f"only {found} were found"
    return seconds, late


def _find(anchors: dict[str, Anchor], lines: list[str], texts: dict[str, str]) -> tuple[float, dict[str, Place]]:
    start = time.thread_time()
    places = find_all(anchors, lines, texts)
    return time.thread_time() - start, places


async def _longest_wait() -> float:
    longest = 0.0
    try:
        while True:
            start = time.perf_counter()
            await asyncio.sleep(0.001)
            longest = max(longest, time.perf_counter() - start - 0.001)
    except asyncio.CancelledError:
        return longest


def _line_above(lines: list[str]) -> list[str]:
    return ["# one line more", *lines]


def _touched(share: float) -> Callable[[list[str]], list[str]]:
    def change(lines: list[str]) -> list[str]:
        rng = random.Random(2)
        return [line.replace("item", "entry") + "  # touched" if rng.random() < share else line for line in lines]

    return change


def _indented(lines: list[str]) -> list[str]:
    return [line.replace("    ", "\t") for line in lines]


CHANGES = {
    "a line came above": _line_above,
    "3 % of its lines were touched": _touched(0.03),
    "30 % of its lines were touched": _touched(0.3),
    "it was indented anew": _indented,
}
