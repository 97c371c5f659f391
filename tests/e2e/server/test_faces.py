"""What any editor shows of threads: lenses, hovers, diagnostics, quick fixes, symbols and documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import pytest

from channelcoder_lsp.cli.connection import ResponseError
from channelcoder_lsp.cli.editor import capabilities
from channelcoder_lsp.offline.script import StructuredOutput

from .conftest import SOURCE, TOTAL, Machine, action, answered, titles

if TYPE_CHECKING:
    from channelcoder_lsp.cli.editor import Editor

FINDING = {"line": 9, "severity": "warning", "code": "bug", "message": "🛒 It adds with a loop."}
CODE = SOURCE.replace("result = result + item", "result = '🛒' or item")
"""With a character that counts differently in each encoding."""
LENGTH = {"utf-8": 31, "utf-16": 29}


def client(encoding: str = "utf-16", *, pulls: bool = True, fetches: bool = False) -> dict[str, Any]:
    able = capabilities(encoding, turns=True, input=True)
    if pulls:
        able["textDocument"]["diagnostic"] = {"relatedInformation": True}
    if fetches:
        able["workspace"]["textDocumentContent"] = {}
    return able


async def reviewed(machine: Machine, editor: Editor, uri: str) -> str:
    """Review the document; the thread of the one finding."""
    await machine.model.script(StructuredOutput(value={"findings": [FINDING]}))
    await editor.execute("channelcoder.review", {"uri": uri})
    await editor.wait_for(
        lambda each: each.get("method") == "window/showMessage" and each["params"]["message"].startswith("Review of")
    )
    (row,) = (await editor.execute("channelcoder.thread.list", {}))["threads"]
    return str(row["threadId"])


async def pulled(editor: Editor, uri: str, previous: str | None = None) -> dict[str, Any]:
    params = {"textDocument": {"uri": uri}, "previousResultId": previous}
    report: dict[str, Any] = await editor.request("textDocument/diagnostic", params)
    return report


async def published(editor: Editor, uri: str, count: int, *, after: int = 0) -> list[dict[str, Any]]:
    message = await editor.wait_for(
        lambda each: (
            each.get("method") == "textDocument/publishDiagnostics"
            and each["params"]["uri"] == uri
            and len(each["params"]["diagnostics"]) == count
        ),
        after=after,
    )
    found: list[dict[str, Any]] = message["params"]["diagnostics"]
    return found


async def symbols(editor: Editor, query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await editor.request("workspace/symbol", {"query": query})
    return found


async def fetched(editor: Editor, uri: str) -> str:
    return str((await editor.request("workspace/textDocumentContent", {"uri": uri}))["text"])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
class TestFindings:
    async def test_are_pulled(self, machine: Machine, encoding: str):
        async with machine.opened(text=CODE, client=client(encoding)) as (editor, uri):
            announced = editor.initialized["capabilities"]["diagnosticProvider"]
            assert (announced["interFileDependencies"], announced["workspaceDiagnostics"]) == (False, True)
            thread_id = await reviewed(machine, editor, uri)
            await editor.wait_for(lambda each: each.get("method") == "workspace/diagnostic/refresh")
            report = await pulled(editor, uri)
            (item,) = report["items"]
            assert item["range"]["start"] == {"line": 8, "character": 8}
            assert item["range"]["end"] == {"line": 8, "character": LENGTH[encoding]}
            assert (item["severity"], item["source"], item["code"]) == (3, "channelcoder", "bug")
            assert (item["message"], item["data"]["threadId"]) == (FINDING["message"], thread_id)
            assert (await pulled(editor, uri, report["resultId"]))["kind"] == "unchanged"
            assert not any(each.get("method") == "textDocument/publishDiagnostics" for each in editor.received)
            await editor.execute("channelcoder.thread.resolve", {"threadId": thread_id})
            assert (await pulled(editor, uri, report["resultId"]))["items"] == []

    async def test_are_published_to_a_client_that_does_not_pull(self, machine: Machine, encoding: str):
        """Once, where the code is, and taken away when the thread is resolved."""
        async with machine.opened(text=CODE, client=client(encoding, pulls=False)) as (editor, uri):
            assert "diagnosticProvider" not in editor.initialized["capabilities"]
            thread_id = await reviewed(machine, editor, uri)
            (item,) = await published(editor, uri, 1)
            assert item["range"]["end"] == {"line": 8, "character": LENGTH[encoding]}
            after = len(editor.received)
            editor.change(uri, (0, 0), (0, 0), "# first\n")
            (item,) = await published(editor, uri, 1, after=after)
            assert item["range"]["start"] == {"line": 9, "character": 8}
            await editor.execute("channelcoder.thread.resolve", {"threadId": thread_id})
            assert await published(editor, uri, 0, after=after) == []
            assert await editor.code_lenses(uri) == []

    async def test_have_quick_fixes_that_go_to_their_thread(self, machine: Machine, encoding: str):
        async with machine.opened(text=CODE, client=client(encoding)) as (editor, uri):
            thread_id = await reviewed(machine, editor, uri)
            found = (await pulled(editor, uri))["items"]
            offered = await editor.code_actions(uri, (8, 8), (8, 8), diagnostics=found, only=["quickfix"])
            resolve = action(offered, "Resolve this thread")
            assert action(offered, "Reply to Claude…")["command"]["arguments"] == [{"threadId": thread_id}]
            assert not any(title.startswith("Ask Claude about") for title in titles(offered))
            assert resolve["diagnostics"] == found
            assert (await editor.choose(resolve))["status"] == "resolved"
            fix = action(offered, "Fix with Claude: 🛒")
            asked = await editor.choose(fix)
            assert asked["threadId"] == thread_id

    async def test_of_others_are_asked_about_and_fixed(self, machine: Machine, encoding: str):
        width = LENGTH[encoding]
        other = {
            "range": {"start": {"line": 8, "character": 8}, "end": {"line": 8, "character": width}},
            "message": "🛒 is no number",
            "severity": 1,
            "source": "types",
            "code": "T1",
        }
        async with machine.opened(text=CODE, client=client(encoding)) as (editor, uri):
            offered = await editor.code_actions(uri, (8, 8), (8, 8), diagnostics=[other], triggerKind=2)
            assert titles(offered) == ["Fix with Claude: 🛒 is no number", "Ask Claude about: 🛒 is no number"]
            asked = await editor.choose(offered[1])
            await editor.finished(asked["turnId"])
            shown = await editor.execute("channelcoder.turn.show", {"turnId": asked["turnId"]})
            prompt = shown["markdown"].split("## What was sent")[1]
            assert "🛒 is no number (types T1): what does this mean here" in prompt
            assert "result = '🛒' or item" in prompt


@pytest.mark.parametrize(("encoding", "units"), [("utf-8", 4), ("utf-16", 2)])
async def test_lenses_reply_and_resolve(machine: Machine, encoding: str, units: int):
    client = capabilities(encoding, turns=True, input=True)
    async with machine.opened(text=CODE, client=client) as (editor, uri):
        end = len("        result = '") + units
        asked, _ = await answered(editor, uri, ((8, 8), (8, end)))
        lenses = await editor.code_lenses(uri)
        place = {"start": {"line": 8, "character": 8}, "end": {"line": 8, "character": end}}
        assert all(lens["range"] == place for lens in lenses)
        shown, reply, resolve = [lens["command"] for lens in lenses]
        assert [shown["title"], reply["title"], resolve["title"]] == ["Claude: 1 answer", "Reply", "Resolve"]
        again = await editor.execute(reply["command"], {**reply["arguments"][0], "question": "And now?"})
        assert again["threadId"] == asked["threadId"]
        assert (await editor.finished(again["turnId"]))["state"] == "done"
        assert (await editor.code_lenses(uri))[0]["command"]["title"] == "Claude: 2 answers"
        await editor.execute(resolve["command"], resolve["arguments"][0])
        assert await editor.code_lenses(uri) == []
        assert await editor.hover(uri, 8) is None


async def test_settings_switch_each_face_off_at_once(machine: Machine):
    async with machine.opened(client=client()) as (editor, uri):
        await reviewed(machine, editor, uri)
        await answered(editor, uri)

        async def faces() -> list[bool]:
            quick_fixes = await editor.code_actions(uri, *TOTAL)
            return [
                bool(found)
                for found in (
                    await editor.hover(uri, 8),
                    await editor.code_lenses(uri),
                    quick_fixes,
                    (await pulled(editor, uri))["items"],
                    await symbols(editor, ""),
                )
            ]

        assert await faces() == [True] * 5
        for number, name in enumerate(["hover", "codeLens", "codeActions", "diagnostics", "workspaceSymbols"]):
            editor.settings = {name: False}
            after = len(editor.received)
            editor.notify("workspace/didChangeConfiguration", {"settings": None})
            await editor.wait_for(lambda each: each.get("method") == "workspace/codeLens/refresh", after=after)
            assert await faces() == [each != number for each in range(5)]


class TestSymbols:
    async def test_find_threads_by_what_is_in_them(self, machine: Machine):
        async with machine.opened() as (editor, uri):
            asked, _ = await answered(editor, uri, question="Why is this so slow?")
            for query in ("slow", "SHOP total", "result item", "whyslow", ""):
                (found,) = await symbols(editor, query)
                assert (found["name"], found["containerName"]) == ("Why is this so slow?", "shop.py")
                assert found["location"]["uri"] == uri
                assert found["location"]["range"]["start"] == {"line": 5, "character": 0}
            assert await symbols(editor, "zebra") == []
            await editor.execute("channelcoder.thread.resolve", {"threadId": asked["threadId"]})
            assert [found["containerName"] for found in await symbols(editor, "slow")] == ["shop.py · resolved"]

    async def test_never_lead_to_a_guessed_place(self, machine: Machine):
        """A thread whose code is gone leads to its document once that was shown, before that to the file's start."""
        async with machine.opened() as (editor, uri):
            asked, _ = await answered(editor, uri)
            editor.change(uri, (0, 0), (20, 0), "print()\n")
            (found,) = await symbols(editor, "what")
            start = {"line": 0, "character": 0}
            assert found["containerName"] == "shop.py · the code is gone"
            assert found["location"] == {"uri": uri, "range": {"start": start, "end": start}}
            shown = await editor.execute("channelcoder.thread.show", {"threadId": asked["threadId"]})
            (found,) = await symbols(editor, "what")
            assert found["location"]["uri"] == shown["uri"]


