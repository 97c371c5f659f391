"""A text as lines, the way LSP counts them, and what each line tells about its place."""

from __future__ import annotations

import re
from functools import cached_property

from channelcoder_lsp.anchoring.likeness import Traits, traits
from channelcoder_lsp.anchoring.outline import block_end, header_name
from channelcoder_lsp.domain.text import split_lines

_TELLING = re.compile(r"\w+")
_COMMONPLACE = frozenset(
    {
        "begin",
        "break",
        "const",
        "continue",
        "default",
        "do",
        "done",
        "else",
        "end",
        "endif",
        "esac",
        "false",
        "fi",
        "finally",
        "let",
        "nil",
        "none",
        "null",
        "pass",
        "private",
        "protected",
        "public",
        "return",
        "self",
        "static",
        "then",
        "this",
        "true",
        "try",
        "var",
        "void",
    }
)
_FULL_WEIGHT = 16
"""Letters and digits from which on a line counts fully."""
_ENOUGH = 60
"""Characters of a line that are looked at to weigh it."""
_TAB = 4
"""Columns a tab counts for; only comparisons within one file lean on it."""


def line_weight(line: str) -> float:
    """How much ``line`` (stripped) tells: 0 for blank, little for brackets and lone keywords, up to 1."""
    if not line:
        return 0.0
    letters = len("".join(_TELLING.findall(line[:_ENOUGH])))
    if letters == 0:
        return 0.02
    if letters < 9 and line.strip(" \t;:{}()[],").lower() in _COMMONPLACE:  # noqa: PLR2004 - the longest is 9
        return 0.05
    return min(1.0, 0.1 + 0.9 * letters / _FULL_WEIGHT)


class Lines:
    """The lines of one text in the forms that matching needs; the costly ones are made on first use.

    Attributes:
        raw: the lines as they are.
        trimmed: without trailing white space, which never matters.
    """

    def __init__(self, text: str) -> None:
        self.raw = split_lines(text)
        self.trimmed = [line.rstrip() for line in self.raw]
        self._weights: dict[int, float] = {}
        self._headers: dict[int, str | None] = {}
        self._block_ends: dict[int, int] = {}
        self._traits: dict[int, Traits] = {}

    def __len__(self) -> int:
        return len(self.raw)

    @cached_property
    def bare(self) -> list[str]:
        """The lines without white space on either side."""
        return [line.strip() for line in self.raw]

    def indent(self, index: int) -> int:
        """The columns that a line is indented by; -1 for a blank line."""
        line = self.trimmed[index]
        if not line:
            return -1
        lead = line[: len(line) - len(line.lstrip())]
        return len(lead.expandtabs(_TAB)) if "\t" in lead else len(lead)

    def weight(self, index: int) -> float:
        """How much a line tells (see ``line_weight``)."""
        known = self._weights.get(index)
        if known is None:
            known = self._weights[index] = line_weight(self.bare[index])
        return known

    def header(self, index: int) -> str | None:
        """The name of the definition that a line begins, or None."""
        if index not in self._headers:
            bare = self.bare[index]
            self._headers[index] = header_name(bare, at_margin=self.raw[index].startswith(bare[:1]))
        return self._headers[index]

    def block_end(self, index: int) -> int:
        """The last line of the block that a line begins; the line itself if it begins none."""
        known = self._block_ends.get(index)
        if known is None:
            known = self._block_ends[index] = block_end(self, index)
        return known

    def traits(self, index: int) -> Traits:
        """What a line is compared by."""
        known = self._traits.get(index)
        if known is None:
            known = self._traits[index] = traits(self.bare[index])
        return known

    def squeezed(self, index: int) -> str:
        """The line as a formatter leaves it: no white space, one kind of quote, no trailing separators."""
        return "".join(self.bare[index].split()).rstrip(";,").replace("'", '"')
