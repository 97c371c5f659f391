r"""Filling values into a prompt: ``{name}``, ``{user.name}``, ``{count == 0 ? "none" : count}``.

The language is the one of ChannelCoder's templates: ``{...}`` or ``${...}`` around a name, a path, a ternary, an
equality, a negation or ``||``; ``\{`` stands for a brace. What is no such expression stays as it is, so that code
and JSON in a prompt need no escaping. A value is data: it is put in as it is and never looked at again.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_HOLE = re.compile(r"\\(?P<escaped>\$?\{)|\$?\{(?P<expression>[^{}]+)\}")
_TOKEN = re.compile(
    r"""\s*(?:
        (?P<text>"[^"]*"|'[^']*')
      | (?P<number>-?\d+(?:\.\d+)?)
      | (?P<name>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_0-9]+)*)
      | (?P<sign>===|!==|==|!=|\|\||[!?:()])
    )""",
    re.VERBOSE,
)
_CONSTANTS: Mapping[str, Any] = {"true": True, "false": False, "null": None, "undefined": None}
_DEEPEST = 100


def render(template: str, data: Mapping[str, Any]) -> str:
    """``template`` with the values of ``data`` filled in.

    Args:
        template: the text.
        data: the values by name; a name that isn't there is empty.

    Returns:
        The text. Lists and objects stand in it as JSON, indented by two; None as nothing.
    """

    def fill(hole: re.Match[str]) -> str:
        if hole["escaped"]:
            return hole["escaped"]
        try:
            return shown(_Expression(hole["expression"], data).value())
        except _NoExpressionError:
            return hole[0]

    return _HOLE.sub(fill, template)


def shown(value: Any) -> str:
    """A value as it stands in the text."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case float() if value.is_integer():
            return str(int(value))
        case dict() | list() | tuple():
            return json.dumps(value, indent=2, ensure_ascii=False, default=str)
    return str(value)


class _NoExpressionError(Exception):
    """The text in the braces is none of ours."""


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str


class _Expression:
    """The value of one expression: ``or``, then ternary, from the loosest to the tightest."""

    def __init__(self, source: str, data: Mapping[str, Any]) -> None:
        self._tokens = _tokens(source)
        self._data = data
        self._at = 0
        self._depth = 0

    def value(self) -> Any:
        found = self._ternary()
        if self._at < len(self._tokens):
            raise _NoExpressionError
        return found

    def _ternary(self) -> Any:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _NoExpressionError
        condition = self._either()
        if not self._take("?"):
            self._depth -= 1
            return condition
        yes = self._branch()
        if not self._take(":"):
            raise _NoExpressionError
        no = self._branch()
        self._depth -= 1
        return yes if _holds(condition) else no

    def _branch(self) -> Any:
        """One side of a ternary: a name that isn't among the data stands for itself."""
        token = self._peek()
        after = self._tokens[self._at + 1].text if self._at + 1 < len(self._tokens) else ":"
        if token is not None and token.kind == "name" and after in ":)":
            self._at += 1
            if token.text in _CONSTANTS:
                return _CONSTANTS[token.text]
            found = self._look_up(token.text)
            return token.text if found is None and not self._has(token.text) else found
        return self._ternary()

    def _either(self) -> Any:
        found = self._equality()
        while self._take("||"):
            other = self._equality()
            found = found if _holds(found) else other
        return found

    def _equality(self) -> Any:
        left = self._unary()
        token = self._peek()
        if token is not None and token.text in ("==", "===", "!=", "!=="):
            self._at += 1
            right = self._unary()
            return _same(left, right) == token.text.startswith("=")
        return left

    def _unary(self) -> Any:
        if self._take("!"):
            self._depth += 1
            if self._depth > _DEEPEST:
                raise _NoExpressionError
            found = not _holds(self._unary())
            self._depth -= 1
            return found
        if self._take("("):
            found = self._ternary()
            if not self._take(")"):
                raise _NoExpressionError
            return found
        return self._plain()

    def _plain(self) -> Any:
        token = self._peek()
        if token is None or token.kind == "sign":
            raise _NoExpressionError
        self._at += 1
        make: Mapping[str, Callable[[str], Any]] = {
            "text": lambda text: text[1:-1],
            "number": lambda text: float(text) if "." in text else int(text),
            "name": lambda text: _CONSTANTS[text] if text in _CONSTANTS else self._look_up(text),
        }
        return make[token.kind](token.text)

    def _look_up(self, path: str) -> Any:
        current: Any = self._data
        for part in path.split("."):
            if not isinstance(current, dict) and current is not self._data:
                return None
            current = current.get(part)
        return current

    def _has(self, path: str) -> bool:
        first = path.split(".", maxsplit=1)[0]
        return first in self._data

    def _peek(self) -> _Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _take(self, sign: str) -> bool:
        token = self._peek()
        if token is None or token.kind != "sign" or token.text != sign:
            return False
        self._at += 1
        return True


def _tokens(source: str) -> Sequence[_Token]:
    tokens, at, source = [], 0, source.strip()
    while at < len(source):
        match = _TOKEN.match(source, at)
        if match is None or match.lastgroup is None:
            raise _NoExpressionError
        tokens.append(_Token(match.lastgroup, match[match.lastgroup]))
        at = match.end()
    return tokens


def _holds(value: Any) -> bool:
    """Whether a value counts as true: as in JavaScript, where empty lists and objects do."""
    return True if isinstance(value, (dict, list, tuple)) else bool(value)


def _same(left: Any, right: Any) -> bool:
    """Whether two values are equal and of one kind: a number is no text, and true is no number."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    return bool(left == right)
