"""Files that are kept from Claude by their names: what usually holds passwords and keys."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import PurePath

DENIED_NAMES = (
    ".env",
    ".env.*",
    ".env-*",
    ".env_*",
    ".envrc",
    "*.pem",
    "*.key",
    "*.p12",
    "*.pfx",
    "*.jks",
    "*.keystore",
    "*.kdbx",
    "*.ppk",
    "id_rsa*",
    "id_dsa*",
    "id_ecdsa*",
    "id_ed25519*",
    ".netrc",
    "_netrc",
    ".npmrc",
    ".pypirc",
    ".pgpass",
    ".credentials.json",
    ".git-credentials",
    ".htpasswd",
    ".claude.json",
    ".mcp.json",
)
"""File names that hold secrets, whatever the folder. Matched without regard to case."""

DENIED_PATHS = (
    ".git/config",
    ".claude/settings.json",
    ".claude/settings.local.json",
    ".git/credentials",
    ".docker/config.json",
    ".kube/config",
    ".aws/*",
    ".ssh/*",
    ".gnupg/*",
    ".config/gcloud/*",
    ".config/gh/*",
)
"""Files and folders that hold secrets, by the end of their path; ``/*`` stands for everything below."""


def is_secret(path: PurePath) -> bool:
    """Whether a file of that path is kept from Claude, by its name or by the folders it is in."""
    # `name:stream` opens `name` on Windows, and trailing dots and spaces are dropped there.
    parts = [part.split(":")[0].rstrip(". ").casefold() or part for part in path.parts]
    name = parts[-1] if parts else ""
    if any(fnmatchcase(name, pattern) for pattern in DENIED_NAMES) and not name.endswith(".pub"):
        return True
    whole = "/" + "/".join(parts[1:])
    for pattern in DENIED_PATHS:
        if pattern.endswith("/*"):
            if f"/{pattern[:-2]}/" in f"{whole}/":
                return True
        elif whole.endswith(f"/{pattern}"):
            return True
    return False
