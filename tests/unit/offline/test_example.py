"""Example values for JSON schemas."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from channelcoder_lsp.offline.example import example_value


class Item(BaseModel):
    severity: Literal["warning", "error"]
    line: int = Field(ge=1)
    note: str | None
    replacement: str = "same"
    tags: list[str] = Field(min_length=2)


class Report(BaseModel):
    items: list[Item]
    score: float = Field(gt=0)
    done: bool


def test_it_fits_the_schema_of_a_model():
    """References, choices, bounds and defaults are respected."""
    report = Report.model_validate(example_value(Report.model_json_schema(), text="text"))
    assert report == Report(
        items=[Item(severity="warning", line=1, note="text", tags=["text", "text"])], score=1, done=False
    )


def test_strings_keep_to_their_length():
    """A bound on the length cuts or fills the text."""
    assert example_value({"type": "string", "maxLength": 3}, text="abcdef") == "abc"
    assert example_value({"type": "string", "minLength": 5}, text="abc") == "abc.."


def test_a_schema_within_itself_ends():
    """A tree gets a bounded example."""
    node = {"type": "object", "properties": {"next": {"$ref": "#/$defs/node"}}}
    value = example_value({"$ref": "#/$defs/node", "$defs": {"node": node}})
    depth = 0
    while value is not None:
        value, depth = value["next"], depth + 1
    assert 1 < depth < 20


def test_free_text_says_where_it_comes_from():
    """An example is not taken for Claude's."""
    assert "offline model" in example_value({"type": "string"})
