"""The files that belong to a session."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING
from uuid import uuid4

if TYPE_CHECKING:
    from pathlib import Path


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
