"""What minds the server's messages finds what doesn't fit."""

from __future__ import annotations

from typing import Any

import pytest

from .checking import check_answer, check_message

HOVER = {"method": "textDocument/hover"}
MODEL = {"method": "workspace/executeCommand", "params": {"command": "channelcoder.model"}}


def notified(method: str, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": method, "params": params}


def answered(result: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "result": result}


@pytest.mark.parametrize(
    "message",
    [
        notified("window/showMessage", type=3, message="Hello", more=1),
        notified("window/showMessage", type=3),
        notified("textDocument/didOpen", textDocument={"uri": "a", "languageId": "b", "version": 1, "text": ""}),
        notified("channelcoder/sold", turnId="1"),
        notified("channelcoder/changed", folders=[], more=1),
        notified("channelcoder/changed"),
        answered(None) | {"error": {"code": 1, "message": "Both"}},
    ],
)
def test_a_message_that_a_server_does_not_send(message: dict[str, Any]):
    """A key that nobody knows, one that is missing, another direction, no such method, an answer of both kinds."""
    with pytest.raises(Exception, match=r".+"):
        check_message(message)


@pytest.mark.parametrize(
    ("asked", "result"),
    [
        (HOVER, {"contents": {"kind": "markdown", "value": "x"}, "more": 1}),
        (HOVER, {"contents": {"kind": "markdown", "value": "x", "more": 1}}),
        (HOVER, {"range": None}),
        (MODEL, {"model": "opus", "more": 1}),
        (MODEL, {}),
        (MODEL, None),
    ],
)
def test_an_answer_that_does_not_fit_its_question(asked: dict[str, Any], result: Any):
    with pytest.raises(Exception, match=r".+"):
        check_answer(answered(result), asked)


def test_what_fits():
    check_message(notified("window/showMessage", type=3, message="Hello"))
    check_message(notified("channelcoder/changed", folders=["/a"]))
    check_answer(answered({"contents": {"kind": "markdown", "value": "x"}}), HOVER)
    check_answer(answered(None), HOVER)
