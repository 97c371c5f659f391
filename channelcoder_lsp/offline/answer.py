"""The plain answer: made from the request alone, the same for the same request."""

from __future__ import annotations

import re

from channelcoder_lsp.offline.request import MessagesRequest, Question, SelectedCode

FIRST_LINE = "**This is the offline model: no Claude was asked.**"
"""How every plain answer begins."""

_LISTED_AT_EACH_END = 5
_LONGEST_QUESTION = 2_000  # characters
_EXAMPLE = "Example of the offline model: the selected code, unchanged."

_HASH = (
    "python ruby shellscript bash sh zsh fish yaml toml perl r julia elixir makefile dockerfile nim "
    "powershell cmake coffeescript crystal graphql hcl terraform nix tcl awk gitignore properties"
)
_DASHES = "lua sql haskell ada vhdl elm purescript"
_SEMICOLON = "ini lisp clojure scheme emacs-lisp elisp commonlisp racket asm"
_PERCENT = "tex latex erlang matlab prolog"
_ANGLED = "html xml markdown vue svelte xhtml svg"
_STARRED = "css"
_COMMENTS: tuple[tuple[str, str], ...] = (
    (_HASH, "# {}"),
    (_DASHES, "-- {}"),
    (_SEMICOLON, "; {}"),
    (_PERCENT, "% {}"),
    (_ANGLED, "<!-- {} -->"),
    (_STARRED, "/* {} */"),
    ("vim", '" {}'),
    ("bat", "REM {}"),
)


def plain_answer(request: MessagesRequest) -> str:
    """The answer to ``request`` in Markdown.

    It says that it is the offline model, lists the earlier questions that came with the request (so that lost
    context shows), repeats the question, and, if that has a selection, names it and gives one code block that
    can take its place.
    """
    match request.kind:
        case "summary":
            return _summary(request.questions[:-1])
        case "side":
            return _title(request.questions)
        case _:
            return _answer(request)


def _answer(request: MessagesRequest) -> str:
    *earlier, question = request.questions or [Question("")]
    parts = [FIRST_LINE, _earlier(earlier)]
    if question.text:
        parts += ["You asked:", _quoted(_shortened(question.text))]
    if request.tool_results:
        results = "result of a tool was" if request.tool_results == 1 else "results of tools were"
        parts.append(f"{request.tool_results} {results} given to me for this answer.")
    if question.selection is not None:
        parts += _about(question.selection)
    return "\n\n".join(parts) + "\n"


def _earlier(questions: list[Question]) -> str:
    """The earlier questions: their number and the list, the middle left out when there are many."""
    if not questions:
        return "I was given no earlier question of this session."
    if len(questions) == 1:
        head = "I was given 1 earlier question of this session:"
    else:
        head = f"I was given {len(questions)} earlier questions of this session:"
    items = [_item(number, question) for number, question in enumerate(questions, start=1)]
    left_out = len(items) - 2 * _LISTED_AT_EACH_END
    if left_out > 0:
        first, last = items[:_LISTED_AT_EACH_END], items[-_LISTED_AT_EACH_END:]
        return "\n\n".join([head, "\n".join(first), f"({left_out} more between them)", "\n".join(last)])
    return "\n\n".join([head, "\n".join(items)])


def _item(number: int, question: Question) -> str:
    marker = f"{number}. "
    return marker + _shortened(question.text).replace("\n", "\n" + " " * len(marker))


def _about(selection: SelectedCode) -> list[str]:
    """The selection named, and a code block that can take its place."""
    if selection.first_line == selection.last_line:
        lines = f"line {selection.first_line}"
    else:
        lines = f"lines {selection.first_line} to {selection.last_line}"
    indent = re.match(r"[ \t]*", selection.code)
    comment = (indent[0] if indent else "") + _comment(selection.language).format(_EXAMPLE)
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", selection.code)), default=0))
    return [
        f"You selected {lines} of `{selection.path}`. This could take their place:",
        f"{fence}{selection.language}\n{comment}\n{selection.code}\n{fence}",
    ]


def _comment(language: str) -> str:
    """How a comment of ``language`` (an LSP language id) is written, ``{}`` standing for its text."""
    return next((form for languages, form in _COMMENTS if language in languages.split()), "// {}")


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


def _shortened(text: str) -> str:
    left_out = len(text) - _LONGEST_QUESTION
    return text if left_out <= 0 else f"{text[:_LONGEST_QUESTION]}… ({left_out} more characters)"


def _summary(questions: list[Question]) -> str:
    """A compaction: the questions marked as such, so that the next request still has them as typed."""
    marked = "\n".join(f"<question>\n{question.text}\n</question>" for question in questions)
    return f"<summary>\n{FIRST_LINE}\n\nThe user's questions:\n\n{marked}\n</summary>"


def _title(questions: list[Question]) -> str:
    """A title of a few words for the session."""
    words = questions[0].text.split() if questions else []
    return " ".join(words[:7])[:60] or "Offline model"
