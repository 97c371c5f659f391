"""The only place that builds adapters: it puts storage, agent and editor together."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from channelcoder_lsp.configuration import Configuration
from channelcoder_lsp.server import ChannelCoderServer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from channelcoder_lsp.features.face import Face

logger = logging.getLogger(__name__)


def create_server(
    forced: Mapping[str, object] | None = None, *, ready: Callable[[], None] | None = None
) -> ChannelCoderServer:
    """A server that is ready to serve one client.

    Args:
        forced: settings that hold whatever editor, environment and file say: the command line's.
        ready: called once everything that the server works with was loaded and built.
    """

    async def build(server: ChannelCoderServer) -> Face:
        await asyncio.to_thread(_imports)
        face = await _build(server, Configuration(forced or {}))
        if ready is not None:
            ready()
        return face

    return ChannelCoderServer(build)


def _imports() -> None:
    """Import what the features need, in a thread: the message loop goes on."""
    from importlib import import_module  # noqa: PLC0415

    for module in (
        "settings",
        "execution.git",
        "services.projects",
        "storage",
        "prompts",
        "features.table",
        "features.progress",
    ):
        import_module(f"channelcoder_lsp.{module}")


async def _build(server: ChannelCoderServer, configuration: Configuration) -> Face:
    import platformdirs  # noqa: PLC0415 - all of this after initialize
    from lsprotocol.types import MessageType  # noqa: PLC0415

    from channelcoder_lsp.domain.errors import ChannelCoderError  # noqa: PLC0415
    from channelcoder_lsp.execution.git import GitRepository  # noqa: PLC0415
    from channelcoder_lsp.features import shown, workspace  # noqa: PLC0415
    from channelcoder_lsp.features.client import Client  # noqa: PLC0415
    from channelcoder_lsp.features.face import Face  # noqa: PLC0415
    from channelcoder_lsp.features.permission import AskPermission  # noqa: PLC0415
    from channelcoder_lsp.features.progress import TurnsShown  # noqa: PLC0415
    from channelcoder_lsp.services.checkouts import Checkouts  # noqa: PLC0415
    from channelcoder_lsp.services.projects import Projects  # noqa: PLC0415
    from channelcoder_lsp.services.prompt_library import PromptLibrary  # noqa: PLC0415
    from channelcoder_lsp.services.session import SessionPorts  # noqa: PLC0415
    from channelcoder_lsp.services.warm import WarmConnections  # noqa: PLC0415
    from channelcoder_lsp.settings import APPLICATION, config_file, state_folder  # noqa: PLC0415
    from channelcoder_lsp.storage import FileSessionStorage  # noqa: PLC0415

    client = Client(server, ending=server.ending)
    await workspace.take_settings(client, configuration.take, server.initialization_options)
    turns = TurnsShown(client)
    ask_permission = AskPermission(client)
    ports = SessionPorts(
        agent=configuration.agent,
        settings=lambda: configuration.settings,
        warm=WarmConnections(lambda: configuration.settings.max_open),
        tell=turns,
        ask_person=ask_permission,
        repositories=GitRepository,
        deny_list=configuration.deny_list,
    )
    try:
        storage = configuration.storage()
    except ChannelCoderError as problem:
        client.say(f"{problem.message} Until then sessions are kept in files.", MessageType.Error)
        storage = FileSessionStorage(configuration.settings.sessions)

    async def close() -> None:
        await configuration.close()
        await storage.close()

    checkouts = Checkouts(state_folder())
    projects = Projects(storage, checkouts, ports, state_folder() / "scratch")
    face = Face(
        client=client,
        projects=projects,
        prompts=PromptLibrary(
            config_file().parent / "prompts", checkouts, lambda said: client.say(said, MessageType.Warning)
        ),
        settings=lambda: configuration.settings,
        apply_settings=configuration.take,
        shown_folder=platformdirs.user_cache_path(APPLICATION, appauthor=False) / "shown",
        turns=turns,
        close=close,
    )

    def told_away() -> None:
        if (away := storage.away) is not None:
            client.say(f"{away} What is said is kept on this machine and delivered later.", MessageType.Warning)
        else:
            client.say("The place where sessions are kept is back; what was said meanwhile is delivered.")
        client.refresh()
        client.notify_changed({"folders": [str(project.checkout.root) for project in projects]})

    storage.when_away(told_away)
    turns.show_answer = lambda session, turn: shown.show_turn(face, session, turn)
    ask_permission.show = lambda turn, markdown: shown.show_permission(face, turn, markdown)
    return face
