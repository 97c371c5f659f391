"""A text as lines, the way LSP counts them, and what each line tells about its place."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
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


@dataclass
class _Known:
    """What was worked out for lines, by their text."""

    weights: dict[str, float] = field(default_factory=dict)
    headers: dict[tuple[str, bool], str | None] = field(default_factory=dict)
    traits: dict[str, Traits] = field(default_factory=dict)


class Lines:
    """The lines of one text in the forms that matching needs; the costly ones are made on first use.

    Args:
        text: the text.
        like: another text that has most of its lines; what was worked out for one of them is used for both.

    Attributes:
        raw: the lines as they are.
        trimmed: without trailing white space, which never matters.
    """

    def __init__(self, text: str, like: Lines | None = None) -> None:
        self.raw = split_lines(text)
        self.trimmed = list(map(str.rstrip, self.raw))
        self._known: _Known = _Known() if like is None else like._known  # noqa: SLF001 - it is one of us
        self._block_ends: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self.raw)

    @cached_property
    def bare(self) -> list[str]:
        """The lines without white space on either side."""
        return list(map(str.strip, self.raw))

    def indent(self, index: int) -> int:
        """The columns that a line is indented by; -1 for a blank line."""
        line = self.trimmed[index]
        if not line:
            return -1
        width = len(line) - len(line.lstrip())
        return len(line[:width].expandtabs(_TAB)) if width and "\t" in line[:width] else width

    def weight(self, index: int) -> float:
        """How much a line tells (see ``line_weight``)."""
        bare = self.bare[index]
        known = self._known.weights.get(bare)
        if known is None:
            known = self._known.weights[bare] = line_weight(bare)
        return known

    def header(self, index: int) -> str | None:
        """The name of the definition that a line begins, or None."""
        bare = self.bare[index]
        if "(" not in bare and " " not in bare:
            return None
        key = bare, self.raw[index].startswith(bare[:1])
        headers = self._known.headers
        if key not in headers:
            headers[key] = header_name(bare, at_margin=key[1])
        return headers[key]

    def block_end(self, index: int) -> int:
        """The last line of the block that a line begins; the line itself if it begins none."""
        known = self._block_ends.get(index)
        if known is None:
            known = self._block_ends[index] = block_end(self, index)
        return known

    def traits(self, index: int) -> Traits:
        """What a line is compared by."""
        bare = self.bare[index]
        known = self._known.traits.get(bare)
        if known is None:
            known = self._known.traits[bare] = traits(bare)
        return known

    def squeezed(self, index: int) -> str:
        """The line as a formatter leaves it: no white space, one kind of quote, no trailing separators."""
        return "".join(self.bare[index].split()).rstrip(";,").replace("'", '"')
