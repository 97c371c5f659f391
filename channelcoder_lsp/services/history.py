"""What undo and redo bring back: the places as they were when the document's text was the same."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from channelcoder_lsp.domain.text import split_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from channelcoder_lsp.domain.place import Position, Range
    from channelcoder_lsp.services.places import Place

_STEPS = 300
_CHARS = 2_000_000
_RANGES = 50_000
"""How far back is remembered, whichever of the three is reached first: steps, characters that came and went, and
ranges of places."""


class Edit(NamedTuple):
    r"""``taken``, from ``start`` to ``end``, was replaced by ``put``, which ends at ``new_end``.

    Both texts have ``\n`` between their lines.
    """

    start: Position
    end: Position
    new_end: Position
    taken: str
    put: str

    def redo(self, lines: list[str]) -> None:
        """Make the edit in ``lines``."""
        replace_text(lines, self.start, self.end, self.put)

    def undone(self) -> Edit:
        """The edit that takes this one back."""
        return Edit(self.start, self.new_end, self.end, self.put, self.taken)

    def undo(self, lines: list[str]) -> None:
        """Take the edit back from ``lines``."""
        replace_text(lines, self.start, self.new_end, self.taken)


def replace_text(lines: list[str], start: Position, end: Position, text: str) -> tuple[list[str], list[str]]:
    """Replace what is from ``start`` to ``end`` of ``lines``; the lines that went, and those that came."""
    new = split_lines(text)
    new[-1] += lines[end.line][end.character :]
    new[0] = lines[start.line][: start.character] + new[0]
    old = lines[start.line : end.line + 1]
    lines[start.line : end.line + 1] = new
    return old, new


@dataclass
class Snapshot:
    """The places of a document at one moment.

    A place that an edit touched is another object afterwards; one that was only moved along is the same with
    another range. So a snapshot costs next to nothing.
    """

    places: dict[str, Place]
    ranges: list[Range | None]

    @classmethod
    def of(cls, places: dict[str, Place]) -> Snapshot:
        """The places as they are now."""
        return cls(dict(places), [place.range for place in places.values()])

    def restore(self, places: dict[str, Place]) -> None:
        """Put the places back; those that came later stay as they are."""
        for (key, place), range_ in zip(self.places.items(), self.ranges, strict=True):
            place.range = range_
            places[key] = place


@dataclass
class _Step:
    """What one notification changed, the sum of the lines' hashes before it and after it, and the places there."""

    edits: list[Edit]
    sum_before: int
    sum_after: int
    before: Snapshot
    after: Snapshot | None = None

    @property
    def size(self) -> int:
        return sum(len(edit.taken) + len(edit.put) for edit in self.edits)

    def undone(self, after: Snapshot) -> _Step:
        edits = [edit.undone() for edit in reversed(self.edits)]
        return _Step(edits, self.sum_after, self.sum_before, after)


@dataclass
class History:
    """The latest steps of one document, those that were undone too.

    An editor undoes in whatever portions it likes: what was typed letter by letter goes at once, at a place that
    may be ambiguous. So a step counts as an undo or a redo when the text after it is one that was there before,
    and then the places are what they were then. Equal texts are found by the sum of their lines' hashes, which
    costs as much as the edit is large, and are compared before anything is believed.
    """

    sum: int
    _steps: list[_Step] = field(default_factory=list)
    _at: int = 0
    """How many of the steps are done; the others were undone."""
    _size: int = 0

    @classmethod
    def begin(cls, lines: Sequence[str]) -> History:
        """The history of a document that has ``lines`` now."""
        return cls(sum(map(hash, lines)))

    def took(self, edits: list[Edit], before: Snapshot, sum_before: int, lines: Sequence[str]) -> Snapshot | None:
        """Take a step in.

        Args:
            edits: what was changed, one after the other.
            before: the places before it.
            sum_before: :attr:`sum` before it.
            lines: the lines after it.

        Returns:
            The places to go back to, if the text is one that was there before.
        """
        if (known := self._known(edits, sum_before, lines)) is not None:
            if known == self._at:
                return before
            if self._at < len(self._steps):
                self._steps[self._at].before = before
            else:
                self._steps[-1].after = before
            self._at = known
            return self._steps[known].before if known < len(self._steps) else self._steps[-1].after
        # What was undone stays reachable, by the way back from it: the editor may know more of it than we do.
        undone = self._steps[self._at :]
        afters = [*(step.before for step in undone[1:]), self._steps[-1].after] if undone else []
        for step, after in zip(reversed(undone), reversed(afters), strict=True):
            self._add(step.undone(after or before))
        self._add(_Step(edits, sum_before, self.sum, before))
        self._at = len(self._steps)
        most = min(_STEPS, _RANGES // max(1, len(before.ranges)))
        while self._steps and (len(self._steps) > most or self._size > _CHARS):
            self._size -= self._steps.pop(0).size
            self._at -= 1
        return None

    def _add(self, step: _Step) -> None:
        self._steps.append(step)
        self._size += step.size

    def _known(self, edits: Sequence[Edit], sum_before: int, lines: Sequence[str]) -> int | None:
        """How many steps are done in the text that ``lines`` are, if it is one that was there before."""
        likely = [
            number
            for number in range(len(self._steps) + 1)
            if (self._sum_at(number) if number != self._at else sum_before) == self.sum
        ]
        for number in sorted(likely, key=lambda number: abs(number - self._at)):
            if self._text_at(number, edits, lines) == lines:
                return number
        return None

    def _sum_at(self, number: int) -> int:
        return self._steps[number].sum_before if number < len(self._steps) else self._steps[-1].sum_after

    def _text_at(self, number: int, edits: Sequence[Edit], lines: Sequence[str]) -> list[str]:
        text = list(lines)
        for edit in reversed(edits):
            edit.undo(text)
        for step in reversed(self._steps[number : self._at]):
            for edit in reversed(step.edits):
                edit.undo(text)
        for step in self._steps[self._at : number]:
            for edit in step.edits:
                edit.redo(text)
        return text
