"""The files of one answer's proposal: their texts as the editor has them, and as they would be."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from channelcoder_lsp.domain.errors import ToolError
from channelcoder_lsp.domain.proposal import FileKind, Hunk, ProposedFile
from channelcoder_lsp.domain.text import split_lines
from channelcoder_lsp.services.hunks import HunkState, applied_to, hunks_between, hunks_now
from channelcoder_lsp.services.numbered import numbered

if TYPE_CHECKING:
    from collections.abc import Sequence

_NEAR_LINES = 3
_SEARCHED_LINES = 5_000
_LIKENESS = 0.6
_LINE_NUMBER = re.compile(r"^ *\d+\| ?", re.MULTILINE)


@dataclass
class Overlay:
    """One file of an answer's proposal.

    Args:
        uri: the file.
        path: relative to the checkout's root, if it lies in it.
        base: its text when the proposal began; None: there was no file.
        text: its text as proposed so far; None: it is to be deleted.
    """

    uri: str
    path: str | None
    base: str | None
    text: str | None

    @property
    def name(self) -> str:
        """As Claude names it."""
        return self.path or self.uri

    def follow(self, current: str | None) -> None:
        """Take in what the person did to the file since, as far as it leaves the proposal alone."""
        if current == self.base or current is None or self.base is None or self.text is None:
            return
        base, lines = split_lines(self.base), split_lines(current)
        now = hunks_now(hunks_between(base, split_lines(self.text)), base, lines)
        if all(hunk.state is HunkState.OPEN for hunk in now):
            self.base, self.text = current, "\n".join(applied_to(lines, now))

    def replace(self, old: str, new: str, *, everywhere: bool) -> None:
        """Replace text.

        Raises:
            ToolError: it isn't there exactly once (or at all, for ``everywhere``), or nothing would change.
        """
        if self.text is None:
            raise ToolError(f"{self.name} is deleted by your proposal. Use propose_file to give it a new text.")
        if not old:
            raise ToolError(
                "old_string is empty. To insert, give a line that is there as old_string and repeat it in new_string; "
                "for a new file or a whole new text use propose_file."
            )
        if old == new:
            raise ToolError("old_string and new_string are the same: nothing would change.")
        places = _places(self.text, old)
        if not places:
            raise ToolError(f"old_string is not in {self.name}. {_hint(self.text, old)}")
        if len(places) > 1 and not everywhere:
            lines = ", ".join(str(line + 1) for line in places[:20])
            more = " and others" if len(places) > 20 else ""  # noqa: PLR2004 - as many as were listed
            raise ToolError(
                f"old_string is in {self.name} {len(places)} times (at lines {lines}{more}). Give more of the lines "
                "around the place that you mean, or set replace_all."
            )
        self.text = self.text.replace(old, new)

    def proposed(self, base: str | None) -> ProposedFile | None:
        """What is proposed for the file, whose base text is kept as ``base``; None: nothing any more."""
        if self.text == self.base:
            return None
        if self.text is None:
            return ProposedFile(uri=self.uri, path=self.path, kind=FileKind.DELETE, base=base)
        lines = split_lines(self.text)
        if self.base is None:
            hunks = [Hunk(start=0, end=0, lines=lines)]
            return ProposedFile(uri=self.uri, path=self.path, kind=FileKind.CREATE, hunks=hunks)
        hunks = hunks_between(split_lines(self.base), lines)
        return ProposedFile(uri=self.uri, path=self.path, base=base, hunks=hunks)


def _places(text: str, wanted: str) -> list[int]:
    """The lines on which ``wanted`` begins in ``text``, occurrences that overlap included."""
    places, at, line, counted = [], text.find(wanted), 0, 0
    while at >= 0:
        line += text.count("\n", counted, at)
        counted = at
        places.append(line)
        at = text.find(wanted, at + 1)
    return places


def _hint(text: str, wanted: str) -> str:
    """What there is instead of ``wanted``, so that Claude can do better."""
    lines, sought = split_lines(text), split_lines(wanted.strip("\n"))
    without_numbers = _LINE_NUMBER.sub("", wanted)
    if without_numbers != wanted and without_numbers in text:
        return "It is there without the line numbers: leave those out."
    if (at := _ignoring_white_space(lines, sought)) is not None:
        shown = numbered(lines, at, min(at + len(sought), len(lines)) - 1)
        return f"It is there with other white space:\n{shown}"
    near = _nearest(lines, next((line for line in sought if line.strip()), ""))
    if near is None:
        return "Nothing in the file is like it: read the file again (read_buffer if it is open)."
    shown = numbered(lines, max(0, near - _NEAR_LINES), min(near + _NEAR_LINES + len(sought), len(lines)) - 1)
    return f"The nearest lines are:\n{shown}"


def _ignoring_white_space(lines: Sequence[str], sought: Sequence[str]) -> int | None:
    """The first line from which ``sought`` stands in ``lines`` but for white space."""
    bare = ["".join(line.split()) for line in lines]
    wanted = ["".join(line.split()) for line in sought]
    if not any(wanted):
        return None
    starts = (at for at in range(len(bare) - len(wanted) + 1) if bare[at] == wanted[0])
    return next((at for at in starts if bare[at : at + len(wanted)] == wanted), None)


def _nearest(lines: Sequence[str], wanted: str) -> int | None:
    """The line that is most like ``wanted``, if one is."""
    matcher = SequenceMatcher(autojunk=False)
    matcher.set_seq2(wanted.strip())
    best, near = _LIKENESS, None
    for number, line in enumerate(lines[:_SEARCHED_LINES]):
        matcher.set_seq1(line.strip()[:1_000])
        if matcher.real_quick_ratio() > best and matcher.quick_ratio() > best and (ratio := matcher.ratio()) > best:
            best, near = ratio, number
    return near
