"""What is not committed in a project, as a unified diff, to be sent along with a question.

Open documents count as they are in the editor. Files that are kept from Claude, too large or no text are named only.
Deleted files are not looked at: nothing is left of them to ask about.
"""

from __future__ import annotations

from difflib import unified_diff
from typing import TYPE_CHECKING

import anyio.to_thread

from channelcoder_lsp.domain.errors import ArgumentsError, ReviewError
from channelcoder_lsp.services.context import ContextItem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from channelcoder_lsp.domain.repository import Repository
    from channelcoder_lsp.services.review_sources import Source, Sources

FILES = 100
"""How many files are compared; the others are named."""
COMPARED_LINES = 20_000
"""A file that has more lines than this, before and now together, is named only."""
DIFF_LINES = 5_000
"""How long a diff may become; what comes after is named."""
LABEL = "changes since the last commit"
_NAMED = 20


async def uncommitted(field: str, sources: Sources, repository: Repository) -> ContextItem:
    """The changes since the last commit, unsaved ones included.

    Args:
        field: how an error names the entry that asks for them.
        sources: reads the project's texts.
        repository: its version control.

    Raises:
        ArgumentsError: nothing is changed.
        RepositoryError: what changed can't be told.
    """
    commit = await repository.head()
    diff: list[str] = []
    left_out: list[str] = []
    for number, path in enumerate(await sources.paths(commit)):
        if number >= FILES or len(diff) >= DIFF_LINES:
            left_out.append(f"{_one_line(path)} (too much changed)")
            continue
        try:
            source = await sources.changed(path, commit)
        except ReviewError as problem:
            left_out.append(f"{_one_line(path)} ({problem.message})")
            continue
        if source is None:
            continue
        if len(source.lines) + len(source.before or ()) > COMPARED_LINES:
            left_out.append(f"{_one_line(path)} (it is too long to be compared)")
            continue
        diff += await anyio.to_thread.run_sync(_compared, source)
    if not diff and not left_out:
        raise ArgumentsError(f"{field}.changes: nothing is changed since the last commit. Ask without it.")
    more = f" and {len(left_out) - _NAMED} more" if len(left_out) > _NAMED else ""
    told = [f"Not shown: {', '.join(left_out[:_NAMED])}{more}."] if left_out else []
    return ContextItem(LABEL, (*told, *diff))


def _compared(source: Source) -> Sequence[str]:
    name = _one_line(source.path or source.uri)
    before = "/dev/null" if not source.before else f"a/{name}"
    return list(unified_diff(source.before or (), source.lines, before, f"b/{name}", lineterm=""))


def _one_line(name: str) -> str:
    return " ".join(name.split())
