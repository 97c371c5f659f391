"""The agent that goes with the settings in force: the real one, or the one that asks the offline model."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
    from pathlib import Path

    from channelcoder_lsp.claude.terminal import Launch
    from channelcoder_lsp.domain.agent import Agent, AgentConnection, AgentEvent, ConnectionRequest
    from channelcoder_lsp.domain.deny_list import DenyList
    from channelcoder_lsp.domain.storage import JournaledStorage
    from channelcoder_lsp.offline.process import OfflineModel
    from channelcoder_lsp.settings import Settings

_KEY_CHARS = 20
"""So much of a key's end the command line keeps, to know it again."""


class Configuration:
    """The settings in force, and the agent that goes with them.

    Args:
        forced: settings that hold whatever the other sources say.
    """

    def __init__(self, forced: Mapping[str, object]) -> None:
        from channelcoder_lsp.settings import load_settings  # noqa: PLC0415 - after initialize

        self._forced = forced
        self._offline_model = OfflineService()
        self._taken = False
        self.settings, _ = load_settings(self._forced)
        self._agent: tuple[Settings, Agent] | None = None
        self._deny_lists: dict[Path, tuple[object, DenyList]] = {}

    def take(self, editor: Mapping[str, object]) -> list[str]:
        """Take the editor's settings; what is wrong with them, one sentence each."""
        from channelcoder_lsp.settings import load_settings  # noqa: PLC0415

        before, taken = self.settings, self._taken
        self.settings, problems = load_settings({**editor, **self._forced})
        self._taken = True
        logging.getLogger("channelcoder_lsp").setLevel(self.settings.log_level.upper())
        told = [problem.message for problem in problems]
        if taken and (before.sessions, before.storage) != (self.settings.sessions, self.settings.storage):
            told.append("Where sessions are kept changes with the next start of the server.")
        return told

    def agent(self) -> Agent:
        """The agent for the settings in force."""
        if self._agent is None or self._agent[0] != self.settings:
            self._agent = (self.settings, self._make_agent(self.settings))
        return self._agent[1]

    def deny_list(self, folder: Path) -> DenyList:
        """Which files of a folder are kept from Claude, as the settings and the command line's rules are now. Blocks.

        It is the user's own rules that hold, whichever model is asked.
        """
        from channelcoder_lsp.claude.prohibitions import Prohibitions  # noqa: PLC0415 - on first use
        from channelcoder_lsp.domain.deny_list import DenyList, DenyRules  # noqa: PLC0415

        prohibitions = Prohibitions(folder, os.environ)
        state = (self.settings.denied_files, [_state(file) for file in prohibitions.files()])
        known = self._deny_lists.get(folder)
        if known is None or known[0] != state:
            ours = DenyRules(tuple(self.settings.denied_files), folder)
            known = self._deny_lists[folder] = state, DenyList(folder, [*prohibitions.rules(), ours])
        return known[1]

    async def launch(self, request: ConnectionRequest, *, prompt: str | None, visited: Path) -> Launch:
        """How to start the command line that a person uses in a terminal; see :func:`claude.terminal.launch`.

        Raises:
            CliNotFoundError, CliTooOldError, OfflineModelError: as they say.
        """
        from channelcoder_lsp.claude.terminal import launch  # noqa: PLC0415 - on first use

        environment: dict[str, str] = {}
        if self.settings.offline:
            config = _offline_config()
            environment = {**await self._offline_model.environment(), "CLAUDE_CONFIG_DIR": str(config)}
            request = replace(request, trusted=False)
            await asyncio.to_thread(_greeted, config, request.cwd, environment)
        return await asyncio.to_thread(
            launch,
            request,
            prompt=prompt,
            visited=visited,
            cli_path=self.settings.cli_path,
            environment=environment,
            denied=[self.settings.sessions],
            deny_list=self.deny_list,
        )

    def transcripts(self) -> Path:
        """The command line's configuration folder, where its transcripts are."""
        from channelcoder_lsp.claude.sources import config_folder  # noqa: PLC0415 - on first use

        return _offline_config() if self.settings.offline else config_folder(os.environ)

    def storage(self) -> JournaledStorage:
        """Where sessions are kept, as the settings say.

        Raises:
            ArgumentsError, StorageError: they can't be kept there.
        """
        from channelcoder_lsp.settings import state_folder  # noqa: PLC0415 - after initialize
        from channelcoder_lsp.storage.opening import PASSWORD_VARIABLE, open_storage  # noqa: PLC0415

        return open_storage(
            self.settings.storage,
            directory=self.settings.sessions,
            outbox=state_folder() / "outbox",
            password=os.environ.get(PASSWORD_VARIABLE),
        )

    async def close(self) -> None:
        """End what was started: the offline model, if it was."""
        await self._offline_model.close()

    def _make_agent(self, settings: Settings) -> Agent:
        if settings.offline:
            return OfflineAgent(self._offline_model, settings, _offline_config(), self.deny_list)
        return _claude(settings, {}, self.deny_list)


