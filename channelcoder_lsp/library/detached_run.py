"""The process of a run in the background: asks what it was told on its standard input, and writes to its log."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
import traceback
from contextlib import AsyncExitStack, aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from channelcoder_lsp.claude.sdk import load_without_servers
from channelcoder_lsp.domain.errors import ChannelCoderError
from channelcoder_lsp.execution.background import ended
from channelcoder_lsp.library.functions import once
from channelcoder_lsp.library.session import Session
from channelcoder_lsp.services.safe_unicode import without_hidden
from channelcoder_lsp.settings import state_folder
from channelcoder_lsp.storage.opening import open_storage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from channelcoder_lsp.library.results import Result

FAILED = 1
CANCELLED = 130


def main() -> int:
    """Do the task; the process's exit code."""
    logging.getLogger("channelcoder_lsp").addHandler(logging.NullHandler())
    task = json.load(sys.stdin)
    try:
        load_without_servers()
        os.chdir(task["here"])
        code = asyncio.run(_in_order(task))
    except ChannelCoderError as problem:
        code = _failed(problem.message)
    except Exception as problem:  # noqa: BLE001 - the log is the only place where anybody will see it
        traceback.print_exc()
        code = _failed(f"{type(problem).__name__}: {problem}.")
    ended(Path(task["end"]), code)
    return code


async def _in_order(task: Mapping[str, Any]) -> int:
    """Do the task; a SIGTERM cancels it, so that what came of the answer is kept."""
    doing = asyncio.ensure_future(_ask(task))
    if sys.platform != "win32":
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, doing.cancel)
    try:
        return await doing
    except asyncio.CancelledError:
        return _failed("It was ended before the answer was complete.", CANCELLED)


async def _ask(task: Mapping[str, Any]) -> int:
    prompt = Path(task["prompt"]) if task["file"] else task["prompt"]
    result: Result | None = None
    written = ""
    async with (
        AsyncExitStack() as stack,
        await _session(task, stack) as session,
        aclosing(cast("Any", session.stream(prompt, **task["options"]))) as chunks,
    ):
        async for chunk in chunks:
            result = chunk.result
            if not task["stream"]:
                continue
            more = chunk.content
            if chunk.type == "replace":
                # What is written can't be taken back: a text that goes on goes on, another one begins anew.
                more = more.removeprefix(written) if more.startswith(written) else f"\n{more}"
            if chunk.type in ("content", "replace"):
                _write(more)
                written = written + more if chunk.type == "content" else chunk.content
    if result is not None:
        rest = "" if task["stream"] else result.text
        _write(rest if (written + rest).endswith("\n") else f"{rest}\n")
    if result is None or result.is_error:
        return _failed((result.error if result else None) or "Claude gave no answer. Ask again.")
    if result.cancelled:
        return _failed("The question was cancelled before its answer was complete.", CANCELLED)
    return 0


async def _session(task: Mapping[str, Any], stack: AsyncExitStack) -> Session:
    if task["session"] is None:
        return once(task["resume"], task["options"].get("cwd") or task["cwd"])
    storage = None
    if task["storage"] is not None:
        storage = open_storage(task["storage"], outbox=state_folder() / "outbox")
        stack.push_async_callback(storage.close)
    session = await Session.load(task["session"], storage)
    session.cwd = Path(task["cwd"])
    return session


def _write(text: str) -> None:
    sys.stdout.write(without_hidden(text))
    sys.stdout.flush()


def _failed(sentence: str, code: int = FAILED) -> int:
    _write(f"Error: {sentence}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
