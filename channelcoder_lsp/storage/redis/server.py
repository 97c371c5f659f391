"""The one way to the Redis server: within bounds of time, and with errors in our words."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from anyio import fail_after
from redis.exceptions import ClusterDownError, NoScriptError, OutOfMemoryError, ReadOnlyError, RedisError, TryAgainError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from channelcoder_lsp.domain.errors import StorageError, StorageUnreachableError
from channelcoder_lsp.services.tasks import finished
from channelcoder_lsp.storage.redis.scripts import SCRIPTS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence

    from redis.asyncio import Redis

TIMEOUT_SECONDS = 15.0
"""What one visit of the server may take at most."""
_AT_ONCE = 500
"""Commands that are sent without waiting for the answers."""
_RAW: dict[str, Any] = {"NEVER_DECODE": True}
"""Answers as bytes, whatever the client was told: some of what is kept is no text."""
_FOR_NOW = (OutOfMemoryError, ReadOnlyError, ClusterDownError, TryAgainError)
_ALSO_FOR_NOW = ("MISCONF", "BUSY", "NOREPLICAS")
"""Refusals that tell the state that the server is in, for which the client has no class."""


class RedisServer:
    """Runs commands and scripts.

    Args:
        client: how to reach it.
    """

    def __init__(self, client: Redis) -> None:
        self.client = client
        self.address = _address(client)

    async def run(self, script: str, keys: Sequence[str], arguments: Iterable[str | bytes | int]) -> list[Any]:
        """Run one of the scripts, as one step: the word and the bytes that it returns.

        Raises:
            StorageUnreachableError: the server is away, too slow, or can't do it for now.
            StorageError: it refuses.
        """
        known = SCRIPTS[script]
        # The client may have an encoding of its own.
        packed = [given.encode() if isinstance(given, str) else given for given in arguments]
        with self.visiting():
            try:
                answer = await self._execute("EVALSHA", known.digest, len(keys), *keys, *packed)
            except NoScriptError:  # the server has not run it since it was started
                answer = await self._execute("EVAL", known.text, len(keys), *keys, *packed)
        return list(answer)

    async def ask(self, *command: str) -> Any:
        """Run one command; see :meth:`run`."""
        with self.visiting():
            return await self._execute(*command)

    async def ask_all(self, commands: Sequence[Sequence[str]]) -> list[Any]:
        """Run commands that don't depend on each other, without waiting for each; see :meth:`run`."""
        answers: list[Any] = []
        for start in range(0, len(commands), _AT_ONCE):
            with self.visiting():
                answers += await finished(_once_more(partial(self._execute_all, commands[start : start + _AT_ONCE])))
        return answers

    @contextmanager
    def visiting(self) -> Iterator[None]:
        """Bound the time, and tell errors in our words: without what was sent, which holds what was said."""
        try:
            with fail_after(TIMEOUT_SECONDS):
                yield
        except (TimeoutError, RedisTimeoutError) as problem:
            raise StorageUnreachableError(
                f"Redis at {self.address} did not answer in time. It may be busy or unreachable."
            ) from problem
        except (OSError, RedisConnectionError, *_FOR_NOW) as problem:
            raise StorageUnreachableError(self._sentence(problem)) from problem
        except RedisError as problem:
            away = str(problem).startswith(_ALSO_FOR_NOW)
            raise (StorageUnreachableError if away else StorageError)(self._sentence(problem)) from problem

    async def _execute(self, *command: str | bytes | int) -> Any:
        client: Any = self.client  # its stubs leave this out
        return await finished(_once_more(partial(client.execute_command, *command, **_RAW)))

    async def _execute_all(self, commands: Sequence[Sequence[str]]) -> list[Any]:
        async with self.client.pipeline(transaction=False) as pipeline:
            for command in commands:
                pipeline.execute_command(*command, **_RAW)
            return await pipeline.execute()

    def _sentence(self, problem: Exception) -> str:
        # What a server repeats of a command that it doesn't know may be a password.
        said = str(problem).partition(", with args beginning with")[0].strip() or type(problem).__name__
        return (
            f"Redis at {self.address} can't be used: {said.splitlines()[0].rstrip('.')}. Check that it runs and that "
            "you may use it."
        )


async def _once_more(work: Callable[[], Awaitable[Any]]) -> Any:
    """Do it, and once more if the connection is found lost: it may have been so since it was used last.

    When the server has done already what it is asked for once more, the scripts know.
    """
    try:
        return await work()
    except RedisConnectionError as problem:
        if type(problem) is not RedisConnectionError:  # refused, not lost
            raise
        return await work()


def _address(client: Redis) -> str:
    """Where the server is, without credentials."""
    pool = client.connection_pool
    settings = pool.connection_kwargs
    database = settings.get("db") or 0
    if path := settings.get("path"):
        return f"unix://{path}?db={database}"
    if not (host := settings.get("host")):  # whatever finds the server has a name for it
        return f"redis://{getattr(pool, 'service_name', 'redis')}/{database}"
    scheme = "rediss" if "SSL" in pool.connection_class.__name__ else "redis"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{settings.get('port', 6379)}/{database}"
