"""A disk that is full, turns read-only or goes bad: said in one sentence, and nothing that was told is lost.

For the first two the servers run in a mount namespace of their own, in which sessions lie on a small file system in
memory. What becomes of each use of a disk that answers with errors is in tests/unit/storage/test_faults.py.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest
from e2e.server.conftest import SLOW, TOTAL, answered, ask, titles

from channelcoder_lsp.cli.connection import ResponseError
from channelcoder_lsp.offline.script import Text
from channelcoder_lsp.protocol import TURN_METHOD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from e2e.server.conftest import Machine

    from channelcoder_lsp.cli.editor import Editor

AS_ROOT = os.geteuid() == 0
MOUNTED = 'mount -t tmpfs -o size=1m tmpfs "$0" && echo && exec sleep infinity'
LAST = "and these are the last of them"
WORDS = Text(text=f"{'one two three ' * 3000}{LAST}", words_per_chunk=100, hold_after=2)
"""More than has a place in what is left of the last page of a file."""


@dataclass
class Disk:
    """The file system that sessions are on, from outside of the namespace."""

    folder: Path
    keeper: psutil.Process
    """Whose namespace it is."""

    @property
    def root(self) -> Path:
        return Path(f"/proc/{self.keeper.pid}/root{self.folder}")

    @property
    def inside(self) -> tuple[str, ...]:
        """The beginning of a command line that is to run where the disk is."""
        user = () if AS_ROOT else ("--user", "--preserve-credentials")
        return ("nsenter", "--target", str(self.keeper.pid), "--mount", *user)

    @contextmanager
    def full(self) -> Iterator[None]:
        """Not one byte more has a place."""
        ballast = self.root / "ballast"
        with ballast.open("wb", buffering=0) as file:
            size = 65_536
            while size:
                try:
                    file.write(bytes(size))
                except OSError:
                    size //= 2
        try:
            yield
        finally:
            ballast.unlink()

    def mount_again(self, how: str) -> None:
        """``ro``, while no file in it is open to be written, or ``rw``."""
        subprocess.run([*self.inside, "mount", "-o", f"remount,{how}", str(self.folder)], check=True)


@pytest.fixture
def disk(machine: Machine) -> Iterator[Disk]:
    machine.sessions.mkdir()
    user = () if AS_ROOT else ("--map-root-user",)
    command = ["unshare", "--mount", *user, "sh", "-c", MOUNTED, str(machine.sessions)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as keeper:
        assert keeper.stdout is not None
        assert keeper.stdout.readline() == b"\n", "no file system could be mounted in a namespace"
        disk = Disk(machine.sessions, psutil.Process(keeper.pid))
        machine.before = disk.inside
        yield disk
        keeper.kill()


async def held(machine: Machine, editor: Editor, uri: str) -> str:
    """Ask something that Claude is in the middle of answering; the turn's id."""
    await machine.model.script(WORDS)
    before = len(editor.received)
    asked = await ask(editor, uri, SLOW, "Will this be kept?")
    await editor.wait_for(lambda m: m.get("method") == TURN_METHOD and bool(m["params"].get("text")), after=before)
    return str(asked["turnId"])


async def killed(editor: Editor) -> None:
    editor.kill()
    assert await editor.wait() < 0


def told(editor: Editor, after: int) -> list[Any]:
    return [each["params"]["message"] for each in editor.received[after:] if each.get("method") == "window/showMessage"]


async def shown(editor: Editor, turn: str) -> str:
    return str((await editor.execute("channelcoder.turn.show", {"turnId": turn}))["markdown"])


class TestAFullDisk:
    async def test_an_answer_that_has_no_place_is_shown_and_saved_by_itself_later(self, machine: Machine, disk: Disk):
        """When there is room; each is said once. A question that could not be kept is refused and not sent."""
        async with machine.opened() as (editor, uri):
            turn = await held(machine, editor, uri)
            with disk.full():
                before = len(editor.received)
                await machine.model.release()
                assert (await editor.finished(turn))["state"] == "done"
                assert LAST in await shown(editor, turn)
                [sentence] = told(editor, before)
                assert "no space is left" in sentence
                assert "Free some" in sentence
                assert "kept in memory" in sentence

                sent = len(await machine.model.requests())
                with pytest.raises(ResponseError, match=r"no space is left .* Free some"):
                    await ask(editor, uri, TOTAL, "And this?")
                assert len(await machine.model.requests()) == sent
                assert "one two three" in (await editor.hover(uri, SLOW[0][0]) or "")
            await editor.wait_for(lambda m: "is saved now" in str(m.get("params")), after=before)
            assert len(told(editor, before)) == 2
            await killed(editor)
        async with machine.opened() as (editor, uri):
            assert LAST in await shown(editor, turn)
            _, over = await answered(editor, uri, TOTAL, "And now?")
            assert over["state"] == "done"

    async def test_a_server_killed_on_it_loses_no_question(self, machine: Machine, disk: Disk):
        """Also what had come of the answer is there, and Retry."""
        async with machine.opened() as (editor, uri):
            first, _ = await answered(editor, uri, TOTAL, "Is this kept?")
            turn = await held(machine, editor, uri)
            with disk.full():
                await machine.model.release()
                await editor.finished(turn)
                await killed(editor)
        async with machine.opened() as (editor, uri):
            assert "Is this kept?" in await shown(editor, first["turnId"])
            assert "Will this be kept?" in await shown(editor, turn)
            assert "Retry: Will this be kept?" in titles(await editor.code_actions(uri, *SLOW))
            assert list(disk.root.rglob("*corrupt*")) == []

    async def test_a_project_that_is_new_is_refused_and_works_when_there_is_room(self, machine: Machine, disk: Disk):
        """Nothing half made stays in the way."""
        with disk.full():
            async with machine.opened() as (editor, uri):
                with pytest.raises(ResponseError, match="no space is left"):
                    await ask(editor, uri)
        async with machine.opened() as (editor, uri):
            _, over = await answered(editor, uri)
            assert over["state"] == "done"


