"""Messages that a client could send, made from LSP's own types: such that fit, nearly fit, and don't fit at all."""

from __future__ import annotations

import enum
import json
import types
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal, Union, get_args, get_origin

import attrs
from hypothesis import strategies as st
from lsprotocol import types as lsp

from channelcoder_lsp.app import create_server
from channelcoder_lsp.protocol import COMMANDS

NOT_SENT = {lsp.INITIALIZE, lsp.SHUTDOWN, lsp.EXIT}
"""What begins and ends everything; their order has tests of its own."""
_FROM_CLIENT = [
    method
    for method in lsp.METHOD_TO_TYPES
    if lsp.message_direction(method) in {"clientToServer", "both"} and method not in NOT_SENT
]
_HANDLED = [method for method in create_server({}).protocol.fm.features if method in _FROM_CLIENT]
REQUESTS = [method for method in _FROM_CLIENT if lsp.METHOD_TO_TYPES[method][1] is not None]

_CHARACTERS = st.characters(exclude_categories=())
_texts = st.text(_CHARACTERS, max_size=12)
_numbers = st.one_of(st.integers(-2, 12), st.sampled_from([2**31 - 1, 2**31, 2**64, -(2**31)]))
json_values = st.recursive(
    st.one_of(st.none(), st.booleans(), _numbers, st.floats(allow_nan=False), _texts),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(_texts, inner, max_size=3)),
    max_leaves=8,
)


def uris(opened: Sequence[str]) -> st.SearchStrategy[str]:
    """Those of documents that are open, mostly; else what no file has."""
    strange = ["", "file:", "file:///", "file:///%00", "untitled:1", "channelcoder:/turn/x", "http://x/y", "::", "a\nb"]
    return st.one_of(st.sampled_from(list(opened)), st.sampled_from([*strange, "file:///never.py"]), _texts)


class Messages:
    """Strategies for what a client sends.

    Args:
        opened: the URIs of the documents that are open.
    """

    def __init__(self, opened: Sequence[str]) -> None:
        self._uris = uris(opened)
        self.of_type = lru_cache(maxsize=None)(self._of_type)

    def params(self, method: str) -> st.SearchStrategy[Any]:
        """The parameters as LSP has them."""
        if method == lsp.WORKSPACE_EXECUTE_COMMAND:
            names = st.sampled_from([command.name for command in COMMANDS])
            arguments = st.lists(st.one_of(self._argument(), json_values), max_size=2)
            return st.fixed_dictionaries({"command": names, "arguments": arguments})
        [field] = [field for field in attrs.fields(lsp.METHOD_TO_TYPES[method][0]) if field.name == "params"]
        return self.of_type(field.type)

    def _argument(self) -> st.SearchStrategy[Any]:
        """What looks like one of our arguments."""
        keys = {
            "uri": self._uris,
            "range": self.of_type(lsp.Range),
            "turnId": _texts,
            "threadId": _texts,
            "name": _texts,
            "scope": st.sampled_from(["selection", "file", "changes", "nothing"]),
            "text": _texts,
        }
        return st.fixed_dictionaries({}, optional=keys)

    def calls(self) -> st.SearchStrategy[dict[str, Any]]:
        """Requests and notifications: ``method``, ``params`` and whether an answer is due."""

        def call(method: str) -> st.SearchStrategy[dict[str, Any]]:
            fitting = self.params(method)
            params = st.one_of(fitting, fitting, fitting.flatmap(_spoilt), json_values)
            return st.fixed_dictionaries(
                {"method": st.just(method), "params": params, "request": st.just(method in REQUESTS)}
            )

        handled = st.sampled_from(_HANDLED).flatmap(call)
        known = st.sampled_from(_FROM_CLIENT).flatmap(call)
        unknown = st.fixed_dictionaries({"method": _texts, "params": json_values, "request": st.booleans()})
        return st.one_of(handled, handled, handled, known, unknown)

    def _of_type(self, type_: Any) -> st.SearchStrategy[Any]:
        origin = get_origin(type_)
        if type_ in (Any, object) or isinstance(type_, str):
            return json_values
        if origin in (Union, types.UnionType):
            return st.one_of(*(self.of_type(each) for each in get_args(type_)))
        if origin is Literal:
            return st.sampled_from(get_args(type_))
        if origin in (tuple, list, Sequence) or (isinstance(origin, type) and issubclass(origin, Sequence)):
            return st.lists(self.of_type(next(each for each in get_args(type_) if each is not ...)), max_size=3)
        if origin in (dict, Mapping) or (isinstance(origin, type) and issubclass(origin, Mapping)):
            return st.dictionaries(_texts, self.of_type(get_args(type_)[1]), max_size=2)
        if isinstance(type_, type) and issubclass(type_, enum.Enum):
            return st.sampled_from([each.value for each in type_])
        if attrs.has(type_):
            return st.deferred(lambda: self._of_class(type_))
        simple = {str: _texts, int: _numbers, bool: st.booleans(), float: st.floats(allow_nan=False)}
        return simple.get(type_, st.none())

    def _of_class(self, type_: type) -> st.SearchStrategy[dict[str, Any]]:
        needed: dict[str, st.SearchStrategy[Any]] = {}
        optional: dict[str, st.SearchStrategy[Any]] = {}
        for field in attrs.fields(type_):
            name = _camel(field.name)
            values = self._uris if name in {"uri", "newUri", "oldUri"} else self.of_type(field.type)
            (needed if field.default is attrs.NOTHING else optional)[name] = values
        return st.fixed_dictionaries(needed, optional=optional)


def _spoilt(value: Any) -> st.SearchStrategy[Any]:
    """The value with one of its parts in another form, or gone."""
    if not isinstance(value, dict) or not value:
        return json_values
    return st.tuples(st.sampled_from(sorted(value)), st.one_of(json_values, st.just(...))).map(
        lambda change: {key: each for key, each in (value | {change[0]: change[1]}).items() if each is not ...}
    )


def _camel(name: str) -> str:
    first, *rest = name.rstrip("_").split("_")
    return first + "".join(word.capitalize() for word in rest)


def raw() -> st.SearchStrategy[bytes]:
    """Bytes that are no message, after which the next message can still be found."""

    def framed(body: bytes) -> bytes:
        return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)

    lines = st.binary(max_size=40).map(lambda data: data.replace(b"\n", b"").replace(b":", b"") + b"\r\n")
    bodies = st.one_of(
        st.binary(min_size=1, max_size=60),
        json_values.map(lambda value: json.dumps(value).encode()),
        st.fixed_dictionaries(
            {},
            optional={
                "jsonrpc": st.sampled_from(["2.0", "1.0", 2, None]),
                "id": st.one_of(st.none(), st.booleans(), st.floats(allow_nan=False), st.lists(st.just(1))),
                "method": json_values,
                "result": json_values,
                "error": json_values,
            },
        ).map(lambda value: json.dumps(value).encode()),
        st.integers(500, 60_000).map(lambda depth: b'{"jsonrpc":' * depth + b"}" * depth),
    )
    return st.one_of(lines, bodies.map(framed))
