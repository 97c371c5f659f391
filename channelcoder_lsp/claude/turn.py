"""One question under way: its events, kept for a reader who may be slow or gone."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING
from uuid import uuid4

from channelcoder_lsp.domain.agent import Finished, TextDelta, TextReplaced

if TYPE_CHECKING:
    from channelcoder_lsp.claude.messages import AnswerReader
    from channelcoder_lsp.domain.agent import AgentEvent
    from channelcoder_lsp.domain.errors import AgentError


class OngoingTurn:
    """What is heard of one question, from when it is asked until it is over.

    Events wait here, so that the CLI's output is read however slow the reader is. What waits is bounded by
    the answer: deltas that wait together are handed out as one, a replacement takes the place of the text
    before it.
    """

    def __init__(self, reader: AnswerReader) -> None:
        self.id = str(uuid4())
        self.reader = reader
        self.begun = False
        """Whether the CLI has taken it up; an interrupt before that is lost."""
        self.cancelled = False
        """Whether it is to be interrupted."""
        self.over = asyncio.Event()
        self._waiting: deque[AgentEvent | list[str]] = deque()
        self._news = asyncio.Event()
        self._error: AgentError | None = None

    def put(self, event: AgentEvent) -> None:
        """Take an event in; a :class:`Finished` ends the turn."""
        match event:
            case TextDelta():
                if self._waiting and isinstance(last := self._waiting[-1], list):
                    last.append(event.text)
                else:
                    self._waiting.append([event.text])
            case TextReplaced():
                kept = [e for e in self._waiting if not isinstance(e, (list, TextReplaced))]
                self._waiting = deque([*kept, event])
            case _:
                self._waiting.append(event)
        if isinstance(event, Finished):
            self.over.set()
        self._news.set()

    def fail(self, error: AgentError) -> None:
        """End the turn with an exception for its reader, after what was heard before."""
        if not self.over.is_set():
            self._error = error
            self.over.set()
            self._news.set()

    async def next(self) -> AgentEvent:
        """The next event, waited for.

        Raises:
            AgentError: the turn failed without a :class:`Finished`.
        """
        while not self._waiting:
            if self._error is not None:
                raise self._error
            self._news.clear()
            await self._news.wait()
        event = self._waiting.popleft()
        return TextDelta("".join(event)) if isinstance(event, list) else event