@dataclass
class Faults:
    """What the machine does wrong, in the servers that are started on it."""

    file: Path
    folder: Path

    def __post_init__(self) -> None:
        self.are()

    def are(self, *refused: str, clock: float = 0) -> None:
        """From now on.

        Args:
            *refused: the system calls that fail with an input/output error.
            clock: the seconds that the clock is wrong by.
        """
        new = self.file.with_suffix(".new")
        new.write_text(json.dumps({"refused": refused, "folder": str(self.folder), "clock": clock}))
        new.replace(self.file)


@pytest.fixture
def faults(machine: Machine) -> Faults:
    faults = Faults(machine.home / "faults.json", machine.sessions)
    machine.before = (sys.executable, str(Path(__file__).with_name("bad_machine.py")), str(faults.file))
    return faults


class TestABadDisk:
    """One that answers with input and output errors."""

    @pytest.mark.parametrize("refused", [["write"], ["fsync"], ["write", "fsync", "replace"]], ids="+".join)
    async def test_an_answer_that_cannot_be_written_is_shown_and_saved_by_itself_later(
        self, machine: Machine, faults: Faults, refused: list[str]
    ):
        """A question that could not be kept is refused and not sent; nothing counts as damaged."""
        async with machine.opened() as (editor, uri):
            turn = await held(machine, editor, uri)
            faults.are(*refused)
            before = len(editor.received)
            await machine.model.release()
            assert (await editor.finished(turn))["state"] == "done"
            assert LAST in await shown(editor, turn)
            assert "state of that disk" in told(editor, before)[0]

            sent = len(await machine.model.requests())
            with pytest.raises(ResponseError, match=r"state of that disk"):
                await ask(editor, uri, TOTAL, "And this?")
            assert len(await machine.model.requests()) == sent
            faults.are()
            await editor.wait_for(lambda m: "is saved now" in str(m.get("params")), after=before)
            await killed(editor)
        async with machine.opened() as (editor, uri):
            assert LAST in await shown(editor, turn)
            _, over = await answered(editor, uri, TOTAL, "And now?")
            assert over["state"] == "done"
        assert list(machine.sessions.rglob("*corrupt*")) == []

    async def test_a_session_that_cannot_be_read_is_not_taken_for_damaged(self, machine: Machine, faults: Faults):
        """It is not set aside, and nothing is begun in its place: it is there when the disk is."""
        async with machine.opened() as (editor, uri):
            asked, _ = await answered(editor, uri)
        before = {file.name: file.read_bytes() for file in machine.sessions.iterdir() if file.is_file()}
        faults.are("read")
        async with machine.opened() as (editor, uri):
            with pytest.raises(ResponseError, match="state of that disk"):
                await ask(editor, uri, SLOW)
            assert {file.name for file in machine.sessions.iterdir() if file.suffix == ".json"} <= before.keys()
            faults.are()
            _, over = await answered(editor, uri, SLOW)
            assert over["state"] == "done"
            assert "What is this?" in await shown(editor, asked["turnId"])
        assert list(machine.sessions.rglob("*corrupt*")) == []


async def test_a_clock_that_jumps_back(machine: Machine, faults: Faults):
    """What was said stays in the order in which it was said, in the same session, also for the next server."""
    questions = ["First?", "Second, a day before?", "Third?", "Fourth, in the next server?"]
    async with machine.opened() as (editor, uri):
        first, _ = await answered(editor, uri, TOTAL, questions[0])
        faults.are(clock=-86_400)
        second, _ = await answered(editor, uri, TOTAL, questions[1])
        faults.are(clock=-80_000)
        await answered(editor, uri, SLOW, questions[2])
        assert second["session"] == first["session"]
    faults.are(clock=-90_000)
    async with machine.opened() as (editor, uri):
        last, over = await answered(editor, uri, SLOW, questions[3])
        assert (last["session"], over["state"]) == (first["session"], "done")
        read = await editor.execute("channelcoder.session.read", {"name": first["session"]})
        assert [each["turn"]["question"] for each in read["turns"]] == questions
        asked = [each["turn"]["asked"] for each in read["turns"]]
        assert asked != sorted(asked), "the clock did not jump"
        assert "Fourth" in (await editor.hover(uri, SLOW[0][0]) or "")


async def test_a_disk_that_turned_read_only_can_be_read(machine: Machine, disk: Disk):
    """Answers are shown, a question is refused with the folder's name, and all goes on when it can be written."""
    async with machine.opened() as (editor, uri):
        asked, _ = await answered(editor, uri)
    disk.mount_again("ro")
    async with machine.opened() as (editor, uri):
        assert "What is this?" in await shown(editor, asked["turnId"])
        assert "offline model" in (await editor.hover(uri, TOTAL[0][0]) or "")
        with pytest.raises(ResponseError, match=str(disk.folder)):
            await ask(editor, uri, SLOW)
        disk.mount_again("rw")
        _, over = await answered(editor, uri, SLOW)
        assert over["state"] == "done"
