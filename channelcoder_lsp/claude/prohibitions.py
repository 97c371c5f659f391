"""What the command line's settings keep from Claude: the rules ``Read(...)`` among their ``permissions.deny``.

They hold for all that we send and show as well, and in every folder: rules that forbid can only narrow what Claude
sees, so a folder's own are read whether it is trusted or not. They are taken as data; nothing of them is run.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from channelcoder_lsp.claude.sources import FOLDER_FILES, config_folder, denied_rules, read_pattern, read_settings
from channelcoder_lsp.domain.deny_list import DenyRules

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

logger = logging.getLogger(__name__)

_RULES = 100
_PATTERN_CHARS = 200
_STARS_IN_A_NAME = 2
_WILDCARDS = 4
"""What a folder's own rules may be. The time that matching takes grows exponentially with the wildcards, and who made
the folder chose the names in it as well: the command line itself hangs on ten stars. All are
part of one argument of the command line, which no system takes at any length."""


def managed_folder() -> Path:
    """Where an administrator puts settings for all users of the machine."""
    match sys.platform:
        case "darwin":
            return Path("/Library/Application Support/ClaudeCode")
        case "win32":
            return Path(os.environ.get("PROGRAMFILES", "C:/Program Files")) / "ClaudeCode"
        case _:
            return Path("/etc/claude-code")


class Prohibitions:
    """The rules for one folder.

    Args:
        folder: the folder asked about.
        environment: the variables that say where the user's settings are.
        managed: where the administrator's are.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str], managed: Path | None = None) -> None:
        self._folder = folder
        self._config = config_folder(environment)
        self._managed = managed or managed_folder()

    def files(self) -> list[Path]:
        """The files that are read, whether they are there or not."""
        return [self._config / "settings.json", *self._administrators(), *self._own()]

    def rules(self) -> list[DenyRules]:
        """What they say. Blocks. What can't be read is logged and left out."""
        user = DenyRules(_patterns(self._config / "settings.json"), self._config)
        managed = [DenyRules(_patterns(file), self._folder) for file in self._administrators()]
        own = [DenyRules(_affordable(file, _patterns(file)), self._folder) for file in self._own()]
        return [rules for rules in (user, *managed, *own) if rules.patterns]

    def _administrators(self) -> list[Path]:
        """One file, more beside it, and a copy of what the organisation's server gave."""
        more = sorted(file for file in self._managed.glob("managed-settings.d/*.json") if file.name[0] != ".")
        return [self._managed / "managed-settings.json", *more, self._config / "remote-settings.json"]

    def _own(self) -> list[Path]:
        return [self._folder / ".claude" / name for name in FOLDER_FILES]


def _patterns(file: Path) -> tuple[str, ...]:
    found = map(read_pattern, denied_rules(read_settings(file)))
    return tuple(pattern for pattern in found if pattern is not None)


def _affordable(file: Path, patterns: Sequence[str]) -> tuple[str, ...]:
    kept = tuple(each for each in patterns if _is_affordable(each))[:_RULES]
    if len(kept) < len(patterns):
        logger.warning("%s: %d rules were left out: too many, or too intricate", file, len(patterns) - len(kept))
    return kept


def _is_affordable(pattern: str) -> bool:
    """Whether matching the pattern is quick whatever the path. A star at the end of a name costs nothing."""
    first, *names = pattern.lstrip("!/").removesuffix("/**").split("/")
    stars = [0 if name == "**" else len(re.findall(r"\*+", name.rstrip("*"))) for name in (first, *names)]
    cost = sum(stars) + (first == "**") + 2 * names.count("**")
    return len(json.dumps(pattern)) <= _PATTERN_CHARS and max(stars) <= _STARS_IN_A_NAME and cost <= _WILDCARDS
