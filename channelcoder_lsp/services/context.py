"""What else a person chose to send along with a question: files, parts of them, definitions, changes, outputs.

What is open in an editor is taken as it is there when the question is asked; the rest is read from the disk afterwards,
in a thread, and only inside the open folders. Files that are kept from Claude are never read.
"""

from __future__ import annotations

import stat
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING

import anyio.to_thread

from channelcoder_lsp.anchoring.lines import Lines
from channelcoder_lsp.anchoring.symbols import enclosing
from channelcoder_lsp.domain.deny_list import DenyList
from channelcoder_lsp.domain.errors import ArgumentsError
from channelcoder_lsp.domain.text import clamp, split_lines
from channelcoder_lsp.domain.uri import path_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from pathlib import Path

    from channelcoder_lsp.domain.place import Range
    from channelcoder_lsp.services.threads import Document

ENTRIES = 50
"""How many entries a question may have."""
FILE_BYTES = 5_000_000
NEAREST = 5
"""How many names are told where one isn't found."""
_NAMED_LINES = 20_000
"""Lines that are looked through for names to tell."""
_LEADING_LINES = 8
_LEADING = ("@", "#", "/", "*", "-")
"""What decorators and comments above a definition begin with."""


@dataclass(frozen=True)
class ContextItem:
    """Lines to send along.

    Args:
        name: the file's path, or what the text is.
        lines: the lines, without their ends.
        first: the number of the first line in the file, zero-based; None for what is no file's.
        language: the LSP language id, where it is known.
        symbol: the definition that the lines are, if one was asked for.
    """

    name: str
    lines: tuple[str, ...]
    first: int | None = None
    language: str = ""
    symbol: str | None = None


@dataclass(frozen=True)
class Wanted:
    """An entry, as it was given.

    Args:
        field: how an error names it: ``context.0``.
        uri: the file.
        document: the same, if it is open.
        part: a part of it: from its lines the range.
        symbol: the name of a definition in it.
        text: a text instead of a file.
        label: what the text is.
        changes: what is not committed in the folder, instead of a file.
    """

    field: str
    uri: str | None = None
    document: Document | None = None
    part: Callable[[Sequence[str]], Range] | None = None
    symbol: str | None = None
    text: str | None = None
    label: str | None = None
    changes: bool = False


@dataclass(frozen=True)
class Folders:
    """Where files may be read.

    Args:
        root: the folder asked about, against which paths are named.
        opened: all open folders, by their real paths, and which of their files are kept from Claude.
        denied: folders that are never read.
        deny_list: which files are kept from Claude in ``root``.
    """

    root: Path
    opened: Mapping[Path, DenyList]
    denied: Sequence[Path] = ()
    deny_list: DenyList = field(default_factory=DenyList)


class ChosenContext:
    """The entries of one question. What is open is taken when this is made.

    Args:
        wanted: the entries.
        folders: where files may be read.

    Raises:
        ArgumentsError: an entry contradicts itself, or there are too many; the message names it.
    """

    def __init__(self, wanted: Sequence[Wanted], folders: Folders) -> None:
        if len(wanted) > ENTRIES:
            raise ArgumentsError(f"context: {len(wanted)} entries are too many; {ENTRIES} can be sent along.")
        for entry in wanted:
            _check(entry)
        self._folders = folders
        self._wanted = [(entry, list(entry.document.lines) if entry.document is not None else None) for entry in wanted]

    async def items(self, changes: Callable[[str], Awaitable[ContextItem]]) -> tuple[ContextItem, ...]:
        """What is to be sent, in the order in which it was given.

        Args:
            changes: what is not committed in the folder; it is told how an error names the entry.

        Raises:
            ArgumentsError: a file can't be sent; the message names the entry and says why.
            RepositoryError: what changed can't be told.
        """
        items: list[ContextItem] = []
        for entry, lines in self._wanted:
            if entry.changes:
                items.append(await changes(entry.field))
            else:
                items += await anyio.to_thread.run_sync(self._read, entry, lines)
        return tuple(items)

    def _read(self, entry: Wanted, lines: list[str] | None) -> list[ContextItem]:
        if entry.uri is None:
            return [ContextItem(entry.label or "", tuple(split_lines((entry.text or "").rstrip("\r\n"))))]
        name = self._allowed(entry, entry.uri, is_open=lines is not None)
        if lines is None:
            lines = _read_file(entry, path_of(entry.uri))
        language = entry.document.language if entry.document is not None else ""
        if entry.symbol is not None:
            return [
                ContextItem(name, tuple(lines[first : last + 1]), first, language, symbol)
                for symbol, first, last in _definitions(entry, entry.symbol, lines)
            ]
        first, last = 0, len(lines) - 1
        if entry.part is not None:
            span = clamp(lines, entry.part(lines))
            first, last = span.start.line, span.last_line
        elif last and not lines[last]:
            last -= 1  # what a line end at the end of the file opens
        return [ContextItem(name, tuple(lines[first : last + 1]), first, language)]

    def _allowed(self, entry: Wanted, uri: str, *, is_open: bool) -> str:
        """The file's name for Claude, if it may be sent."""
        path = path_of(uri)
        if path is None or not uri.startswith("file:"):
            if not is_open:
                raise ArgumentsError(f"{entry.field}.uri: {uri!r} is not open in the editor. Open it and ask again.")
            if path is None:
                return uri
        try:
            real = path.resolve()
        except (OSError, RuntimeError, ValueError) as problem:  # a loop of links, a name the system refuses
            raise ArgumentsError(f"{entry.field}.uri: {path} can't be followed ({type(problem).__name__}).") from None
        denied = any(real.is_relative_to(folder.resolve()) for folder in self._folders.denied)
        there = (rules for folder, rules in self._folders.opened.items() if real.is_relative_to(folder))
        if denied or any(rules.denies(path) for rules in (self._folders.deny_list, *there)):
            raise ArgumentsError(
                f"{entry.field}.uri: {path.name} is kept from Claude: its name says that it holds secrets or settings, "
                "or a rule denies it. Give the lines that matter as a text."
            )
        if not is_open and not any(real.is_relative_to(folder) for folder in self._folders.opened):
            raise ArgumentsError(
                f"{entry.field}.uri: {path} is outside of the open folders. Open the file in the editor to send it."
            )
        if not uri.startswith("file:"):
            return uri
        for candidate in (path, real):
            if candidate.is_relative_to(self._folders.root):
                return candidate.relative_to(self._folders.root).as_posix()
        return str(path)


