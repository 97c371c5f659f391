"""Texts in memory, the latest of them."""

from __future__ import annotations

from collections import OrderedDict

TEXT_CHARS = 20_000_000


class TextsAtHand:
    """Texts by their digest; when there are more than fit, those that were used longest ago go.

    Args:
        chars: how many characters fit, of all texts together. One text always does.
    """

    def __init__(self, chars: int = TEXT_CHARS) -> None:
        self._room = self._chars = chars
        self._texts: OrderedDict[str, str] = OrderedDict()

    def put(self, digest: str, text: str) -> None:
        """Have a text at hand."""
        if digest in self._texts:
            self._texts.move_to_end(digest)
            return
        self._texts[digest] = text
        self._room -= len(text)
        while self._room < 0 and len(self._texts) > 1:
            _, gone = self._texts.popitem(last=False)
            self._room += len(gone)

    def get(self, digest: str | None) -> str | None:
        """The text, if it is at hand."""
        if digest is None or digest not in self._texts:
            return None
        self._texts.move_to_end(digest)
        return self._texts[digest]
