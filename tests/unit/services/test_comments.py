"""Questions asked from the code, in any language's comments."""

from __future__ import annotations

import pytest

from channelcoder_lsp.domain.place import Position, Range
from channelcoder_lsp.domain.text import text_in
from channelcoder_lsp.services.comments import CommentQuestion, find_question, questions_in


def question(text: str, line: int = 0, keyword: str = "claude") -> CommentQuestion | None:
    return find_question(text.split("\n"), line, keyword)


def target(text: str, line: int = 0) -> str:
    """The code that the comment on ``line`` is about."""
    found = question(text, line)
    assert found is not None
    return text_in(text.split("\n"), found.target)


def without(text: str, line: int = 0) -> str:
    """The text once the comment was taken away."""
    lines = text.split("\n")
    found = question(text, line)
    assert found is not None
    start, end = found.comment
    before = [*lines[: start.line], lines[start.line][: start.character]]
    return "\n".join(before) + "\n".join([lines[end.line][end.character :], *lines[end.line + 1 :]])


LANGUAGES = {
    "python": "# claude: why?",
    "shell, twice": "## claude: why?",
    "js": "// claude: why?",
    "rust doc": "/// claude: why?",
    "rust inner doc": "//! claude: why?",
    "c block": "/* claude: why? */",
    "javadoc": "/** claude: why? */",
    "css, tight": "/*claude: why?*/",
    "html": "<!-- claude: why? -->",
    "lua": "-- claude: why?",
    "lua block": "--[[ claude: why? ]]",
    "sql": "--claude: why?",
    "lisp": ";; claude: why?",
    "ini": "; claude: why?",
    "vim": '" claude: why?',
    "vb": "' claude: why?",
    "tex": "% claude: why?",
    "erlang": "%% claude: why?",
    "haskell": "{- claude: why? -}",
    "ocaml": "(* claude: why? *)",
    "php": "# claude: why?",
    "batch": "REM claude: why?",
    "m4": "dnl claude: why?",
    "fortran": "! claude: why?",
    "rst": ".. claude: why?",
    "jinja": "{# claude: why? #}",
    "jsp": "<%-- claude: why? --%>",
    "razor": "@* claude: why? *@",
    "within a block comment": " * claude: why?",
    "mentioned": "# @claude: why?",
    "shouted": "# CLAUDE : why?",
    "tight": "#claude: why?",
    "tight behind": "# claude:why?",
}


@pytest.mark.parametrize("comment", LANGUAGES.values(), ids=LANGUAGES.keys())
@pytest.mark.parametrize("indent", ["", "    ", "\t"], ids=["margin", "spaces", "tab"])
def test_a_comment_of_any_language_asks(comment: str, indent: str):
    """The question is without the comment's marks; the comment's line goes; the code below is what it is about."""
    text = f"before\n{indent}{comment}\n{indent}code()\nafter"
    found = question(text, 1)
    assert found is not None
    assert found.text == "why?"
    assert without(text, 1) == f"before\n{indent}code()\nafter"
    assert target(text, 1) == "code()"


@pytest.mark.parametrize(
    "line",
    [
        "claude: why?",
        "# claude",
        "# claude:",
        "/* claude: */",
        "# see claude: why?",
        "# claudette: why?",
        "# not_claude: why?",
        'print("claude: why?")',
        "print('claude: why?')",
        'names = {"claude": 1}',
        '    "claude: why?",',
        "x = claude: int",
        "url: http://claude:8080/x",
        "url = '//claude:8080/x'",
        "#claude:hover { color: red }",
        "total = a * claude: int",
        "/* claude: never closed",
        "",
    ],
)
def test_what_is_no_question(line: str):
    """Strings, names, addresses and selectors with the word in them; comments that ask nothing."""
    assert question(f"{line}\ncode()") is None


def test_a_string_with_a_whole_comment_in_it_is_taken_for_one():
    """No language is parsed here; it is only an offer, and the person sees what is asked."""
    found = question('text = "# claude: why?"')
    assert found is not None


@pytest.mark.parametrize("line", [-1, 1, 99])
def test_a_line_that_is_not_there_asks_nothing(line: int):
    """An editor may name one."""
    assert question("# claude: why?", line) is None


def test_another_word_can_be_chosen():
    """A setting, taken literally."""
    assert question("# ai+: why?", keyword="ai+") is not None
    assert question("# claude: why?", keyword="ai+") is None