class TestDocuments:
    async def test_are_fetched_by_a_client_that_can(self, machine: Machine):
        """And drawn anew when the thread goes on."""
        async with machine.opened(client=client(fetches=True)) as (editor, uri):
            announced = editor.initialized["capabilities"]["workspace"]["textDocumentContent"]
            assert announced == {"schemes": ["channelcoder"]}
            asked, _ = await answered(editor, uri)
            shown = await editor.execute("channelcoder.thread.show", {"threadId": asked["threadId"]})
            assert unquote(shown["uri"]) == f"channelcoder:/thread/{asked['threadId']}/shop.py: What is this?.md"
            assert await fetched(editor, shown["uri"]) == shown["markdown"]
            assert "](channelcoder:" not in (await editor.hover(uri, 6) or ""), "a link that no client opens"
            after = len(editor.received)
            await answered(editor, uri, question="Sure?")
            await editor.wait_for(
                lambda each: (
                    each.get("method") == "workspace/textDocumentContent/refresh"
                    and each["params"]["uri"] == shown["uri"]
                ),
                after=after,
            )
            assert "## Sure?" in await fetched(editor, shown["uri"])

    async def test_of_other_things_are_refused(self, machine: Machine):
        async with machine.opened(client=client(fetches=True)) as (editor, _):
            for uri in ("channelcoder:/thread/none.md", "channelcoder:/etc/passwd", "file:///etc/passwd"):
                with pytest.raises(ResponseError):
                    await fetched(editor, uri)

    async def test_are_files_for_every_other_client(self, machine: Machine):
        """A file that is shown is brought up to date, too."""
        async with machine.opened() as (editor, uri):
            asked, _ = await answered(editor, uri)
            assert "whole thread" not in (await editor.hover(uri, 6) or "")
            shown = await editor.execute("channelcoder.thread.show", {"threadId": asked["threadId"]})
            assert shown["uri"].startswith("file://")
            assert f"[whole thread]({shown['uri']})" in (await editor.hover(uri, 6) or "")

    async def test_the_list_has_what_is_open_gone_and_resolved(self, machine: Machine):
        async with machine.opened(client=client(fetches=True)) as (editor, uri):
            thread_id = await reviewed(machine, editor, uri)
            first, _ = await answered(editor, uri, ((12, 0), (13, 53)), question="And this?")
            await editor.execute("channelcoder.thread.resolve", {"threadId": first["threadId"]})
            listed = await editor.execute("channelcoder.thread.list", {"show": True})
            assert listed["shown"]
            text = await fetched(editor, listed["uri"])
            assert text == listed["markdown"]
            assert "## shop.py\n\n- warning: 🛒 It adds with a loop. (line 9)" in text
            assert "## Resolved\n\n- And this? (lines 13 to 14, 1 turn) in shop.py" in text
            after = len(editor.received)
            editor.change(uri, (8, 0), (9, 0), "")
            await editor.execute("channelcoder.thread.reopen", {"threadId": first["threadId"]})
            await editor.wait_for(
                lambda each: each.get("method") == "workspace/textDocumentContent/refresh", after=after
            )
            text = await fetched(editor, listed["uri"])
            assert "## The code is gone\n\n- warning: 🛒 It adds with a loop." in text
            assert "```python\nresult = result + item\n```" in text
            assert "## Resolved" not in text
            assert thread_id not in (await editor.hover(uri, 8) or "")
