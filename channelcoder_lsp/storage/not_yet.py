"""The guide's storages that are not there, or not yet: their names can be imported, and making one says what to do."""

from __future__ import annotations

from typing import Any, ClassVar

from channelcoder_lsp.domain.errors import StorageNotYetError


class _NotYet:
    """A storage that can't be made yet."""

    instead: ClassVar[str] = (
        "Use FileSessionStorage; DatabaseStorage or RedisStorage for several machines; or write the guide's three "
        "methods (save, load, list) for it: docs/guide.md shows one."
    )

    def __init__(self, *_: Any, **__: Any) -> None:
        raise StorageNotYetError(f"{type(self).__name__} is not there yet. {self.instead}")


def without_extra(name: str, extra: str) -> type:
    """A stand-in for a storage whose packages are not installed: making one says which to install.

    Args:
        name: the storage's.
        extra: the extra that brings its packages.
    """

    def refuse(_self: object, *_: Any, **__: Any) -> None:
        raise StorageNotYetError(
            f"{name} needs packages that are not installed: `pip install channelcoder-lsp[{extra}]`."
        )

    return type(name, (), {"__init__": refuse, "__doc__": f"Needs the extra {extra}."})


class S3Storage(_NotYet):
    """Sessions in an object storage (session guide, "Cloud Storage Example")."""
