"""From the end of an answer in one editor until another editor on the same folder shows it on hover.

Two servers on one machine, each a process of its own with an editor over stdio; files, SQLite, PostgreSQL, Redis and
S3 (SeaweedFS). The way over a network comes on top.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from benchmarks import history
from benchmarks.measure import Spread, Table, quartiles
from benchmarks.place import OURS, ROOT, Place, new_place
from channelcoder_lsp.cli.editor import Editor, capabilities
from channelcoder_lsp.offline.process import OfflineModel
from channelcoder_lsp.offline.script import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

ROUNDS = 15
AIM_SECONDS = 1.0
LOOK_SECONDS = 0.01


def measure() -> Table:
    """Each place in turn."""
    return asyncio.run(_measure())


async def _measure() -> Table:
    table = Table("From one editor to another", ("sessions in", "shown after", "aim"))
    async with OfflineModel(control=True, delay_ms=0) as model:
        await model.script(Text(text=history.ANSWER.format(n=1), times="always"))
        with ExitStack() as stack:
            for name, url in _places(stack):
                with new_place() as place:
                    place.more = {**model.environment(), "CHANNELCODER_STORAGE": url}
                    seconds = await _rounds(place)
                low, middle, high = quartiles(seconds)
                table.add(name, Spread(middle, low, high), aim=AIM_SECONDS, unit=" s")
                table.tell(name, seconds)
    return table


def _places(stack: ExitStack) -> Iterator[tuple[str, str]]:
    yield "files", "file:"
    folder = stack.enter_context(tempfile.TemporaryDirectory())
    yield "SQLite", f"sqlite:///{folder}/sessions.db"
    sys.path.insert(0, str(ROOT / "tests"))
    from backends.postgres import running_postgres  # noqa: PLC0415 - of the tests
    from backends.redis import RedisServer  # noqa: PLC0415

    yield "PostgreSQL", stack.enter_context(running_postgres()).url
    server = RedisServer(Path(folder) / "redis", "--appendonly", "yes")
    server.start()
    stack.callback(server.stop)
    yield "Redis", server.url
    from backends.s3 import running_s3  # noqa: PLC0415

    # It puts its address and key into the environment, which the editors' servers are given.
    yield "S3", stack.enter_context(running_s3(Path(folder) / "s3")).url


async def _rounds(place: Place) -> list[float]:
    source = place.project / history.file_name(0)
    source.write_text(history.source(0), "utf-8")
    seconds = []
    async with _editor(place) as one, _editor(place) as other:
        uri = one.open(source)
        other.open(source)
        whole = {"start": {"line": 0, "character": 0}, "end": {"line": 3, "character": 0}}
        for number in range(-1, ROUNDS):
            question = f"Question {number}?"
            asked = await one.execute("channelcoder.ask", {"uri": uri, "range": whole, "question": question})
            await one.finished(asked["turnId"])
            start = perf_counter()
            while not _answered(await other.hover(uri, 1) or "", question):  # noqa: ASYNC110 - what is measured
                await asyncio.sleep(LOOK_SECONDS)
            if number >= 0:
                seconds.append(perf_counter() - start)
    return seconds


def _answered(hover: str, question: str) -> bool:
    return f"> {question}" in hover and "answering" not in hover


def _editor(place: Place) -> Editor:
    return Editor(
        list(OURS), folders=[place.project], environment=place.environment, client=capabilities(turns=True, input=True)
    )