class OfflineService:
    """The offline model, started with the first question that needs it."""

    def __init__(self) -> None:
        self._stack = AsyncExitStack()
        self._model: OfflineModel | None = None
        self._starting = asyncio.Lock()

    async def environment(self) -> dict[str, str]:
        """What leads the CLI to the offline model.

        Raises:
            OfflineModelError: it can't be started.
        """
        from channelcoder_lsp.offline.process import OfflineModel  # noqa: PLC0415 - only when it is wanted

        async with self._starting:
            if self._model is None:
                self._model = await self._stack.enter_async_context(OfflineModel())
        return self._model.environment()

    async def close(self) -> None:
        """End it."""
        self._model = None
        await self._stack.aclose()


class OfflineAgent:
    """The agent that asks the offline model, through the real CLI.

    Args:
        service: the offline model.
        settings: the settings in force.
        config: the CLI's configuration folder, so that nothing of the user's own is used or touched.
        deny_list: which files of a folder are kept from it.
    """

    def __init__(
        self, service: OfflineService, settings: Settings, config: Path, deny_list: Callable[[Path], DenyList]
    ) -> None:
        self._service = service
        self._settings = settings
        self._config = config
        self._deny_list = deny_list

    @asynccontextmanager
    async def connect(self, request: ConnectionRequest) -> AsyncIterator[AgentConnection]:
        """A connection; see :class:`channelcoder_lsp.domain.agent.Agent`."""
        self._config.mkdir(mode=0o700, parents=True, exist_ok=True)
        environment = {**await self._service.environment(), "CLAUDE_CONFIG_DIR": str(self._config)}
        # Nothing of the folder may lead the CLI elsewhere; and nothing is spent, whatever the CLI reckons.
        untrusted = replace(request, trusted=False, budget_usd=None)
        async with _claude(self._settings, environment, self._deny_list).connect(untrusted) as connection:
            yield _Offline(connection)


class _Offline:
    """A connection whose turns say that they cost nothing and that no Claude answered."""

    def __init__(self, connection: AgentConnection) -> None:
        self._connection = connection

    @property
    def session_id(self) -> str:
        return self._connection.session_id

    async def ask(self, prompt: str) -> AsyncGenerator[AgentEvent, None]:
        from channelcoder_lsp.domain.agent import Finished  # noqa: PLC0415 - loaded by now

        async with aclosing(self._connection.ask(prompt)) as events:
            async for event in events:
                if isinstance(event, Finished):
                    yield replace(event, model="offline model", cost_usd=0.0, cumulative_cost_usd=None)
                else:
                    yield event

    async def interrupt(self) -> None:
        await self._connection.interrupt()


def _offline_config() -> Path:
    from channelcoder_lsp.settings import state_folder  # noqa: PLC0415 - after initialize

    return state_folder() / "offline-model"


def _greeted(config: Path, cwd: Path, environment: Mapping[str, str]) -> None:
    """Note in the offline model's own configuration that the command line need not introduce itself."""
    key = environment.get("ANTHROPIC_API_KEY", "")
    config.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = config / ".claude.json"
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        told = {}
    told["hasCompletedOnboarding"] = True
    told["customApiKeyResponses"] = {"approved": [key[-_KEY_CHARS:]], "rejected": []}
    told.setdefault("projects", {}).setdefault(str(cwd), {})["hasTrustDialogAccepted"] = True
    file.write_text(json.dumps(told), encoding="utf-8")


def _state(file: Path) -> tuple[Path, int, int] | None:
    """What tells whether a file changed."""
    try:
        found = file.stat()
    except OSError:
        return None
    return file, found.st_mtime_ns, found.st_size


def _claude(settings: Settings, environment: Mapping[str, str], deny_list: Callable[[Path], DenyList]) -> Agent:
    from channelcoder_lsp.claude.agent import ClaudeAgent  # noqa: PLC0415 - on first use

    return ClaudeAgent(
        cli_path=settings.cli_path,
        environment=environment,
        max_retries=settings.max_retries,
        stream_idle_seconds=settings.stream_idle_seconds,
        denied=[settings.sessions],
        deny_list=deny_list,
    )
