"""From asking a warm session to the first text of the answer, three ways, all against the same offline model.

- ours: ``channelcoder.ask`` sent, to the first ``channelcoder/turn`` notification that has text;
- the SDK used directly: ``query`` of a connected client with the same options, to the first text delta;
- ``claude -p --resume``: the start of the process, to the first text delta that it prints.

All three are given the very same prompt, in conversations that grow alike.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections import defaultdict
from time import perf_counter
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from benchmarks import history
from benchmarks.measure import Table, difference_ms, ratio
from benchmarks.place import Place, new_place
from channelcoder_lsp.claude.cli import find_cli
from channelcoder_lsp.claude.options import bounding_variables, build_options
from channelcoder_lsp.domain.agent import ConnectionRequest
from channelcoder_lsp.offline.process import OfflineModel
from channelcoder_lsp.offline.script import Text

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.wire import Wire

TIMES_SOONER = 10
WITHIN_MS = 10
ROUNDS = 40
ONE_SHOT_EVERY = 4
"""``claude -p`` is asked in every fourth round: it takes as long as the other two in all."""


def measure() -> Table:
    """Ask all three in turns."""
    return asyncio.run(_measure())


async def _measure() -> Table:
    table = Table("First text of a warm turn", ("ours is", "by", "aim"))
    times: dict[str, list[float]] = defaultdict(list)
    async with OfflineModel(control=True) as model:
        with new_place() as place:
            place.more = model.environment()
            opened = place.project / history.file_name(0)
            opened.write_text(history.source(0), "utf-8")
            await model.script(Text(text=history.ANSWER.format(n=1), delay_ms=2, times="always"))
            with place.server() as server:
                ours = _Ours(server, opened)
                ours.ask()
                prompt = (await model.requests())[-1].prompt
                one_shot = _OneShot(place, prompt)
                async with _sdk_client(place) as client:
                    for number in range(-2, ROUNDS):
                        took = {"ours": ours.ask(), "sdk": await _ask_sdk(client, prompt)}
                        if number % ONE_SHOT_EVERY == 0:
                            took["one-shot"] = one_shot.ask()
                        for name, seconds in took.items():
                            if number >= 0:
                                times[name].append(seconds)
    sooner = ratio(times["one-shot"], times["ours"][::ONE_SHOT_EVERY])
    table.add("sooner than `claude -p --resume`", sooner, aim=TIMES_SOONER, least=True)
    later = difference_ms(times["ours"], times["sdk"])
    table.add("later than the SDK used directly", later, aim=WITHIN_MS, unit=" ms")
    table.tell("channelcoder.ask", times["ours"])
    table.tell("the SDK", times["sdk"])
    table.tell("claude -p --resume", times["one-shot"])
    return table


class _Ours:
    """Our server, with a thread to go on with."""

    def __init__(self, server: Wire, opened: Path) -> None:
        server.initialize()
        self._server = server
        first, last = history.place_of(3)
        span = {"start": {"line": first, "character": 0}, "end": {"line": last, "character": 10}}
        self._question = {"uri": server.open(opened), "range": span, "question": "What does it do?"}

    def ask(self) -> float:
        """Seconds to the first text; returns when the answer is over."""
        start = perf_counter()
        turn_id = self._server.execute("channelcoder.ask", self._question)["turnId"]
        self._server.turn(turn_id, lambda turn: bool(turn["text"]))
        taken = perf_counter() - start
        over = self._server.turn(turn_id, lambda turn: turn["state"] not in ("queued", "running"))
        assert over["state"] == "done", over
        return taken


class _OneShot:
    """``claude -p``, which is started for each question and goes on with its last session."""

    def __init__(self, place: Place, prompt: str) -> None:
        self._place = place
        self._prompt = prompt
        self._session: str | None = None

    def ask(self) -> float:
        """Seconds to the first text; returns when the answer is over and the process gone."""
        command: list[str] = [str(find_cli().path), "-p", self._prompt, "--output-format", "stream-json"]
        command += ["--include-partial-messages", "--verbose", *(["--resume", self._session] if self._session else [])]
        taken = None
        start = perf_counter()
        with subprocess.Popen(
            command,
            env=self._place.environment,
            cwd=self._place.project,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                if taken is None and b'"text_delta"' in line:
                    taken = perf_counter() - start
                elif b'"type":"result"' in line:
                    self._session = json.loads(line)["session_id"]
        assert taken is not None
        assert self._session is not None
        return taken


def _sdk_client(place: Place) -> Any:
    from claude_agent_sdk import ClaudeSDKClient  # noqa: PLC0415 - heavy

    cwd = place.home / "sdk"  # another folder: its sessions are its own
    cwd.mkdir()
    options = build_options(
        ConnectionRequest(cwd=cwd, session_id=str(uuid4())),
        cli_path=find_cli().path,
        bounds=bounding_variables(max_retries=0, stream_idle_seconds=60),
        environment={**place.environment},
        denied=[place.sessions],
        stderr=lambda _line: None,
    )
    return ClaudeSDKClient(options)


async def _ask_sdk(client: Any, prompt: str) -> float:
    """Seconds to the first text; returns when the answer is over."""
    taken = None
    start = perf_counter()
    await client.query(prompt)
    async for message in client.receive_response():
        if taken is None and type(message).__name__ == "StreamEvent":
            event = message.event
            if event["type"] == "content_block_delta" and event["delta"].get("type") == "text_delta":
                taken = perf_counter() - start
    assert taken is not None
    return taken
