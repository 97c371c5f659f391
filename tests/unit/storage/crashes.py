"""Run by the tests as a program that is killed or that works beside others.

``python crashes.py record FOLDER NAME WRITER [FOLD_EVERY]`` appends turns to a session for as long as it lives,
and says on its standard output which are recorded. ``... some FOLDER NAME WRITER COUNT`` appends that many and
ends. ``... lease FOLDER NAME`` says when it has the lease and keeps it until its standard input ends.
"""

from __future__ import annotations

import sys

import anyio

from channelcoder_lsp.domain.records import TurnAsked, TurnFinished
from channelcoder_lsp.domain.turn import Turn, TurnState
from channelcoder_lsp.storage import FileSessionStorage
from channelcoder_lsp.storage.file import lines, tidying


async def record(folder, name, writer, fold_every="0", count="1000000"):
    tidying.LEAST = int(fold_every) or tidying.LEAST
    lines.CARRIED_BYTES = int(fold_every) or lines.CARRIED_BYTES
    journal = await FileSessionStorage(folder).open(name)
    for number in range(int(count)):
        turn = Turn(id=f"{writer}-{number}", question=f"Question {writer}-{number} " + "word " * 20)
        await journal.append(TurnAsked(turn=turn))
        say(f"asked {turn.id}")
        await journal.append(TurnFinished(turn_id=turn.id, state=TurnState.DONE, answer=f"Answer {turn.id}"))
        say(f"answered {turn.id}")
    await journal.close()


async def some(folder, name, writer, count):
    await record(folder, name, writer, "8192", count)


async def lease(folder, name):
    journal = await FileSessionStorage(folder).open(name)
    async with journal.lease():
        say("leased")
        sys.stdin.read()


def say(line):
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    anyio.run({"record": record, "some": some, "lease": lease}[sys.argv[1]], *sys.argv[2:])
