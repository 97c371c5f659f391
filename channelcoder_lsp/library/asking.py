"""What is asked and how: from a prompt or a prompt file and options to a question and its connection."""

from __future__ import annotations

import json
import logging
import re
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from pydantic import BaseModel, ValidationError

from channelcoder_lsp.domain.agent import AgentOptions, ConnectionRequest, Finished
from channelcoder_lsp.domain.errors import AgentError, ArgumentsError, SessionError
from channelcoder_lsp.library.contained import DockerOptions, container_named
from channelcoder_lsp.prompts import Prompt, load_prompt, render
from channelcoder_lsp.services.compose import Question

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from channelcoder_lsp.domain.container import ContainerOfSession
    from channelcoder_lsp.domain.turn import Turn

_PROMPT_FILE = ".md"


class WorktreeOptions(TypedDict, total=False):
    """A worktree to work in: see :meth:`channelcoder_lsp.execution.worktree.Worktrees.ensure`."""

    branch: str
    base: str
    path: str | Path
    create: bool
    cleanup: bool
    """Remove it after the question if it was made for it and holds no uncommitted work; the session then goes on in the
    folder where it was before."""


class Options(TypedDict, total=False):
    """What can be chosen for one question; the guide's names in snake case."""

    data: Mapping[str, Any]
    """The values to fill in."""
    system: str
    """The system prompt, or a ``.md`` or ``.txt`` file that holds it."""
    append_system: str
    tools: Sequence[str]
    """Tools, or uses of them, that need no consent: ``["Read", "Bash(git log:*)"]``."""
    disallowed_tools: Sequence[str]
    mcp_config: str | Path
    permission_tool: str
    """The tool of one of those MCP servers that decides about other uses: ``mcp__SERVER__TOOL``."""
    model: str
    max_turns: int
    max_budget_usd: float
    timeout: float
    """Seconds; then the question is cancelled."""
    dry_run: bool
    """Only say what would be sent."""
    cwd: str | Path
    """The folder that Claude works in."""
    worktree: str | WorktreeOptions
    """The branch whose worktree Claude works in, made if there is none; the session goes on in it."""
    docker: bool | DockerOptions
    """The container that Claude works in; the session goes on in it. False: on the machine itself again."""
    trust: bool
    """Whether Claude uses the folder's own instructions and settings this once, though nobody trusted it for good."""
    verbose: bool
    """Log what happens to the standard error stream."""
    output: type[BaseModel]
    """What the answer must be: it is asked for as structured output, and :attr:`Result.data` is one of these."""


@dataclass(frozen=True)
class Asking:
    """One question, ready to be asked.

    Args:
        question: what is recorded and sent.
        options: what Claude may do and is told.
        model: the model, if one was named.
        cwd: the folder, if one was named.
        output: what the answer must be.
        timeout: seconds.
        dry_run: whether nothing is to be sent.
        worktree: the worktree to work in, if one was named.
        trust: whether the folder is trusted this once.
        container: the container to work in, if one was named.
        leaves_container: whether the machine itself was.
    """

    question: Question
    options: AgentOptions
    model: str | None = None
    cwd: Path | None = None
    output: type[BaseModel] | None = None
    timeout: float | None = None
    dry_run: bool = False
    worktree: WorktreeOptions | None = None
    trust: bool = False
    container: ContainerOfSession | None = None
    leaves_container: bool = False

    def adjust(self, request: ConnectionRequest) -> ConnectionRequest:
        """What to connect with for this question."""
        return replace(
            request,
            model=self.model or request.model,
            cwd=self.cwd or request.cwd,
            trusted=request.trusted or self.trust,
            options=self.options,
            editor=None,
        )


