"""Document URIs and paths."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

_WITH_A_PATH = frozenset({"file", "vscode-notebook-cell"})


def path_of(uri: str) -> Path | None:
    """The file that ``uri`` names (a notebook cell: its notebook), or None for no file (``untitled:``)."""
    try:
        parts = urlsplit(uri)
    except ValueError:  # brackets that are no IPv6 address
        return None
    if parts.scheme not in _WITH_A_PATH or not parts.path or "\0" in unquote(parts.path):
        return None
    if os.name == "nt":
        return Path(url2pathname(unquote(parts.path)).lstrip("\\/"))
    return Path(unquote(parts.path))


def uri_of(path: Path) -> str:
    """The URI of a file."""
    return path.absolute().as_uri()
