"""The Claude Code command line as a person uses it, in a terminal: how it is started for a session of ours.

It loads of the folder what :mod:`~channelcoder_lsp.claude.sources` says, as for every other question. Claude has all of
its tools there, and the person who sits at the terminal is asked about each use.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from channelcoder_lsp.claude.chosen import tools_named
from channelcoder_lsp.claude.cli import find_cli, with_version
from channelcoder_lsp.claude.consent import WRITING_TOOLS
from channelcoder_lsp.claude.options import not_handed_down
from channelcoder_lsp.claude.permissions import TOOLS, Guard, deny_rules
from channelcoder_lsp.claude.sources import config_folder, sources
from channelcoder_lsp.domain.deny_list import DenyList
from channelcoder_lsp.services.programs import search_path

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from channelcoder_lsp.claude.sources import Sources
    from channelcoder_lsp.domain.agent import AgentOptions, ConnectionRequest

_ARGUMENT_CHARS = 20_000
"""No system takes arguments of any length."""


@dataclass(frozen=True)
class Launch:
    """How the command line is started.

    Args:
        arguments: the program and what it is given.
        environment: its variables, all of them.
        config: its configuration folder, where it keeps its transcripts.
    """

    arguments: Sequence[str]
    environment: Mapping[str, str]
    config: Path


def launch(
    request: ConnectionRequest,
    *,
    prompt: str | None,
    visited: Path,
    cli_path: Path | None,
    environment: Mapping[str, str],
    denied: Sequence[Path] = (),
    deny_list: Callable[[Path], DenyList] = DenyList,
) -> Launch:
    """How to start the command line for ``request``. Blocks: a version may be asked for.

    Args:
        request: which Claude session, where, with what. Its limits on turns and cost are for questions of programs;
            here a person sees what happens.
        prompt: what is asked at once; None: nothing.
        visited: the file into which the command line notes each conversation that it begins or resumes, in a line;
            its folder is used for what is too long for an argument.
        cli_path: the ``claude`` to use; None: the SDK's own, else the one on PATH.
        environment: variables for it, over the process's own.
        denied: folders that Claude never reads.
        deny_list: which files of a folder it doesn't; without it, those whose names say that they hold secrets.

    Raises:
        CliNotFoundError, CliTooOldError: as they say.
    """
    cli = with_version(find_cli(cli_path, outside=None if request.trusted else request.cwd))
    loaded = sources(request.cwd, trusted=request.trusted, environment=environment)
    config = config_folder({**os.environ, **environment})
    guard = Guard(request.cwd, [*denied, config], deny_list=deny_list(request.cwd))
    arguments = [str(cli.path), "--setting-sources", ",".join(loaded.setting_sources), "--permission-mode", "manual"]
    arguments += ["--settings", json.dumps(_settings(loaded, visited, guard))]
    arguments += ["--strict-mcp-config"]
    if loaded.restricted:
        # What runs commands is left out then, unless it is named; whoever names one names them all.
        named = tools_named(request.options) if request.options is not None else ()
        arguments += ["--restricted", *(["--tools", ",".join([*TOOLS, *WRITING_TOOLS, *named])] if named else [])]
    for folder in loaded.add_dirs:
        arguments += ["--add-dir", str(folder)]
    if request.resume is not None:
        arguments += ["--resume", request.resume]
        arguments += ["--fork-session"] if request.fork else []
    if request.session_id is not None:
        arguments += ["--session-id", request.session_id]
    if request.model is not None:
        arguments += ["--model", request.model]
    if request.options is not None:
        arguments += _chosen(request.options, visited.parent)
    # Whatever it begins with, a prompt is a prompt.
    arguments += ["--", prompt] if prompt else []
    variables = {
        **os.environ,
        "PATH": search_path(None if request.trusted else request.cwd),
        **loaded.environment,
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "DISABLE_AUTOUPDATER": "1",
        **not_handed_down(),
        **environment,
    }
    return Launch(arguments, variables, config)


def _chosen(options: AgentOptions, folder: Path) -> list[str]:
    given: list[str] = []
    for flag, text in (
        ("--system-prompt", options.system_prompt),
        ("--append-system-prompt", options.append_system_prompt),
    ):
        if text is not None and len(text) > _ARGUMENT_CHARS:
            file = folder / flag.strip("-")
            file.write_text(text, encoding="utf-8")
            given += [f"{flag}-file", str(file)]
        elif text is not None:
            given += [flag, text]
    # A conversation keeps the system prompt that it began with, unless it is told not to.
    given += ["--system-prompt-snapshot", "off"] if given else []
    if options.allowed_tools:
        given += ["--allowed-tools", ",".join(options.allowed_tools)]
    if options.disallowed_tools:
        given += ["--disallowed-tools", ",".join(options.disallowed_tools)]
    if options.mcp_config is not None:
        given += ["--mcp-config", str(options.mcp_config)]
    return given


def _settings(loaded: Sources, visited: Path, guard: Guard) -> dict[str, Any]:
    deny = loaded.settings.get("permissions", {}).get("deny", [])
    settings: dict[str, Any] = {**loaded.settings, "permissions": {"deny": [*deny, *deny_rules(guard)]}}
    if sys.platform != "win32":
        # /clear and /resume lead to other conversations: each is told to this hook.
        note = {"type": "command", "command": f"(cat; echo) >> {shlex.quote(str(visited))}"}
        settings["hooks"] = {"SessionStart": [{"hooks": [note]}]}
    return settings
