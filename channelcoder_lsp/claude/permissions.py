"""What Claude may read: files of the folder, but not its secrets, and nothing outside.

Two guards that don't lean on each other. :meth:`Guard.refusal` judges the path that a tool names, in a hook
that the CLI calls before every use of a tool (Read inside the folder asks nobody, so ``can_use_tool`` is not
enough). :func:`deny_rules` gives the CLI the same list as its own rules, which also keep the lines of those
files out of what Grep finds when it searches a whole folder.
"""

from __future__ import annotations

import ntpath
import os
import re
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from channelcoder_lsp.domain.deny_list import DenyList, whole_folder
from channelcoder_lsp.domain.secrets import DENIED_NAMES, DENIED_PATHS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

TOOLS = ("Read", "Grep", "Glob")
"""The built-in tools that Claude has. All of them only read."""

_BLANKS = re.compile(r"^[\s\ufeff]+|[\s\ufeff]+$")
_PATH_ARGUMENTS = {"Read": "file_path", "Grep": "path", "Glob": "path"}


@dataclass(frozen=True)
class Guard:
    """Judges what a tool is about to read.

    Args:
        cwd: the folder asked about.
        denied: folders whose contents are never read (sessions, the CLI's own configuration).
        seen_at: what Claude takes ``cwd`` for, if it sees it elsewhere: in a container.
        deny_list: which files are kept from it.
    """

    cwd: Path
    denied: Sequence[Path] = field(default=())
    seen_at: PurePosixPath | None = None
    deny_list: DenyList = field(default_factory=DenyList)

    def refusal(self, tool: str, arguments: Mapping[str, Any]) -> str | None:
        """Why ``tool`` may not be used with ``arguments``; None when there is nothing against it.

        What can't be judged is refused. Tools that aren't in :data:`TOOLS` are not this guard's.
        """
        if tool not in TOOLS:
            return None
        named = arguments.get(_PATH_ARGUMENTS[tool])
        if named is None and tool != "Read":
            named = str(self.seen_at or self.cwd)
        if not isinstance(named, str) or not _trimmed(named) or "\0" in named:
            return f"{tool} was not run: it did not say which file to read."
        # The CLI trims the path that it is given, as JavaScript does: both readings must be allowed.
        for path in {named, _trimmed(named)}:
            if (reason := self._against(path)) is not None:
                return f"{tool} was not run on {path!r}: {reason}."
        if tool == "Glob" and (reason := self._against_pattern(arguments.get("pattern"))) is not None:
            return f"Glob was not run: {reason}."
        return None

    def _against(self, named: str) -> str | None:
        here = self._here(named)
        if here is None:
            return "it leads outside the project folder"
        asked = _absolute(self.cwd, here)
        try:
            real, root = asked.resolve(), self.cwd.resolve()
            with suppress(FileNotFoundError, NotADirectoryError, PermissionError):
                real.stat()  # Python 3.13 resolves a loop of links to one of them
        except (OSError, RuntimeError, ValueError) as problem:  # a loop of links, a name the system refuses
            return f"the path can't be followed ({type(problem).__name__})"
        if not real.is_relative_to(root):
            return "it leads outside the project folder"
        for folder in self.denied:
            if real.is_relative_to(folder.resolve()):
                return "the folder holds settings or conversations, not the project"
        if self.deny_list.denies(asked):
            return "its name says that it holds secrets, or a rule denies it"
        return None

    def _here(self, named: str) -> str | None:
        """``named`` by Claude, as this machine has it; None where there is none."""
        if self.seen_at is None or not named.startswith(("/", "~")):
            return named
        seen = PurePosixPath(named)
        return str(self.cwd / seen.relative_to(self.seen_at)) if seen.is_relative_to(self.seen_at) else None

    def _against_pattern(self, pattern: Any) -> str | None:
        if not isinstance(pattern, str):
            return "the pattern is missing"
        parts = pattern.replace("\\", "/").split("/")
        if ".." in parts or "~" in parts[0]:
            return "the pattern leads outside the project folder"
        fixed: list[str] = []
        for part in parts:
            if any(char in part for char in "*?[{"):
                break
            fixed.append(part)
        if pattern.startswith("/") or ntpath.splitdrive(pattern)[0]:
            return self._against("/".join(fixed) or "/")
        return None


def deny_rules(guard: Guard) -> list[str]:
    """The same list as permission rules of the CLI (its settings' ``permissions.deny``)."""
    # First what a person's rules say: what one of them takes back is not taken back of ours.
    rules = guard.deny_list.read_rules((guard.cwd, guard.seen_at) if guard.seen_at is not None else None)
    rules += [f"Read(**/{name})" for name in DENIED_NAMES]
    rules += [f"Read(**/{path.removesuffix('*')}{'**' if path.endswith('/*') else ''})" for path in DENIED_PATHS]
    rules += [whole_folder(folder) for folder in guard.denied if folder.is_absolute()]
    return rules


def readings(cwd: Path, named: str) -> set[Path]:
    """The files that a tool may mean by ``named``, with and without links: a path that :class:`Guard` allowed."""
    asked = {_absolute(cwd, name) for name in (named, _trimmed(named))}
    return asked | {path.resolve() for path in asked}


def _trimmed(named: str) -> str:
    return _BLANKS.sub("", named)


def _absolute(cwd: Path, named: str) -> Path:
    return Path(os.path.abspath(cwd / _expanded(named)))  # noqa: PTH100 - keeps links


def _expanded(named: str) -> Path:
    """``~`` as the CLI expands it; a name that can't be expanded stays, and is judged as it stands."""
    try:
        return Path(named).expanduser()
    except RuntimeError:
        return Path(named)
