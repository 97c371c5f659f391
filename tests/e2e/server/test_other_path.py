"""A session that was begun where the project has another path: its threads are in their places here, too."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from .conftest import SOURCE, answered

if TYPE_CHECKING:
    from .conftest import Machine


async def test_threads_are_where_the_project_is(machine: Machine):
    """Listed, found again after an edit while the file was closed, shown when it is opened; and there again."""
    elsewhere = machine.home / "clones" / "shop-of-mine"
    async with machine.opened() as (editor, uri):
        asked, _ = await answered(editor, uri)
        shutil.copytree(machine.project, elsewhere)
        (elsewhere / "shop.py").write_text("# one line more\n" + SOURCE)
    there = (elsewhere / "shop.py").as_uri()
    async with machine.editor(folders=[elsewhere]) as editor:
        await editor.execute("channelcoder.session.switch", {"name": asked["session"]})
        (row,) = (await editor.execute("channelcoder.thread.list", {}))["threads"]
        assert row["uri"] == there
        (symbol,) = await editor.request("workspace/symbol", {"query": ""})
        assert symbol["location"]["uri"] == there
        read = await editor.execute("channelcoder.thread.read", {"threadId": asked["threadId"]})
        assert read["uri"] == there
        editor.open(elsewhere / "shop.py")
        lens = next(lens for lens in await editor.code_lenses(there) if lens["command"]["title"].startswith("Claude"))
        first = lens["range"]["start"]["line"]
        assert row["range"]["start"]["line"] == first
        assert "What is this?" in (await editor.hover(there, first, 4) or "")
    async with machine.opened() as (editor, uri):
        (row,) = (await editor.execute("channelcoder.thread.list", {}))["threads"]
        assert row["uri"] == uri
        assert row["range"]["start"]["line"] == first - 1
