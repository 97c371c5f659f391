"""The server's log file: one JSON object on each line, of one process each.

Several servers run at once, and rotation works for one writer alone: each has a file of its own, and the oldest are
removed by those that start.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from contextlib import suppress
from datetime import datetime, timezone
from logging.handlers import RotatingFileHandler
from typing import TYPE_CHECKING

import platformdirs

from channelcoder_lsp.services.turn_log import turn_in_hand

if TYPE_CHECKING:
    from io import TextIOWrapper
    from pathlib import Path

logger = logging.getLogger(__name__)

_BYTES = 2_000_000
"""A file this long is put aside, in the place of the one before it."""
_KEPT = 20
"""How many files stay."""


class LogFile(RotatingFileHandler):
    """Writes what is logged to a file in the folder, from the first record on.

    Args:
        folder: where the files are; made if it is missing.

    Raises:
        OSError: there can be no file in it.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _tidy(folder)
        name = f"server-{datetime.now(timezone.utc):%Y%m%dT%H%M%S}-{os.getpid()}.jsonl"
        super().__init__(folder / name, maxBytes=_BYTES, backupCount=1, encoding="utf-8", delay=True)
        self.setFormatter(_OneObject())
        self._failed = False

    def _open(self) -> TextIOWrapper:
        return open(self.baseFilename, "a", encoding="utf-8", opener=lambda path, flags: os.open(path, flags, 0o600))

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Say once, where the log goes otherwise, that it can't be written: the server runs on."""
        if not self._failed:
            self._failed = True
            logger.warning("the log file %s can't be written: %s", self.baseFilename, sys.exc_info()[1])
        del record


class _OneObject(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        entry: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if (turn := turn_in_hand()) is not None:
            entry["turn"] = turn
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)


def log_folder() -> Path:
    """Where servers write their logs. The settings, which name the application too, are loaded after the log begins."""
    return platformdirs.user_log_path("channelcoder", appauthor=False)


def log_files(folder: Path) -> list[Path]:
    """The log files in the folder, the newest first."""
    found = []
    for path in folder.glob("server-*.jsonl*"):
        with suppress(FileNotFoundError):  # whoever starts now tidies too
            found.append((path.stat().st_mtime, path))
    return [path for _, path in sorted(found, reverse=True)]


def _tidy(folder: Path) -> None:
    for path in log_files(folder)[_KEPT:]:
        path.unlink(missing_ok=True)
