"""workspace/executeCommand: reviews."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channelcoder_lsp.domain.errors import ReviewError

if TYPE_CHECKING:
    from channelcoder_lsp import protocol
    from channelcoder_lsp.features.face import Face


async def review(face: Face, arguments: protocol.ReviewArguments) -> protocol.Reviewing:
    """``channelcoder.review``."""
    raise ReviewError("There is nothing to review.")
