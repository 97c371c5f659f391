"""Kill servers at random moments while people work, and hold what is on the disk against what they were told.

A *run* is one session that outlives many servers. In each *life* one or two editors are on the folder, and now and then
somebody asks from the command line; questions stream, text is typed, threads are resolved, and journals fold. Then the
servers, or what they started, are killed with SIGKILL, and the session is read.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import psutil
from e2e.server.conftest import SOURCE

from channelcoder_lsp.cli.connection import ServerGoneError
from channelcoder_lsp.offline.script import Long
from channelcoder_lsp.storage import FileSessionStorage

from .acknowledged import Acknowledged

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random

    from e2e.server.conftest import Machine

    from channelcoder_lsp.cli.editor import Editor

START_SECONDS = 1.0
"""In which some servers die."""
MOST_MESSAGES = 120
"""After so many from the server at the most the others die: it answered a handful of questions."""
LONG_ANSWER = 48_000
"""Bytes: some of them make a journal that folds."""
FILES = ("a.py", "b.py")
SIGNS = ("long", "short", "short")


@dataclass
class Run:
    """One session, and all that was acknowledged of it."""

    machine: Machine
    random: Random
    name: str = "shop"
    """The folder that people work in: each run has one of its own, and so a session of its own."""
    told: Acknowledged = field(default_factory=Acknowledged)
    session: str = ""
    _number: int = 0

    @property
    def folder(self) -> Path:
        return self.machine.home / self.name

    async def begin(self) -> None:
        """Have the model give long answers to some questions, and a project to ask about."""
        await self.machine.model.script(
            Long(size=LONG_ANSWER, chunk_size=3000, delay_ms=10, when="long", times="always")
        )
        for name in FILES:
            self.machine.write(f"../{self.name}/{name}", SOURCE)

    async def live(self) -> None:
        """One life: start, work, be killed, and look."""
        editors = [self.machine.editor(folders=[self.folder]) for _ in range(self.random.choice((1, 1, 2)))]
        ready = asyncio.Event()
        people = [
            asyncio.create_task(self._work(editor, name, ready)) for editor, name in zip(editors, FILES, strict=False)
        ]
        if self.session and self.random.random() < 0.15:
            people.append(asyncio.create_task(self._ask_in_the_shell()))
        await self._until_they_die(editors[0], ready, people)
        if self.random.random() < 0.2:
            await self._kill_what_they_started(editors)
            await asyncio.wait(people, timeout=self.random.uniform(0, 0.5), return_when=asyncio.FIRST_EXCEPTION)
        await self._kill(editors)
        for person in people:
            person.cancel()
        for outcome in await asyncio.gather(*people, return_exceptions=True):
            if isinstance(outcome, Exception) and not isinstance(outcome, ServerGoneError):
                raise outcome
        for editor in editors:
            self.told.hear(editor.received)
            self.machine.editors.remove(editor)

    async def differences(self) -> list[str]:
        """What is wrong now."""
        if not self.session:
            return []
        storage = FileSessionStorage(self.machine.sessions)
        wrong = [f"{path.name} was set aside" for path in self.machine.sessions.iterdir() if ".corrupt" in path.name]
        ours = [info.name for info in await storage.list() if info.checkout == str(self.folder)]
        wrong += [f"there is another session, {name}" for name in ours if name != self.session]
        return wrong + self.told.differences(await storage.load(self.session))

    # What people do

    async def _work(self, editor: Editor, name: str, ready: asyncio.Event) -> None:
        await editor.start()
        ready.set()
        uri = editor.open(self.folder / name)
        typing = asyncio.create_task(self._type(editor, uri))
        try:
            for _ in range(self.random.randint(1, 6)):
                turn, thread = await self._ask(editor, uri)
                if self.random.random() < 0.7:
                    await editor.finished(turn)
                if self.random.random() < 0.3:
                    await self._resolve(editor, thread)
        finally:
            typing.cancel()

    async def _type(self, editor: Editor, uri: str) -> None:
        for number in range(200):
            editor.change(uri, (number % 3, 0), (number % 3, 0), self.random.choice("x\n "))
            if number % 20 == 0:
                editor.save(uri)
            await asyncio.sleep(0.02)  # as fast as people type

    def _question(self) -> str:
        self._number += 1
        text = f"Question {self._number:05}, {self.random.choice(SIGNS)}"
        self.told.asked.add(text)
        return text

    async def _ask(self, editor: Editor, uri: str) -> tuple[str, str]:
        question = self._question()
        place = {"line": self.random.randint(5, 9), "character": 0}
        selection = {"uri": uri, "range": {"start": place, "end": {**place, "character": 8}}}
        asked = await editor.execute("channelcoder.ask", {**selection, "question": question})
        self.session = asked["session"]
        self.told.questions[asked["turnId"]] = question
        self.told.status[asked["threadId"]] = "open"
        return asked["turnId"], asked["threadId"]

    async def _resolve(self, editor: Editor, thread: str) -> None:
        self.told.doubtful.add(thread)
        answer: Any = await editor.execute("channelcoder.thread.resolve", {"threadId": thread})
        self.told.status[thread] = answer["status"]
        self.told.doubtful.discard(thread)

    async def _ask_in_the_shell(self) -> None:
        question = self._question()
        command = [sys.executable, "-m", "channelcoder_lsp.cli.command", "run", "--session", self.session, question]
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=self.folder,
            env={**psutil.Process().environ(), **self.machine.environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    # What kills

    async def _until_they_die(self, editor: Editor, ready: asyncio.Event, people: list[asyncio.Task[None]]) -> None:
        """While they start, or once the editor has heard so much, or all is done."""
        if self.random.random() < 0.2:
            await asyncio.wait(people, timeout=self.random.uniform(0, START_SECONDS))
            return
        number = self.random.randint(1, MOST_MESSAGES)

        async def heard() -> None:
            await ready.wait()
            await editor.wait_for(lambda _: len(editor.received) >= number)

        hearing = asyncio.create_task(heard())
        work = asyncio.gather(*people, return_exceptions=True)
        await asyncio.wait((hearing, work), timeout=60, return_when=asyncio.FIRST_COMPLETED)
        hearing.cancel()
        await asyncio.gather(hearing, return_exceptions=True)

    async def _kill(self, editors: list[Editor]) -> None:
        """The servers die at once; what they started ends by itself."""
        alive = [editor for editor in editors if editor.running]
        started = [child for editor in alive for child in _children(editor.pid)]
        for editor in alive:
            editor.kill()
        for editor in alive:
            await editor.wait()
        _, orphans = await asyncio.to_thread(psutil.wait_procs, started, timeout=60)
        assert not orphans, [process.name() for process in orphans]

    async def _kill_what_they_started(self, editors: list[Editor]) -> None:
        for editor in editors:
            if editor.running:
                for child in _children(editor.pid):
                    child.kill()


def _children(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
