"""Applying proposals: what becomes of their threads, and of editors that do things in their own order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from services.desk import Desk, Reply, soon

from channelcoder_lsp import protocol
from channelcoder_lsp.domain.place import AnchorState
from channelcoder_lsp.features import commands, proposal_commands
from channelcoder_lsp.features.arguments import parse

from .editor import CODE, TOTAL, Editor, span

if TYPE_CHECKING:
    from pathlib import Path

    from channelcoder_lsp.domain.proposal import Proposal

FUNCTION = "def total(items):\n    result = sum(items)\n    return result\n"


@pytest.fixture
async def uri(editor: Editor, tmp_path: Path) -> str:
    return await editor.open(tmp_path / "shop" / "a.py", CODE)


async def proposed(desk: Desk, editor: Editor, uri: str, old: str, new: str) -> Proposal:
    """Ask about the function, and have an edit proposed."""
    reply = desk.agent.will(Reply(held=True))
    start, end = ({"line": line, "character": character} for line, character in TOTAL)
    given = {"uri": uri, "range": {"start": start, "end": end}, "question": "Mend it."}
    asked = await commands.ask(editor.face, parse(protocol.ASK, [given]))
    await soon(reply.streamed.wait())
    _, session = editor.face.projects.with_turn(asked.turn_id)
    claude = desk.agent.requests[-1].editor
    assert claude is not None
    await claude.propose_edit("a.py", old, new)
    reply.go.set()
    await desk.heard.over(session.turn(asked.turn_id))
    (proposal,) = session.proposals_of(session.thread(asked.thread_id or ""))
    return proposal


async def apply(editor: Editor, proposal: Proposal, **more: Any) -> protocol.Applied:
    return await proposal_commands.apply(editor.face, protocol.ProposalApplyArguments(proposal_id=proposal.id, **more))


class TestTheThread:
    """Where it is after its proposal was applied."""

    @pytest.mark.parametrize(
        ("new", "last"),
        [
            ("def total(items):\n    return sum(items)\n", 4),
            ("class Basket(list):\n    total = property(sum)\n", 4),
            ("@cache\ndef add(numbers):\n    return reduce(operator.add, numbers)\n", 5),
        ],
        ids=["in part", "rewritten", "rewritten and longer"],
    )
    async def test_it_is_about_the_new_code(self, desk: Desk, editor: Editor, uri: str, new: str, last: int):
        """Also when nothing of the old is left: what took its place is known."""
        proposal = await proposed(desk, editor, uri, FUNCTION, new)
        assert (await apply(editor, proposal)).applied
        assert editor.buffers[uri] == CODE.replace(FUNCTION, new)
        (here,) = editor.face.projects.of(uri).placed.threads_in(uri)
        assert (here.range.start.line, here.range.last_line) == (3, last)
        assert here.place.state is AnchorState.EDITED

    async def test_an_undo_takes_it_back(self, desk: Desk, editor: Editor, uri: str):
        proposal = await proposed(desk, editor, uri, FUNCTION, "class Basket(list):\n    total = property(sum)\n")
        await apply(editor, proposal)
        editor.change(uri, [(span((3, 0), (5, 0)), FUNCTION)])
        (here,) = editor.face.projects.of(uri).placed.threads_in(uri)
        assert (here.range.start.line, here.range.last_line, here.place.state) == (3, 5, AnchorState.EXACT)
        assert (await apply(editor, proposal)).applied