def asking(prompt: str | Path, options: Options, *, goes_on: bool) -> Asking:
    """What is to be asked.

    Args:
        prompt: the text, or the path of a prompt file.
        options: what was chosen; stronger than what the prompt file says.
        goes_on: whether the session has a conversation already.

    Raises:
        ArgumentsError: an option is unknown or does not fit.
        PromptError: the prompt file can't be read or filled in.
        SessionError: the prompt file needs a session to go on with.
    """
    unknown = options.keys() - Options.__annotations__.keys()
    if unknown:
        raise ArgumentsError(
            f"{min(unknown)}: there is no such option. There are {', '.join(Options.__annotations__)}."
        )
    data = options.get("data", {})
    file = _prompt_file(prompt)
    if file is None:
        text = render(str(prompt), data) if "data" in options else str(prompt)
        question, head = Question(text=text), None
    else:
        if file.head.session.required and not goes_on:
            raise SessionError(
                f"The prompt {file.name!r} goes on with a conversation. Load a session, or ask something in this one."
            )
        question, head = Question(text=file.title, instruction=file.render(data), prompt_name=file.name), file.head
    if options.get("verbose"):
        log_to_stderr()
    mcp_config = options.get("mcp_config") or (head.mcp_config if head else None)
    output = options.get("output") or (file.output if file else None)
    return Asking(
        question,
        AgentOptions(
            system_prompt=_text_or_file(options.get("system") or (head.system_prompt if head else None)),
            append_system_prompt=options.get("append_system") or (head.append_system_prompt if head else None),
            allowed_tools=tuple(options.get("tools") or (head.allowed_tools if head else ())),
            disallowed_tools=tuple(options.get("disallowed_tools") or (head.disallowed_tools if head else ())),
            mcp_config=Path(mcp_config).resolve() if mcp_config else None,
            permission_tool=_permission_tool(
                options.get("permission_tool") or (head.permission_prompt_tool if head else None)
            ),
            max_turns=options.get("max_turns"),
            max_budget_usd=options.get("max_budget_usd"),
        ),
        model=options.get("model"),
        cwd=Path(options["cwd"]).resolve() if options.get("cwd") else None,
        output=output,
        timeout=options.get("timeout"),
        dry_run=options.get("dry_run", False),
        worktree=_worktree(options.get("worktree")),
        trust=options.get("trust", False),
        container=container_named(options.get("docker")),
        leaves_container=options.get("docker") is False,
    )


def log_to_stderr() -> None:
    """Have this package's log on the standard error stream, in detail; once, however often it is wanted."""
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("channelcoder_lsp").setLevel(logging.DEBUG)


def _permission_tool(named: str | None) -> str | None:
    if named is not None and not re.fullmatch(r"mcp__.+__.+", named):
        raise ArgumentsError(f"permission_tool: {named!r} is not a tool of an MCP server. Name it mcp__SERVER__TOOL.")
    return named


def _worktree(given: str | WorktreeOptions | None) -> WorktreeOptions | None:
    wanted: WorktreeOptions | None = {"branch": given} if isinstance(given, str) else given
    if wanted is not None and (unknown := wanted.keys() - WorktreeOptions.__annotations__.keys()):
        known = ", ".join(WorktreeOptions.__annotations__)
        raise ArgumentsError(f"worktree: {min(unknown)} does not fit. There are {known}.")
    if wanted is not None and not wanted.get("branch"):
        raise ArgumentsError("worktree: the branch is missing. Give its name, or {'branch': ...}.")
    return wanted


class StructuredAnswer:
    """Takes in an answer that must be a ``model`` (:class:`~channelcoder_lsp.services.worker.TurnWatcher`)."""

    def __init__(self, model: type[BaseModel]) -> None:
        self._model = model
        self.schema: Mapping[str, Any] = model.model_json_schema()
        self.data: BaseModel | None = None

    async def output(self, text: str, *, replace: bool) -> None:
        """Nothing is done with an answer that is not complete."""

    async def accept(self, finished: Finished) -> Finished:
        """Validate the answer; one that does not fit fails, and what came is kept as its text."""
        if finished.error is not None or finished.cancelled:
            return finished
        try:
            self.data = self._model.model_validate(finished.structured)
        except ValidationError as problem:
            first = problem.errors()[0]
            where = ".".join(str(part) for part in first["loc"]) or "the answer"
            error = AgentError(f"The answer is not in the form that was asked for: {where}: {first['msg']}. Ask again.")
            return replace(finished, answer=finished.answer or json.dumps(finished.structured), error=error)
        return replace(finished, answer=finished.answer or self.data.model_dump_json(indent=2, by_alias=True))

    def over(self, turn: Turn) -> None:
        """Nothing is left to do."""


def _prompt_file(prompt: str | Path) -> Prompt | None:
    """The prompt file that ``prompt`` names; a text that only looks like one is a text."""
    if isinstance(prompt, Path):
        return load_prompt(prompt)
    if not prompt.endswith(_PROMPT_FILE) or "\n" in prompt:
        return None
    path = Path(prompt)
    return load_prompt(path) if path.is_file() else None


def _text_or_file(value: str | None) -> str | None:
    if value is None or not value.endswith((".md", ".txt")) or "\n" in value:
        return value
    path = Path(value)
    try:
        return path.read_text(encoding="utf-8") if path.is_file() else value
    except (OSError, UnicodeDecodeError) as problem:
        raise ArgumentsError(f"system: {path} can't be read: {problem}.") from problem
