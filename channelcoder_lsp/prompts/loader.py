"""Reading prompt files: the built-in ones, the user's own, a trusted project's."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from importlib import resources
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, StrictBool, ValidationError
from pydantic.alias_generators import to_camel

from channelcoder_lsp.domain.errors import PromptError
from channelcoder_lsp.prompts.notation import model_of
from channelcoder_lsp.prompts.template import render

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_FENCE = "---"
_MAX_BYTES = 1_000_000
_HEADING = re.compile(r"^#+\s+(.+?)\s*#*$", re.MULTILINE)


PROPOSING = """\
Propose the change with the tool mcp__channelcoder__propose_edit, in as few and as small edits as it takes; \
mcp__channelcoder__propose_file is for a new file, mcp__channelcoder__propose_deletion to delete one. What you then \
say about it takes one or two sentences and doesn't repeat the code. If nothing needs to change, say so and propose \
nothing."""
"""What an editor's question says beyond a prompt that is marked as proposing edits."""


class _Strict(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="forbid")


class SessionNeeds(_Strict):
    """What a prompt needs of the session."""

    required: StrictBool = False
    """Whether it makes no sense without a session to go on with."""


class Frontmatter(_Strict):
    """What the head of a prompt file may say; ChannelCoder's keys, then ours. An unknown key is refused."""

    system_prompt: str | None = None
    """Takes the place of Claude Code's own: a text, or the name of a ``.md`` or ``.txt`` file."""
    append_system_prompt: str | None = None
    allowed_tools: list[str] = Field(default_factory=list)
    disallowed_tools: list[str] = Field(default_factory=list)
    mcp_config: str | None = None
    permission_prompt_tool: str | None = None
    input: Any = None
    """What the values to fill in must be, in the short notation."""
    output: Any = None
    """What the answer must be, likewise."""
    session: SessionNeeds = Field(default_factory=SessionNeeds)

    title: str | None = None
    """What the user reads: the title of the code action and the question in the thread."""
    description: str | None = None
    """What it is good for, in one line: beside its title where prompts are chosen from."""
    kind: str = "claude"
    """The code action's kind (LSP 3.17, CodeActionKind)."""
    order: int = 100
    """Where the action stands among the others; smaller is higher."""
    languages: list[str] = Field(default_factory=list)
    """The LSP language ids that it is offered for; none: all."""
    proposes_edits: StrictBool = False
    """Whether Claude is to propose edits of the code, when it is asked from an editor."""


@dataclass(frozen=True)
class Prompt:
    """A prompt file.

    Args:
        name: the file's name without ``.md``.
        title: what the user reads.
        body: the text below the frontmatter, values not yet filled in.
        head: what the frontmatter says.
        path: the file, for one that is not built in.
        input: what the values must be.
        output: what the answer must be.
    """

    name: str
    title: str
    body: str
    head: Frontmatter = field(default_factory=Frontmatter)
    path: Path | None = None
    input: type[BaseModel] | None = None
    output: type[BaseModel] | None = None

    @property
    def description(self) -> str | None:
        """What it is good for, in one line, if the file says so."""
        return " ".join((self.head.description or "").split()) or None

    @property
    def kind(self) -> str:
        """The code action's kind."""
        return self.head.kind

    @property
    def order(self) -> int:
        """Where it stands in the menu."""
        return self.head.order

    def fits(self, language: str) -> bool:
        """Whether it is offered for documents of an LSP language."""
        return not self.head.languages or language in self.head.languages

    def render(self, data: Mapping[str, Any]) -> str:
        """The text for Claude with the values of ``data`` filled in.

        Raises:
            PromptError: ``input`` wants other values; the message names them.
        """
        if self.input is None:
            return render(self.body, data)
        try:
            values = self.input.model_validate(dict(data)).model_dump(by_alias=True)
        except ValidationError as problem:
            wrong = "; ".join(f"{_where(error)}: {error['msg'].lower()}" for error in problem.errors())
            raise PromptError(f"The prompt {self.name!r} can't be filled in: {wrong}. Give these values.") from problem
        return render(self.body, values)

    def instruction(self, data: Mapping[str, Any]) -> str:
        """What an editor's question tells Claude: :meth:`render`, and how to propose edits if it is to.

        Raises:
            PromptError: see :meth:`render`.
        """
        text = self.render(data)
        return f"{text}\n\n{PROPOSING}" if self.head.proposes_edits else text


