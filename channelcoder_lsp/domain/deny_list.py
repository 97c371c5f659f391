"""Which files are kept from Claude: those whose names say that they hold secrets, and those that rules name.

The rules are written as the command line has them in ``Read(...)``: patterns as in ``.gitignore``, without regard to
case. ``//`` begins an absolute path, ``~/`` one in the home folder, ``/`` one relative to whatever holds the rule, and
all else is relative to the folder asked about. ``!`` takes back what a pattern of that last kind before it says, for
rules from the same source. What is no pattern stands for the path of that name.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING

from channelcoder_lsp.domain.secrets import is_secret

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pathspec import GitIgnoreSpec
    from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

_SPECIAL = re.compile(r"[\\*?\[\]!#]| (?= *$)")
_ODD_CLASS = re.compile(r"\[[^\]]*(?:\[|--|&&|~~|\|\|)")
"""What Python's regular expressions may one day read otherwise, and warn of."""
_ALL = "/**"
_PATH_CHARS = 1_000
"""Longest path, below the folder that a rule is about, that is matched: what is longer is taken to be meant."""


@dataclass(frozen=True)
class DenyRules:
    """What one source keeps from Claude.

    Args:
        patterns: the patterns, in the order in which they were given.
        root: what a pattern that begins with one slash is relative to.
    """

    patterns: tuple[str, ...]
    root: Path


class DenyList:
    """The files that are kept from Claude in one folder. Without rules: by their names alone.

    Args:
        folder: the folder asked about; with rules there is one.
        rules: what each source says. A source can take nothing back of another's, nor of the names.
    """

    def __init__(self, folder: Path | None = None, rules: Sequence[DenyRules] = ()) -> None:
        self._groups: list[_Group] = []
        if folder is not None:
            for source in rules:
                placed = [_placed(text, folder, source.root) for text in source.patterns if text.strip(" !")]
                here = [each.pattern for each in placed if each.anchor is None and each.pattern]
                if here:
                    self._groups.append(_Group(folder, here, of_the_folder=True))
                self._groups += [_Group(each.anchor, [each.pattern]) for each in placed if each.anchor is not None]

    def denies(self, path: Path) -> bool:
        """Whether a file is kept from Claude, by its own path or by the one that links in it lead to."""
        asked = Path(os.path.abspath(path))  # noqa: PTH100 - keeps links
        named = {asked}
        with suppress(OSError, RuntimeError, ValueError):  # a loop of links, a name the system refuses: nor is it read
            named.add(asked.resolve())
        return any(is_secret(each) or self._ruled_out(each) for each in named)

    def read_rules(self, seen_at: tuple[Path, PurePath] | None = None) -> list[str]:
        """What the rules say, as rules of the command line that mean the same wherever they stand.

        Args:
            seen_at: a folder, and where it is for the command line, if that is elsewhere.
        """
        rules, may_take_back = [], True
        for group in self._groups:
            if not group.of_the_folder:
                rules.append(f"Read({_absolute(_moved(group.anchor, seen_at))}{group.patterns[0]})")
                continue
            # All come from one source there: what one of several took back would be the others' too.
            rules += [f"Read({pattern})" for pattern in group.patterns if may_take_back or not pattern.startswith("!")]
            may_take_back = False
        return rules

    def _ruled_out(self, path: PurePath) -> bool:
        if not self._groups:
            return False
        name = _comparable(path)
        return any(group.matches(name) for group in self._groups)


def whole_folder(folder: PurePath) -> str:
    """The command line's rule that nothing below an absolute folder is read."""
    return f"Read({_absolute(folder)}/**)"


@dataclass(frozen=True)
class _Placed:
    pattern: str
    anchor: Path | None
    """The folder it is about; None: the one asked about."""


