"""Which names a session can have, and the files that belong to it."""

from __future__ import annotations

import os
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING
from uuid import uuid4

from channelcoder_lsp.domain.errors import SessionNameError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

LONGEST_NAME = 200
"""Bytes of UTF-8: with our longest suffix still less than the 255 that file systems allow."""

_RESERVED = frozenset(
    ["con", "prn", "aux", "nul", "clock$", "conin$", "conout$"]
    + [f"{port}{digit}" for port in ("com", "lpt") for digit in "0123456789¹²³"]
)
_WINDOWS_FORBIDS = frozenset('<>:"|?*')


def session_name(name: str) -> str:
    """``name`` as a session's name; one ``.json`` at its end is not part of it, as in ChannelCoder.

    Raises:
        SessionNameError: it can't be a name on every system that the folder may be used from.
    """
    plain = name.removesuffix(".json")
    if reason := _objection(plain):
        raise SessionNameError(name, reason)
    return plain


def is_path(name_or_path: str) -> bool:
    """Whether it is a path, that is, has a separator in it."""
    return "/" in name_or_path or "\\" in name_or_path


def same_name(one: str, other: str) -> bool:
    """Whether a file system that ignores case would take the two for one."""
    return _folded(one) == _folded(other)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _objection(name: str) -> str | None:
    return next((reason for reason, applies in _OBJECTIONS.items() if applies(name)), None)


def _has_control_character(name: str) -> bool:
    return any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in name)


_OBJECTIONS: Mapping[str, Callable[[str], object]] = {
    "it is empty": lambda name: not name,
    "it has a path separator in it; only load takes a path": is_path,
    "dots alone mean a folder": lambda name: not name.strip("."),
    "it starts or ends with a space or a dot": lambda name: name != name.strip().strip("."),
    "it has a control character in it": _has_control_character,
    f"it is longer than {LONGEST_NAME} bytes": lambda name: len(name.encode()) > LONGEST_NAME,
    "Windows reserves it": lambda name: name.split(".", 1)[0].rstrip().casefold() in _RESERVED,
    "it ends in .json twice": lambda name: name.casefold().endswith(".json"),
    "Windows doesn't allow one of its characters": lambda name: os.name == "nt" and _WINDOWS_FORBIDS.intersection(name),
}


@dataclass(frozen=True)
class SessionFiles:
    """The files of the session ``name`` in ``folder``.

    No two sessions share a file: what is added to the name has one dot, at its start.
    """

    folder: Path
    name: str

    @property
    def snapshot(self) -> Path:
        """The session at rest."""
        return self._file("json")

    @property
    def journal(self) -> Path:
        """What happened since."""
        return self._file("journal")

    @property
    def index(self) -> Path:
        """What lists and start-up need."""
        return self._file("index")

    @property
    def lock(self) -> Path:
        """Held while one of the files is changed."""
        return self._file("lock")

    @property
    def lease(self) -> Path:
        """Held while a question is asked."""
        return self._file("lease")

    @property
    def queue(self) -> Path:
        """Held by whoever gets the lease next."""
        return self._file("queue")

    @property
    def contents(self) -> Path:
        """The folder of kept texts."""
        return self._file("contents")

    def temporary(self) -> Path:
        """A new name for a file that is being written."""
        return self._file(f"tmp-{uuid4().hex}")

    def temporaries(self) -> list[Path]:
        """The files that are being written, or were when somebody died."""
        start = f"{self.name}.tmp-"
        return [path for path in self.folder.iterdir() if path.name.startswith(start)]

    def aside(self) -> Path:
        """A name that nothing has yet, for what can't be read."""
        moment = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        tries = 1
        path = self._file(f"corrupt-{moment}")
        while path.exists():
            tries += 1
            path = self._file(f"corrupt-{moment}-{tries}")
        return path

    def _file(self, suffix: str) -> Path:
        return self.folder / f"{self.name}.{suffix}"
