"""What another process does with a session named ``mine``: ``python -m backends.process WHAT PLACE ARGUMENTS...``."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys

from backends.places import Place
from channelcoder_lsp.domain.errors import StorageError
from channelcoder_lsp.domain.records import TurnAsked
from channelcoder_lsp.domain.turn import Turn
from channelcoder_lsp.testing.samples import answered


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - how the test hears of it


async def told() -> str:
    return (await asyncio.to_thread(sys.stdin.readline)).strip()


async def hold(storage) -> None:
    """Hold the lease; ``stop`` the process in its tracks; ``record`` under the lease."""
    busy = asyncio.Lock()
    renew = storage._backend.renew

    async def renew_alone(*arguments) -> bool:
        async with busy:
            return await renew(*arguments)

    storage._backend.renew = renew_alone
    journal = await storage.open("mine")
    async with journal.lease():
        say("held")
        while line := await told():
            if line == "stop":
                async with busy:  # a database's transaction that is stopped half-way holds up everybody
                    os.kill(os.getpid(), signal.SIGSTOP)
            elif line == "record":
                try:
                    await journal.append(*answered(1))
                except StorageError as problem:
                    say(type(problem).__name__)
                else:
                    say("recorded")


async def write(storage, writer: str, count: str) -> None:
    """Record so many turns, one by one."""
    journal = await storage.open("mine")
    say("ready")
    await told()
    for number in range(int(count)):
        await journal.append(TurnAsked(turn=Turn(id=f"{writer}-{number}", question="Why?")))
    await journal.close()
    say("done")


async def main(what: str, place: str, *arguments: str) -> None:
    async with Place(**json.loads(place)).storage() as storage:
        await {"hold": hold, "write": write}[what](storage, *arguments)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
