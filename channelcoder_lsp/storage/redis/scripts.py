"""The scripts that the server runs, each in one step. They work with Redis 6.2 and later, and with Valkey."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha1
from pathlib import Path
from types import MappingProxyType

_FOLDER = Path(__file__).parent / "lua"
_BEGIN = "begin"


@dataclass(frozen=True)
class Script:
    """A script, and what the server knows it by once it has run it."""

    text: str
    digest: str


def _loaded() -> dict[str, Script]:
    texts = {path.stem: path.read_text(encoding="utf-8") for path in _FOLDER.glob("*.lua")}
    begin = texts.pop(_BEGIN)
    whole = {name: f"{begin}\n{text}" for name, text in texts.items()}
    return {
        name: Script(text, sha1(text.encode(), usedforsecurity=False).hexdigest())  # the server's own choice of digest
        for name, text in whole.items()
    }


SCRIPTS = MappingProxyType(_loaded())
"""By name: that of the file in ``lua/``."""