def _placed(text: str, folder: Path, root: Path) -> _Placed:
    """A pattern, and the folder that it is about, as far down as no wildcard stands in its path."""
    if text.startswith("//"):
        anchor, rest = Path(folder.anchor or "/"), text[1:]
        if os.name == "nt" and (drive := re.match(r"//([A-Za-z])(?=/|$)", text)) is not None:
            anchor, rest = Path(f"{drive[1]}:/"), text[drive.end() :]
    elif text.startswith("~/"):
        anchor, rest = Path.home(), text[1:]
    elif text.startswith("/"):
        anchor, rest = root, text
    else:
        return _Placed(text.removeprefix("./"), None)
    if rest == "/":  # means nothing to the command line either
        return _Placed("", None)
    parts = rest.split("/")[1:]
    while len(parts) > 1 and parts[0] and parts[0] not in {".", ".."} and not _SPECIAL.search(parts[0]):
        anchor /= parts.pop(0)
    return _Placed("/" + "/".join(parts) if parts != [""] else _ALL, anchor)


class _Group:
    """Patterns about one folder, of which a later one may take back what an earlier one says."""

    def __init__(self, anchor: Path, patterns: Sequence[str], *, of_the_folder: bool = False) -> None:
        from pathspec import GitIgnoreSpec  # noqa: PLC0415 - where there are rules

        self.anchor = anchor
        self.patterns = patterns
        self.of_the_folder = of_the_folder
        # A rule that is written through a link holds for the folder that the link leads to as well.
        self._folders = {_comparable(anchor).rstrip("/"), _comparable(_real(anchor)).rstrip("/")}
        self._takes_back = any(each.startswith("!") for each in patterns)
        self._spec: GitIgnoreSpec = GitIgnoreSpec([_compiled(each) for each in patterns], backend="simple")

    def matches(self, name: str) -> bool:
        if self.patterns == [_ALL] and name in self._folders:
            return True
        return any(name.startswith(f"{folder}/") and self._below(name[len(folder) + 1 :]) for folder in self._folders)

    def _below(self, name: str) -> bool:
        if len(name) > _PATH_CHARS:
            return True
        names = [name, f"{name}/"]
        if self._takes_back:
            # What is ruled out as a folder is so with all that is in it, whatever is taken back of that.
            names += [name[: slash.end()] for slash in re.finditer("/", name)]
        return any(map(self._spec.match_file, names))


def _compiled(text: str) -> GitIgnoreSpecPattern:
    from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern  # noqa: PLC0415 - where there are rules

    taken_back, body = text.startswith("!"), text.removeprefix("!").lower()
    # What all below a folder is, the command line takes for the folder: `a/**` is at any depth, as `a` is.
    body = body.removesuffix(_ALL) or _ALL
    sign = "!" if taken_back else ""
    if not _ODD_CLASS.search(body) and not body.startswith("#"):
        try:
            compiled = GitIgnoreSpecPattern(sign + body)
        except (ValueError, re.error):
            pass
        else:
            if compiled.include is not None:
                return compiled
    return GitIgnoreSpecPattern(sign + _escaped(body))


def _real(folder: Path) -> Path:
    try:
        return folder.resolve()
    except (OSError, RuntimeError, ValueError):  # a loop of links
        return folder


def _comparable(path: PurePath) -> str:
    """A path as the command line compares it: on Windows ``C:/A`` is ``/c/a``."""
    text = path.as_posix()
    return (f"/{path.drive[0]}{text[2:]}" if re.match(r"[A-Za-z]:/", text) else text).lower()


def _moved(folder: PurePath, seen_at: tuple[Path, PurePath] | None) -> PurePath:
    if seen_at is None or not folder.is_relative_to(seen_at[0]):
        return folder
    return seen_at[1] / folder.relative_to(seen_at[0])


def _absolute(folder: PurePath) -> str:
    text = folder.as_posix().rstrip("/")
    return "/" + _escaped(f"/{text[0].lower()}{text[2:]}" if re.match(r"[A-Za-z]:/", f"{text}/") else text)


def _escaped(text: str) -> str:
    return _SPECIAL.sub(lambda found: f"\\{found[0]}", text)
