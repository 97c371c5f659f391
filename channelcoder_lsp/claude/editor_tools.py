"""The tools through which Claude sees the editor's buffers and proposes edits.

An MCP server in this process over the port :class:`~channelcoder_lsp.domain.editor.EditorTools`. The CLI reaches it
through the SDK's control channel: no program is started and no address is opened for it.

It is not named ``ide``: the CLI takes a server of that name for an editor of its own kind and hides its tools.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from channelcoder_lsp.domain.errors import ChannelCoderError, ToolError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from claude_agent_sdk import McpSdkServerConfig, SdkMcpTool

    from channelcoder_lsp.domain.editor import EditorTools

logger = logging.getLogger(__name__)

SERVER = "channelcoder"
PREFIX = f"mcp__{SERVER}__"
"""How the names of our tools begin for the model and in the CLI's rules."""

RESULT_CHARS = 60_000
"""The longest answer of a tool; up to this size the CLI is told to hand it on whole."""

_PATH = {"type": "string", "description": "The file: relative to the project folder, or absolute."}


@dataclass(frozen=True)
class EditorTool:
    """One tool as the model sees it, and what it does.

    Args:
        name: without the server's prefix.
        description: what the model is told about it.
        properties: its arguments, as JSON schemas.
        required: those that must be there.
        call: does it; gets the arguments, which fit the schemas.
        reads_only: whether it changes nothing, proposals included: such calls may run side by side.
    """

    name: str
    description: str
    call: Callable[[EditorTools, Mapping[str, Any]], Awaitable[str]]
    properties: Mapping[str, Any] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    reads_only: bool = False

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON schema of its arguments."""
        return {
            "type": "object",
            "properties": dict(self.properties),
            "required": list(self.required),
            "additionalProperties": False,
        }

    async def use(self, editor: EditorTools, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Do it; the result as the SDK takes it, what went wrong told as an error."""
        try:
            return _told(await self.call(editor, arguments))
        except ToolError as problem:
            logger.info("%s: %s", self.name, problem)
            return _told(problem.message, is_error=True)
        except ChannelCoderError as problem:
            logger.warning("%s failed: %s", self.name, problem)
            return _told(problem.message, is_error=True)
        except Exception:
            logger.exception("%s failed", self.name)
            return _told(
                f"{self.name} failed inside the editor's server; calling it again will not help. "
                "Go on without it and say so in the answer.",
                is_error=True,
            )


EDITOR_TOOLS = (
    EditorTool(
        "open_documents",
        "List the documents that are open in the user's editor: path, language, number of lines, and whether there "
        "are unsaved changes.",
        lambda editor, _: editor.open_documents(),
        reads_only=True,
    ),
    EditorTool(
        "read_buffer",
        "Read an open document as it is in the user's editor, unsaved changes included, with numbered lines. For a "
        "document with unsaved changes this is the only right way to read it: the file on disk is older.",
        lambda editor, given: editor.read_buffer(given["path"], given.get("offset", 1), given.get("limit")),
        {
            "path": _PATH,
            "offset": {"type": "integer", "minimum": 1, "description": "The first line to read, counted from 1."},
            "limit": {"type": "integer", "minimum": 1, "description": "How many lines to read at most."},
        },
        required=("path",),
        reads_only=True,
    ),
    EditorTool(
        "diagnostics",
        "What compilers, linters and type checkers say in the user's editor, about one file or about all open ones.",
        lambda editor, given: editor.diagnostics(given.get("path")),
        {"path": _PATH | {"description": f"{_PATH['description']} Leave it out for all open documents."}},
        reads_only=True,
    ),
    EditorTool(
        "selection",
        "What the user has selected in the editor at this moment.",
        lambda editor, _: editor.selection(),
        reads_only=True,
    ),
    EditorTool(
        "propose_edit",
        "Propose to replace exact text in a file. Nothing is written: the user reviews the proposal and applies it. "
        "old_string must stand in the file exactly as given, white space included and without line numbers, and "
        "exactly once unless replace_all is true: add lines around it to make it unique. The file is taken as it is "
        "in the editor, unsaved changes and your earlier proposals in this answer included. Call it once for each "
        "place.",
        lambda editor, given: editor.propose_edit(
            given["path"], given["old_string"], given["new_string"], replace_all=given.get("replace_all", False)
        ),
        {
            "path": _PATH,
            "old_string": {"type": "string", "minLength": 1, "description": "The text to replace."},
            "new_string": {"type": "string", "description": "The text to put in its place; empty to delete it."},
            "replace_all": {
                "type": "boolean",
                "default": False,
                "description": "Replace every occurrence of old_string.",
            },
        },
        required=("path", "old_string", "new_string"),
    ),
    EditorTool(
        "propose_file",
        "Propose a new file, or the whole new text of a file that is there. Nothing is written: the user reviews the "
        "proposal and applies it. For changes to a part of a file use propose_edit.",
        lambda editor, given: editor.propose_file(given["path"], given["content"]),
        {"path": _PATH, "content": {"type": "string", "description": "The whole text of the file."}},
        required=("path", "content"),
    ),
    EditorTool(
        "propose_deletion",
        "Propose to delete a file. Nothing is deleted: the user reviews the proposal and applies it.",
        lambda editor, given: editor.propose_deletion(given["path"]),
        {"path": _PATH},
        required=("path",),
    ),
)
"""All of them."""


def editor_server(editor: EditorTools) -> McpSdkServerConfig:
    """The MCP server of :data:`EDITOR_TOOLS` over ``editor``. Imports the SDK."""
    from claude_agent_sdk import create_sdk_mcp_server  # noqa: PLC0415 - loaded by now

    return create_sdk_mcp_server(SERVER, tools=[_sdk_tool(tool, editor) for tool in EDITOR_TOOLS])


def short_name(tool: str) -> str:
    """A tool's name as people see it: ours without the server's prefix."""
    return tool.removeprefix(PREFIX)


def _sdk_tool(tool: EditorTool, editor: EditorTools) -> SdkMcpTool[Any]:
    from claude_agent_sdk import SdkMcpTool, ToolAnnotations  # noqa: PLC0415 - loaded by now

    async def handler(arguments: dict[str, Any]) -> dict[str, Any]:
        return await tool.use(editor, arguments)

    annotations = ToolAnnotations(
        readOnlyHint=tool.reads_only,
        destructiveHint=False,
        openWorldHint=False,
        maxResultSizeChars=2 * RESULT_CHARS,
    )
    return SdkMcpTool(tool.name, tool.description, tool.schema, handler, annotations)


def _told(text: str, *, is_error: bool = False) -> dict[str, Any]:
    if len(text) > RESULT_CHARS:
        more = len(text) - RESULT_CHARS
        text = f"{text[:RESULT_CHARS]}\n(cut here; {more:,} more characters: ask for a part)"
    return {"content": [{"type": "text", "text": text or "(nothing)"}], "is_error": is_error}
