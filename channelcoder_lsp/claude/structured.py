"""A structured answer as it comes: the JSON of the calls of the CLI's tool ``StructuredOutput``.

Asked for a JSON schema (the SDK's ``output_format``), the model answers by calling that tool. The CLI checks the
call; an invalid one is told back to the model, which calls again. So there may be several calls, and what counts is
the last: each begins anew. The checked value is told with the turn's result.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from channelcoder_lsp.domain.agent import StructuredDelta

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

STRUCTURED_OUTPUT = "StructuredOutput"
"""The CLI's tool."""


class StructuredReader:
    """Follows the JSON of one turn's structured answer."""

    def __init__(self) -> None:
        self._block: int | None = None
        """The content block that is the call being streamed."""
        self._pieces: list[str] = []
        self._told = False

    @property
    def text(self) -> str:
        """The JSON of the last call, as far as it came."""
        return "".join(self._pieces)

    def stream_event(self, event: Mapping[str, Any]) -> Iterator[StructuredDelta]:
        """The deltas in an event of the Messages API's stream."""
        match event.get("type"):
            case "message_start":
                self._block = None
            case "content_block_start" if event["content_block"].get("name") == STRUCTURED_OUTPUT:
                self._block = event.get("index")
                self._pieces = []
            case "content_block_delta" if self._block is not None and event.get("index") == self._block:
                yield from self._more(event["delta"].get("partial_json") or "")

    def whole(self, value: Any) -> Iterator[StructuredDelta]:
        """A call is complete with ``value``: what was streamed of it is corrected if it differs."""
        streamed, self._block = self._block is not None, None
        if streamed and _parsed(self.text) == value:
            return
        self._pieces = []
        yield from self._more(json.dumps(value, ensure_ascii=False))

    def _more(self, text: str) -> Iterator[StructuredDelta]:
        if not text:
            return
        anew = self._told and not self._pieces
        self._pieces.append(text)
        self._told = True
        yield StructuredDelta(text, replace=anew)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
