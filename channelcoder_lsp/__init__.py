"""ChannelCoder for editors: ask Claude about code, in sessions that belong to the project folder.

For programs: ``session``, ``claude``, ``stream`` and the storages, each loaded on first use.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from channelcoder_lsp.version import __version__

if TYPE_CHECKING:
    from channelcoder_lsp.domain.session import Message, SessionInfo, SessionState
    from channelcoder_lsp.domain.storage import SessionStorage
    from channelcoder_lsp.execution.worktree import worktree
    from channelcoder_lsp.library.copying import copy_sessions
    from channelcoder_lsp.library.functions import claude, detached, interactive, run, stream
    from channelcoder_lsp.library.results import Chunk, Compacted, Result
    from channelcoder_lsp.library.session import Session
    from channelcoder_lsp.library.session import Session as session  # noqa: N813 - the guide's spelling
    from channelcoder_lsp.prompts import load_prompt, render
    from channelcoder_lsp.storage import FileSessionStorage
    from channelcoder_lsp.storage.database.storage import DatabaseStorage
    from channelcoder_lsp.storage.redis.storage import RedisStorage
    from channelcoder_lsp.storage.s3.storage import S3Storage

__all__ = [
    "Chunk",
    "Compacted",
    "DatabaseStorage",
    "FileSessionStorage",
    "Message",
    "RedisStorage",
    "Result",
    "S3Storage",
    "Session",
    "SessionInfo",
    "SessionState",
    "SessionStorage",
    "__version__",
    "claude",
    "copy_sessions",
    "detached",
    "interactive",
    "load_prompt",
    "render",
    "run",
    "session",
    "stream",
    "worktree",
]

_WHERE = {
    "Chunk": "library.results",
    "Compacted": "library.results",
    "DatabaseStorage": "storage.database.storage",
    "FileSessionStorage": "storage",
    "Message": "domain.session",
    "RedisStorage": "storage.redis.storage",
    "Result": "library.results",
    "S3Storage": "storage.s3.storage",
    "Session": "library.session",
    "SessionInfo": "domain.session",
    "SessionState": "domain.session",
    "SessionStorage": "domain.storage",
    "claude": "library.functions",
    "copy_sessions": "library.copying",
    "detached": "library.functions",
    "interactive": "library.functions",
    "load_prompt": "prompts",
    "render": "prompts",
    "run": "library.functions",
    "session": "library.session",
    "stream": "library.functions",
    "worktree": "execution.worktree",
}
_EXTRAS = {"DatabaseStorage": "database", "RedisStorage": "redis", "S3Storage": "s3"}
"""What needs packages that are installed with an extra of that name."""


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        module = import_module(f"{__name__}.{_WHERE[name]}")
    except ModuleNotFoundError as missing:
        if name not in _EXTRAS or (missing.name or "").startswith(__name__):
            raise
        return import_module(f"{__name__}.storage.missing").without_extra(name, _EXTRAS[name])
    return getattr(module, "Session" if name == "session" else name)


class _Package(ModuleType):
    """This package: ``claude`` is the function here, though there is a subpackage of that name.

    An import of the subpackage would put it in the function's place.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _WHERE and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
