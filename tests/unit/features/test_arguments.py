"""From a client's JSON to typed arguments, and results back."""

from __future__ import annotations

from typing import Any

import pytest

from channelcoder_lsp import protocol
from channelcoder_lsp.domain.errors import ArgumentsError
from channelcoder_lsp.features.arguments import as_json, parse

RANGE = {"start": {"line": 1, "character": 2}, "end": {"line": 3, "character": 4}}


def test_keys_in_camel_case_become_fields():
    """What is left out has its default."""
    given = {"uri": "file:///a.py", "range": RANGE, "threadId": "t", "commentLine": 4}
    parsed = parse(protocol.ASK, [given])
    assert parsed == protocol.AskArguments(
        uri="file:///a.py",
        range=protocol.ClientRange(protocol.ClientPosition(1, 2), protocol.ClientPosition(3, 4)),
        thread_id="t",
        comment_line=4,
    )


def test_a_commands_only_argument_may_be_left_out_if_all_its_keys_may():
    """``channelcoder.cancel`` without anything cancels everything."""
    assert parse(protocol.CANCEL, []) == protocol.CancelArguments()
    assert parse(protocol.CANCEL, [{}]) == protocol.CancelArguments()


def test_diagnostics_may_have_more_than_is_used():
    """LSP's diagnostics have tags, data and what a newer version adds."""
    found = {"range": RANGE, "message": "m", "code": 3, "tags": [1], "data": {"x": 1}, "codeDescription": {"href": "h"}}
    parsed = parse(protocol.ASK, [{"uri": "u", "range": RANGE, "question": "q", "diagnostics": [found]}])
    assert (parsed.diagnostics[0].message, parsed.diagnostics[0].code) == ("m", 3)


@pytest.mark.parametrize(
    ("command", "given", "field"),
    [
        (protocol.ASK, [], "uri"),
        (protocol.ASK, [{"range": RANGE}], "uri"),
        (protocol.ASK, [{"uri": 3, "range": RANGE}], "uri"),
        (protocol.ASK, [{"uri": "u"}], "range"),
        (
            protocol.ASK,
            [{"uri": "u", "range": {"start": {"line": "x", "character": 0}, "end": {}}}],
            "range.start.line",
        ),
        (protocol.ASK, [{"uri": "u", "range": RANGE, "questoin": "q"}], "questoin"),
        (protocol.ASK, [{"uri": "u", "range": RANGE, "diagnostics": [{"range": RANGE}]}], "diagnostics.0.message"),
        (protocol.ASK, [{"uri": "u", "range": RANGE, "commentLine": "x"}], "commentLine"),
        (protocol.SESSION_RENAME, [{"name": "a"}], "newName"),
        (protocol.ANSWER_INSERT, [{"turnId": "t", "block": None}], "block"),
        (protocol.CANCEL, [None], "the argument"),
        (protocol.CANCEL, ["turn-1"], "the argument"),
        (protocol.CANCEL, [[]], "the argument"),
    ],
)
def test_what_does_not_fit_is_named(command: protocol.Command, given: list[Any], field: str):
    """By command and field, with a place to read more."""
    with pytest.raises(ArgumentsError) as raised:
        parse(command, given)
    assert raised.value.message.startswith(f"{command.name}: {field}: ")
    assert "docs/protocol.md" in raised.value.message


def test_more_than_one_argument_is_refused():
    """A client that spreads its keys over several arguments hears about it."""
    with pytest.raises(ArgumentsError, match="one argument, an object; 2 were given"):
        parse(protocol.RETRY, ["turn-1", {}])


def test_results_are_camel_case_all_the_way_down():
    """Lists and nested objects too; null stays."""
    row = protocol.SessionRow("a", "/a", "then", "now", 2, 0.5, None, None, active=True)
    assert as_json(protocol.SessionRows([row])) == {
        "sessions": [
            {
                "name": "a",
                "path": "/a",
                "created": "then",
                "lastActive": "now",
                "messageCount": 2,
                "costUsd": 0.5,
                "firstQuestion": None,
                "checkout": None,
                "active": True,
            }
        ]
    }
