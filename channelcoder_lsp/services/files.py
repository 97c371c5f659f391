"""Files that aren't open, as an editor would have them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from channelcoder_lsp.domain.errors import ProposalError
from channelcoder_lsp.domain.text import split_lines

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FILE_BYTES = 5_000_000
"""Size up to which a file can be changed."""


class FileText(NamedTuple):
    """A file's lines without their ends, and what ends them."""

    lines: list[str]
    line_end: str


def read_file(path: Path) -> FileText | None:
    """The text of a file; None if there is no such file.

    Raises:
        ProposalError: it is there but is no text in UTF-8, is too large, or can't be read.
    """
    try:
        if path.is_dir():
            raise ProposalError(f"{path.name} is a folder, so it can't be changed.")
        if path.stat().st_size > FILE_BYTES:
            raise ProposalError(f"{path.name} is larger than {FILE_BYTES:,} bytes: too large to be changed.")
        text = path.read_bytes().decode("utf-8-sig")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except UnicodeDecodeError:
        raise ProposalError(f"{path.name} is not text in UTF-8, so it can't be changed.") from None
    except OSError as problem:
        raise ProposalError(f"{path.name} can't be read: {problem.strerror or problem}.") from problem
    return FileText(split_lines(text), "\r\n" if "\r\n" in text else "\n")


def holds(path: Path, lines: Sequence[str]) -> bool:
    """Whether a file has exactly these lines. One that is too large to be compared is taken to."""
    try:
        if path.stat().st_size > FILE_BYTES:
            return True
        return split_lines(path.read_bytes().decode("utf-8-sig")) == list(lines)
    except (OSError, UnicodeDecodeError):
        return False
