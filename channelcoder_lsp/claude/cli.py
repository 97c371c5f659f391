"""Which Claude Code command line is used, how old it is, and whether it is logged in."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from channelcoder_lsp.domain.errors import AgentError, CliNotFoundError, CliTooOldError
from channelcoder_lsp.services.programs import on_path

if TYPE_CHECKING:
    from collections.abc import Mapping

MINIMUM_VERSION = (2, 1, 257)
"""The oldest CLI that keeps what this package promises: ``client_composed`` prompts (2.1.248) and a system
prompt that is kept for the conversation (2.1.257)."""

_SECONDS = 20.0


@dataclass(frozen=True)
class Cli:
    """A Claude Code command line: where it is and which version, if it could be told without starting it."""

    path: Path
    version: tuple[int, ...] | None = None
    bundled: bool = False


@dataclass(frozen=True)
class Login:
    """Whether the CLI has a login, and of which kind (``api_key``, ``claude.ai``... as the CLI says it)."""

    logged_in: bool
    method: str | None = None


def find_cli(setting: Path | None = None, *, outside: Path | None = None) -> Cli:
    """The CLI to use: the one that is set, else the SDK's own, else the first on PATH.

    Args:
        setting: a path, or a bare command name that is looked up on PATH.
        outside: a folder whose programs are not run; entries of PATH in it are passed over.

    Raises:
        CliNotFoundError: there is none.
    """
    if setting is not None:
        return Cli(_as_set(setting, outside))
    if (path := _bundled()) is not None:
        return Cli(path, _parse(_read(path.with_name("claude.version"))), bundled=True)
    if (path := on_path("claude", outside)) is not None:
        return Cli(path)
    raise CliNotFoundError(
        "The Claude Code command line was not found: the installed claude-agent-sdk does not bring one for "
        "this platform and there is no `claude` on PATH. Install Claude Code, or set channelcoder.cliPath "
        "to it.",
        retryable=False,
    )


def with_version(cli: Cli) -> Cli:
    """``cli`` with its version, which is asked for if it isn't known (``--version``, some 10 ms).

    Raises:
        CliNotFoundError: it can't be started.
        CliTooOldError: it is older than :data:`MINIMUM_VERSION`.
    """
    if cli.version is None:
        cli = Cli(cli.path, _parse(_run(cli.path, "--version")), cli.bundled)
    if cli.version is not None and cli.version < MINIMUM_VERSION:
        raise CliTooOldError(too_old(cli), retryable=False)
    return cli


def too_old(cli: Cli) -> str:
    """The sentence about a CLI that is too old."""
    found = f"is version {_dotted(cli.version)}" if cli.version else "is too old"
    return (
        f"The Claude Code command line at {cli.path} {found}, but {_dotted(MINIMUM_VERSION)} or later is "
        "needed. Run `claude update`, or clear channelcoder.cliPath to use the one that comes with this "
        "package."
    )


def read_login(cli: Cli, environment: Mapping[str, str] | None = None) -> Login:
    """Whether ``cli`` has a login, without a request to Claude (``claude auth status``, some 0.25 s).

    It runs in an empty folder, so nothing of any project is loaded. A login that is there may still be
    refused.

    Raises:
        CliNotFoundError: it can't be started.
        AgentError: its answer can't be understood.
    """
    with tempfile.TemporaryDirectory(prefix="channelcoder-") as folder:
        text = _run(cli.path, "auth", "status", "--json", environment=environment, cwd=folder)
    try:
        told = json.loads(text)
        method = told.get("authMethod")
        return Login(bool(told["loggedIn"]), None if method in (None, "none") else str(method))
    except (ValueError, KeyError, AttributeError, TypeError) as problem:
        raise AgentError(
            f"{cli.path} did not say whether it is logged in. Run `claude auth status` to see why."
        ) from problem


def _as_set(setting: Path, outside: Path | None) -> Path:
    path = setting.expanduser()
    found: Path | None = path
    if len(path.parts) == 1:
        found = on_path(str(path), outside)
    if found is None or not found.is_file():
        raise CliNotFoundError(
            f"The setting channelcoder.cliPath names {str(setting)!r}, and there is no such program. "
            "Correct it, or clear it to use the one that comes with this package.",
            retryable=False,
        )
    if not os.access(found, os.X_OK):
        raise CliNotFoundError(
            f"The setting channelcoder.cliPath names {str(setting)!r}, which can't be executed. "
            "Make it executable, or clear the setting to use the one that comes with this package.",
            retryable=False,
        )
    return found.absolute()


def _bundled() -> Path | None:
    """The CLI in the SDK's wheel, found without importing the SDK."""
    spec = find_spec("claude_agent_sdk")
    name = "claude.exe" if sys.platform == "win32" else "claude"
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / "_bundled" / name
        if path.is_file():
            return path
    return None


def _run(path: Path, *arguments: str, environment: Mapping[str, str] | None = None, cwd: str | None = None) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - the program is the user's setting or the SDK's own
            [path, *arguments],
            capture_output=True,
            check=False,
            cwd=cwd or tempfile.gettempdir(),
            encoding="utf-8",
            errors="replace",
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            timeout=_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise CliNotFoundError(
            f"The Claude Code command line at {path} can't be started: {problem}. "
            "Correct channelcoder.cliPath, or clear it to use the one that comes with this package.",
            retryable=False,
        ) from problem
    return done.stdout


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""  # an SDK that doesn't write it: the CLI is asked instead


def _parse(text: str) -> tuple[int, ...] | None:
    match = re.match(r"\s*(\d{1,9})\.(\d{1,9})\.(\d{1,9})", text)
    return tuple(int(part) for part in match.groups()) if match else None


def _dotted(version: tuple[int, ...] | None) -> str:
    return ".".join(map(str, version or ()))
