"""The prompts that a document can be asked about with: built-in, the user's own, a trusted project's."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Literal

import anyio.to_thread

from channelcoder_lsp.prompts import Prompt, built_in_prompts, in_order, load_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from channelcoder_lsp.services.checkouts import Checkout, Checkouts

logger = logging.getLogger(__name__)

Origin = Literal["built-in", "user", "project"]
PROJECT_PROMPTS = ".channelcoder/prompts"
"""Where a project keeps its prompts; they are read in trusted folders only."""


class PromptLibrary:
    """All prompts, in memory; :meth:`reload` reads the files anew.

    The user's own may take the place of a built-in one. A project's may not take the place of either: whoever
    chooses "Explain" gets what it was before the folder was opened.

    Args:
        folder: the user's own prompts.
        checkouts: says which folders are trusted.
        tell: told, once for each, what is wrong with a file.
    """

    def __init__(self, folder: Path, checkouts: Checkouts, tell: Callable[[str], None]) -> None:
        self.folder = folder
        self._checkouts = checkouts
        self._tell = tell
        self._told: set[str] = set()
        self._own = built_in_prompts()
        self._by_root: dict[Path, dict[str, Prompt]] = {}

    def of(self, checkout: Checkout) -> Mapping[str, Prompt]:
        """The prompts for documents of a folder, by name, in the order of the menu."""
        return self._by_root.get(checkout.root, self._own)

    def origin(self, prompt: Prompt) -> Origin:
        """Where a prompt comes from."""
        if prompt.path is None:
            return "built-in"
        return "user" if prompt.path.parent == self.folder else "project"

    def holds(self, path: Path) -> bool:
        """Whether a file is, or could be, a prompt file."""
        where = path.parent.as_posix()
        return path.suffix == ".md" and (path.parent == self.folder or where.endswith(f"/{PROJECT_PROMPTS}"))

    async def reload(self, checkouts: Iterable[Checkout]) -> None:
        """Read the user's prompts and those of the folders that are trusted; what can't be read is told."""
        self._own, self._by_root, wrong = await anyio.to_thread.run_sync(self._read, list(checkouts))
        for message in wrong:
            logger.warning("%s", message)
            if message not in self._told:
                self._told.add(message)
                self._tell(message)

    def _read(self, checkouts: list[Checkout]) -> tuple[dict[str, Prompt], dict[Path, dict[str, Prompt]], list[str]]:
        mine, problems = load_folder(self.folder)
        wrong = [problem.message for problem in problems]
        own = in_order({**built_in_prompts(), **mine})
        by_root: dict[Path, dict[str, Prompt]] = {}
        for checkout in checkouts:
            if not self._checkouts.is_trusted(checkout):
                continue
            theirs, problems = load_folder(checkout.root / PROJECT_PROMPTS)
            wrong += [problem.message for problem in problems]
            for name in theirs.keys() & own.keys():
                wrong.append(
                    f"The prompt file {theirs[name].path} has the name of another prompt and is not used. Rename it."
                )
            by_root[checkout.root] = in_order({**theirs, **own})
        return own, by_root, wrong
