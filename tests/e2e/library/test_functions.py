"""``claude()``, ``stream()`` and ``detached()``: asking without a session object."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from channelcoder_lsp import claude, detached, session, stream
from channelcoder_lsp.domain.errors import ArgumentsError
from channelcoder_lsp.library.folder import active_session, project

if TYPE_CHECKING:
    from pathlib import Path

    from channelcoder_lsp.offline.process import OfflineModel


async def asked(model: OfflineModel) -> list[str]:
    request = (await model.requests())[-1]
    return [*request.earlier_questions, request.question]


class TestContinue:
    async def test_asks_in_the_session_that_editors_use_here(self, model: OfflineModel):
        await claude("One", continue_=True)
        pieces = [chunk async for chunk in stream("Two", continue_=True)]
        assert pieces[-1].type == "result"
        run = await detached("Three", continue_=True)
        assert (await run.wait()).code == 0
        async with await active_session(project()) as s:
            await s.claude("Four")
            assert run.session == s.name
        assert await asked(model) == ["One", "Two", "Three", "Four"]
        assert len(await session.list()) == 1

    async def test_asks_in_it_under_another_name_too(self, model: OfflineModel):
        await claude("One", continue_=True)
        (info,) = await session.list()
        async with await session.load(info.name) as s:
            await s.save("another")
        await claude("Two", continue_=True)
        await session.rename("another", "yet-another")
        await claude("Three", continue_=True)
        assert await asked(model) == ["One", "Two", "Three"]
        assert [info.name for info in await session.list()] == ["yet-another"]

    async def test_names_one_conversation(self, model: OfflineModel):
        with pytest.raises(ArgumentsError, match="continue_"):
            await claude("One", continue_=True, resume="x")


class TestOptions:
    async def test_trust_uses_the_folder_s_instructions_this_once(self, model: OfflineModel, tmp_path: Path):
        (tmp_path / "project/CLAUDE.md").write_text("Mention the sea.")
        await claude("One", trust=True)
        assert "Mention the sea." in json.dumps((await model.requests())[-1].messages)
        await claude("Two")
        assert "Mention the sea." not in json.dumps((await model.requests())[-1].messages)

    async def test_permission_tool_is_a_tool_of_an_mcp_server(self, model: OfflineModel):
        with pytest.raises(ArgumentsError, match="mcp__SERVER__TOOL"):
            await claude("One", permission_tool="decide")
