"""A stand-in for a storage whose packages are missing: it can be imported, and making one says what to install."""

from __future__ import annotations

from typing import Any

from channelcoder_lsp.domain.errors import StorageNotInstalledError


def without_extra(name: str, extra: str) -> type:
    """The stand-in.

    Args:
        name: the storage's.
        extra: the extra that brings its packages.
    """

    def refuse(_self: object, *_: Any, **__: Any) -> None:
        raise StorageNotInstalledError(
            f"{name} needs packages that are not installed: pip install 'channelcoder-lsp[{extra}]'."
        )

    return type(name, (), {"__init__": refuse, "__doc__": f"Needs the extra {extra}."})
