"""What was said in a conversation with the Claude Code command line, read from its transcript.

Which entries of a transcript are the conversation, and in which order (branches, tools used side by side), is the
SDK's to know: its own reader says it. From here comes what it leaves out: when each was written, and what is a
question of a person's and what is the command line talking to itself.
"""

from __future__ import annotations

import json
import logging
import re
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from channelcoder_lsp.claude.editor_tools import short_name
from channelcoder_lsp.claude.messages import tool_detail
from channelcoder_lsp.domain.errors import SessionError
from channelcoder_lsp.domain.turn import ContextUse, ToolUse, Turn, TurnState, Usage

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from claude_agent_sdk import SessionStore

logger = logging.getLogger(__name__)

_INTERRUPTED = "[Request interrupted by user"
_ASIDE = re.compile(r"<(local-command-|bash-|task-notification|user-memory-input)")
"""How texts begin that the command line writes in the user's name."""
_COMMAND = re.compile(r"<command-name>(.*?)</command-name>", re.DOTALL)
_ARGUMENTS = re.compile(r"<command-args>(.*?)</command-args>", re.DOTALL)
_SYNTHETIC = "<synthetic>"
_UNANSWERED = "Claude Code ended before this was answered. Ask again."


@dataclass(frozen=True)
class Transcript:
    """A conversation as the command line kept it.

    Args:
        session_id: the Claude session.
        turns: the questions and their answers, oldest first. A turn's id is made from its question's, so reading it
            twice gives the same.
        cost_usd: what it has cost altogether, if that is told.
        cwd: the folder that it was had in, if that is told.
    """

    session_id: str
    turns: tuple[Turn, ...]
    cost_usd: float | None = None
    cwd: str | None = None


async def read_transcript(session_id: str, config: Path, cwd: Path) -> Transcript | None:
    """The conversation of a Claude session; None if there is no transcript of it.

    Args:
        session_id: the Claude session.
        config: the command line's configuration folder.
        cwd: the folder that paths are shown relative to.
    """
    import asyncio  # noqa: PLC0415 - the SDK's import takes a second: only who reads one pays for it

    if not _is_uuid(session_id):
        return None
    entries = await asyncio.to_thread(_entries, session_id, config)
    return None if entries is None else await _read(session_id, entries, cwd)


async def read_transcript_file(path: Path) -> Transcript:
    """The conversation in a transcript, wherever that lies.

    Raises:
        OSError: it can't be read.
        SessionError: there is no conversation in it.
    """
    import asyncio  # noqa: PLC0415 - as above

    text = await asyncio.to_thread(path.read_text, encoding="utf-8", errors="replace")
    entries = list(_parsed(text.split("\n")))
    ids = [entry["sessionId"] for entry in entries if isinstance(entry.get("sessionId"), str)]
    folders = [entry["cwd"] for entry in entries if isinstance(entry.get("cwd"), str)]
    session_id = path.stem if _is_uuid(path.stem) else ids[-1] if ids else ""
    found = await _read(session_id, entries, Path(folders[-1]) if folders else path.parent)
    if found is None or not found.turns:
        raise SessionError(f"There is no conversation in {path}. Give a transcript of Claude Code's.")
    return replace(found, cwd=folders[-1] if folders else None)


def keeps_transcript(config: Path, path: Path) -> bool:
    """Whether the command line with that configuration folder goes on with the transcript at ``path``."""
    return path.resolve().parent.parent == (config / "projects").resolve() and _is_uuid(path.stem)


async def _read(session_id: str, entries: list[dict[str, Any]], cwd: Path) -> Transcript | None:
    import asyncio  # noqa: PLC0415 - as above

    if not _is_uuid(session_id):
        return None
    sdk = await asyncio.to_thread(__import__, "claude_agent_sdk")
    messages = await sdk.get_session_messages_from_store(cast("SessionStore", _Entries(entries)), session_id)
    times = {entry["uuid"]: entry.get("timestamp") for entry in entries if isinstance(entry.get("uuid"), str)}
    turns = _Turns(session_id, cwd)
    for message in messages:
        turns.take(message.type, message.uuid, message.message, _time(times.get(message.uuid)))
    costs = [entry.get("totalCostUSD") for entry in entries if entry.get("type") == "cost-state"]
    cost = costs[-1] if costs and isinstance(costs[-1], (int, float)) else None
    return Transcript(session_id, tuple(turns.all()), cost)


def has_transcript(session_id: str, config: Path) -> bool:
    """Whether there is a transcript of a Claude session, with something in it."""
    return _is_uuid(session_id) and any(file.stat().st_size for file in _files(session_id, config))


class _Entries:
    """Gives the SDK's reader what was read (of its ``SessionStore`` it calls ``load`` alone)."""

    def __init__(self, entries: list[dict[str, Any]]) -> None:
        self._entries = entries

    async def load(self, _key: Any) -> list[dict[str, Any]]:
        return self._entries


