"""What the tests of the agent need: a bench, and readers of what is heard on it."""

from __future__ import annotations

import json
import os
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from channelcoder_lsp.claude import ClaudeAgent
from channelcoder_lsp.claude.process import Patience
from channelcoder_lsp.domain.agent import AgentEvent, ConnectionRequest, Finished, TextDelta, TextReplaced

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from channelcoder_lsp.claude.connection import ClaudeConnection
    from channelcoder_lsp.offline.process import OfflineModel

SECONDS = 30
"""No test waits longer for anything."""


@dataclass
class Bench:
    """A project folder, the CLI's own folder, and an agent that asks the offline model."""

    model: OfflineModel
    project: Path
    config: Path
    environment: dict[str, str] = field(default_factory=dict)

    def agent(self, **arguments) -> ClaudeAgent:
        environment = {
            **self.model.environment(),
            "CLAUDE_CONFIG_DIR": str(self.config),
            **self.environment,
            **arguments.pop("environment", {}),
        }
        return ClaudeAgent(environment=environment, **{"max_retries": 0, **arguments})

    @asynccontextmanager
    async def connected(self, *, agent: ClaudeAgent | None = None, **request) -> AsyncIterator[ClaudeConnection]:
        with anyio.fail_after(SECONDS):
            async with (agent or self.agent()).connect(
                ConnectionRequest(**{"cwd": self.project, **request})
            ) as connection:
                yield connection

    def file(self, name: str, text: str) -> Path:
        path = self.project / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path


def bench_in(folder: Path, model: OfflineModel) -> Bench:
    project, config = folder / "project", folder / "config"
    project.mkdir()
    config.mkdir()
    return Bench(model, project, config)


async def heard(connection: ClaudeConnection, prompt: str) -> list[AgentEvent]:
    """All events of one question; what the text events add up to is the answer."""
    events = [event async for event in connection.ask(prompt)]
    assert [event for event in events if isinstance(event, Finished)] == events[-1:]
    return events


async def finished(connection: ClaudeConnection, prompt: str) -> Finished:
    """How a question ended."""
    return (await heard(connection, prompt))[-1]


def shown(events: list[AgentEvent]) -> str:
    """The text that someone sees who follows the events."""
    text = ""
    for event in events:
        if isinstance(event, TextDelta):
            text += event.text
        elif isinstance(event, TextReplaced):
            text = event.text
    return text


def tool_results(request) -> list[str]:
    """What the model was told of the tools it had used, in the order in which it had called for them."""
    blocks = [
        block for message in request.messages if isinstance(message["content"], list) for block in message["content"]
    ]
    told = {block["tool_use_id"]: block["content"] for block in blocks if block["type"] == "tool_result"}
    results = [told[block["id"]] for block in blocks if block["type"] == "tool_use"]
    return [result if isinstance(result, str) else json.dumps(result) for result in results]


def is_running(pid: int) -> bool:
    """Whether there is such a process, a zombie not counted."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"


async def until(condition) -> None:
    """Give others their turn until ``condition()`` holds."""
    with anyio.fail_after(SECONDS):
        while not condition():  # noqa: ASYNC110 - a state that nobody announces
            await anyio.sleep(0.001)


QUICK = Patience(interrupt=1.0, exit=0.2)
