"""Filling values into a prompt."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channelcoder_lsp.prompts.template import render

DATA = {
    "name": "Ada",
    "age": 36,
    "empty": "",
    "none": None,
    "yes": True,
    "tags": ["a", "b"],
    "user": {"name": "Bob", "address": {"city": "Rome"}},
    "half": 0.5,
    "whole": 2.0,
}


class TestValues:
    @pytest.mark.parametrize(
        ("template", "text"),
        [
            ("Hi {name}!", "Hi Ada!"),
            ("Hi ${name}!", "Hi Ada!"),
            ("{ name } is {age}", "Ada is 36"),
            ("{user.name} in {user.address.city}", "Bob in Rome"),
            ("[{missing}][{user.missing}][{user.name.first}][{none}]", "[][][][]"),
            ("{tags}", '[\n  "a",\n  "b"\n]'),
            ("{user.address}", '{\n  "city": "Rome"\n}'),
            ("{yes} {half} {whole}", "true 0.5 2"),
        ],
    )
    def test_names_and_paths(self, template: str, text: str):
        assert render(template, DATA) == text

    def test_a_value_is_never_interpolated_again(self):
        assert render("{code}", {"code": "{secret} ${secret}", "secret": "s"}) == "{secret} ${secret}"

    @given(st.dictionaries(st.sampled_from("abc"), st.text()), st.text())
    def test_values_stand_as_they_are(self, data: dict[str, str], tail: str):
        text = render("<{a}|{b}>" + tail.replace("{", "").replace("\\", ""), data)
        assert text.startswith(f"<{data.get('a', '')}|{data.get('b', '')}>")


class TestExpressions:
    @pytest.mark.parametrize(
        ("template", "text"),
        [
            ('{age ? age : "not given"}', "36"),
            ('{empty ? empty : "not given"}', "not given"),
            ("{yes ? name : 'nobody'}", "Ada"),
            ("{missing ? name : nobody}", "nobody"),
            ('{name == "Ada" ? "hi" : "who?"}', "hi"),
            ('{name === "Ada" ? "hi" : "who?"}', "hi"),
            ('{name != "Ada" ? "who?" : "hi"}', "hi"),
            ("{age !== 36 ? 1 : 2}", "2"),
            ('{age == "36" ? "text" : "number"}', "number"),
            ('{!missing ? "none" : missing}', "none"),
            ('{!yes ? "a" : "b"}', "b"),
            ("{missing || name}", "Ada"),
            ('{missing || empty || "last"}', "last"),
            ('{yes ? missing ? 1 : user.name : "x"}', "Bob"),
            ('{(missing || yes) ? "a: b?" : 2}', "a: b?"),
            ("{none == null ? 'null' : 'set'}", "null"),
            ("{tags ? 'some' : 'none'}", "some"),
        ],
    )
    def test_ternaries_equality_negation_or(self, template: str, text: str):
        assert render(template, DATA) == text


class TestTextThatIsNoTemplate:
    @pytest.mark.parametrize(
        "text",
        [
            '{"a": 1}',
            "{}",
            "{ }",
            "if (x) { return y + 1; }",
            "{a, b}",
            "{name",
            "name}",
            "{a ? b}",
            "{a ? b : }",
            "{? :}",
            "{name name}",
            "{__import__('os').system('id')}",
            "{name[0]}",
            "{" + "!" * 5000 + "name}",
            "{" + "(" * 5000 + "}",
        ],
    )
    def test_stays_as_it_is(self, text: str):
        assert render(text, DATA) == text

    def test_escaped_braces_lose_their_backslash(self):
        assert render(r"\{name} \${name} {name}", DATA) == "{name} ${name} Ada"

    @given(st.text(), st.dictionaries(st.text(), st.one_of(st.none(), st.text(), st.integers(), st.lists(st.text()))))
    def test_anything_can_be_rendered(self, template: str, data: dict[str, object]):
        assert isinstance(render(template, data), str)
