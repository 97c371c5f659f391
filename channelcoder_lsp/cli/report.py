"""``channelcoder doctor --report``: what a bug report needs, in one archive, without what is nobody's business."""

from __future__ import annotations

import getpass
import json
import os
import platform
import re
import socket
import sys
from dataclasses import asdict
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import ZIP_DEFLATED, ZipFile

from channelcoder_lsp.cli.log_file import log_files, log_folder
from channelcoder_lsp.domain.credentials import without_credentials
from channelcoder_lsp.storage.opening import masked

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from channelcoder_lsp.cli.findings import Finding
    from channelcoder_lsp.settings import Settings

_LOGS = 5
"""So many log files go along, the newest."""
_TELLING = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|AUTH", re.IGNORECASE)
_OURS = ("CHANNELCODER_", "ANTHROPIC_", "CLAUDE_", "XDG_")
_SHORTEST = 4
"""What is shorter stands in too many other words to be taken out."""


class Redaction:
    """Takes out of a text what tells who the user is, and what opens doors.

    Args:
        environment: the process's variables: the values of those that hold secrets are taken out.
        home: the user's folder; written as ``~``.
        names: the user's and the machine's.
    """

    def __init__(self, environment: Mapping[str, str], home: Path, names: Sequence[str]) -> None:
        secrets = [value for name, value in environment.items() if _TELLING.search(name) and len(value) >= _SHORTEST]
        secrets += [json.dumps(secret, ensure_ascii=False)[1:-1] for secret in secrets]  # as it stands in a log
        self._replaced = [(re.escape(secret), "***") for secret in sorted(set(secrets), key=len, reverse=True)]
        self._replaced.append((re.escape(str(home)) + r"(?![\w-])", "~"))
        named = [name for name in names if len(name) >= _SHORTEST and name != "root"]
        self._replaced += [(rf"(?<![\w-]){re.escape(name)}(?![\w-])", "(name)") for name in named]

    def __call__(self, text: str) -> str:
        """The text without it."""
        for pattern, instead in self._replaced:
            text = re.sub(pattern, lambda _, instead=instead: instead, text)  # type: ignore[misc]
        return without_credentials(text)


def write_report(folder: Path, found: Sequence[Finding], settings: Settings) -> Path:
    """Write the archive into ``folder``; its path.

    Raises:
        OSError: it can't be written.
    """
    redacted = Redaction(os.environ, Path.home(), (getpass.getuser(), socket.gethostname()))
    now = datetime.now(timezone.utc)
    report = {
        "written": now.isoformat(timespec="seconds"),
        "versions": _versions(),
        "findings": [asdict(finding) for finding in found],
        "settings": _settings(settings),
        "variables": sorted(name for name in os.environ if name.startswith(_OURS)),
        "sessions": _sessions(settings.sessions),
    }
    path = folder / f"channelcoder-report-{now:%Y%m%d-%H%M%S}.zip"
    with (
        open(path, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file,
        ZipFile(file, "w", ZIP_DEFLATED) as archive,
    ):
        archive.writestr("report.json", redacted(json.dumps(report, ensure_ascii=False, indent=2)))
        for log in log_files(log_folder())[:_LOGS]:
            archive.writestr(f"log/{log.name}", redacted(_without_prompts(log.read_text(encoding="utf-8"))))
    return path


def _versions() -> dict[str, str]:
    names = [re.split(r"[ \[<>=;!~(]", need, maxsplit=1)[0] for need in metadata.requires("channelcoder-lsp") or []]
    found = {"python": sys.version, "system": platform.platform()}
    for name in ["channelcoder-lsp", *sorted(set(names))]:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def _settings(settings: Settings) -> dict[str, object]:
    """Those that differ from the default. Of who asks and of a storage's address only as much as is needed."""
    changed = settings.model_dump(mode="json", exclude_defaults=True)
    changed.pop("author", None)
    if "storage" in changed:
        changed["storage"] = masked(settings.storage)
    return changed


def _sessions(folder: Path) -> dict[str, object]:
    """How many there are and how large they are, not what they are called."""
    sizes = sorted(file.stat().st_size for file in folder.glob("*.json")) if folder.is_dir() else []
    return {"count": len(sizes), "largest": sizes[-1:], "bytes": sum(sizes)}


def _without_prompts(log: str) -> str:
    """The log without the entries of the level debug, in which prompts stand."""
    kept = []
    for line in log.splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue  # the last line of a server that was killed while it wrote
        if entry.get("level") != "debug":
            kept.append(line)
    return "\n".join([*kept, ""])
