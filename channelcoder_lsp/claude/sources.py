"""Which of Claude Code's own settings are loaded for a folder.

The CLI's own way of loading a project's settings can't be made safe: with the source ``project`` the
folder's hooks and helpers run, and variables in its settings lead the login elsewhere
(``ANTHROPIC_BASE_URL``, proxies, certificates), whatever the host sets. So that source is never named, and
what is wanted of a folder is given to the CLI by itself:

- Untrusted: nothing of the folder. Of the user's own settings only what the login needs.
- Trusted: the user's settings whole, the folder's CLAUDE.md and rules (as those of an additional folder), and
  from its settings what can neither run a program nor lead elsewhere.

A caller that brings its own login (the offline model) gets nothing of the user's, so that no request of its
can end up at the user's service, nor the user's key at its address.
"""

from __future__ import annotations

import json
import logging
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

logger = logging.getLogger(__name__)

_LOGIN_VARIABLES = (
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "ANTHROPIC_BASE_URL",
    "CLAUDE_CODE_OAUTH_TOKEN",
    "CLAUDE_CODE_USE_BEDROCK",
    "CLAUDE_CODE_USE_FOUNDRY",
    "CLAUDE_CODE_USE_VERTEX",
)
_LOGIN_SETTINGS = (
    "apiKeyHelper",
    "awsAuthRefresh",
    "awsCredentialExport",
    "forceLoginMethod",
    "forceLoginOrgUUID",
    "gcpAuthRefresh",
    "model",
)
_FOLDER_SETTINGS = ("alwaysThinkingEnabled", "effortLevel", "language", "model")


@dataclass(frozen=True)
class Sources:
    """What the CLI loads."""

    setting_sources: list[str] = field(default_factory=list)
    restricted: bool = True
    """Whether the CLI is told to ignore all settings files on top of that, and to keep to the folder."""
    add_dirs: list[Path] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    """Settings given to it by value."""
    environment: dict[str, str] = field(default_factory=dict)
    """Variables given to it."""


def sources(cwd: Path, *, trusted: bool, environment: Mapping[str, str]) -> Sources:
    """What is loaded for ``cwd``.

    Args:
        cwd: the folder asked about.
        trusted: whether the user trusts it.
        environment: the variables that the caller wants the CLI to have.
    """
    brings_login = any(environment.get(name) for name in _LOGIN_VARIABLES)
    add_dirs, folder_settings, variables = [], {}, {}
    if trusted:
        add_dirs = [cwd]
        variables = {"CLAUDE_CODE_ADDITIONAL_DIRECTORIES_CLAUDE_MD": "1"}
        folder_settings = _of_the_folder(cwd)
    if brings_login:
        return Sources(add_dirs=add_dirs, settings=folder_settings, environment=variables)
    if trusted:
        return Sources(["user"], restricted=False, add_dirs=add_dirs, settings=folder_settings, environment=variables)
    user = _read(config_folder({**os.environ, **environment}) / "settings.json")
    return Sources(
        settings={name: user[name] for name in _LOGIN_SETTINGS if name in user},
        environment=_variables(user.get("env")),
    )


def config_folder(environment: Mapping[str, str]) -> Path:
    """Where the CLI keeps its login, settings and transcripts."""
    named = environment.get("CLAUDE_CONFIG_DIR")
    return Path(named) if named else Path("~/.claude").expanduser()


def _of_the_folder(cwd: Path) -> dict[str, Any]:
    """The harmless part of the folder's settings; its local ones take precedence, prohibitions add up."""
    kept: dict[str, Any] = {}
    deny: list[str] = []
    for name in ("settings.json", "settings.local.json"):
        told = _read(cwd / ".claude" / name)
        kept.update({key: told[key] for key in _FOLDER_SETTINGS if key in told})
        permissions = told.get("permissions")
        rules = permissions.get("deny") if isinstance(permissions, dict) else None
        deny += [rule for rule in rules if isinstance(rule, str)] if isinstance(rules, list) else []
    return {**kept, "permissions": {"deny": deny}} if deny else kept


def _read(path: Path) -> dict[str, Any]:
    """The settings in ``path``; none where it is missing or can't be read."""
    try:
        told = json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as problem:
        logger.warning("%s was left out, it can't be read: %s", path, problem)
        return {}
    return told if isinstance(told, dict) else {}


def _variables(told: Any) -> dict[str, str]:
    if not isinstance(told, dict):
        return {}
    return {str(name): str(value) for name, value in told.items() if isinstance(value, (str, int, float, bool))}
