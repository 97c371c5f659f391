"""Which names a session can have, whatever keeps it."""

from __future__ import annotations

import os
import unicodedata
from typing import TYPE_CHECKING

from channelcoder_lsp.domain.errors import SessionNameError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

LONGEST_NAME = 200
"""Bytes of UTF-8: with our longest suffix still less than the 255 that file systems allow."""

_RESERVED = frozenset(
    ["con", "prn", "aux", "nul", "clock$", "conin$", "conout$"]
    + [f"{port}{digit}" for port in ("com", "lpt") for digit in "0123456789¹²³"]
)
_WINDOWS_FORBIDS = frozenset('<>:"|?*')


def session_name(name: str) -> str:
    """``name`` as a session's name; one ``.json`` at its end is not part of it, as in ChannelCoder.

    Raises:
        SessionNameError: it can't be a name on every system that the folder may be used from.
    """
    plain = name.removesuffix(".json")
    if reason := _objection(plain):
        raise SessionNameError(name, reason)
    return plain


def is_path(name_or_path: str) -> bool:
    """Whether it is a path, that is, has a separator in it."""
    return "/" in name_or_path or "\\" in name_or_path


def same_name(one: str, other: str) -> bool:
    """Whether a file system that ignores case would take the two for one."""
    return _folded(one) == _folded(other)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _objection(name: str) -> str | None:
    return next((reason for reason, applies in _OBJECTIONS.items() if applies(name)), None)


def _has_control_character(name: str) -> bool:
    return any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in name)


_OBJECTIONS: Mapping[str, Callable[[str], object]] = {
    "it is empty": lambda name: not name,
    "it has a path separator in it; only load takes a path": is_path,
    "dots alone mean a folder": lambda name: not name.strip("."),
    "it starts or ends with a space or a dot": lambda name: name != name.strip().strip("."),
    "it has a control character in it": _has_control_character,
    f"it is longer than {LONGEST_NAME} bytes": lambda name: len(name.encode()) > LONGEST_NAME,
    "Windows reserves it": lambda name: name.split(".", 1)[0].rstrip().casefold() in _RESERVED,
    "it ends in .json twice": lambda name: name.casefold().endswith(".json"),
    "Windows doesn't allow one of its characters": lambda name: os.name == "nt" and _WINDOWS_FORBIDS.intersection(name),
}
