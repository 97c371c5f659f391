"""``channelcoder doctor``: what is wrong with the installation, and what helps."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from channelcoder_lsp.claude.cli import find_cli, read_login, with_version
from channelcoder_lsp.cli.failing import FAILED, verbose
from channelcoder_lsp.cli.output import json_option, say, say_json
from channelcoder_lsp.domain.errors import AgentError
from channelcoder_lsp.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from channelcoder_lsp.settings import Settings

_EDITORS = ("nvim", "vim", "code", "codium", "code-server", "hx", "emacs", "zed", "kate", "subl")
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


@click.command()
@json_option
@click.pass_context
@verbose
def doctor(ctx: click.Context, *, as_json: bool) -> None:
    """Say what is wrong with the installation, and what helps; it ends with 1 if something is broken."""
    settings, problems = load_settings()
    findings = [Finding("settings", "broken", problem.message, "Correct it.") for problem in problems]
    findings += [*_claude(settings), *_storage(settings.sessions), *_left(), _transcripts(), _editors()]
    if as_json:
        say_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            say(f"{finding.state:<6}  {finding.what}: {finding.detail}" + (f" {finding.fix}" if finding.fix else ""))
    ctx.exit(FAILED if any(finding.state == "broken" for finding in findings) else 0)


def _claude(settings: Settings) -> Iterator[Finding]:
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


def _storage(folder: Path) -> Iterator[Finding]:
    there = next(one for one in (folder, *folder.parents) if one.exists())
    try:
        with tempfile.TemporaryFile(dir=there):
            yield Finding("sessions", "ok", f"{folder} can be written")
    except OSError as problem:
        yield Finding(
            "sessions",
            "broken",
            f"{there} can't be written ({problem.strerror}).",
            "Make it writable, or set sessionDir.",
        )
    for aside in sorted(folder.glob("*.corrupt-*")):
        yield Finding(
            "sessions", "note", f"{aside} could not be read and was set aside.", "Look at it, then remove it."
        )


def _left() -> Iterator[Finding]:
    for folder in sorted(Path(tempfile.gettempdir()).glob("claude-resume-*")):
        yield Finding("leftover", "note", f"{folder} may hold a login's token.", "Remove it when no Claude runs.")


def _transcripts() -> Finding:
    file = Path(os.environ.get("CLAUDE_CONFIG_DIR") or Path.home() / ".claude") / "settings.json"
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


def _editors() -> Finding:
    found = [name for name in _EDITORS if shutil.which(name)]
    if found:
        return Finding("editors", "ok", ", ".join(found))
    return Finding("editors", "note", "none was found on PATH.", "Any editor that speaks LSP will do.")
