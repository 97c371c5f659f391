"""Where sessions are kept: the adapters of the port in :mod:`channelcoder_lsp.domain.storage`.

Each is loaded on first use, so that none costs anything to those who don't use it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from channelcoder_lsp.storage.file.storage import FileSessionStorage

__all__ = ["FileSessionStorage"]


def __getattr__(name: str) -> Any:
    if name == "FileSessionStorage":
        from channelcoder_lsp.storage.file.storage import FileSessionStorage  # noqa: PLC0415 - on first use

        return FileSessionStorage
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
