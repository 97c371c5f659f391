"""The inline part of Markdown, made safe where it stands: raw HTML, images, links, hidden entities.

Nothing is parsed and written again. The text is read once from left to right, and what could act is escaped
on the spot, whether or not this very parser would have taken it for a link or a tag: an editor's parser may
see it otherwise. So ordinary text keeps every character, and what is escaped looks the same.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from html.entities import html5
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from channelcoder_lsp.services.safe_unicode import without_hidden

if TYPE_CHECKING:
    from collections.abc import Mapping

_SPECIAL = re.compile(r"\\[!-/:-@\[-`{-~]|`+|<(?=[A-Za-z/!?])|!\[|\](?=[(:])|&(?=[#A-Za-z])|[Ff][Tt][Pp]:(?=//)")
_TAG = re.compile(r"\\?<[A-Za-z/!?]")
_BARE_ADDRESS = re.compile(r"(?:://|www\.)[^\s<]*\Z", re.IGNORECASE)
_BACKTICKS = re.compile(r"`+")
_CODE_LINE_BREAK = re.compile(r"[ \t]*\n[ \t>]*")
# What an address in <> may hold to stay: nothing that any parser could read as the end of it or as markup.
_AUTOLINK = re.compile(
    r"<(?:https?://|mailto:)[^\s<>`\\\[\]]*>|<[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+>",
    re.IGNORECASE,
)
_DESTINATION = re.compile(r"[ \t]*(?:\n[ \t>]*)?(<[^<>\n]{0,2000}>(?=[\s)])|[^\s)]{0,2001})")
_DEFINED = re.compile(r"[ \t]*(?:\n[ \t>]*)?(\S{0,2001})")
_LABEL_FIRST = re.compile(r"[ \t>*+\-.)0-9]*\[")
_IMAGE = re.compile(
    r"""!\[((?:[^\[\]\\`<\n]|\\[^\n`<])*)\]"""
    r"""(?:\([ \t]*(<[^<>\n]*>|[^\s()<>]*(?:\([^\s()<>]*\)[^\s()<>]*)*)"""
    r"""(?:[ \t]+(?:"[^"\n]*"|'[^'\n]*'|\([^()\n]*\)))?[ \t]*\)"""
    r"""|\[([^\[\]\n]*)\])?"""
)
_DEFINITION = re.compile(r"^[ \t>]*\[([^\[\]\n]+)\]:[ \t]*<?(https?://[^\s<>]+)", re.MULTILINE | re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#([0-9]{1,7})|#[xX]([0-9a-fA-F]{1,6})|([A-Za-z][A-Za-z0-9]{1,31}));?")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_WHITESPACE = re.compile(r"[\x00-\x20\x7f-\xa0\s]+")
_ALLOWED_SCHEME = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)
_WEB = re.compile(r"https?://", re.IGNORECASE)
_PLAIN_PATH = re.compile(r"(?:[!-$'-.0-9;=?-\[\]-~][!-$'-9;=-\[\]-~]*)?")
_DECODINGS = 3
_LONGEST_ADDRESS = 2_000
_LAST_CODE_POINT = 0x10FFFF


def safe_destination(written: str) -> bool:
    """Whether a link may lead to ``written``: http, https, mailto, or a relative path, query or fragment.

    Escapes, entities and percent-encoding are undone and white space dropped before the scheme is looked for.
    Absolute paths, ``//host`` and backslashes are refused too, since they reach files and network shares, and
    whatever is longer than 2,000 characters.
    """
    if len(written) > _LONGEST_ADDRESS:
        return False
    if _PLAIN_PATH.fullmatch(written):
        return True
    address = _ESCAPED.sub(r"\1", written)
    for _ in range(_DECODINGS):
        decoded = unquote(_ENTITY.sub(lambda match: _decoded(match) or match[0], address))
        if decoded == address:
            break
        address = decoded
    address = _WHITESPACE.sub("", without_hidden(address)).removeprefix("<")
    if _ALLOWED_SCHEME.match(address):
        return True
    if address.startswith("/") or "\\" in address:
        return False
    return ":" not in re.split(r"[/?#]", address, maxsplit=1)[0]


def definitions_in(text: str) -> dict[str, str]:
    """The web addresses of the reference definitions in ``text``, by label; the first of a label counts."""
    found: dict[str, str] = {}
    for label, address in _DEFINITION.findall(text) if "]:" in text else ():
        found.setdefault(_label(label), address)
    return found


def safe_inline(text: str, definitions: Mapping[str, str], *, continues: bool = False) -> str:
    """One block's ``text`` in which nothing acts.

    Args:
        text: the source of a paragraph, a heading or a table's cell, with the marks of the quotes and lists
            around it; without hidden characters.
        definitions: what ``definitions_in`` found in the whole text.
        continues: whether the paragraph would go on behind ``text`` if this were no table.
    """
    if _SPECIAL.search(text) is None:
        return text
    return _Scan(text, definitions, continues=continues).run()


class _Scan:
    def __init__(self, text: str, definitions: Mapping[str, str], *, continues: bool) -> None:
        self._continues = continues
        self._text = text
        self._definitions = definitions
        self._plain_from = 0
        self._runs: dict[int, list[int]] = defaultdict(list)
        for run in _BACKTICKS.finditer(text):
            self._runs[len(run[0])].append(run.start())

    def run(self) -> str:
        text, out, at = self._text, [], 0
        while (match := _SPECIAL.search(text, at)) is not None:
            out.append(text[at : match.start()])
            mark = match[0]
            if mark[0] == "\\":
                # Not every parser lets a backslash escape it, and none does at the end of a bare address.
                escaped_tag = _TAG.match(text, match.start())
                shown, at = "&lt;" if escaped_tag else mark, match.end()
            elif mark[0] == "`":
                shown, at = self._code(match)
            elif mark == "<":
                shown, at = self._angle(match.start())
            elif mark == "![":
                shown, at = self._image(match.start())
            elif mark == "]":
                shown, at = self._destination(match.start())
            elif mark == "&":
                shown, at = self._entity(match.start())
            else:  # marked makes a link of a bare ftp address
                shown, at = f"{mark}\\", match.end()
            out.append(shown)
        out.append(text[at:])
        return "".join(out)

    def _code(self, opening: re.Match[str]) -> tuple[str, int]:
        length = len(opening[0])
        runs = self._runs[length]
        index = bisect_left(runs, opening.end())
        if index == len(runs):
            # Left open, a parser that sees larger blocks could pair it with a later one.
            return "\\`" * length, opening.end()
        end = runs[index] + length
        # On one line it stays one span for every parser, whatever its lines begin with.
        span = _CODE_LINE_BREAK.sub(" ", self._text[opening.start() : end])
        # GitHub's bare addresses go on to the next space, through the backtick that opens this span.
        before = self._text[self._plain_from : opening.start()].split()
        touching = before and not self._text[opening.start() - 1].isspace()
        self._plain_from = end
        return (f" {span}" if touching and _BARE_ADDRESS.search(before[-1]) else span), end

    def _angle(self, start: int) -> tuple[str, int]:
        autolink = _AUTOLINK.match(self._text, start)
        return (autolink[0], autolink.end()) if autolink else ("&lt;", start + 1)

    def _image(self, start: int) -> tuple[str, int]:
        match = _IMAGE.match(self._text, start)
        if match is None:
            return "!\\[", start + 2
        alt, address, label = match[1].strip(), match[2], match[3]
        if address is None:
            address = self._definitions.get(_label(label or alt))
            if address is None:
                return "!\\[", start + 2
        address = address.removeprefix("<").removesuffix(">")
        # An alternative text that begins with a mark could become markup where the image stood.
        shown = alt if alt[:1].isalnum() else f"image: {alt}" if alt else "image"
        shown = _Scan(shown, self._definitions, continues=False).run()
        if _WEB.match(address):
            shown += " (`" + address.replace("`", "%60").replace(" ", "%20") + "`)"
        return shown, match.end()

    def _destination(self, start: int) -> tuple[str, int]:
        text, after = self._text, start + 2
        defining = text[start + 1] == ":"
        match = (_DEFINED if defining else _DESTINATION).match(text, after)
        written = match[1] if match else ""
        # Where a parser sees no table, the address may go on in the next cell or line.
        cut_off = self._continues and match is not None and match.end() == len(text)
        if match is None or cut_off or not safe_destination(written):
            return f"]\\{text[start + 1]}", after
        if defining:
            # With nothing behind it on its line, marked would take the fence on the next one for the address.
            alone = not written or "\n" in text[after : match.start(1)]
            return ("]\\:" if alone and _LABEL_FIRST.match(text) else "]:"), after
        if not written.startswith("<") or _AUTOLINK.fullmatch(written):
            return "](", after
        if "\\" in written:
            return "]\\(", after
        return text[start : match.start(1)] + quote(written[1:-1], safe="/?#&=%:@!$'*+,;~"), match.end()

    def _entity(self, start: int) -> tuple[str, int]:
        match = _ENTITY.match(self._text, start)
        if match is None:
            return "&", start + 1
        decoded = _decoded(match)
        hidden = decoded is not None and without_hidden(decoded) != decoded
        return "&amp;" if hidden else "&", start + 1


def _decoded(entity: re.Match[str]) -> str | None:
    decimal, hexadecimal, name = entity.groups()
    if name:
        return html5.get(name + ";")
    code_point = int(decimal) if decimal else int(hexadecimal, 16)
    return chr(code_point) if code_point <= _LAST_CODE_POINT else None


def _label(written: str) -> str:
    return " ".join(written.split()).casefold()
