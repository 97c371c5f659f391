"""Reading a request to the Messages API as the Claude CLI writes it."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

STRUCTURED_OUTPUT_TOOL = "StructuredOutput"
"""The tool through which the CLI asks for a value that fits a JSON schema (the SDK's ``output_format``)."""

RequestKind = Literal["question", "summary", "side", "count_tokens"]
"""What a request is for: a turn of the user's, a compaction of the context, a title or probe, a count."""

# A tag counts at the start of a line only: quoted code has its line number there.
_BLOCK = re.DOTALL | re.MULTILINE
_REMINDER = re.compile(r"^<system-reminder>.*?</system-reminder>\s*", _BLOCK)
_QUESTION = re.compile(r"^<question>\n?(.*?)\n?</question>[ \t]*$", _BLOCK)
_SELECTION = re.compile(r"^<selection\b([^\n]*)>\n(.*?)^</selection>", _BLOCK)
_REPLAYED = re.compile(r"^<earlier-question>\n(.*?)^</earlier-question>", _BLOCK)
_REPLAY = re.compile(r".*^</earlier-(?:question|answer)>\s*(?:The conversation goes on:)?\s*", _BLOCK)
_ATTRIBUTE = re.compile(r"""([\w-]+)=(?:"([^"]*)"|'([^']*)'|([^\s"']+))""")
_NUMBERED = re.compile(r"\s*(\d+)\| ?(.*)")
# What the CLI writes in the user's name.
_NOT_TYPED = (
    "<command-",
    "<local-command-",
    "<task-notification",
    "[Request interrupted by user",
    "[structured-output-enforce]",
)
_CONTINUED = "This session is being continued from a previous conversation"
_SUMMARY_WANTED = "Your task is to create a detailed summary of"
_TITLE_WANTED = re.compile(r"\b(?:generate|write|create)\b[^.]{0,60}\btitle\b", re.IGNORECASE)


@dataclass(frozen=True)
class SelectedCode:
    """The code that a question is about, without its line numbers; lines count from 1, as a person counts."""

    path: str
    language: str
    first_line: int
    last_line: int
    code: str


@dataclass(frozen=True)
class Question:
    """A question as the person typed it, and the code it is about if there is any."""

    text: str
    selection: SelectedCode | None = None


class MessagesRequest(BaseModel):
    """The body of ``POST /v1/messages`` as far as the offline model reads it; the rest is kept as it is."""

    model_config = ConfigDict(extra="allow")

    model: str
    messages: list[dict[str, Any]] = Field(min_length=1)
    max_tokens: int = 0
    system: str | list[dict[str, Any]] | None = None
    tools: list[dict[str, Any]] = Field(default_factory=list)
    output_config: dict[str, Any] = Field(default_factory=dict)
    stream: bool = False

    @cached_property
    def kind(self) -> RequestKind:
        """What the request is for."""
        text = last_user_text(self.messages)
        if _SUMMARY_WANTED in text and "<summary>" in text and not _QUESTION.search(text):
            return "summary"
        probe = self.max_tokens == 1
        formatted = "format" in self.output_config
        if not self.tools and (probe or formatted or _TITLE_WANTED.search(self.system_text)):
            return "side"
        return "question"

    @cached_property
    def system_text(self) -> str:
        """The system prompt as one text."""
        return "\n\n".join(_texts({"content": self.system or ""}))

    @cached_property
    def questions(self) -> list[Question]:
        """The user's questions, oldest first; the last one is the question to answer."""
        return [
            question
            for message in self.messages
            if message.get("role") == "user"
            for text in _texts(message)
            for question in _questions_in(text)
        ]

    @cached_property
    def tool_results(self) -> int:
        """How many tool results came back since the question was asked."""
        results = 0
        for message in self.messages:
            if message.get("role") != "user":
                continue
            if any(_questions_in(text) for text in _texts(message)):
                results = 0
            results += sum(block.get("type") == "tool_result" for block in _blocks(message))
        return results

    @cached_property
    def structured_output_schema(self) -> dict[str, Any] | None:
        """The JSON schema that the answer has to fit, None if it is free text or was given already."""
        wanted = self.output_config.get("format")
        if isinstance(wanted, dict) and isinstance(wanted.get("schema"), dict):
            schema: dict[str, Any] = wanted["schema"]
            return schema
        for tool in self.tools:
            if tool.get("name") == STRUCTURED_OUTPUT_TOOL and not self._structured_output_given:
                asked: dict[str, Any] = tool.get("input_schema", {})
                return asked
        return None

    @property
    def _structured_output_given(self) -> bool:
        """Whether the model's last message is the structured output, and nothing was asked since."""
        for message in reversed(self.messages):
            if message.get("role") == "user" and any(_questions_in(text) for text in _texts(message)):
                return False
            if message.get("role") == "assistant":
                calls = [block for block in _blocks(message) if block.get("type") == "tool_use"]
                return any(call.get("name") == STRUCTURED_OUTPUT_TOOL for call in calls)
        return False


def last_user_text(messages: list[dict[str, Any]]) -> str:
    """The text of the last message that came in the user's name, wrapping, reminders and all.

    The CLI puts messages of the role ``system`` between and after the user's.
    """
    last: dict[str, Any] = next((message for message in reversed(messages) if message.get("role") == "user"), {})
    return "\n".join(_texts(last))


def _blocks(message: dict[str, Any]) -> list[dict[str, Any]]:
    """The content blocks of a message."""
    content = message.get("content", "")
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _texts(message: dict[str, Any]) -> list[str]:
    """The text blocks of a message."""
    return [str(block.get("text", "")) for block in _blocks(message) if block.get("type") == "text"]


def _questions_in(text: str) -> list[Question]:
    """The questions in one text block: marked ones, else the whole text as it was typed.

    A block holds several where earlier turns are replayed or summed up in it.
    """
    text = _REMINDER.sub("", text)
    replayed = [Question(_unquoted(match[1])) for match in _REPLAYED.finditer(text)]
    if replayed:
        text = _REPLAY.sub("", text)
    marked = [Question(match[1]) for match in _QUESTION.finditer(text)]
    if marked:
        marked[-1] = Question(marked[-1].text, _selection_in(text))
        return replayed + marked
    typed = text.strip()
    if not typed or typed.startswith((*_NOT_TYPED, _CONTINUED)):
        return replayed
    return [*replayed, Question(typed, _selection_in(text))]


def _unquoted(text: str) -> str:
    """The text of a replayed question, whose lines stand behind bars."""
    return "\n".join(line.removeprefix("|").removeprefix(" ") for line in text.removesuffix("\n").split("\n"))


def _selection_in(text: str) -> SelectedCode | None:
    """The selection of a prompt: ``<selection path=... language=...>`` around lines ``  12| code``."""
    blocks = _SELECTION.findall(text)
    if not blocks:
        return None
    head, body = blocks[-1]
    attributes = {
        name: html.unescape(double or single or bare) for name, double, single, bare in _ATTRIBUTE.findall(head)
    }
    numbered = [match.groups() for line in body.split("\n") if (match := _NUMBERED.fullmatch(line))]
    if not numbered:
        return None
    return SelectedCode(
        path=attributes.get("path", ""),
        language=attributes.get("language", ""),
        first_line=int(numbered[0][0]),
        last_line=int(numbered[-1][0]),
        code="\n".join(_selected([code for _, code in numbered], attributes.get("columns", ""))),
    )


def _selected(lines: list[str], columns: str) -> list[str]:
    """The selected part of ``lines``: ``columns`` says where it begins and ends when they aren't whole."""
    if not (span := re.fullmatch(r"(\d+)-(\d+)", columns)):
        return lines
    first, last = int(span[1]) - 1, int(span[2])
    return [
        line[first if number == 0 else 0 : last if number == len(lines) - 1 else None]
        for number, line in enumerate(lines)
    ]