class _Turns:
    """Puts a conversation's messages together to turns."""

    def __init__(self, session_id: str, cwd: Path) -> None:
        self._session_id = session_id
        self._cwd = cwd
        self._turns: list[Turn] = []
        self._command: Turn | None = None
        """A command of the command line's own; a turn only if Claude answers it."""
        self._usage: dict[str, Usage] = {}
        self._failed = False

    def all(self) -> list[Turn]:
        """The turns; one without an answer failed."""
        for turn in self._turns:
            if turn.state is TurnState.RUNNING:
                turn.state, turn.error = TurnState.FAILED, _UNANSWERED
                turn.finished = turn.asked
        return self._turns

    def take(self, role: str, uuid: str, message: Mapping[str, Any], at: datetime | None) -> None:
        """Take in one message of the conversation."""
        blocks = list(_blocks(message.get("content")))
        if role == "user":
            self._user(uuid, blocks, at)
        else:
            self._assistant(message, blocks, at)

    def _user(self, uuid: str, blocks: list[Mapping[str, Any]], at: datetime | None) -> None:
        if any(block.get("type") == "tool_result" for block in blocks):
            return
        text = _joined(blocks)
        if text.startswith(_INTERRUPTED):
            if self._turns and at is not None:
                self._turns[-1].state, self._turns[-1].error = TurnState.CANCELLED, None
                self._turns[-1].finished = at
            return
        if not text or at is None or _ASIDE.match(text):
            return
        command = _COMMAND.search(text)
        if command is not None:
            arguments = _ARGUMENTS.search(text)
            text = f"{command[1]} {arguments[1] if arguments else ''}".strip()
        turn = Turn(
            id=f"turn-{UUID(uuid).hex}" if _is_uuid(uuid) else f"turn-{uuid}",
            question=text,
            prompt=text,
            state=TurnState.RUNNING,
            session_id=self._session_id,
            asked=at,
            started=at,
        )
        self._usage = {}
        self._command = turn if command is not None else None
        if command is None:
            self._turns.append(turn)

    def _assistant(self, message: Mapping[str, Any], blocks: list[Mapping[str, Any]], at: datetime | None) -> None:
        if self._command is not None and message.get("model") != _SYNTHETIC:
            self._turns.append(self._command)
            self._command = None
        if not self._turns or self._command is not None:
            return
        turn = self._turns[-1]
        text = _joined(blocks)
        turn.finished = at or turn.finished
        if message.get("model") == _SYNTHETIC:
            turn.state, turn.error = TurnState.FAILED, text or _UNANSWERED
            return
        turn.state, turn.error = TurnState.DONE, None
        turn.answer = f"{turn.answer}\n\n{text}" if turn.answer and text else turn.answer or text
        turn.model = message.get("model") or turn.model
        for block in blocks:
            if block.get("type") == "tool_use":
                name, given = str(block.get("name")), block.get("input")
                detail = tool_detail(name, given if isinstance(given, dict) else {}, self._cwd)
                turn.tools.append(ToolUse(name=short_name(name), detail=detail))
        # A message of several blocks is written as several entries, each with the usage of the whole.
        self._usage[str(message.get("id"))] = last = _usage(message.get("usage"))
        turn.context = ContextUse(tokens=last.total) if last.total else None
        turn.usage = sum(self._usage.values(), Usage())


def _entries(session_id: str, config: Path) -> list[dict[str, Any]] | None:
    """The entries of the transcript; a last line that was torn is left out."""
    files = _files(session_id, config)
    if not files:
        return None
    try:
        text = files[-1].read_text(encoding="utf-8", errors="replace")
    except OSError as problem:
        logger.warning("%s can't be read: %s", files[-1], problem)
        return None
    return list(_parsed(text.split("\n")))


def _files(session_id: str, config: Path) -> list[Path]:
    """The files that may hold it, the one written last in the end: each folder that it was resumed in has one."""
    return sorted((config / "projects").glob(f"*/{session_id}.jsonl"), key=lambda path: path.stat().st_mtime)


def _parsed(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    for line in lines:
        try:
            entry = json.loads(line) if line.strip() else None
        except ValueError:
            logger.info("a line of a transcript can't be read and is left out")
            continue
        if isinstance(entry, dict):
            yield entry


def _blocks(content: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(content, str):
        yield {"type": "text", "text": content}
    elif isinstance(content, list):
        yield from (block for block in content if isinstance(block, dict))


def _joined(blocks: Iterable[Mapping[str, Any]]) -> str:
    texts = [str(block.get("text", "")).strip() for block in blocks if block.get("type") == "text"]
    return "\n\n".join(text for text in texts if text)


def _time(text: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(str(text).replace("Z", "+00:00"))
    except ValueError:
        return None


def _usage(told: Any) -> Usage:
    if not isinstance(told, dict):
        return Usage()
    return Usage(**{name: told[name] for name in Usage.model_fields if isinstance(told.get(name), int)})


def _is_uuid(text: str) -> bool:
    try:
        return str(UUID(text)) == text.lower()
    except ValueError:
        return False
