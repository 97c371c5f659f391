"""What :mod:`doctor <channelcoder_lsp.cli.doctor>` looks at, one function for each."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from channelcoder_lsp.claude.cli import find_cli, read_login, with_version
from channelcoder_lsp.claude.sources import config_folder
from channelcoder_lsp.cli.log_file import log_folder
from channelcoder_lsp.domain.errors import AgentError
from channelcoder_lsp.settings import state_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

    from channelcoder_lsp.settings import Settings

_EDITORS = ("nvim", "vim", "code", "codium", "code-server", "hx", "emacs", "zed", "kate", "subl")
_NEOVIM = (0, 11)
_SECONDS = 10.0
_HOUR = 3600.0
_KEPT_DAYS = 30
"""How long Claude Code keeps transcripts if nothing is set."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Args:
        what: the thing.
        state: whether it is well, worth a look, or broken.
        detail: what was found.
        fix: what helps.
    """

    what: str
    state: Literal["ok", "note", "broken"]
    detail: str
    fix: str = ""


def claude(settings: Settings) -> Iterator[Finding]:
    """The command line of Claude Code, its version, its login."""
    try:
        cli = with_version(find_cli(settings.cli_path, outside=Path.cwd()))
    except AgentError as problem:
        yield Finding("Claude Code", "broken", problem.message)
        return
    version = ".".join(map(str, cli.version or ())) or "of an unknown version"
    yield Finding("Claude Code", "ok", f"{version} at {cli.path}")
    if settings.offline:
        yield Finding(
            "login", "note", "the offline model is asked, which needs none.", "Clear `offline` to ask Claude."
        )
        return
    try:
        login = read_login(cli)
    except AgentError as problem:
        yield Finding("login", "broken", problem.message)
        return
    if login.logged_in:
        yield Finding("login", "ok", login.method or "there is one")
    else:
        yield Finding("login", "broken", "there is none.", "Run `channelcoder login`, or set ANTHROPIC_API_KEY.")


def storage(folder: Path) -> Iterator[Finding]:
    """The folder with the sessions: whether it can be written, and what lies about in it."""
    yield _writable("sessions", folder, "set sessionDir")
    if not folder.is_dir():
        return
    if sys.platform != "win32" and folder.stat().st_mode & 0o077:
        yield Finding("sessions", "note", f"others can read {folder}.", f"Keep them out with `chmod 700 {folder}`.")
    for part in sorted(folder.glob("*.tmp-*")):
        if time.time() - part.stat().st_mtime > _HOUR:
            yield Finding("sessions", "note", f"{part} was left by a process that ended in the middle.", "Remove it.")
    for journal in sorted(folder.glob("*.journal")):
        if not journal.with_suffix(".json").exists():
            yield Finding("sessions", "note", f"{journal} belongs to no session.", "Look at it, then remove it.")
    for aside in sorted(folder.glob("*.corrupt-*")):
        yield Finding(
            "sessions", "note", f"{aside} could not be read and was set aside.", "Look at it, then remove it."
        )


def state() -> Iterator[Finding]:
    """The folder in which it is kept what is active and trusted where."""
    yield _writable("state", state_folder(), "set XDG_STATE_HOME")


def logs() -> Finding:
    """Where the servers write their logs."""
    return _writable("log", log_folder(), "set XDG_STATE_HOME")


def left_behind() -> Iterator[Finding]:
    """Folders that the SDK left behind, with a token in them."""
    for folder in sorted(Path(tempfile.gettempdir()).glob("claude-resume-*")):
        yield Finding("leftover", "note", f"{folder} may hold a login's token.", "Remove it when no Claude runs.")


def transcripts() -> Finding:
    """How long Claude Code keeps its own side of the conversations."""
    file = config_folder(os.environ) / "settings.json"
    try:
        days = json.loads(file.read_text(encoding="utf-8")).get("cleanupPeriodDays", _KEPT_DAYS)
    except FileNotFoundError:
        days = _KEPT_DAYS
    except (OSError, ValueError, AttributeError) as problem:
        return Finding("transcripts", "note", f"{file} can't be read: {problem}.", "Correct it.")
    if not isinstance(days, (int, float)) or days < _KEPT_DAYS:
        return Finding(
            "transcripts",
            "note",
            f"Claude Code removes its own after {days} days; an older session is told to it again.",
            f"Set cleanupPeriodDays to {_KEPT_DAYS} or more in {file}.",
        )
    return Finding("transcripts", "ok", f"Claude Code keeps its own for {days} days")


def programs() -> Iterator[Finding]:
    """What editors start, and what this starts."""
    server = shutil.which("channelcoder-lsp")
    if server is not None:
        yield Finding("server", "ok", server)
    else:
        beside = Path(sys.executable).with_name("channelcoder-lsp")
        yield Finding(
            "server",
            "note",
            "channelcoder-lsp is not on PATH, where editors look for it.",
            f"Name {beside} in the editor's settings, or add its folder to PATH."
            if beside.exists()
            else "Install the package with `pipx install channelcoder-lsp`.",
        )
    git = shutil.which("git")
    if git is not None:
        yield Finding("git", "ok", git)
    else:
        yield Finding("git", "note", "it is not on PATH: no worktrees, no reviews of changes.", "Install Git.")


def editors() -> Iterator[Finding]:
    """The editors that there are."""
    found = [name for name in _EDITORS if shutil.which(name)]
    if not found:
        yield Finding("editors", "note", "none was found on PATH.", "Any editor that speaks LSP will do.")
        return
    yield Finding("editors", "ok", ", ".join(found))
    if "nvim" in found and (version := _version("nvim")) is not None and version < _NEOVIM:
        dotted = ".".join(map(str, version))
        yield Finding("editors", "note", f"Neovim is {dotted}, the plugin needs 0.11.", "Install a newer one.")


def _version(program: str) -> tuple[int, ...] | None:
    """The version that a program tells, if it does."""
    path = shutil.which(program)
    if path is None or Path(path).resolve().is_relative_to(Path.cwd()):
        return None  # what lies in the project is not run
    try:
        said = subprocess.run(  # noqa: S603 - an editor of the user's own
            [path, "--version"],
            capture_output=True,
            check=False,
            text=True,
            timeout=_SECONDS,
            cwd=tempfile.gettempdir(),
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r"(\d+)\.(\d+)", said)
    return (int(match[1]), int(match[2])) if match else None


def _writable(what: str, folder: Path, else_: str) -> Finding:
    there = next(one for one in (folder, *folder.parents) if one.exists())
    try:
        with tempfile.TemporaryFile(dir=there):
            return Finding(what, "ok", f"{folder} can be written")
    except OSError as problem:
        detail = f"{there} can't be written ({problem.strerror})."
        return Finding(what, "broken", detail, f"Make it writable, or {else_}.")
