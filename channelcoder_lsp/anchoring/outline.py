"""Definitions, in whatever language: which lines begin one, and where it ends.

Cheap patterns and indentation, no parser: what they miss is still found by its lines.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from channelcoder_lsp.anchoring.lines import Lines

_MODIFIERS = (
    r"(?:(?:export|default|pub(?:\([^)]*\))?|async|static|abstract|final|public|private|protected|internal"
    r"|override|unsafe|inline|virtual|extern|declare|local|const|sealed|partial|open|data)\s+)*"
)
_NAME = r"(?P<name>[\w$~]+(?:(?:\.|::?)[\w$~]+)*)"
_KEYWORD = re.compile(
    _MODIFIERS + r"(?:def|class|fn|func|fun|function\*?|struct|enum|impl(?:<[^>]*>)?|trait|interface|type|mod|module"
    r"|namespace|record|object|protocol|extension|macro_rules!|sub|union)\s+(?:\((?P<receiver>[^)]*)\)\s*)?" + _NAME
)
_ASSIGNED = re.compile(
    r"(?:export\s+)?(?:(?:const|let|var|local)\s+)?(?P<name>[\w$.\[\]'\"]+)\s*(?::[^=]+)?[:=]\s*"
    r"(?:async\s*)?(?:function\b|\([^)]*\)\s*(?::[^=]+)?=>|\w+\s*=>)"
)
_TITLED = re.compile(r"(?P<name>(?:test|it|describe|context)(?:\.\w+)*\s*\(\s*(?:'[^']*'|\"[^\"]*\"|`[^`]*`))")
_SIGNATURE = re.compile(
    r"(?!(?:if|for|while|switch|return|else|catch|do|sizeof|new|throw|elif|elsif|unless|until|with|assert"
    r"|await|yield|and|or|not|in|case|when|match|end)\b)"
    r"(?:[\w<>\[\],:*&?~$#]+\s+[*&]*)*[*&]*(?P<name>[\w$:~#]+)\s*(?:<[^(]*>)?\([^;]*$"
)
_WORDS = re.compile(r"\w+")
_LONGEST = 300
"""Characters from which on a line is no header: keeps the patterns cheap on minified text."""

_OPENS_BRACE = re.compile(r"\{\s*(?:\|[^|]*\|)?\s*(?://.*|/\*.*)?$")
_OPENS_END = re.compile(r"(?:.*\bfunction\b.*\)|(?:.*\s)?(?:do|then)(?:\s*\|.*\|)?|(?:def|class|module)\b[^:{]*)$")
_CLOSES = re.compile(r"[)\]}]|end\b|fi\b|done\b|esac\b")
_GOES_ON = ("{", ":", "(", "[", ",", "do", "then", "=>", "=")
_SIGNATURE_LINES = 20
_LONGEST_BLOCK = 5_000


def header_name(line: str, *, at_margin: bool) -> str | None:
    """The name of the definition that ``line`` (stripped) begins, or None.

    Args:
        line: the line without white space around it.
        at_margin: whether it isn't indented; elsewhere a bare ``name(...)`` is a definition only if it
            opens a brace.
    """
    if len(line) > _LONGEST or not ("(" in line or " " in line):
        return None
    if found := _KEYWORD.match(line):
        receiver = (found["receiver"] or "").split()
        return f"{receiver[-1].strip('*&')}.{found['name']}" if receiver else found["name"]
    if ("=" in line or ":" in line) and (found := _ASSIGNED.match(line)):
        return found["name"]
    if "(" not in line:
        return None
    if found := _TITLED.match(line):
        return "".join(_WORDS.findall(found["name"]))
    if _OPENS_BRACE.search(line) or (at_margin and line.endswith((")", "("))):
        found = _SIGNATURE.match(line)
        return found["name"] if found else None
    return None


def block_end(lines: Lines, head: int) -> int:
    """The last line of the block that the line ``head`` begins; ``head`` itself if it begins none.

    Where the header opens a brace or an ``end`` block, the closing line at the header's own indentation
    decides, so that text at the margin within (raw strings, labels, directives) does no harm.
    """
    closer = _closer(lines, head)
    if closer is not None:
        base = lines.indent(head)
        for index in range(head + 1, min(len(lines), head + _LONGEST_BLOCK)):
            line = lines.bare[index]
            if closer == "}" and not line.startswith(closer):
                continue
            indent = lines.indent(index)
            if indent == base and line.startswith(closer):
                return index
            if closer == "end" and 0 <= indent < base:
                break
    return _indented_end(lines, head)


def _closer(lines: Lines, head: int) -> str | None:
    """What closes the block of the header, where a bracket or a keyword does."""
    if _OPENS_END.match(lines.bare[head]):
        return "end"
    base = lines.indent(head)
    for index in range(head, min(len(lines), head + _SIGNATURE_LINES)):
        line = lines.bare[index]
        if _OPENS_BRACE.search(line):
            return "}"
        if line.endswith((";", ":", "}")):
            return None
        if index > head and line and lines.indent(index) <= base and line[0] not in "){":
            return None
    return None


def _indented_end(lines: Lines, head: int) -> int:
    """Where the block ends by its indentation: the last deeper line, or the closing one after it."""
    base, end, deeper = lines.indent(head), head, False
    for index in range(head + 1, min(len(lines), head + _LONGEST_BLOCK)):
        indent, line = lines.indent(index), lines.bare[index]
        if indent > base:
            end, deeper = index, True
        elif indent < 0:
            continue
        elif indent < base:
            break
        elif line[0] == "{" and not deeper:
            end = index
        elif _CLOSES.match(line):
            end = index
            if not line.endswith(_GOES_ON):
                break
        elif line[0] != "#" and not (line[-1] == ":" and line[:-1].isidentifier()):
            break
    return end
