"""Edits that Claude suggests, held until a person applies them."""

from __future__ import annotations

from enum import Enum
from uuid import uuid4

from pydantic import Field

from channelcoder_lsp.domain.model import Model, Timestamp, now


class Hunk(Model):
    """Lines of a file's base text, and what is to take their place.

    With ``start == end`` nothing is taken: ``lines`` go in before line ``start``.
    """

    start: int
    """The first line that is replaced, zero-based."""
    end: int
    """The line after the last one that is replaced."""
    lines: list[str] = Field(default_factory=list)
    """The new lines, without their ends."""
    applied: Timestamp | None = None
    """When a person last had it applied, as far as is known."""
    discarded: Timestamp | None = None
    """When a person discarded it; it keeps its place among the others, so that their numbers stay."""


class FileKind(str, Enum):
    """What becomes of a file."""

    EDIT = "edit"
    CREATE = "create"
    DELETE = "delete"


class ProposedFile(Model):
    """What is to become of one file."""

    uri: str
    path: str | None = None
    """Relative to the checkout's root with forward slashes, as anchors keep it."""
    kind: FileKind = FileKind.EDIT
    base: str | None = None
    """SHA-256 of the text that the hunks are about (``\\n`` between lines); the text itself is in the storage."""
    hunks: list[Hunk] = Field(default_factory=list)
    """In order, without overlap. A new file has one that holds all its lines, a deletion none."""
    applied: Timestamp | None = None
    """For a new file or a deletion: when a person had it done."""
    discarded: Timestamp | None = None
    """When a person discarded it."""

    def without_discarded(self, known: ProposedFile) -> ProposedFile:
        """This file without what was discarded in ``known``."""
        hunks = [
            hunk.model_copy(update={"discarded": hunk.discarded or was.discarded})
            for hunk, was in zip(self.hunks, known.hunks, strict=False)
        ]
        hunks += self.hunks[len(hunks) :]
        return self.model_copy(update={"hunks": hunks, "discarded": self.discarded or known.discarded})


class ProposalStatus(str, Enum):
    """Whether a proposal still waits for a person."""

    OPEN = "open"
    APPLIED = "applied"
    DISCARDED = "discarded"


class Proposal(Model):
    """The edits that one answer suggests, or that one finding does."""

    id: str = Field(default_factory=lambda: f"proposal-{uuid4().hex}")
    turn_id: str
    """The answer that it came with."""
    thread_id: str | None = None
    """The thread that it is kept in."""
    files: list[ProposedFile] = Field(default_factory=list)
    status: ProposalStatus = ProposalStatus.OPEN
    created: Timestamp = Field(default_factory=now)

    def without_discarded(self, known: Proposal) -> Proposal:
        """This proposal without what was discarded in ``known``, the same one as it was recorded last."""
        files = [file.without_discarded(was) for file, was in zip(self.files, known.files, strict=False)]
        files += self.files[len(files) :]
        gone = bool(files) and all(file.discarded for file in files)
        return self.model_copy(update={"files": files, "status": ProposalStatus.DISCARDED if gone else self.status})
