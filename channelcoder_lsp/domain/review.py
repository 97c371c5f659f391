"""A structured review: what is looked at, how far it is, and what was found."""

from __future__ import annotations

from enum import Enum
from uuid import uuid4

from pydantic import Field

from channelcoder_lsp.domain.model import Model, Timestamp, now
from channelcoder_lsp.domain.place import Range, Severity


class Finding(Model):
    """One remark of a review; it stands in a thread of its own, which has the anchor."""

    review_id: str
    turn_id: str
    """The turn that brought it."""
    severity: Severity = Severity.INFORMATION
    code: str | None = None
    """What kind of remark it is, in one word: ``bug``, ``security``..."""
    message: str
    """The remark, in Markdown; its first line stands alone."""
    replacement: str | None = None
    """What the code could be instead; the thread has it as a proposal too."""


class ReviewScope(str, Enum):
    """What is reviewed."""

    SELECTION = "selection"
    FILE = "file"
    CHANGES = "changes"
    """What is not committed yet."""
    BRANCH = "branch"
    """What changed since the branch left its base."""


class ReviewState(str, Enum):
    """How far a review, or one file of it, is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    """There was nothing to look at, or it is kept from Claude; ``note`` says which."""

    @property
    def under_way(self) -> bool:
        """Whether it is looked at, or is going to be."""
        return self in (ReviewState.WAITING, ReviewState.RUNNING)


class ReviewedFile(Model):
    """One file of a review."""

    uri: str
    path: str | None = None
    range: Range | None = None
    """For a review of a selection: what was selected."""
    state: ReviewState = ReviewState.WAITING
    turn_id: str | None = None
    """The turn that asks, or asked, about it."""
    error: str | None = None
    note: str | None = None
    """What to know about it: why it was skipped, or what of it was not looked at."""
    content: str | None = None
    """For a review of a selection: SHA-256 of the text that ``range`` is in; the text itself is in the storage."""

    @property
    def name(self) -> str:
        """What it is called in a sentence."""
        return self.path or self.uri


class Review(Model):
    """A review of one or more files, one question each."""

    id: str = Field(default_factory=lambda: f"review-{uuid4().hex}")
    scope: ReviewScope
    base: str | None = None
    """The commit that changes are taken against."""
    files: list[ReviewedFile] = Field(default_factory=list)
    notes: list[str] = Field(default_factory=list)
    """What to know about it: files that were left out."""
    created: Timestamp = Field(default_factory=now)

    @property
    def unfinished(self) -> list[ReviewedFile]:
        """The files that are still to be looked at."""
        over = (ReviewState.DONE, ReviewState.SKIPPED)
        return [file for file in self.files if file.state not in over]

    @property
    def under_way(self) -> bool:
        """Whether anything of it is looked at, or is going to be."""
        return any(file.state.under_way for file in self.files)
