"""The agent that drives the Claude Code command line through the Agent SDK."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

from channelcoder_lsp.claude.apart import apart
from channelcoder_lsp.claude.cli import Cli, find_cli, with_version
from channelcoder_lsp.claude.connection import ClaudeConnection
from channelcoder_lsp.claude.contained import launcher
from channelcoder_lsp.claude.options import bounding_variables, build_options
from channelcoder_lsp.claude.process import LastWords, Patience
from channelcoder_lsp.domain.deny_list import DenyList
from channelcoder_lsp.domain.errors import AgentError, ConversationLostError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence
    from pathlib import Path

    from channelcoder_lsp.domain.agent import ConnectionRequest

logger = logging.getLogger(__name__)


class ClaudeAgent:
    """Asks Claude (:class:`~channelcoder_lsp.domain.agent.Agent`).

    Args:
        cli_path: the ``claude`` to use; None: the SDK's own, else the one on PATH.
        environment: variables for the CLI, over the process's own (the offline model's address, for one).
        max_retries: how often the CLI sends a request again that Claude's service refused.
        stream_idle_seconds: how long a stream may say nothing before it is given up; the CLI takes no less than 10.
        denied: folders that Claude never reads, wherever they are: where sessions are kept, for one. The
            CLI's own configuration folder always is.
        deny_list: which files of a folder it doesn't read; without it, those whose names say that they hold secrets.
        patience: how long the CLI is waited for.
    """

    def __init__(
        self,
        *,
        cli_path: Path | None = None,
        environment: Mapping[str, str] | None = None,
        max_retries: int = 2,
        stream_idle_seconds: float = 60,
        denied: Sequence[Path] = (),
        deny_list: Callable[[Path], DenyList] = DenyList,
        patience: Patience | None = None,
    ) -> None:
        self._cli_path = cli_path
        self._environment = dict(environment or {})
        self._bounds = bounding_variables(max_retries=max_retries, stream_idle_seconds=stream_idle_seconds)
        self._denied = tuple(denied)
        self._deny_list = deny_list
        self._patience = patience or Patience()
        self._checked: dict[Path, Cli] = {}

    @asynccontextmanager
    async def connect(self, request: ConnectionRequest) -> AsyncIterator[ClaudeConnection]:
        """A warm connection, open for as long as the context is; see the port for what is raised."""
        request = _with_an_id(request)
        async with AsyncExitStack() as stack:
            if (container := request.container) is not None:
                await asyncio.to_thread(import_module, "claude_agent_sdk")
                path, variables = launcher(container, self._bounds)
            else:
                cli, _ = await asyncio.gather(
                    asyncio.to_thread(self._cli, request), asyncio.to_thread(import_module, "claude_agent_sdk")
                )
                path, variables = apart(cli.path)
            connection = self._connection(request, path, variables)
            await connection.open()
            stack.push_async_callback(connection.close)
            yield connection

    def _connection(self, request: ConnectionRequest, cli_path: Path, variables: Mapping[str, str]) -> ClaudeConnection:
        from claude_agent_sdk import ClaudeSDKClient  # noqa: PLC0415 - loaded by now

        last_words = LastWords()
        options = build_options(
            request,
            cli_path=cli_path,
            bounds=self._bounds,
            environment={**self._environment, **request.environment, **variables},
            denied=self._denied,
            deny_list=self._deny_list(request.cwd),
            stderr=last_words,
        )
        return ClaudeConnection(
            ClaudeSDKClient(options),
            cwd=request.cwd,
            session_id=request.resume or request.session_id or "",
            model=request.model,
            spent_usd=request.spent_usd if request.resume else 0.0,
            structured=request.output_schema is not None,
            last_words=last_words,
            patience=self._patience,
        )

    def _cli(self, request: ConnectionRequest) -> Cli:
        cli = find_cli(self._cli_path, outside=None if request.trusted else request.cwd)
        if cli.path not in self._checked:
            self._checked[cli.path] = with_version(cli)
        return self._checked[cli.path]


def _with_an_id(request: ConnectionRequest) -> ConnectionRequest:
    """``request`` with the id of a session to resume or to start, which are UUIDs.

    Anything else given as ``resume`` would be matched against the titles of other conversations.
    """
    if request.resume is not None:
        if not _is_uuid(request.resume):
            raise ConversationLostError(
                f"{request.resume!r} is not the id of a Claude session. Ask again to go on from the record kept here."
            )
        return replace(request, session_id=None)
    if request.session_id is None:
        return replace(request, session_id=str(uuid4()))
    if not _is_uuid(request.session_id):
        raise AgentError(f"{request.session_id!r} can't be the id of a Claude session: it is not a UUID.")
    return request


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False
