"""A session handed to the real ``claude`` in the terminal, and what was said there taken into it."""

from __future__ import annotations

import asyncio
import json
import logging
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from channelcoder_lsp.domain.agent import AgentOptions
from channelcoder_lsp.domain.errors import AgentError, ArgumentsError
from channelcoder_lsp.domain.model import now
from channelcoder_lsp.execution.terminal import hand_over, is_terminal
from channelcoder_lsp.library.results import Result
from channelcoder_lsp.services.compaction import since_compaction
from channelcoder_lsp.services.compose import replay
from channelcoder_lsp.services.connected import new_session_id

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from channelcoder_lsp.claude.transcripts import Transcript
    from channelcoder_lsp.configuration import Configuration
    from channelcoder_lsp.domain.agent import ConnectionRequest
    from channelcoder_lsp.library.asking import Options
    from channelcoder_lsp.services.session import Session as OpenSession

logger = logging.getLogger(__name__)

_NOT_THERE = ("timeout", "dry_run", "output", "max_turns", "max_budget_usd", "permission_tool")
"""The options that are for questions without a person: nobody has to be kept from waiting, or asked in another way."""


@dataclass(frozen=True)
class Interactive:
    """What became of a session in the terminal.

    Args:
        code: how ``claude`` ended; negative: by that signal.
        turns: what was asked and answered there, oldest first.
    """

    code: int
    turns: Sequence[Result] = ()


def fit_for_a_person(options: Options) -> None:
    """See to it that a person sits there, and that the options are for one.

    Raises:
        ArgumentsError: something is not so.
    """
    if unfit := [name for name in _NOT_THERE if options.get(name) is not None]:
        raise ArgumentsError(f"{unfit[0]}: there is no such option where a person sits. Leave it out.")
    if not is_terminal():
        raise ArgumentsError("interactive: standard input and output must be a terminal. Use run or stream in scripts.")


async def in_terminal(
    session: OpenSession, configuration: Configuration, request: ConnectionRequest, prompt: str | None
) -> Interactive:
    """Run ``claude`` on the terminal in the Claude session of ``session``, which nobody else can ask in meanwhile.

    Args:
        session: the session; what is said is recorded in it, however ``claude`` ends.
        configuration: how Claude is started.
        request: what to start it with, but for the Claude session.
        prompt: what is asked at once; None: nothing.

    Raises:
        AgentError: ``claude`` can't be started.
        StorageError: what was said could not be recorded; Claude Code's own transcript has it.
    """
    async with session.held():
        head, config = session.head, configuration.transcripts()
        request = replace(request, model=head.channelcoder.model or request.model)
        resume = head.current_session_id
        if resume is not None and await asyncio.to_thread(has_transcript, resume, config):
            fork = resume == head.channelcoder.forked_from
            new_id = new_session_id("", head) if fork else None
            request = replace(request, resume=resume, fork=fork, session_id=new_id)
        else:
            request = replace(request, session_id=new_session_id(session.name, head))
            request = await _reminded(session, request)
        with tempfile.TemporaryDirectory(prefix="channelcoder-") as folder:
            visited = Path(folder) / "visited"
            how = await configuration.launch(request, prompt=prompt, visited=visited)
            began = now()
            try:
                code = await hand_over(how.arguments, cwd=request.cwd, environment=how.environment)
            except OSError as problem:
                raise AgentError(f"{how.arguments[0]} can't be started: {problem}.") from problem
            finally:
                ids = _visited(visited) or [request.session_id or request.resume or ""]
                spent = head.channelcoder.spent.get(resume or "", 0.0)
                counted = not configuration.settings.offline
                found = [await _transcript(one, how.config, request) for one in ids]
                new = await _taken_in(session, [one for one in found if one], began, spent=spent, counted=counted)
    return Interactive(code, new)


async def _taken_in(
    session: OpenSession, transcripts: Sequence[Transcript], since: datetime, *, spent: float, counted: bool
) -> list[Result]:
    """Record what was asked since then in any of the conversations."""
    turns = sorted(
        (turn for transcript in transcripts for turn in transcript.turns if turn.asked >= since),
        key=lambda turn: turn.asked,
    )
    total = None
    if turns and counted:
        total = next(one.cost_usd for one in transcripts if one.session_id == turns[-1].session_id)
    cost = max(0.0, total - spent) if total is not None else 0.0
    new = await session.take_in(turns, cost_usd=cost, cumulative_usd=total)
    return [Result.of(await session.whole(turn.id)) for turn in new]


async def _reminded(session: OpenSession, request: ConnectionRequest) -> ConnectionRequest:
    """``request`` with the conversation so far, for a Claude that knows nothing of it."""
    summary, since = since_compaction(session.head, (await session.state()).messages)
    told, messages = replay(since, "What the user types comes next.", summary)
    if not messages and summary is None:
        return request
    options = request.options or AgentOptions()
    appended = "\n\n".join(text for text in (options.append_system_prompt, told) if text)
    return replace(request, options=replace(options, append_system_prompt=appended))


def has_transcript(session_id: str, config: Path) -> bool:
    """Whether Claude Code, whose configuration folder is given, can go on with a conversation."""
    from channelcoder_lsp.claude import transcripts  # noqa: PLC0415 - on first use

    return transcripts.has_transcript(session_id, config)


async def _transcript(session_id: str, config: Path, request: ConnectionRequest) -> Transcript | None:
    from channelcoder_lsp.claude.transcripts import read_transcript  # noqa: PLC0415 - it needs the SDK

    return await read_transcript(session_id, config, request.cwd)


def _visited(file: Path) -> list[str]:
    """The conversations that the command line noted."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    ids = []
    for line in lines:
        try:
            ids.append(str(json.loads(line)["session_id"]))
        except (ValueError, KeyError, TypeError):
            logger.info("a line of %s can't be read", file)
    return list(dict.fromkeys(ids))
