"""What Claude answers to a review: its JSON schema, findings while it is written, and how it reads."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import from_json

from channelcoder_lsp.domain.errors import AgentError
from channelcoder_lsp.domain.place import Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MESSAGE_CHARS = 4_000
FINDINGS = 100
"""How many findings of one answer are taken; a person reads no more of one file."""
_ALIKE = 0.6
_WORD = re.compile(r"\w+")


class Remark(BaseModel):
    """One finding as Claude gives it. The schema's descriptions are read by Claude."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    line: int = Field(ge=1, description="The first line that it is about, as numbered.")
    end_line: int | None = Field(None, ge=1, description="The last line that it is about; null for one line.")
    severity: Severity = Field(
        Severity.INFORMATION, description="error: it fails; warning: it may fail; information; hint: taste."
    )
    code: str | None = Field(None, description="Its kind in one word: bug, security, performance...")
    message: str = Field(
        min_length=1, description="What goes wrong and when, in Markdown; its first line stands alone."
    )
    replacement: str | None = Field(
        None,
        description="Whole lines, unnumbered, that can take the place of line to end_line as they stand; null if "
        "that does not mend it.",
    )

    @model_validator(mode="after")
    def _says_something(self) -> Remark:
        if not self.message.strip():
            raise ValueError("message: there is nothing in it")
        return self

    @property
    def last(self) -> int:
        """The last line that it is about."""
        return max(self.line, self.end_line or self.line)


class ReviewAnswer(BaseModel):
    """The whole answer."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    findings: list[Remark] = Field(description="Worst first; empty if there is nothing to mend.")


SCHEMA: Mapping[str, Any] = ReviewAnswer.model_json_schema()


def complete_remarks(text: str) -> list[Remark]:
    """The remarks in an answer that is being written that are complete: all but the last one.

    A remark that isn't valid is left out here; the whole answer is judged at its end.

    Args:
        text: the beginning of the answer's JSON.
    """
    try:
        value = from_json(text, allow_partial="trailing-strings")
    except ValueError:
        return []
    found = value.get("findings") if isinstance(value, dict) else None
    remarks = []
    for item in found[:-1] if isinstance(found, list) else ():
        try:
            remarks.append(Remark.model_validate(item))
        except ValidationError:
            continue
    return remarks


def whole_answer(value: Any) -> ReviewAnswer:
    """The answer in full.

    Raises:
        AgentError: it isn't a review's; the message says what is wrong where.
    """
    try:
        return ReviewAnswer.model_validate(value)
    except ValidationError as problem:
        first = problem.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise AgentError(
            f"Claude's answer is no list of findings ({where}: {first['msg']}). "
            "What came of it is kept; review again, or resume the review."
        ) from problem


def alike(one: str, other: str) -> bool:
    """Whether two messages say the same: by their words, whatever their case, order of marks, or numbers."""
    first, second = _words(one), _words(other)
    return first == second or SequenceMatcher(None, first, second, autojunk=False).ratio() >= _ALIKE


def as_markdown(name: str, remarks: Iterable[Remark], notes: Iterable[str]) -> str:
    """The answer for people to read.

    Args:
        name: the file.
        remarks: what was found.
        notes: what there is to say beside it.
    """
    items = list(remarks)
    if not items:
        told = [f"Nothing to mend in `{name}`."]
    else:
        count = "1 finding" if len(items) == 1 else f"{len(items)} findings"
        told = [f"{count} in `{name}`:", "\n".join(map(_item, items))]
    told += [f"*{note}*" for note in notes]
    return "\n\n".join(told)


def _item(remark: Remark) -> str:
    lines = f"Line {remark.line}" if remark.last == remark.line else f"Lines {remark.line} to {remark.last}"
    kind = f"{remark.severity.value}, {remark.code}" if remark.code else remark.severity.value
    message = "\n  ".join(remark.message.strip().splitlines())
    return f"- **{lines}** ({kind}): {message}"


def _words(message: str) -> list[str]:
    return [word for word in _WORD.findall(message[:MESSAGE_CHARS].casefold()) if not word.isdigit()]
