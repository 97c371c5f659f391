"""Which of Claude Code's own settings are loaded for a folder.

The CLI's own way of loading a project's settings can't be made safe: with the source ``project`` the
folder's hooks and helpers run, and variables in its settings lead the login elsewhere
(``ANTHROPIC_BASE_URL``, proxies, certificates), whatever the host sets. So that source is never named, and
what is wanted of a folder is given to the CLI by itself:

- Untrusted: nothing of the folder. Of the user's own settings only what the login needs, and what they forbid.
- Trusted: the user's settings whole, the folder's CLAUDE.md and rules (as those of an additional folder), and
  from its settings what can neither run a program nor lead elsewhere.

A caller that brings its own login (the offline model) gets nothing of the user's but what they forbid, so that no
request of its can end up at the user's service, nor the user's key at its address.

Which files are not to be read is told for every folder alike, by :mod:`~channelcoder_lsp.claude.prohibitions`.
"""

from __future__ import annotations

import json
import logging
import os
import re
import stat
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
FOLDER_FILES = ("settings.json", "settings.local.json")
_FILE_BYTES = 1_000_000
_READ = re.compile(r"Read\((.+)\)", re.DOTALL)


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
    if trusted and not brings_login:
        return Sources(["user"], restricted=False, add_dirs=add_dirs, settings=folder_settings, environment=variables)
    user = read_settings(config_folder({**os.environ, **environment}) / "settings.json")
    forbidden = _forbidding([*denied_rules(user), *denied_rules(folder_settings)])
    if brings_login:
        return Sources(add_dirs=add_dirs, settings={**folder_settings, **forbidden}, environment=variables)
    return Sources(
        settings={**{name: user[name] for name in _LOGIN_SETTINGS if name in user}, **forbidden},
        environment=_variables(user.get("env")),
    )


def config_folder(environment: Mapping[str, str]) -> Path:
    """Where the CLI keeps its login, settings and transcripts."""
    named = environment.get("CLAUDE_CONFIG_DIR")
    return Path(named) if named else Path("~/.claude").expanduser()


def read_settings(path: Path) -> dict[str, Any]:
    """The settings in ``path``; none where it is missing or can't be read, which is logged."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode) or found.st_size > _FILE_BYTES:  # reading a pipe may never end
            logger.warning("%s was left out, it is no ordinary file or larger than %d bytes", path, _FILE_BYTES)
            return {}
        told = json.loads(path.read_text(encoding="utf-8-sig"))
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError, RecursionError) as problem:
        logger.warning("%s was left out, it can't be read: %s", path, problem)
        return {}
    return told if isinstance(told, dict) else {}


def read_pattern(rule: str) -> str | None:
    """The pattern of a rule about files that are not to be read; None: the rule is about something else."""
    found = _READ.fullmatch(rule)
    return found[1] if found is not None else None


def denied_rules(settings: Mapping[str, Any]) -> list[str]:
    """What settings forbid: their ``permissions.deny``."""
    permissions = settings.get("permissions")
    rules = permissions.get("deny") if isinstance(permissions, dict) else None
    return [rule for rule in rules if isinstance(rule, str)] if isinstance(rules, list) else []


def _of_the_folder(cwd: Path) -> dict[str, Any]:
    """The harmless part of the folder's settings; its local ones take precedence, prohibitions add up."""
    kept: dict[str, Any] = {}
    deny: list[str] = []
    for name in FOLDER_FILES:
        told = read_settings(cwd / ".claude" / name)
        kept.update({key: told[key] for key in _FOLDER_SETTINGS if key in told})
        deny += denied_rules(told)
    return {**kept, **_forbidding(deny)}


def _forbidding(rules: list[str]) -> dict[str, Any]:
    """Settings that forbid; which files are not to be read is no part of them."""
    others = [rule for rule in rules if read_pattern(rule) is None]
    return {"permissions": {"deny": others}} if others else {}


def _variables(told: Any) -> dict[str, str]:
    if not isinstance(told, dict):
        return {}
    return {str(name): str(value) for name, value in told.items() if isinstance(value, (str, int, float, bool))}
