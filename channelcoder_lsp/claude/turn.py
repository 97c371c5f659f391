"""One question under way: its events, kept for a reader who may be slow or gone."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

from channelcoder_lsp.domain.agent import Finished, StructuredDelta, TextDelta, TextReplaced

if TYPE_CHECKING:
    from channelcoder_lsp.claude.messages import AnswerReader
    from channelcoder_lsp.domain.agent import AgentEvent
    from channelcoder_lsp.domain.errors import AgentError


@dataclass
class _Pieces:
    """Deltas of one kind that wait together."""

    of: type[TextDelta | StructuredDelta]
    texts: list[str]
    replace: bool = False

    def joined(self) -> TextDelta | StructuredDelta:
        text = "".join(self.texts)
        return StructuredDelta(text, replace=self.replace) if self.of is StructuredDelta else TextDelta(text)


class OngoingTurn:
    """What is heard of one question, from when it is asked until it is over.

    Events wait here, so that the CLI's output is read however slow the reader is. What waits is bounded by
    the answer: deltas that wait together are handed out as one, a replacement takes the place of the text (or
    of the structured answer's JSON) before it.
    """

    def __init__(self, reader: AnswerReader) -> None:
        self.id = str(uuid4())
        self.reader = reader
        self.begun = False
        """Whether the CLI has taken it up; an interrupt before that is lost."""
        self.cancelled = False
        """Whether it is to be interrupted."""
        self.over = asyncio.Event()
        self._waiting: deque[AgentEvent | _Pieces] = deque()
        self._news = asyncio.Event()
        self._error: AgentError | None = None

    def put(self, event: AgentEvent) -> None:
        """Take an event in; a :class:`Finished` ends the turn."""
        match event:
            case TextDelta() | StructuredDelta(replace=False):
                self._add(type(event), event.text)
            case TextReplaced():
                self._drop(TextDelta)
                self._waiting.append(event)
            case StructuredDelta():
                self._drop(StructuredDelta)
                self._waiting.append(_Pieces(StructuredDelta, [event.text], replace=True))
            case _:
                self._waiting.append(event)
        if isinstance(event, Finished):
            self.over.set()
        self._news.set()

    def _add(self, kind: type[TextDelta | StructuredDelta], text: str) -> None:
        last = self._waiting[-1] if self._waiting else None
        if isinstance(last, _Pieces) and last.of is kind:
            last.texts.append(text)
        else:
            self._waiting.append(_Pieces(kind, [text]))

    def _drop(self, kind: type[TextDelta | StructuredDelta]) -> None:
        """Take out what waits of one kind; what replaced it before goes too."""
        self._waiting = deque(
            event
            for event in self._waiting
            if not (isinstance(event, _Pieces) and event.of is kind)
            and not (isinstance(event, TextReplaced) and kind is TextDelta)
        )

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
        return event.joined() if isinstance(event, _Pieces) else event
