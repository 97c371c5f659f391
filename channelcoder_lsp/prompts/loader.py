"""Reading prompt files."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel

from channelcoder_lsp.domain.errors import PromptError

if TYPE_CHECKING:
    from pathlib import Path

_FENCE = "---"


class Frontmatter(BaseModel):
    """What the head of a prompt file may say. An unknown key is refused."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid")

    title: str
    """What the user reads: the title of the code action and the question in the thread."""
    kind: str = "claude"
    """The code action's kind (LSP 3.17, CodeActionKind)."""
    order: int = 100
    """Where the action stands among the others; smaller is higher."""
    proposes_edits: bool = False
    """Whether the answer is meant to replace the selection."""


@dataclass(frozen=True)
class Prompt:
    """A prompt file: its name (without ``.md``), what its frontmatter says, and the text for Claude."""

    name: str
    title: str
    kind: str
    order: int
    proposes_edits: bool
    body: str


def load_prompt(path: Path) -> Prompt:
    """The prompt in the file ``path``.

    Raises:
        PromptError: it can't be read, or its frontmatter has a wrong key or value; the message names both.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        raise PromptError(f"The prompt file {path} can't be read: {problem}.") from problem
    return parse_prompt(path.stem, text, str(path))


def built_in_prompts() -> dict[str, Prompt]:
    """The prompts that come with the package, by name, in the order of the menu."""
    folder = resources.files("channelcoder_lsp.prompts") / "library"
    prompts = [
        parse_prompt(file.name.removesuffix(".md"), file.read_text(encoding="utf-8"), file.name)
        for file in folder.iterdir()
        if file.name.endswith(".md")
    ]
    return {prompt.name: prompt for prompt in sorted(prompts, key=lambda prompt: (prompt.order, prompt.name))}


def parse_prompt(name: str, text: str, source: str) -> Prompt:
    """The prompt ``name`` from its ``text``; ``source`` is what an error calls it.

    Raises:
        PromptError: see :func:`load_prompt`.
    """
    head, body = _split(text)
    try:
        values: Any = yaml.safe_load(head) or {}
        frontmatter = Frontmatter.model_validate(values)
    except yaml.YAMLError as problem:
        raise PromptError(f"The frontmatter of {source} is not YAML: {problem}") from problem
    except ValidationError as problem:
        first = problem.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "frontmatter"
        raise PromptError(f"In {source}, {key!r} is wrong: {first['msg']}.") from problem
    if not body.strip():
        raise PromptError(f"In {source}, 'body' is wrong: there is nothing below the frontmatter to tell Claude.")
    return Prompt(
        name=name,
        title=frontmatter.title,
        kind=frontmatter.kind,
        order=frontmatter.order,
        proposes_edits=frontmatter.proposes_edits,
        body=body.strip(),
    )


def _split(text: str) -> tuple[str, str]:
    """The frontmatter and the body."""
    lines = text.split("\n")
    if lines[0].strip() != _FENCE:
        return "", text
    for number, line in enumerate(lines[1:], start=1):
        if line.strip() == _FENCE:
            return "\n".join(lines[1:number]), "\n".join(lines[number + 1 :])
    return "", text
