"""The agent over the Claude Agent SDK and the Claude Code command line.

Importing this package costs nothing: the SDK (about a second) is imported when the first connection is
opened, in a worker thread.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from channelcoder_lsp.claude.agent import ClaudeAgent
    from channelcoder_lsp.claude.cli import Cli, Login, find_cli, read_login

__all__ = ["ClaudeAgent", "Cli", "Login", "find_cli", "read_login"]


def __getattr__(name: str) -> Any:
    """Load a public name on first use (PEP 562)."""
    if name == "ClaudeAgent":
        from channelcoder_lsp.claude.agent import ClaudeAgent  # noqa: PLC0415 - on first use

        return ClaudeAgent
    if name in __all__:
        from channelcoder_lsp.claude import cli  # noqa: PLC0415 - on first use

        return getattr(cli, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
