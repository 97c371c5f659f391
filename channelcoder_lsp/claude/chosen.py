"""What a program or a command line chose (:class:`~channelcoder_lsp.domain.agent.AgentOptions`), as the SDK has it.

A program names the tools that need no consent, and Claude has those beside the ones that only read; there is nobody
to ask about others. Patterns are the CLI's own: ``Bash(git log:*)``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from channelcoder_lsp.claude.permissions import TOOLS

if TYPE_CHECKING:
    from channelcoder_lsp.domain.agent import AgentOptions

_MCP = "mcp__"


def tools_named(options: AgentOptions) -> tuple[str, ...]:
    """The built-in tools that ``options`` allow, or allow a use of, beyond those that only read."""
    names = dict.fromkeys(rule.split("(", maxsplit=1)[0].strip() for rule in options.allowed_tools)
    return tuple(name for name in names if name and name not in TOOLS and not name.startswith(_MCP))


def chosen(options: AgentOptions, *, resumed: bool = False) -> dict[str, Any]:
    """The arguments of ``ClaudeAgentOptions`` that ``options`` decide.

    Args:
        options: what was chosen.
        resumed: whether the conversation has begun: it keeps its system prompt then, unless another one is named.
    """
    given: dict[str, Any] = {
        "system_prompt": _system_prompt(options, resumed=resumed),
        "disallowed_tools": list(options.disallowed_tools),
        "max_turns": options.max_turns,
        "max_budget_usd": options.max_budget_usd,
    }
    if options.permission_tool is not None:
        given["permission_prompt_tool_name"] = options.permission_tool
    if options.mcp_config is not None:
        given["mcp_servers"] = options.mcp_config
    return given


def _system_prompt(options: AgentOptions, *, resumed: bool) -> dict[str, Any]:
    named = [text for text in (options.system_prompt, options.append_system_prompt) if text is not None]
    prompt: dict[str, Any] = {"type": "preset", "preset": "claude_code"}
    if options.system_prompt is not None:
        prompt = {"type": "custom", "prompt": "\n\n".join(named)}
    elif named:
        prompt["append"] = named[0]
    if named and resumed:
        prompt["snapshot"] = False
    return prompt