def _check(entry: Wanted) -> None:
    """What can be told from the entry alone."""
    if entry.changes:
        if entry != Wanted(entry.field, changes=True):
            raise ArgumentsError(f"{entry.field}: changes are the folder's, so nothing else can be given with them.")
        return
    if (entry.uri is None) == (entry.text is None):
        raise ArgumentsError(f"{entry.field}: give either uri, for a file, or text with a label, for anything else.")
    if entry.uri is None:
        if entry.part is not None or entry.symbol is not None:
            raise ArgumentsError(f"{entry.field}: range and symbol are for a file, so they need uri.")
        if not (entry.text or "").strip():
            raise ArgumentsError(f"{entry.field}.text: there is nothing in it.")
        if not (entry.label or "").strip():
            raise ArgumentsError(f"{entry.field}.label: say what the text is: 'pytest', 'server.log'.")
    elif entry.label is not None:
        raise ArgumentsError(f"{entry.field}.label: a file is named by its path; a label is for text.")
    elif entry.part is not None and entry.symbol is not None:
        raise ArgumentsError(f"{entry.field}: give either range or symbol.")
    elif entry.symbol is not None and not entry.symbol.strip():
        raise ArgumentsError(f"{entry.field}.symbol: it is empty. Leave it out for the whole file.")


def _read_file(entry: Wanted, path: Path | None) -> list[str]:
    if path is None:  # pragma: no cover - it is open, or was refused
        raise ArgumentsError(f"{entry.field}.uri: {entry.uri!r} is no file.")
    try:
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            raise ArgumentsError(f"{entry.field}.uri: {path} is a folder. Name a file in it.")
        if not stat.S_ISREG(found.st_mode):  # reading a pipe may never end
            raise ArgumentsError(f"{entry.field}.uri: {path} is no ordinary file, so it can't be sent.")
        if found.st_size > FILE_BYTES:
            raise ArgumentsError(
                f"{entry.field}.uri: {path} is larger than {FILE_BYTES:,} bytes. Open it and give a range, or a text."
            )
        content = path.read_bytes()
        text = content.decode("utf-8-sig")
    except FileNotFoundError:
        raise ArgumentsError(f"{entry.field}.uri: there is no file {path}.") from None
    except UnicodeDecodeError:
        raise ArgumentsError(f"{entry.field}.uri: {path} is not text in UTF-8, so it can't be sent.") from None
    except OSError as problem:
        raise ArgumentsError(f"{entry.field}.uri: {path} can't be read: {problem.strerror or problem}.") from problem
    if "\0" in text:
        raise ArgumentsError(f"{entry.field}.uri: {path} is not a text, so it can't be sent.")
    return split_lines(text)


def _definitions(entry: Wanted, symbol: str, lines: Sequence[str]) -> list[tuple[str, int, int]]:
    """The definitions named ``symbol``: their whole names, first and last lines. Overloads are several."""
    wanted = _dotted(symbol.strip())
    last_name = wanted.rpartition(".")[2]
    known = Lines("\n".join(lines))
    found: list[tuple[str, int, int]] = []
    for line, text in enumerate(lines):
        if last_name in text and known.header(line) is not None:
            name = _whole_name(known, line)
            if name == wanted or name.endswith(f".{wanted}"):
                found.append((name, _with_what_leads(known, line), known.block_end(line)))
    exact = [one for one in found if one[0] == wanted] or found
    names = list(dict.fromkeys(name for name, _, _ in exact))
    if len(names) == 1:
        return exact
    if names:
        raise ArgumentsError(f"{entry.field}.symbol: {symbol!r} may be {_listed(names)}. Give the whole name.")
    heads = (line for line in range(min(len(lines), _NAMED_LINES)) if known.header(line) is not None)
    there = list(dict.fromkeys(_whole_name(known, line) for line in heads))
    near = get_close_matches(wanted, there, NEAREST, 0.5)
    near += [name for name in there if name not in near and last_name.casefold() in name.casefold()]
    hint = f" Is it {_listed(near)}?" if near else f" There is {_listed(there)}." if there else ""
    raise ArgumentsError(f"{entry.field}.symbol: no definition of {symbol!r} was found in the file.{hint}")


def _whole_name(lines: Lines, line: int) -> str:
    return _dotted(".".join(enclosing(lines, line, line)))


def _dotted(name: str) -> str:
    return name.replace("::", ".").replace("#", ".")


def _with_what_leads(lines: Lines, head: int) -> int:
    """The first of the decorators and comments right above a definition."""
    first = head
    while (
        first > 0
        and head - first < _LEADING_LINES
        and lines.indent(first - 1) == lines.indent(head)
        and lines.bare[first - 1].startswith(_LEADING)
    ):
        first -= 1
    return first


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:NEAREST]) + (f" or one of {len(names) - NEAREST} others" if len(names) > NEAREST else "")
