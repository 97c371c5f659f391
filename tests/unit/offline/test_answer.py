"""The plain answer of the offline model."""

from __future__ import annotations

import pytest

from channelcoder_lsp.offline.answer import FIRST_LINE, plain_answer
from channelcoder_lsp.offline.request import MessagesRequest


def answer(*questions: str, **more) -> str:
    messages = [{"role": "user", "content": question} for question in questions]
    return plain_answer(MessagesRequest.model_validate({"model": "claude", "messages": messages, **more}))


def about(code: str, language: str = "python", path: str = "a.py") -> str:
    numbered = "\n".join(f"{number}| {line}" for number, line in enumerate(code.split("\n"), start=7))
    head = f'<selection path="{path}" language="{language}">'
    return f"<question>\nQ?\n</question>\n\n{head}\n{numbered}\n</selection>"


class TestWhatItSays:
    def test_the_first_line_says_that_no_claude_was_asked(self):
        """Nobody can take it for Claude's."""
        first_line = answer("Q?").split("\n")[0]
        assert first_line == FIRST_LINE
        assert "offline model" in first_line
        assert "no Claude was asked" in first_line

    def test_a_first_question_has_no_earlier_ones(self):
        """It says so, and repeats the question."""
        assert answer("What is\nthis?") == (
            f"{FIRST_LINE}\n\nI was given no earlier question of this session.\n\nYou asked:\n\n> What is\n> this?\n"
        )

    def test_one_earlier_question(self):
        """One is not called many."""
        assert "I was given 1 earlier question of this session:\n\n1. One?\n\nYou asked:\n\n> Two?" in answer(
            "One?", "Two?"
        )

    def test_earlier_questions_are_listed_as_typed(self):
        """The list has every one in order; more lines of one stay in its item."""
        assert "2 earlier questions of this session:\n\n1. One?\n2. Two\n\n   lines?\n" in answer(
            "One?", "Two\n\nlines?", "Three?"
        ).replace("   \n", "\n")

    def test_of_many_the_first_and_the_last_are_listed(self):
        """The number tells how many there are; those in the middle are counted."""
        text = answer(*(f"Question {number}?" for number in range(1, 31)), "Now?")
        assert "I was given 30 earlier questions" in text
        assert "5. Question 5?\n\n(20 more between them)\n\n26. Question 26?" in text
        assert "Question 6?" not in text
        assert "30. Question 30?" in text

    def test_a_long_question_is_cut(self):
        """A question of many megabytes does not come back as many megabytes."""
        text = answer("x" * 5_000_000, "y" * 3_000)
        assert len(text) < 5_000
        assert "(4998000 more characters)" in text
        assert "(1000 more characters)" in text

    def test_the_same_request_gets_the_same_answer(self):
        """Nothing in it is left to chance."""
        assert answer("One?", about("a = 1")) == answer("One?", about("a = 1"))

    def test_tool_results_are_mentioned(self):
        """That a tool's result came back shows."""
        result = {"type": "tool_result", "tool_use_id": "t", "content": "text"}
        messages = [{"role": "user", "content": "Q?"}, {"role": "user", "content": [result]}]
        asked = MessagesRequest.model_validate({"model": "claude", "messages": messages})
        assert "1 result of a tool was given to me" in plain_answer(asked)


class TestSelection:
    def test_without_a_selection_there_is_no_code_block(self):
        """Nothing can be inserted from it then."""
        assert "```" not in answer("Q?")

    def test_path_and_lines_are_named(self):
        """As a person counts lines."""
        assert "You selected lines 7 to 8 of `a.py`." in answer(about("a = 1\nb = 2"))
        assert "You selected line 7 of `a.py`." in answer(about("a = 1"))

    def test_the_code_comes_back_with_a_comment_on_top(self):
        """One block in the selection's language, indented as the selection is."""
        text = answer(about("    if x:\n        y()"))
        assert text.endswith(
            "```python\n"
            "    # Example of the offline model: the selected code, unchanged.\n"
            "    if x:\n        y()\n```\n"
        )
        assert text.count("```") == 2

    @pytest.mark.parametrize(
        ("language", "comment"),
        [
            ("python", "# Example"),
            ("typescript", "// Example"),
            ("lua", "-- Example"),
            ("html", "<!-- Example"),
            ("css", "/* Example"),
            ("vim", '" Example'),
            ("clojure", "; Example"),
            ("an-unknown-one", "// Example"),
        ],
    )
    def test_the_comment_is_one_in_the_language(self, language, comment):
        """The example can stand in the file."""
        assert f"```{language}\n{comment}" in answer(about("x", language))

    def test_code_with_fences_stays_inside_its_block(self):
        """The fence is longer than any in the code."""
        text = answer(about("```\n````js\n```", "markdown"))
        assert "`````markdown\n<!--" in text
        assert text.endswith("````js\n```\n`````\n")

    def test_only_the_current_question_brings_code(self):
        """A selection of an earlier question is not answered again."""
        assert "```" not in answer(about("a = 1"), "And now?")


class TestSideRequests:
    def test_a_title_is_short_and_about_the_first_question(self):
        """A few words, and none of the plain answer."""
        title = answer(
            "Please explain how this parser deals with comments in nested blocks", system="Generate a title."
        )
        assert title == "Please explain how this parser deals with"

    def test_a_summary_keeps_the_questions(self):
        """After a compaction the next request still has every question as it was typed."""
        wanted = "Your task is to create a detailed summary of the conversation. Use <summary> tags."
        summary = answer("One\nmore?", "Two?", wanted)
        assert summary.startswith("<summary>\n")
        text = answer(f"Summary:\n{summary}", "Three?")
        assert "I was given 2 earlier questions of this session:\n\n1. One\n   more?\n2. Two?\n" in text
