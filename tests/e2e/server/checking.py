"""Whether a message of the server's is as LSP, or docs/protocol.md, has it: what it is, its keys, its one answer."""

from __future__ import annotations

import dataclasses
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from lsprotocol import converters
from lsprotocol import types as lsp

from channelcoder_lsp.cli.editor import Editor
from channelcoder_lsp.protocol import CHANGED_METHOD, COMMANDS, NOTIFICATIONS, TURN_METHOD, camel

Json = dict[str, Any]

_converter = converters.get_converter()
_OURS = {method: kind for method, kind, _ in NOTIFICATIONS if method in (TURN_METHOD, CHANGED_METHOD)}
_RESULTS = {command.name: command.result for command in COMMANDS}


def check_message(message: Json) -> None:
    """A request or a notification must be one that a server may send; an answer has one of two forms."""
    assert message["jsonrpc"] == "2.0"
    method = message.get("method")
    if method is None:
        assert set(message) in ({"jsonrpc", "id", "result"}, {"jsonrpc", "id", "error"}), message
        return
    if (kind := _OURS.get(method)) is not None:
        assert set(message) == {"jsonrpc", "method", "params"}
        check_ours(kind, message["params"], method)
        return
    assert lsp.message_direction(method) in {"serverToClient", "both"}, method
    check_theirs(message, lsp.METHOD_TO_TYPES[method][0])


def check_answer(message: Json, asked: Json) -> None:
    """The answer to a request must be what that request is answered with."""
    if "error" in message:
        assert set(message["error"]) <= {"code", "message", "data"}, message
        return
    if asked["method"] == lsp.WORKSPACE_EXECUTE_COMMAND and asked["params"]["command"] in _RESULTS:
        command = asked["params"]["command"]
        check_ours(_RESULTS[command], message["result"], command)
    elif asked["method"] == lsp.TEXT_DOCUMENT_CODE_ACTION:  # whose type may be a bare command as well
        for action in message["result"] or ():
            check_theirs(action, lsp.CodeAction)
    elif asked["method"] in lsp.METHOD_TO_TYPES:
        check_theirs(message, lsp.METHOD_TO_TYPES[asked["method"]][1])


def check_theirs(message: Json, kind: Any) -> None:
    """What LSP has a type for: nothing is missing, and nothing is there that the type doesn't know."""
    known = _converter.unstructure(_converter.structure(message, kind))
    _same_keys(message, known, message.get("method", kind.__name__))


def _same_keys(sent: Any, known: Any, where: str) -> None:
    if isinstance(sent, dict):
        assert isinstance(known, dict), where
        for key, value in sent.items():
            if value is not None:
                assert key in known, f"{where} has {key!r}, which LSP doesn't know"
                _same_keys(value, known[key], f"{where}.{key}")
    elif isinstance(sent, list):
        for each, other in zip(sent, known, strict=True):
            _same_keys(each, other, where)


def check_ours(kind: Any, value: Any, where: str) -> None:
    """What docs/protocol.md declares: each field that has no default, and no other key."""
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        _one_of(get_args(kind), value, where)
    elif origin is list:
        assert isinstance(value, list), f"{where} is {value!r}"
        for each in value:
            check_ours(get_args(kind)[0], each, f"{where}[]")
    elif origin is dict:
        assert isinstance(value, dict), f"{where} is {value!r}"
        for key, each in value.items():
            check_ours(get_args(kind)[1], each, f"{where}[{key!r}]")
    elif dataclasses.is_dataclass(kind):
        hints = get_type_hints(kind)
        assert isinstance(value, dict), f"{where} is {value!r}"
        fields = {camel(field.name): field for field in dataclasses.fields(kind)}
        assert set(value) == set(fields), f"{where} has {set(value) ^ set(fields)} too much, or not"
        for key, field in fields.items():
            check_ours(hints[field.name], value[key], f"{where}.{key}")
    elif isinstance(kind, type):
        assert isinstance(value, (int, float) if kind is float else kind), f"{where} is {value!r}"


def _one_of(kinds: tuple[Any, ...], value: Any, where: str) -> None:
    problems = []
    for kind in kinds:
        try:
            check_ours(kind, value, where)
        except AssertionError as problem:
            problems.append(problem)
        else:
            return
    raise AssertionError(problems)


class CheckedEditor(Editor):
    """An editor that minds what its server sends; what doesn't fit is told when the server ends.

    That is also an answer to what nobody asked, a second one, and one that never came.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, check=self._checked, **options)
        self._asked: dict[Any, Json] = {}
        self._wrong: list[str] = []

    def _send(self, message: Json) -> None:
        if "method" in message and "id" in message:
            self._asked[message["id"]] = message
        super()._send(message)

    def _checked(self, message: Json) -> None:
        try:
            check_message(message)
            if "method" not in message:
                assert message["id"] in self._asked, f"nobody asked for, or it was answered before: {message}"
                check_answer(message, self._asked.pop(message["id"]))
        except Exception as problem:  # noqa: BLE001 - the test that reads goes on, and fails at the end
            self._wrong.append(f"{problem} {message}")

    async def quit(self) -> int:
        """All that was asked must have been answered by the end, and all that came must fit."""
        code = await super().quit()
        assert not self._wrong, self._wrong
        assert not self._asked, f"never answered: {self._asked}"
        return code
