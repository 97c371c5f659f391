"""Tools that need a person's consent: which there are, who is asked, and what the person is shown.

Beyond the tools that only read, Claude has those that the user's settings name. Each use of one is put before a
person with what would run, in full; no answer means no.

What is left out whatever the settings say: the tools that write files, since edits are proposed and applied by people;
and in a folder that isn't trusted all but :data:`WEB_TOOLS`. There, consent to a harmless-looking command would be
consent to the folder's programs: ``git status`` runs what its ``.git/config`` names, ``make`` what its makefile says.
"""

from __future__ import annotations

import json
import logging
import re
from typing import TYPE_CHECKING, Any

from channelcoder_lsp.claude.permissions import TOOLS
from channelcoder_lsp.domain.permission import Decision

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from channelcoder_lsp.domain.permission import Permissions

logger = logging.getLogger(__name__)

WRITING_TOOLS = ("Edit", "MultiEdit", "NotebookEdit", "Write")
"""The built-in tools that write files. They are never on."""

WEB_TOOLS = ("WebFetch", "WebSearch")
"""The built-in tools that can't run a program of the folder, whatever they are given."""

SHOWN_CHARS = 4_000
"""What is longer can't be judged by a person in a message of the editor, and is refused unasked."""

_GO_ON = "Don't try to reach the same in another way: go on without it, and say in the answer what should be done."
_IN_PLAIN_TEXT = {"Bash": ("command",), "PowerShell": ("command",), "WebFetch": ("url", "prompt")}
_RENAMED = {"Task": "Agent"}
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_PADDING = re.compile(r" {40,}")


def tools_by_consent(wanted: Sequence[str], *, trusted: bool) -> tuple[str, ...]:
    """Those of the tools ``wanted`` by the settings that there are, each use after consent.

    Args:
        wanted: names of built-in tools of the CLI.
        trusted: whether the user trusts the folder.
    """
    there: list[str] = []
    for name in dict.fromkeys(_RENAMED.get(name, name) for name in wanted):
        if name in TOOLS:
            continue
        if (reason := _left_out(name, trusted=trusted)) is None:
            there.append(name)
        else:
            logger.warning("The tool %r of channelcoder.tools was left out: %s.", name, reason)
    return tuple(there)


class Consent:
    """The SDK's ``can_use_tool``: asks a person about :func:`tools_by_consent`, refuses everything else.

    Args:
        permissions: who is asked; None: nobody, and everything is refused.
        tools: the tools that may be asked for.
    """

    def __init__(self, permissions: Permissions | None, tools: Collection[str]) -> None:
        self._permissions = permissions
        self._tools = frozenset(tools)

    async def __call__(self, tool: str, arguments: dict[str, Any], _context: Any) -> Any:
        """Allow the use of ``tool`` or refuse it with a reason for Claude."""
        from claude_agent_sdk import PermissionResultAllow, PermissionResultDeny  # noqa: PLC0415 - loaded by now

        refusal = await self.refusal(tool, arguments)
        return PermissionResultAllow() if refusal is None else PermissionResultDeny(message=refusal)

    async def refusal(self, tool: str, arguments: Mapping[str, Any]) -> str | None:
        """Why ``tool`` may not be used with ``arguments``; None when a person allowed it."""
        if tool not in self._tools or self._permissions is None:
            logger.info("Claude asked to use %s: denied", tool)
            return not_available(tool)
        detail = shown(tool, arguments)
        if len(detail) > SHOWN_CHARS:
            logger.info("Claude asked to use %s with %d characters: denied", tool, len(detail))
            return (
                f"{tool} was not run: what it would do can't be shown to the user in full, it has {len(detail):,} "
                f"characters. {SHOWN_CHARS:,} are possible; do it in smaller steps."
            )
        try:
            permission = await self._permissions.decide(tool, detail)
        except Exception:
            logger.exception("Asking for permission to use %s failed", tool)
            return f"{tool} was not run: the user could not be asked. {_GO_ON}"
        if permission.decision in (Decision.ONCE, Decision.SESSION):
            return None
        why = f" ({permission.reason})" if permission.reason else ""
        return f"{tool} was not run: the user did not allow it{why}. {_GO_ON}"


def not_available(tool: str) -> str:
    """What Claude is told of a tool that it doesn't have."""
    return f"{tool} is not available here. Do without it, and say in the answer what should be done."


def shown(tool: str, arguments: Mapping[str, Any]) -> str:
    """What a person is shown of a use of ``tool``: all of it, and nothing that hides a part of it.

    A description that Claude wrote is left out: it might say something else than what would run.
    """
    given = {name: value for name, value in arguments.items() if name not in ("description", "timeout")}
    parts = []
    for name in _IN_PLAIN_TEXT.get(tool, ()):
        if isinstance(value := given.get(name), str):
            parts.append(value)
            del given[name]
    if given or not parts:
        parts.append(json.dumps(given, ensure_ascii=False))
    return visible("\n".join(parts))


def visible(text: str) -> str:
    """``text`` with every character to be seen: also where line ends are not shown as such, or text runs backwards."""
    escaped = "".join(map(_visible, text))
    return _PADDING.sub(lambda spaces: f" ⟨{len(spaces[0]):,} spaces⟩ ", escaped)


def _visible(char: str) -> str:
    if char == "\n":
        return "⏎\n"
    return char if char.isprintable() else char.encode("unicode_escape").decode()


def _left_out(name: str, *, trusted: bool) -> str | None:
    if name in WRITING_TOOLS:
        return "edits are proposed, and applied by you"
    if name == "ToolSearch":
        return "it would hide the other tools"
    if not _NAME.fullmatch(name) or name.startswith("mcp__"):
        return "that is not the name of a built-in tool"
    if not trusted and name not in WEB_TOOLS:
        return "this folder is not trusted, and the tool might run programs of it"
    return None
