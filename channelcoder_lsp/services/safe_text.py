"""What a model wrote, made fit to be shown: in hovers, lenses, diagnostics, messages and terminals.

A model repeats what it has read, so its answers are treated as hostile input. Three ways out, and no fourth:

- ``safe_markdown`` for places that render Markdown;
- ``plain_text`` for titles and messages;
- ``code_blocks`` for code that goes into a document.

``without_hidden`` (safe_unicode) alone is enough for a terminal, which renders no Markdown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from channelcoder_lsp.services.safe_inline import definitions_in, safe_destination, safe_inline
from channelcoder_lsp.services.safe_unicode import one_kind_of_line_end, without_hidden

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

ELLIPSIS = "…"
_TAIL = f"\n\n{ELLIPSIS}"
_ROUNDS = 6

_MAY_ACT = re.compile(r"[<`~&]|!\[|\][(:]|ftp:", re.IGNORECASE)
_LANGUAGE = re.compile(r"[\s{.]*([A-Za-z][A-Za-z0-9_+#.-]{0,31})")
_NOT_QUOTE = re.compile(r"[^\s>]")
_DELIMITER_ROW = re.compile(r"[\s>*+\-.)\d|:]*")
_CELL_END = re.compile(r"(?<!\\)(\|)")
_ADDRESS = re.compile(r"://|www\.", re.IGNORECASE)
_LINK = re.compile(r"\](?=\(([^\s)]{0,2001}))")
_INVISIBLE_END = "\u200d\ufe0f\ufe0e\u200c"


@dataclass(frozen=True)
class CodeBlock:
    """A fenced code block of an answer.

    Args:
        language: the first word of its info string, such as ``python``; empty when there is none.
        code: what stands between the fences, without the indentation of the list or quote around it.
        cleaned: whether characters that act or hide were taken out of it.
    """

    language: str
    code: str
    cleaned: bool


def safe_markdown(text: str, *, max_chars: int | None = None) -> str:
    """``text``, as Markdown that looks the same and in which nothing acts.

    Raw HTML shows as its source. Images become their alternative text and, on the web, their address as code.
    Links lead to http, https, mailto and relative paths; others show as their source. Code keeps its contents,
    an open fence is closed (answers are shown while they stream), and a fence's info string becomes the name
    of its language. Hidden characters go (``without_hidden``). The result passed in again is not changed.

    Args:
        text: what a model wrote, whole or so far.
        max_chars: characters of the result at most. What is longer is cut between two blocks or lines and ends
            with the line ``…``; the caller says where the whole is.
    """
    text = without_hidden(text)
    if max_chars is None:
        return _settled(text)
    if len(text) <= max_chars:
        shown = _settled(text)
        if len(shown) <= max_chars:
            return shown
    room = budget = max_chars - len(_TAIL)
    while budget > 0:
        shown = _settled(_cut(text, budget)).rstrip("\n")
        if len(shown) <= room:
            return shown + _TAIL if shown else ELLIPSIS
        budget = min(budget - 1, budget * room // len(shown))
    return ELLIPSIS[: max(max_chars, 0)]


def plain_text(text: str, *, max_chars: int, one_line: bool = True) -> str:
    """``text`` for titles, progress and messages: no hidden characters, white space folded, cut with ``…``.

    Markdown's marks stay as they are, but a link that leads elsewhere than ``safe_destination`` allows is broken
    by a space: VS Code turns ``[text](command:...)`` in a notification into a link that runs the command.

    Args:
        text: what a model or a person wrote.
        max_chars: characters of the result at most.
        one_line: whether line ends become spaces, too; otherwise empty lines are dropped.
    """
    text = without_hidden(text)
    if one_line:
        text = " ".join(text.split())
    else:
        text = "\n".join(filter(None, (" ".join(line.split()) for line in text.split("\n"))))
    text = _LINK.sub(lambda match: "]" if safe_destination(match[1]) else "] ", text[: max_chars + 1])
    if len(text) <= max_chars:
        return text
    return (text[: max(max_chars - 1, 0)].rstrip().rstrip(_INVISIBLE_END) + ELLIPSIS)[: max(max_chars, 0)]


def code_blocks(text: str) -> list[CodeBlock]:
    """The fenced code blocks of an answer, in order (CommonMark 0.31.2, section 4.5).

    The code is what the model wrote but for hidden characters, which are dangerous in source (Trojan Source,
    CVE-2021-42574); ``cleaned`` says where some were taken out. A block that is still open, while the answer
    streams, is there as far as it goes.
    """
    raw = one_kind_of_line_end(text)
    shown = without_hidden(raw)
    before, after = raw.split("\n"), shown.split("\n")
    found = []
    for token in _blocks(shown):
        if token.type == "fence" and token.map:
            start, end = token.map
            language = _language(token.info)
            found.append(CodeBlock(language, token.content, before[start:end] != after[start:end]))
    return found


@cache
def _structure() -> MarkdownIt:
    """A parser that sees blocks as they are once no HTML and no unsafe definition is left.

    With ``html_block`` and ``reference`` off, those are paragraphs, which is what escaping makes of them.
    """
    from markdown_it import MarkdownIt  # noqa: PLC0415  (40 ms that start-up does not pay)

    return MarkdownIt("commonmark").enable("table").disable(["html_block", "reference"])


def _blocks(text: str) -> list[Token]:
    parser, tokens = _structure(), list["Token"]()
    parser.block.parse(text if text.endswith("\n") else f"{text}\n", parser, {}, tokens)
    return tokens


def _settled(text: str) -> str:
    """``text`` made safe until making it safe changes nothing: an escape may turn code into text."""
    for _ in range(_ROUNDS):
        if _MAY_ACT.search(text) is None:
            return text
        shown = _pass(text)
        if shown == text:
            return text
        text = shown
    fence = _longer_than_any_in(text)
    return f"{fence}\n{text}\n{fence}"


def _pass(text: str) -> str:
    lines = text.split("\n")
    definitions = definitions_in(text)
    rows = _possible_rows(lines)
    blocks: dict[int, Token] = {}
    for token in _blocks(text):
        if token.map and token.type in {"fence", "code_block", "inline", "table_open"}:
            blocks.setdefault(token.map[0], token)
    out: list[str] = []
    at = 0
    while at < len(lines):
        block = blocks.get(at)
        # Lines of no block (a list's bare mark, what is nested too deeply) are text of their own.
        end = block.map[1] if block and block.map else at + 1
        source = lines[at:end]
        if (block is None or block.type == "inline") and at not in rows:
            out.append(safe_inline("\n".join(source), definitions))
        elif block is None or block.type in {"inline", "table_open"}:
            out += [_row(line, definitions) for line in source]
        else:
            out += _fence(block, source) if block.type == "fence" else _indented(block, source)
        at = end
    return "\n".join(out)


def _possible_rows(lines: list[str]) -> set[int]:
    """The lines that some parser may take for rows of a table: those joined to what could delimit its head."""
    found: set[int] = set()
    for index, line in enumerate(lines):
        if index not in found and "|" in line and "-" in line and _DELIMITER_ROW.fullmatch(line):
            first, last = index, index
            while first > 0 and lines[first - 1].strip(" \t>"):
                first -= 1
            while last + 1 < len(lines) and lines[last + 1].strip(" \t>"):
                last += 1
            found.update(range(first, last + 1))
    return found


def _row(line: str, definitions: dict[str, str]) -> str:
    cells = [safe_inline(cell, definitions, continues=True) for cell in _CELL_END.split(line)]
    if "`" in line and _ADDRESS.search(line):
        # A parser that sees no table here would take what follows an address for a part of it.
        cells = [f" {cell}" if cell.startswith("`") else cell for cell in cells]
    return "".join(cells)


def _fence(token: Token, source: list[str]) -> list[str]:
    prefix, marks, info = source[0].partition(token.markup)
    language = _language(info)
    first = source[0] if info.strip() == language else prefix + marks + language
    if token.content.count("\n") == len(source) - 2:
        return [first, *source[1:]]
    # Empty lines at its end stay behind the fence: they may be the ones that part two blocks.
    code = token.content.rstrip()
    end = 1 + len(code.split("\n")) if code else 1
    return [first, *source[1:end], _NOT_QUOTE.sub(" ", prefix) + marks, *source[end:]]


def _indented(token: Token, source: list[str]) -> list[str]:
    """Indented code, between fences if it could act: where it begins, parsers disagree."""
    if _MAY_ACT.search(token.content) is None:
        return source
    code = token.content.removesuffix("\n").split("\n")
    indent = len(code[0]) - len(code[0].lstrip())
    margin = source[0][: len(source[0]) - len(code[0]) + indent].expandtabs(4)
    prefix = margin[: max(len(margin) - len(code[0][:indent].expandtabs(4)) - 4, 0)]
    marks = _longer_than_any_in(token.content)
    inner = _NOT_QUOTE.sub(" ", prefix)
    return [prefix + marks, *(inner + line if line else inner.rstrip() for line in code), inner + marks]


def _longer_than_any_in(code: str) -> str:
    return "`" * (max([2, *map(len, re.findall(r"`+", code))]) + 1)


def _language(info: str) -> str:
    match = _LANGUAGE.match(info)
    return match[1] if match else ""


def _cut(text: str, budget: int) -> str:
    """``text`` up to ``budget`` characters, to the end of a block, else of a line, else of a word."""
    head = text[: budget + 1]
    ends = [0]
    for line in head.split("\n")[:-1]:
        ends.append(ends[-1] + len(line) + 1)
    starts = [token.map[0] for token in _blocks(head) if token.map and token.level == 0 and token.nesting >= 0]
    for boundary in (max((ends[line] for line in starts if line < len(ends)), default=0), ends[-1]):
        if boundary > budget // 2:
            return text[:boundary]
    word = head[:budget].rfind(" ")
    return text[: word if word > budget // 2 else budget]
