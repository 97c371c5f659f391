"""``textDocument/hover`` in a project with 1,000 threads, against the bare server's hover of the same length.

The bare server is asked in turns with ours: idle beside idle, and, while an answer streams into ours, both on a
quiet machine and while another CLI streams the same answer beside it. The last shows what the machine does to any
server that has to share it with a working CLI.
"""

from __future__ import annotations

import asyncio
import subprocess
import threading
from collections import defaultdict
from contextlib import contextmanager
from statistics import median
from typing import IO, TYPE_CHECKING

from benchmarks import history
from benchmarks.measure import Table, in_turns, p99, ratio
from benchmarks.place import BARE, Place, new_place
from channelcoder_lsp.claude.cli import find_cli
from channelcoder_lsp.offline.process import OfflineModel
from channelcoder_lsp.offline.script import Text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.wire import Wire

AIM = 1.3
ROUNDS = 1000
BLOCKS = 8
WARM_UP = 20
HOVERS_IN_BLOCK = 150
DELAY_MS = 15
STREAMED = history.ANSWER.format(n=1) * 6

KINDS = {"answer": "code with an answer", "none": "code without", "streaming": "the code being answered about"}

Times = dict[str, list[float]]


def measure() -> Table:
    """Hover in both servers in turns, idle and while an answer streams."""
    return asyncio.run(_measure())


async def _measure() -> Table:
    columns = ("hover over", "p50 against a bare pygls server", "p99 against it", "aim")
    table = Table("Hover with 1,000 threads in the project", columns)
    async with OfflineModel(control=True) as model:
        with new_place() as place:
            place.more = model.environment()
            opened = await history.make(place)
            await model.script(Text(text=STREAMED, delay_ms=DELAY_MS, times="always"))
            with place.server() as ours, place.server(BARE) as bare:
                both = Both(ours, bare, opened)
                idle, (streaming, quiet, busy) = both.idle(), both.streaming(place)
    _add(table, idle, idle, "idle")
    _add(table, streaming, busy, "while an answer streams, and beside the bare server another")
    _add(table, streaming, quiet, "while an answer streams, the bare server on a quiet machine")
    return table


def _add(table: Table, times: Times, base: Times, when: str) -> None:
    for kind, name in KINDS.items():
        if kind in times:
            p50, tail = (ratio(times[kind], base[f"bare {kind}"], of, BLOCKS) for of in (median, p99))
            table.add(f"{name}, {when}", p50, tail, aim=AIM)
            table.tell(f"{name}, {when}", times[kind])
            table.tell(f"the same, bare server, {when}", base[f"bare {kind}"])


class Both:
    """The two servers, with the same file open in both."""

    def __init__(self, ours: Wire, bare: Wire, opened: Path) -> None:
        self._ours, self._bare = ours, bare
        for server in (ours, bare):
            server.initialize()
            self._uri = server.open(opened)
        self._answered = history.place_of(history.THREADS_PER_FILE // 2)[0]
        self._blank = history.place_of(history.THREADS_PER_FILE)[1] + 1
        self._asked = history.place_of(history.THREADS_PER_FILE + 1)
        _, text = ours.hover(self._uri, self._answered)
        assert len(text) > len(history.ANSWER), "there is no answer on hover"
        assert not ours.hover(self._uri, self._blank)[1]
        self._length = self._streamed_length = len(text)

    def idle(self) -> Times:
        """Hover in turns."""
        times: Times = defaultdict(list)
        for number, kind in in_turns(ROUNDS + WARM_UP, ("answer", "bare answer", "none", "bare none")):
            seconds = self._hover(kind)
            if number >= WARM_UP:
                times[kind].append(seconds)
        return times

    def streaming(self, place: Place) -> tuple[Times, Times, Times]:
        """Hover while an answer streams into our server; and in the bare one: alone, and while another streams."""
        ours: Times = defaultdict(list)
        quiet: Times = defaultdict(list)
        busy: Times = defaultdict(list)
        with self._answer():
            pass  # the first question starts Claude

        def answer_here() -> None:
            with self._answer():
                self._hovers(ours, "")

        def alone() -> None:
            self._hovers(quiet, "bare ")

        def answer_beside() -> None:
            with _cli(place):
                self._hovers(busy, "bare ")

        for _, take in in_turns(BLOCKS, (answer_here, alone, answer_beside)):
            take()
        return ours, quiet, busy

    def _hovers(self, times: Times, server: str) -> None:
        for _, kind in in_turns(HOVERS_IN_BLOCK, list(KINDS)):
            times[server + kind].append(self._hover(server + kind))

    def _hover(self, kind: str) -> float:
        match kind:
            case "answer":
                return self._ours.hover(self._uri, self._answered)[0]
            case "none":
                return self._ours.hover(self._uri, self._blank)[0]
            case "streaming":
                seconds, text = self._ours.hover(self._uri, self._asked[0])
                self._streamed_length = len(text)
                return seconds
            case "bare none":
                return self._bare.hover(self._uri, self._blank)[0]
            case "bare streaming":
                return self._bare.hover(self._uri, self._asked[0], self._streamed_length)[0]
            case _:
                return self._bare.hover(self._uri, self._answered, self._length)[0]

    @contextmanager
    def _answer(self) -> Iterator[None]:
        """Have an answer stream into our server; it is cancelled at the end."""
        first, last = self._asked
        span = {"start": {"line": first, "character": 0}, "end": {"line": last, "character": 10}}
        question = {"uri": self._uri, "range": span, "question": "Why?"}
        turn_id = self._ours.execute("channelcoder.ask", question)["turnId"]
        self._ours.turn(turn_id, lambda turn: bool(turn["text"]))
        yield
        cancelled = self._ours.execute("channelcoder.cancel", {"turnId": turn_id})["turnIds"]
        assert cancelled == [turn_id], "the answer was over before the hovers were: make it longer"
        self._ours.turn(turn_id, lambda turn: turn["state"] == "cancelled")


@contextmanager
def _cli(place: Place) -> Iterator[None]:
    """A CLI that streams the same answer, to nobody."""
    command = [str(find_cli().path), "-p", "Why?", "--output-format", "stream-json", "--include-partial-messages"]
    process = subprocess.Popen(
        [*command, "--verbose"],
        env=place.environment,
        cwd=place.project,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    begun = threading.Event()
    reading = threading.Thread(target=_read, args=(process.stdout, begun), daemon=True)
    reading.start()
    begun.wait(30)
    assert process.poll() is None, "the answer beside the bare server was over before the hovers were"
    yield
    assert process.poll() is None, "the answer beside the bare server was over before the hovers were"
    process.kill()
    process.wait()
    reading.join()


def _read(stream: IO[bytes], begun: threading.Event) -> None:
    for line in stream:
        if b'"text_delta"' in line:
            begun.set()
    begun.set()
