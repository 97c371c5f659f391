"""workspace/executeCommand: what can be done to proposals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from channelcoder_lsp.domain.errors import ProposalNotFoundError

if TYPE_CHECKING:
    from channelcoder_lsp import protocol
    from channelcoder_lsp.features.face import Face


async def apply(face: Face, arguments: protocol.ProposalApplyArguments) -> protocol.Applied:
    """``channelcoder.proposal.apply``."""
    raise ProposalNotFoundError(arguments.proposal_id)


async def preview(face: Face, arguments: protocol.ProposalArguments) -> protocol.Shown:
    """``channelcoder.proposal.preview``."""
    raise ProposalNotFoundError(arguments.proposal_id)


async def discard(face: Face, arguments: protocol.ProposalArguments) -> protocol.ProposalState:
    """``channelcoder.proposal.discard``."""
    raise ProposalNotFoundError(arguments.proposal_id)
