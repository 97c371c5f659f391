"""What all features of one server work with."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from channelcoder_lsp.features import shown
from channelcoder_lsp.features.diagnostics import FindingsShown

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path

    from channelcoder_lsp.domain.turn import TurnState
    from channelcoder_lsp.features.client import Client
    from channelcoder_lsp.features.progress import TurnsShown
    from channelcoder_lsp.features.shown import Subject
    from channelcoder_lsp.services.projects import Projects
    from channelcoder_lsp.services.prompt_library import PromptLibrary
    from channelcoder_lsp.services.session import Session
    from channelcoder_lsp.services.threads import Document
    from channelcoder_lsp.settings import Settings


@dataclass(frozen=True)
class Rendered:
    """An answer made safe: what it was made from, the text, and when (in seconds of the monotonic clock)."""

    made_from: tuple[int, TurnState, int]
    text: str
    at: float


@dataclass
class Face:
    """One editor's view of the services. State that the editor sees lives in the services, not here."""

    client: Client
    projects: Projects
    prompts: PromptLibrary
    settings: Callable[[], Settings]
    apply_settings: Callable[[dict[str, Any]], list[str]]
    """Take the editor's settings; what is wrong with them, one sentence each."""
    shown_folder: Path
    """Where Markdown documents that are to be shown are written."""
    turns: TurnsShown
    close: Callable[[], Awaitable[None]]
    """End what was started for this editor."""
    rendered: dict[str, Rendered] = field(default_factory=dict)
    """Answers made safe, by turn."""

    followed: dict[Subject, int | None] = field(default_factory=dict)
    """The documents that were shown and are kept up to date, and what they were made from."""
    findings: FindingsShown = field(init=False)

    def __post_init__(self) -> None:
        self.findings = FindingsShown(self)
        self.client.when_refreshed(self.findings.refresh)
        self.client.when_refreshed(lambda: shown.refresh(self))
        self.turns.left_in = self._left_in

    async def reload_prompts(self) -> None:
        """Read the prompt files anew."""
        await self.prompts.reload([project.checkout for project in self.projects])

    def _left_in(self, session: Session) -> str | None:
        """The folder that went on to another session while something was asked in ``session``."""
        return next((str(project.checkout.root) for project in self.projects if session in project.left), None)

    def document(self, uri: str) -> Document | None:
        """The open document, as the threads know it."""
        return self.projects.of(uri).documents.get(uri)
