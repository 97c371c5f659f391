"""Programs by name: never one that a visited folder brings along."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def search_path(outside: Path | None) -> str:
    """PATH without what leads into a folder.

    Relative entries are left out too: they lead wherever a process stands.

    Args:
        outside: the folder; None: relative entries alone are left out.
    """
    return os.pathsep.join(
        entry
        for entry in os.environ.get("PATH", os.defpath).split(os.pathsep)
        if Path(entry).is_absolute()
        and not (outside is not None and Path(entry).resolve().is_relative_to(outside.resolve()))
    )


def on_path(name: str, outside: Path | None) -> Path | None:
    """The program ``name`` on :func:`search_path`; None: there is none."""
    found = shutil.which(name, path=path) if (path := search_path(outside)) else None
    # On Windows `which` looks into the current folder first, whatever the path.
    if found is None or not Path(found).is_absolute():
        return None
    leads_inside = outside is not None and Path(found).resolve().is_relative_to(outside.resolve())
    return None if leads_inside else Path(found)
