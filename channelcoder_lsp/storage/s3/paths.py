"""What is under which path, below the tenant's folder."""

from __future__ import annotations

NAMES = "names"
"""Each session's name, and its key."""
ROWS = "rows"
"""The rows of the list as they were, each with the ETag of the card that it was read from."""
CHANGED = "changed"
"""Written anew whenever something changed: what those who watch look at."""
CARDS = "cards/"
DATA = "data/"

_SEQ_DIGITS = 12


def folder(prefix: str, tenant: str) -> str:
    """Where a tenant's objects are: a folder of its own, whose name is not the beginning of another's."""
    parts = [part for part in prefix.split("/") if part]
    return "".join(f"{part}/" for part in [*parts, encoded(tenant)])


def encoded(name: str) -> str:
    """A name in characters that need no encoding in paths, URLs and policies; ``_`` for none."""
    return "".join(each if each.isascii() and (each.isalnum() or each == "-") else _hex(each) for each in name) or "_"


def card(key: str) -> str:
    """A session's card: what there is to know about it without its history."""
    return f"{CARDS}{key}"


def data(key: str) -> str:
    """The folder of all else that a session has."""
    return f"{DATA}{key}/"


def base(key: str, token: str) -> str:
    """The session as it was created or last saved."""
    return f"{data(key)}base/{token}"


def head(key: str, token: str) -> str:
    """A head that was kept."""
    return f"{data(key)}head/{token}"


def content(key: str, digest: str) -> str:
    """A text that was kept."""
    return f"{data(key)}content/{digest}"


def records(key: str, generation: int) -> str:
    """The folder of the records of a generation that are not in the card any more."""
    return f"{data(key)}records/{generation}/"


def record_name(seq: int) -> str:
    """The name there of the records up to ``seq``: in the order of the numbers."""
    return f"{seq:0{_SEQ_DIGITS}}"


def _hex(character: str) -> str:
    return "".join(f"_{byte:02x}" for byte in character.encode("utf-8", "surrogatepass"))
