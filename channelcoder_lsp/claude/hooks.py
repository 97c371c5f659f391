"""What is done before every use of a tool, in a hook that the CLI calls and waits for.

``can_use_tool`` is not enough: the CLI doesn't call it for what it takes for harmless, which is every Read in the
folder and, when there is Bash, commands such as ``cat .env`` or ``git status``. A hook sees everything.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from channelcoder_lsp.claude.consent import not_available
from channelcoder_lsp.claude.editor_tools import PREFIX
from channelcoder_lsp.claude.permissions import TOOLS, readings
from channelcoder_lsp.claude.structured import STRUCTURED_OUTPUT

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from channelcoder_lsp.claude.permissions import Guard
    from channelcoder_lsp.domain.editor import EditorTools

logger = logging.getLogger(__name__)

_NAMED = 20
"""How many unsaved files are named at most, and how much of each name."""
_NAME_CHARS = 300


class BeforeTool:
    """The ``PreToolUse`` hook.

    Args:
        guard: which files may be read.
        editor: which files have unsaved changes; None: none has.
        by_consent: the tools that a person is asked about each time.
        named: the tools that a program named; the CLI's own rules decide about each use.
        with_servers: whether there are MCP servers that a program named.
    """

    def __init__(
        self,
        guard: Guard,
        editor: EditorTools | None,
        by_consent: Collection[str],
        named: Collection[str] = (),
        *,
        with_servers: bool = False,
    ) -> None:
        self._guard = guard
        self._editor = editor
        self._by_consent = frozenset(by_consent)
        self._named = frozenset(named)
        self._with_servers = with_servers

    async def __call__(self, given: Any, _tool_use_id: str | None, _context: Any) -> Any:
        """Decide about one use; a hook that raises blocks it (``on_failure``)."""
        tool, arguments = given["tool_name"], given["tool_input"]
        if (reason := await self.refusal(tool, arguments)) is not None:
            logger.info("Denied: %s", reason)
            return _output(permissionDecision="deny", permissionDecisionReason=reason)
        if tool in self._by_consent:
            return _output(permissionDecision="ask", permissionDecisionReason="Each use is asked for.")
        if tool == "Grep" and (unseen := self._unseen()) is not None:
            return _output(additionalContext=unseen)
        return {}

    async def refusal(self, tool: str, arguments: Mapping[str, Any]) -> str | None:
        """Why ``tool`` may not be used with ``arguments``; None when there is nothing against it."""
        if tool in TOOLS:
            reason = await asyncio.to_thread(self._guard.refusal, tool, arguments)
            if reason is None and tool == "Read":
                reason = await self._unsaved(arguments["file_path"])
            return reason
        if tool in self._by_consent or tool in self._named or tool == STRUCTURED_OUTPUT:
            return None
        if tool.startswith("mcp__") and self._with_servers:
            return None
        if tool.startswith(PREFIX) and self._editor is not None:
            return None
        return not_available(tool)

    async def _unsaved(self, named: str) -> str | None:
        """Why the file on disk is not the one to read."""
        if self._editor is None or not self._editor.unsaved():
            return None
        paths = await asyncio.to_thread(readings, self._guard.cwd, named)
        if not any(self._editor.is_unsaved(path) for path in paths):
            return None
        return (
            f"Read was not run on {named!r}: it is open in the user's editor with unsaved changes, and the file on "
            f"disk is older. Read it with {PREFIX}read_buffer."
        )

    def _unseen(self) -> str | None:
        """What a search of the disk doesn't see."""
        unsaved = self._editor.unsaved() if self._editor is not None else []
        if not unsaved:
            return None
        # The model takes this for the host's words: names of files are marked off as such.
        names = ", ".join(repr(name[:_NAME_CHARS]) for name in unsaved[:_NAMED])
        more = f" and {len(unsaved) - _NAMED} more" if len(unsaved) > _NAMED else ""
        return (
            "Grep searches the files on disk. These are open in the user's editor with unsaved changes, which it does "
            f"not see: {names}{more}. Read them with {PREFIX}read_buffer."
        )


def _output(**decided: str) -> dict[str, Any]:
    return {"hookSpecificOutput": {"hookEventName": "PreToolUse", **decided}}
