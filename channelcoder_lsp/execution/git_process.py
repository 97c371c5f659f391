"""Running ``git`` so that nothing of the repository runs: docs/decisions/git.md says what is kept from it, and how."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from channelcoder_lsp.domain.errors import RepositoryError
from channelcoder_lsp.services.programs import on_path

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

logger = logging.getLogger(__name__)

SECONDS = 20.0
"""How long one ``git`` may take."""
OUTPUT_BYTES = 64 * 1024 * 1024
"""How much one ``git`` may say; the names of half a million files are less."""
_CHUNK = 1 << 16
_ERROR_BYTES = 4_096
_ENDED_SECONDS = 5.0

_OPTIONS = (
    "--no-pager",
    "--literal-pathspecs",
    # Of a repository's own settings these name programs that a command which only reads could run.
    "-c",
    "core.fsmonitor=",
    "-c",
    f"core.hooksPath={os.devnull}",
    "-c",
    "diff.external=",
    "-c",
    "protocol.allow=never",
)


@dataclass(frozen=True)
class Said:
    """What a ``git`` said, and how it ended."""

    code: int
    output: bytes
    error: str

    @property
    def text(self) -> str:
        """The output without its line end; bytes that are no UTF-8 are kept as Python keeps them in file names."""
        return os.fsdecode(self.output).rstrip("\n")


class Git:
    """Runs ``git`` in one folder.

    Args:
        folder: where it is run.
        seconds: how long each may take.
        output_bytes: how much each may say.
    """

    def __init__(self, folder: Path, *, seconds: float = SECONDS, output_bytes: int = OUTPUT_BYTES) -> None:
        self.folder = folder
        self._seconds = seconds
        self._output_bytes = output_bytes

    async def __call__(self, *arguments: str, given: bytes = b"", also: tuple[int, ...] = ()) -> Said:
        """Run ``git`` with ``arguments``.

        Args:
            arguments: the command and what it takes; never a pager, an alias or anything that writes.
            given: its standard input.
            also: exit codes beside 0 that are an answer.

        Raises:
            RepositoryError: it is not installed, took too long, said too much, or failed.
        """
        program = find_git(self.folder)
        try:
            process = await asyncio.create_subprocess_exec(
                program,
                *_OPTIONS,
                *arguments,
                cwd=self.folder,
                env=environment(os.environ),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                # A group of its own, so that what it starts ends with it.
                start_new_session=sys.platform != "win32",
            )
        except (OSError, ValueError) as fault:
            raise RepositoryError(f"Git can't be run in {self.folder}: {fault}.") from fault
        try:
            code, output, error = await asyncio.wait_for(self._talk(process, given), self._seconds)
        except asyncio.TimeoutError:
            raise RepositoryError(
                f"git {arguments[0]} took longer than {self._seconds:.0f} seconds in {self.folder} and was stopped. "
                "Try again; if it stays slow, open a smaller folder."
            ) from None
        finally:
            await _end(process)
        if code != 0 and code not in also:
            raise _failed(self.folder, arguments[0], error)
        if code != 0 and (problem := known_failure(self.folder, error)) is not None:
            raise problem
        return Said(code, output, error)

    async def _talk(self, process: asyncio.subprocess.Process, given: bytes) -> tuple[int, bytes, str]:
        async def feed() -> None:
            if process.stdin is not None:
                with suppress(BrokenPipeError, ConnectionResetError):
                    process.stdin.write(given)
                    await process.stdin.drain()
                process.stdin.close()

        _, output, error = await asyncio.gather(
            feed(), self._all_of(process.stdout), _begin_of(process.stderr, _ERROR_BYTES)
        )
        return await process.wait(), output, error.decode("utf-8", "replace")

    async def _all_of(self, stream: asyncio.StreamReader | None) -> bytes:
        said = bytearray()
        while stream is not None and (chunk := await stream.read(_CHUNK)):
            said += chunk
            if len(said) > self._output_bytes:
                raise RepositoryError(
                    f"The repository of {self.folder} is too large: Git said more than "
                    f"{self._output_bytes // 1_000_000} MB. Open a smaller folder of it."
                )
        return bytes(said)


def find_git(folder: Path) -> str:
    """The ``git`` on PATH, but none that lies in ``folder``, and none of a PATH entry that isn't absolute.

    Raises:
        RepositoryError: there is none.
    """
    if (found := on_path("git", folder)) is None:
        raise RepositoryError("Git is not installed, or not on the PATH that the editor was started with. Install it.")
    return str(found)


def environment(inherited: Mapping[str, str]) -> dict[str, str]:
    """The variables for ``git``: ``inherited`` without those that tell it where to look and what to run.

    An editor that was started by a hook has GIT_DIR and GIT_INDEX_FILE of another repository.
    """
    kept = {name: value for name, value in inherited.items() if not name.upper().startswith("GIT_")}
    return {
        **kept,
        "LC_ALL": "C",
        "LANGUAGE": "",
        "GIT_ALLOW_PROTOCOL": "none",  # stronger than the repository's protocol.<name>.allow
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "",
        "GIT_PAGER": "",
    }


async def _begin_of(stream: asyncio.StreamReader | None, size: int) -> bytes:
    """The first bytes of ``stream``, which is read to its end."""
    said = bytearray()
    while stream is not None and (chunk := await stream.read(_CHUNK)):
        said += chunk[: max(0, size - len(said))]
    return bytes(said)


async def _end(process: asyncio.subprocess.Process) -> None:
    """End ``process`` and what it started, if it hasn't ended."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            if sys.platform != "win32":
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
        try:
            await asyncio.wait_for(_gone(process), _ENDED_SECONDS)
        except asyncio.TimeoutError:
            logger.exception("git (process %d) did not end", process.pid)


async def _gone(process: asyncio.subprocess.Process) -> None:
    """Wait until ``process`` has ended, and its pipes with it: what is left in them is dropped."""
    for stream in (process.stdout, process.stderr):
        while stream is not None and await stream.read(_CHUNK):
            pass
    await process.wait()


def known_failure(folder: Path, error: str) -> RepositoryError | None:
    """The sentence for what ``git`` said on its standard error (in English: LC_ALL is C), if it says all."""
    said = error.lower()
    if "not a git repository" in said:
        return RepositoryError(f"{folder} is in no Git repository. Run `git init` in it, or open a folder that is.")
    if "dubious ownership" in said or "unsafe repository" in said:
        return RepositoryError(
            f"Git refuses the repository of {folder}, since another user owns it. If you trust it, add it to Git's "
            "setting safe.directory."
        )
    if "must be run in a work tree" in said:
        return RepositoryError(f"{folder} is a Git repository without a working tree. Open a checkout of it.")
    if "transport" in said or "promisor" in said or "lazy fetching" in said or "could not fetch" in said:
        return RepositoryError(
            f"A part of the history of {folder} is not on this machine, and nothing is fetched in passing. "
            "Run `git fetch` and try again."
        )
    return None


def _failed(folder: Path, command: str, error: str) -> RepositoryError:
    if (known := known_failure(folder, error)) is not None:
        return known
    first = next((line for line in error.splitlines() if line.strip()), "it said nothing more")
    return RepositoryError(f"git {command} failed in {folder}: {first.removeprefix('fatal: ').strip()}.")
