"""What a repository is called, whichever way it is reached."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

_LIKE_SCP = re.compile(r"(?:[^@/:]+@)?(?P<host>\[[^\]]+\]|[^/:\\]{2,}):(?P<path>(?!//).+)")
"""``user@host:path``, as Git takes it for SSH. A single letter before the colon is a drive."""


def name_of(url: str) -> str | None:
    """The host and the path of a remote, the same for HTTPS and SSH; None for a place on this machine.

    Args:
        url: as Git has it in its settings.
    """
    if "://" in url:
        try:
            parts = urlsplit(url)
            host, path = parts.hostname, parts.path
        except ValueError:
            return None
        if parts.scheme == "file":
            return None
    else:
        found = _LIKE_SCP.fullmatch(url)
        host, path = (found["host"].strip("[]"), found["path"]) if found else (None, "")
    path = path.strip("/").removesuffix(".git").rstrip("/")
    return f"{host.lower()}/{path}" if host and path else None
