"""Run as a program in the place of ``claude``: starts it in a container, and sees to it that the container ends.

``container_launcher.py ARGUMENT...``, and in ``CHANNELCODER_CONTAINER`` JSON: the engine, its arguments, names of
variables. Variables are passed by name, so that no value is in an argument. Standard library only: it starts with every
turn.

The container ends when this program does, however it ends (a second process of it, which nobody signals, waits for
that), and this program ends when the one that started it is gone.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from typing import Any
from uuid import uuid4

_LOOK_SECONDS = 0.2
_TRIES = 5
_TRY_SECONDS = 0.5
_PASSED_ON = ("ANTHROPIC_", "CLAUDE_CODE_", "CLAUDE_AGENT_")
_NOT_FOUND = 127


def command(run: dict[str, Any], name: str, arguments: list[str], environment: dict[str, str]) -> list[str]:
    """What is executed; values of variables are not in it."""
    names = {one for one in environment if one.startswith(_PASSED_ON) or one in run["env"]}
    passed = [argument for one in sorted(names) for argument in ("--env", one)]
    return [run["engine"], "run", "--name", name, *run["arguments"], *passed, run["image"], *arguments]


def main() -> int:
    """Start the container; its exit code."""
    if sys.argv[1:2] == ["--end"]:
        return _outlive(sys.argv[2], sys.argv[3])
    parent = os.getppid()
    with suppress(OSError):  # it leads a session already
        os.setsid()  # Ctrl-C in the terminal is for who started us
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    run = json.loads(os.environ.pop("CHANNELCODER_CONTAINER"))
    name = f"channelcoder-{uuid4().hex}"
    watcher = subprocess.Popen(  # noqa: S603 - this file
        [sys.executable, "-I", __file__, "--end", run["engine"], name],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        text=True,
    )
    assert watcher.stdin is not None  # noqa: S101 - it was asked for
    client = subprocess.Popen(command(run, name, sys.argv[1:], dict(os.environ)))  # noqa: S603 - the engine
    try:
        # From here on the watcher can end the engine's client, too, which might be about to make the container.
        watcher.stdin.write(f"{client.pid}\n")
        watcher.stdin.flush()
        while os.getppid() == parent:
            with suppress(subprocess.TimeoutExpired):
                return client.wait(_LOOK_SECONDS)
        return 128 + signal.SIGHUP
    finally:
        if client.poll() is None:
            client.kill()
            client.wait()
        with suppress(OSError):
            watcher.stdin.write("done\n")
            watcher.stdin.close()


def _outlive(engine: str, name: str) -> int:
    """Wait for the end of the launcher, then end the container."""
    told = sys.stdin.read().split()  # up to the end of its only writer
    if told and told[-1] != "done":
        with suppress(OSError):
            os.kill(int(told[0]), signal.SIGKILL)
    for _ in range(_TRIES):
        gone = subprocess.run([engine, "rm", "--force", name], capture_output=True, check=False)  # noqa: S603 - the engine
        time.sleep(_TRY_SECONDS)
        there = subprocess.run([engine, "container", "inspect", name], capture_output=True, check=False)  # noqa: S603 - the engine
        if gone.returncode == 0 and there.returncode != 0:
            break
    return 0


if __name__ == "__main__":
    sys.exit(main())
