"""The offline model as a child process."""

from __future__ import annotations

import http.client
import json
import logging
import secrets
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import anyio
import anyio.to_thread
from pydantic import TypeAdapter

from channelcoder_lsp.domain.errors import OfflineModelError
from channelcoder_lsp.offline.script import TOKEN_HEADER, RecordedRequest, Reply, Text

if TYPE_CHECKING:
    from types import TracebackType

    from typing_extensions import Self

    from channelcoder_lsp.offline.request import RequestKind

__all__ = ["OfflineModel"]

_START_SECONDS = 30.0
_STOP_SECONDS = 5.0
_POLL_SECONDS = 2.0
_ANSWER_SECONDS = 30.0
_WAIT_SECONDS = 30.0
_NOT_RUNNING = "The offline model is not running: use it inside its `async with` block."
_KEY = "offline-model"

# Where the child starts: `-m` looks for modules there first, and the current folder may be anybody's.
_ROOT = Path(__file__).resolve().parents[2]

_log = logging.getLogger(__name__)

_REPLIES = TypeAdapter(list[Reply])
_RECORDED = TypeAdapter(list[RecordedRequest])


class OfflineModel:
    """A stand-in for the Anthropic Messages API, served by a child process on the loopback address.

    As an async context manager it runs from enter to exit. The child also ends by itself when this process
    does, however that happens.

        async with OfflineModel() as model:
            options = ClaudeAgentOptions(env=model.environment(), ...)

    Args:
        control: open the control face, which the methods below ``environment`` need. For tests.
        delay_ms: the time between two chunks of a streamed answer.
        port: 0 takes a free one.

    Raises:
        OfflineModelError: on enter, when the child can't be started or the port is taken; from the methods,
            when the control face is not open or the child does not answer.
    """

    def __init__(self, *, control: bool = False, delay_ms: int = 15, port: int = 0) -> None:
        self._token = secrets.token_urlsafe(24) if control else ""
        self._arguments = ["--port", str(port), "--delay-ms", str(delay_ms), "--end-with-stdin"]
        if control:
            self._arguments.append(f"--control-token={self._token}")
        self._process: subprocess.Popen[bytes] | None = None
        self._stderr: IO[bytes] | None = None
        self._url = ""

    @property
    def url(self) -> str:
        """Where it listens, as ``http://127.0.0.1:PORT``; empty when it does not run."""
        return self._url

    def environment(self) -> dict[str, str]:
        """What to lay over the CLI's environment so that it asks the offline model.

        What would lead it elsewhere (another cloud, a token, a proxy) is set to nothing.
        ``CLAUDE_CONFIG_DIR`` is left to the caller.
        """
        if not self._url:
            raise OfflineModelError(_NOT_RUNNING)
        host = urlsplit(self._url).hostname or ""
        return {
            "ANTHROPIC_BASE_URL": self._url,
            "ANTHROPIC_API_KEY": _KEY,
            "ANTHROPIC_AUTH_TOKEN": "",
            "ANTHROPIC_CUSTOM_HEADERS": "",
            "CLAUDE_CODE_OAUTH_TOKEN": "",
            "CLAUDE_CODE_USE_BEDROCK": "",
            "CLAUDE_CODE_USE_VERTEX": "",
            "CLAUDE_CODE_USE_FOUNDRY": "",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "NO_PROXY": host,
            "no_proxy": host,
        }

    async def script(self, *replies: Reply | str) -> None:
        """Queue ``replies``; a string is a :class:`~channelcoder_lsp.offline.script.Text`."""
        whole = [Text(text=reply) if isinstance(reply, str) else reply for reply in replies]
        await self._ask("POST", "/_offline/script", _REPLIES.dump_json(whole))

    async def requests(self, kind: RequestKind | None = "question") -> list[RecordedRequest]:
        """The requests of ``kind`` (None: all) since the start or the last ``clear``, oldest first."""
        return await self._requests(kind, at_least=0, ended=False, seconds=0)

    async def wait_for_requests(
        self,
        count: int,
        kind: RequestKind | None = "question",
        *,
        ended: bool = False,
        seconds: float = _WAIT_SECONDS,
    ) -> list[RecordedRequest]:
        """The requests of ``kind`` once there are ``count`` of them.

        Args:
            count: how many to wait for, counted since the start or the last ``clear``.
            kind: None counts all.
            ended: count and return only those that were answered or left by their client.
            seconds: how long to wait.

        Raises:
            OfflineModelError: fewer came in that time.
        """
        deadline = anyio.current_time() + seconds
        while True:
            left = deadline - anyio.current_time()
            poll = max(0.0, min(left, _POLL_SECONDS))
            found = await self._requests(kind, at_least=count, ended=ended, seconds=poll)
            if len(found) >= count:
                return found
            if left <= 0:
                what = f"{kind or 'any'} requests" + (" ended" if ended else " came")
                raise OfflineModelError(f"Waited {seconds:g} s for {count} {what}; there were {len(found)}.")

    async def release(self, number: int | None = None) -> int:
        """Let every reply on its way, or the one to request ``number``, pass its next hold.

        A reply that has not come to its hold yet will not stop there. Returns how many were on their way.
        """
        query = "" if number is None else f"?number={number}"
        answer = await self._ask("POST", f"/_offline/release{query}")
        return int(json.loads(answer)["released"])

    async def clear(self) -> None:
        """Forget the queue and the requests, and let what is held go on to its end."""
        await self._ask("DELETE", "/_offline")

    async def __aenter__(self) -> Self:
        try:
            await anyio.to_thread.run_sync(self._start)
            await self._until_ready()
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._stop()

    def _start(self) -> None:
        command = [sys.executable, "-m", "channelcoder_lsp.offline", *self._arguments]
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - closed in _stop; a pipe would fill up
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own module
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._stderr,
                cwd=_ROOT,
                # Ctrl-C in the terminal cancels a question; it must not end the model.
                start_new_session=True,
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )
        except OSError as problem:
            raise OfflineModelError(f"The offline model could not be started: {problem}.") from problem

    async def _until_ready(self) -> None:
        """Wait for the line that the child prints when it can be asked."""
        process = self._process
        if process is None or process.stdout is None:
            raise OfflineModelError(_NOT_RUNNING)
        line = b""
        with anyio.move_on_after(_START_SECONDS):
            line = await anyio.to_thread.run_sync(process.stdout.readline, abandon_on_cancel=True)
        if not line:
            raise OfflineModelError(self._why_not())
        self._url = json.loads(line)["url"]

    def _why_not(self) -> str:
        """Why the child did not start, in its own words if it has any."""
        last = _said(self._stderr).rpartition("\n")[2]
        return last or f"The offline model was not ready after {_START_SECONDS:.0f} s. Try again."

    async def _stop(self) -> None:
        """End the child: ask by closing its standard input, then insist."""
        process, stderr = self._process, self._stderr
        self._process, self._stderr, self._url = None, None, ""
        with anyio.CancelScope(shield=True):
            if process is not None:
                await anyio.to_thread.run_sync(_end, process)
        if stderr is not None:
            if said := _said(stderr):
                _log.warning("The offline model said: %s", said)
            stderr.close()

    async def _requests(
        self, kind: RequestKind | None, *, at_least: int, ended: bool, seconds: float
    ) -> list[RecordedRequest]:
        query: dict[str, Any] = {"at_least": at_least, "ended": ended, "seconds": seconds}
        if kind is not None:
            query["kind"] = kind
        return _RECORDED.validate_json(await self._ask("GET", f"/_offline/requests?{urlencode(query)}"))

    async def _ask(self, method: str, path: str, body: bytes | None = None) -> bytes:
        """The body of the control face's answer."""
        if not self._token:
            raise OfflineModelError("The offline model was started without its control face.")
        if not self._url:
            raise OfflineModelError(_NOT_RUNNING)
        return await anyio.to_thread.run_sync(
            _answer_of, self._url, method, path, body, {TOKEN_HEADER: self._token}, abandon_on_cancel=True
        )


def _answer_of(url: str, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> bytes:
    """The body of the answer to one request, made without the proxy that the environment may name."""
    place = urlsplit(url)
    connection = http.client.HTTPConnection(place.hostname or "", place.port, timeout=_ANSWER_SECONDS)
    try:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        answer = response.read()
    except OSError as problem:
        raise OfflineModelError(f"The offline model at {url} does not answer: {problem}.") from problem
    except http.client.HTTPException as problem:
        raise OfflineModelError(f"The offline model at {url} broke off: {problem!r}.") from problem
    finally:
        connection.close()
    if response.status != http.client.OK:
        said = answer.decode(errors="replace")
        raise OfflineModelError(f"The offline model refused {method} {path}: {said}")
    return answer


def _said(stderr: IO[bytes] | None) -> str:
    """What the child wrote to its standard error."""
    if stderr is None:
        return ""
    stderr.seek(0)
    return stderr.read().decode(errors="replace").strip()


def _end(process: subprocess.Popen[bytes]) -> None:
    """End ``process`` and free its pipes."""
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            pipe.close()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