# Beside code


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("    x = slow()  # claude: why?", "    x = slow()"),
        ("x = slow(); // claude: why?", "x = slow();"),
        ("x = slow(); /* claude: why? */", "x = slow();"),
        ("<b>x</b> <!-- claude: why? -->", "<b>x</b>"),
        ('set nu " claude: why?', "set nu"),
        ("é = '🙂'  # claude: why?", "é = '🙂'"),
    ],
)
def test_a_comment_behind_code_is_about_that_code(line: str, code: str):
    """The comment goes with the space before it; the code stays."""
    assert without(line) == code
    assert target(line) == code.strip()


def test_code_behind_a_block_comment_stays():
    """On either side of it."""
    assert without("f(/* claude: why? */ 1)") == "f( 1)"
    assert question("f(/* claude: why? */ 1)").text == "why?"
    assert without("  /* claude: why? */ f(1)") == "  f(1)"
    assert target("  /* claude: why? */ f(1)") == "f(1)"


# Block comments


def test_a_question_over_several_lines_of_a_block_comment_is_asked_whole():
    """And all of the comment goes, so that the code still compiles."""
    text = "/* claude: why is\n * this so\n * slow? */\nint f(void);\n"
    assert question(text).text == "why is this so slow?"
    assert without(text) == "int f(void);\n"
    assert target(text) == "int f(void);"


def test_a_question_on_the_last_line_of_a_block_comment_leaves_the_comment_closed():
    """Only the question goes."""
    text = "/**\n * Adds.\n * claude: why? */\nint add();"
    assert question(text, 2).text == "why?"
    assert without(text, 2) == "/**\n * Adds.\n */\nint add();"
    assert target(text, 2) == "int add();"


# What it is about


def test_the_statement_below_with_its_block():
    """Up to the next line that is not deeper; empty lines within belong to it."""
    text = "# claude: why?\n\ndef f():\n    a()\n\n    b()\n\n\ndef g():\n    pass"
    assert target(text) == "def f():\n    a()\n\n    b()"


@pytest.mark.parametrize(
    "code",
    [
        "@a\n@b(1)\ndef f():\n    pass",
        "@route(\n    '/x',\n)\ndef f():\n    pass",
        "# The total.\n# Of all.\ndef f():\n    pass",
        "/// Adds.\n#[inline]\nfn f() {\n    1\n}",
        "/**\n * Adds.\n */\nint f() {\n    return 1;\n}",
        "[Fact]\npublic void F()\n{\n    G();\n}",
        "int f(void)\n{\n    return 1;\n}",
        "if a:\n    b()\nelif c:\n    d()\nelse:\n    e()",
        "try:\n    b()\nexcept E:\n    d()\nfinally:\n    e()",
        "if (a) {\n    b();\n} else {\n    c();\n}",
        "try\n{\n    b();\n}\ncatch\n{\n    c();\n}",
        "switch (x) {\ncase 1:\n    a();\ndefault:\n    b();\n}",
        "if a then\n    b()\nend",
        "if a; then\n    b\nfi",
        "begin\n    a\nrescue E\n    b\nend",
        "call(\n    1,\n)",
        "x = {\n}",
        "naïve('🙂')",
    ],
)
def test_all_of_what_stands_below(code: str):
    """Decorators, comments and attributes before it, branches and closing lines after it, and nothing more."""
    assert target(f"# claude: why?\n{code}\nnext_one()") == code
    indented = "\n".join(f"    {line}" for line in code.split("\n"))
    assert target(f"    # claude: why?\n{indented}\nnext_one()") == indented.strip()


def test_a_one_line_statement_is_that_line():
    """The next one is another."""
    assert target("# claude: why?\nx = 1\ny = 2") == "x = 1"


def test_at_the_end_of_the_file_it_is_about_the_line_above():
    """Or about itself, if there is none."""
    assert target("def f():\n    x = 1\n\n# claude: why?", 3) == "x = 1"
    assert target("# claude: why?") == "# claude: why?"
    assert without("x = 1\n# claude: why?", 1) == "x = 1\n"


def test_all_questions_of_some_lines():
    """In their order, both ends included."""
    text = "# claude: one\na()\n# claude: two\nb()\n# claude: three"
    found = questions_in(text.split("\n"), 0, 2, "claude")
    assert [one.text for one in found] == ["one", "two"]
    assert found[0].comment == Range(Position(0, 0), Position(1, 0))


def test_a_hostile_file_takes_no_time():
    """Many long lines of marks and words: the patterns don't run wild, and very long lines are not looked at."""
    lines = [
        "#" * 1_900 + "claude",
        "-" * 1_900 + "claude :",
        "/" + "*" * 1_900 + " claude",
        "x" * 1_000_000 + "# claude: y",
    ]
    assert questions_in(lines * 300, 0, 1_199, "claude") == []
