"""An editor as the agent sees it, without one: documents in memory, proposals in a list."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from channelcoder_lsp.domain.errors import ToolError

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class OpenEditor:
    """Documents that are open with unsaved changes, by path; what was proposed.

    Args:
        root: the project folder.
        buffers: the unsaved texts by their path in it.
    """

    root: Path
    buffers: dict[str, str]
    proposed: list[tuple[str, ...]] = field(default_factory=list)

    def is_unsaved(self, path: Path) -> bool:
        return path in {self.root / name for name in self.buffers}

    def unsaved(self) -> list[str]:
        return sorted(self.buffers)

    async def open_documents(self) -> str:
        return "\n".join(f"{name}: unsaved changes" for name in self.unsaved())

    async def read_buffer(self, path: str, offset: int = 1, limit: int | None = None) -> str:
        if path not in self.buffers:
            raise ToolError(f"{path} is not open. Read it with Read.")
        lines = self.buffers[path].splitlines()[offset - 1 :][:limit]
        return "\n".join(f"{number}| {line}" for number, line in enumerate(lines, start=offset))

    async def diagnostics(self, path: str | None = None) -> str:
        return f"{path or 'everywhere'}: nothing to complain about"

    async def selection(self) -> str:
        return ""

    async def propose_edit(self, path: str, old_string: str, new_string: str, *, replace_all: bool = False) -> str:
        text = self.buffers.get(path, "")
        if old_string not in text:
            raise ToolError(f"{old_string!r} is not in {path}. Read it anew.")
        self.buffers[path] = text.replace(old_string, new_string, -1 if replace_all else 1)
        self.proposed.append(("edit", path, old_string, new_string, *["all"] * replace_all))
        return f"Proposed. {path} would be: {self.buffers[path]}"

    async def propose_file(self, path: str, content: str) -> str:
        self.proposed.append(("file", path, content))
        return "Proposed."

    async def propose_deletion(self, path: str) -> str:
        self.proposed.append(("deletion", path))
        return "Proposed."
