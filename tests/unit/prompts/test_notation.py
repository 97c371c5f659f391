"""The short schema notation of prompt files."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from channelcoder_lsp.domain.errors import PromptError
from channelcoder_lsp.prompts.notation import model_of

NOTATION = """
name: string
age?: number
tags: string[]
config:
  port: number
  host?: string
result:
  type: string
  enum: [feature, bug]
items:
  - name: string
    done: boolean
title?:
  type: string
  max: 5
count:
  type: number
  default: 3
"""
GOOD: dict[str, Any] = {
    "name": "Ada",
    "tags": ["a"],
    "config": {"port": 80},
    "result": "bug",
    "items": [{"name": "x", "done": True}],
}


def notation(text: str = NOTATION) -> Any:
    return yaml.safe_load(text)


def test_what_fits_is_taken_with_its_defaults_and_what_is_more():
    value = model_of(notation(), "input").model_validate({**GOOD, "more": 1})
    assert value.model_dump() == {
        **GOOD,
        "config": {"port": 80, "host": None},
        "age": None,
        "title": None,
        "count": 3,
        "more": 1,
    }


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"name": 1}, "name"),
        ({"age": "36"}, "age"),
        ({"age": True}, "age"),
        ({"tags": "a"}, "tags"),
        ({"tags": [1]}, "tags.0"),
        ({"config": {}}, "config.port"),
        ({"result": "chore"}, "result"),
        ({"items": [{"name": "x"}]}, "items.0.done"),
        ({"title": "too long"}, "title"),
    ],
)
def test_what_does_not_fit_is_refused_by_its_name(change: dict[str, Any], where: str):
    with pytest.raises(ValidationError) as refused:
        model_of(notation(), "input").model_validate({**GOOD, **change})
    assert {
        ".".join(str(part) for part in error["loc"][: where.count(".") + 1]) for error in refused.value.errors()
    } == {where}


def test_it_gives_a_json_schema():
    schema = model_of(notation("ok: boolean\nwhy?: string"), "output").model_json_schema()
    assert schema["properties"]["ok"]["type"] == "boolean"
    assert schema["required"] == ["ok"]


def test_a_name_may_be_anything():
    model = model_of(notation("class: string\nmodel_fields: string\n'two words': number"), "input")
    value = {"class": "a", "model_fields": "b", "two words": 1}
    assert model.model_validate(value).model_dump() == value


def test_a_nested_name_may_be_type():
    model = model_of(notation("thing:\n  type: string\n  name: string"), "input")
    assert model.model_validate({"thing": {"type": "a", "name": "b"}}).model_dump() == {
        "thing": {"type": "a", "name": "b"}
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: strong", "'input.name' is wrong: 'strong' is no type"),
        ("a:\n  b: 3", "'input.a.b' is wrong"),
        ("a: [string, number]", "'input.a' is wrong"),
        ("a:\n  type: string\n  enum: []", "'input.a' is wrong: 'enum'"),
        ("a:\n  type: string\n  min: x", "'input.a' is wrong: 'min'"),
        ("'?': string", "'?' can't be a name"),
        ("just text", "'input' is wrong: names and their types"),
    ],
)
def test_what_is_no_notation_is_refused_with_its_key(text: str, message: str):
    with pytest.raises(PromptError) as refused:
        model_of(notation(text), "input")
    assert message in refused.value.message


def test_a_notation_without_an_end_is_refused():
    endless: dict[str, Any] = {}
    endless["again"] = endless
    with pytest.raises(PromptError, match="nested"):
        model_of(endless, "input")