def load_prompt(path: Path) -> Prompt:
    """The prompt in the file ``path``.

    Raises:
        PromptError: it can't be read, or its frontmatter has a wrong key or value; the message names file, key and
            line.
    """
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise PromptError(f"The prompt file {path} is larger than {_MAX_BYTES:,} bytes.")
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        raise PromptError(f"The prompt file {path} can't be read: {problem}.") from problem
    return parse_prompt(path.stem, text, str(path), path=path)


def load_folder(folder: Path) -> tuple[dict[str, Prompt], list[PromptError]]:
    """The prompts in the ``.md`` files of a folder, by name, and what is wrong with the others.

    A folder that isn't there has none. Links are not followed out of the folder.
    """
    prompts: dict[str, Prompt] = {}
    wrong: list[PromptError] = []
    try:
        files = sorted(file for file in folder.iterdir() if file.suffix == ".md")
        real = folder.resolve()
    except OSError:
        return {}, []
    for file in files:
        try:
            if file.resolve().is_relative_to(real):
                prompts[file.stem] = load_prompt(file)
            else:
                wrong.append(PromptError(f"The prompt file {file} is a link to somewhere else; it was not read."))
        except PromptError as problem:
            wrong.append(problem)
    return prompts, wrong


def built_in_prompts() -> dict[str, Prompt]:
    """The prompts that come with the package, by name, in the order of the menu."""
    folder = resources.files("channelcoder_lsp.prompts") / "library"
    prompts = [
        parse_prompt(file.name.removesuffix(".md"), file.read_text(encoding="utf-8"), file.name)
        for file in folder.iterdir()
        if file.name.endswith(".md")
    ]
    return in_order({prompt.name: prompt for prompt in prompts})


def in_order(prompts: Mapping[str, Prompt]) -> dict[str, Prompt]:
    """``prompts`` in the order of the menu."""
    return dict(sorted(prompts.items(), key=lambda item: (item[1].order, item[0])))


def parse_prompt(name: str, text: str, source: str, path: Path | None = None) -> Prompt:
    """The prompt ``name`` from its ``text``; ``source`` is what an error calls it.

    Raises:
        PromptError: see :func:`load_prompt`.
    """
    head, body = _split(text)
    try:
        values: Any = yaml.safe_load(head)
        frontmatter = Frontmatter.model_validate({} if values is None else values)
    except yaml.YAMLError as problem:
        raise PromptError(f"The frontmatter of {source} is not YAML: {problem}") from problem
    except ValidationError as problem:
        first = problem.errors()[0]
        key = _where(first) or "frontmatter"
        raise PromptError(f"In {source}{_line(head, key)}, {key!r} is wrong: {_reason(first)}") from problem
    if not body.strip():
        raise PromptError(f"In {source}, 'body' is wrong: there is nothing below the frontmatter to tell Claude.")
    models = {}
    for key in ("input", "output"):
        notation = getattr(frontmatter, key)
        try:
            models[key] = None if notation is None else model_of(notation, key)
        except PromptError as problem:
            raise PromptError(f"In {source}{_line(head, key)}, {problem}") from problem
    heading = _HEADING.search(body)
    title = frontmatter.title or (heading[1] if heading else name)
    return Prompt(name, title, body.strip(), frontmatter, path, **models)


def _split(text: str) -> tuple[str, str]:
    """The frontmatter and the body."""
    lines = text.split("\n")
    if lines[0].strip() != _FENCE:
        return "", text
    for number, line in enumerate(lines[1:], start=1):
        if line.strip() == _FENCE:
            return "\n".join(lines[1:number]), "\n".join(lines[number + 1 :])
    return "", text


def _where(error: Any) -> str:
    return ".".join(str(part) for part in error["loc"])


def _reason(error: Any) -> str:
    if error["type"] == "extra_forbidden":
        known = ", ".join(to_camel(name) for name in Frontmatter.model_fields)
        return f"there is no such key. There are {known}."
    return f"{error['msg']}."


def _line(head: str, key: str) -> str:
    """Where a key of the frontmatter stands, as a part of a sentence; nothing where that can't be told."""
    first = key.split(".", maxsplit=1)[0]
    node = yaml.compose(head, Loader=yaml.SafeLoader)
    if isinstance(node, yaml.MappingNode):
        for name, _ in node.value:
            if name.value == first:
                return f", line {name.start_mark.line + 2}"
    return ""
