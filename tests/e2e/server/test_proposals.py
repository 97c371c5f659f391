"""Edits that Claude proposes: made against the unsaved buffers, applied by a person."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from channelcoder_lsp.cli.connection import ResponseError
from channelcoder_lsp.cli.editor import capabilities
from channelcoder_lsp.offline.script import Text, ToolCall, ToolUse

from .conftest import Machine, action, ask, titles

if TYPE_CHECKING:
    from channelcoder_lsp.cli.editor import Editor

TEXT = '''"""Prices in €, 🛒 included."""


def total(items):  # 🛒
    result = 0
    for item in items:
        result = result + item
    return result


def label(name):
    return "🛒 " + name
'''
TOTAL = (3, 0), (7, 17)
FIXED = TEXT.replace("    result = 0\n", "    result = 0.0\n").replace('"🛒 " + name', '"🛒🛒 " + name')


def tool(name: str, **arguments: Any) -> ToolCall:
    return ToolCall(name=f"mcp__channelcoder__{name}", input=arguments)


def edit(old: str, new: str, path: str = "shop.py") -> ToolCall:
    return tool("propose_edit", path=path, old_string=old, new_string=new)


TWO = (edit("result = 0\n", "result = 0.0\n"), edit('"🛒 " + name', '"🛒🛒 " + name'))


async def proposed(
    machine: Machine, editor: Editor, uri: str, *calls: ToolCall, prompt: str = "fix", **more: Any
) -> dict[str, Any]:
    """Ask, let Claude use its tools and say a sentence, and wait for the end; the thread and the turn."""
    first, *rest = calls
    await machine.model.script(ToolUse(name=first.name, input=first.input, also=tuple(rest)), Text(text="Mended."))
    asked = await ask(editor, uri, TOTAL, None, prompt=prompt, **more)
    assert (await editor.finished(asked["turnId"]))["state"] == "done"
    return asked


async def told(machine: Machine) -> str:
    """What the tools answered the model."""
    return json.dumps((await machine.model.requests())[-1].messages)


def arguments(offered: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = offered["command"]["arguments"][0]
    return found


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["LF", "CRLF"])
async def test_a_fix_is_applied_to_the_unsaved_buffer(machine: Machine, encoding: str, end: str):
    """Offered at the thread's place, made when it is chosen, versioned, to be confirmed; and taken note of."""
    client = capabilities(encoding, turns=True)
    async with machine.opened(text="one line only\n", client=client) as (editor, uri):
        editor.change(uri, (0, 0), (1, 0), TEXT.replace("\n", end))
        asked = await proposed(machine, editor, uri, *TWO)
        offered = await editor.code_actions(uri, (4, 0), (4, 0), only=["quickfix"])
        whole = action(offered, "Apply Claude's edit")
        assert (whole["title"], whole["kind"]) == ("Apply Claude's edit (2 changes in shop.py)", "quickfix")
        assert "edit" not in whole
        edit = (await editor.request("codeAction/resolve", whole))["edit"]
        assert edit["documentChanges"][0]["textDocument"] == {"uri": uri, "version": 2}
        assert edit["changeAnnotations"]["claude"]["needsConfirmation"] is True
        assert {each["annotationId"] for each in edit["documentChanges"][0]["edits"]} == {"claude"}
        assert await editor.choose(whole) == {"applied": True, "reason": None}
        assert editor.texts[uri] == FIXED.replace("\n", end)
        assert editor.versions[uri] == 3, "one step to undo"
        assert (machine.project / "shop.py").read_text() == "one line only\n"
        assert "edit" not in " ".join(titles(await editor.code_actions(uri, (4, 0), (4, 0))))
        thread = await editor.execute("channelcoder.thread.show", {"threadId": asked["threadId"]})
        assert "2 changes in shop.py · applied" in thread["markdown"]


async def test_what_was_looked_at_need_not_be_confirmed(machine: Machine):
    """An editor that shows a preview of its own says so; one that doesn't has its user asked."""
    async with machine.opened(text=TEXT) as (editor, uri):
        await proposed(machine, editor, uri, *TWO)
        (row,) = (await editor.execute("channelcoder.thread.list", {}))["threads"]
        (proposal,) = row["proposalIds"]
        assert (await editor.execute("channelcoder.proposal.read", {"proposalId": proposal}))["confirm"] is True

        async def asks(**given: Any) -> bool:
            """Whether the edit that is sent asks the user."""
            before = len(editor.received)
            await editor.execute("channelcoder.proposal.apply", {"proposalId": proposal, **given})
            edits = [told for told in editor.received[before:] if told.get("method") == "workspace/applyEdit"]
            annotations = edits[0]["params"]["edit"].get("changeAnnotations", {})
            return any(each.get("needsConfirmation") for each in annotations.values())

        assert await asks(hunk=0, uri=uri) is True
        assert await asks(looked=True) is False
        assert editor.texts[uri] == FIXED


class TestOffers:
    """What is offered, and where."""

    async def test_at_the_thread_and_at_each_change(self, machine: Machine):
        """Instead of code from the answer's text, which is there for answers without a proposal."""
        async with machine.opened(text=TEXT) as (editor, uri):
            await proposed(machine, editor, uri, *TWO, prompt="refactor")
            here = await editor.code_actions(uri, (5, 0), (5, 0), triggerKind=2)
            assert titles(here)[:3] == [
                "Apply Claude's edit (2 changes in shop.py)",
                "Preview Claude's edit",
                "Discard Claude's edit",
            ]
            assert "code from the answer" not in " ".join(titles(here))
            assert here[0]["kind"] == "refactor.rewrite"
            there = await editor.code_actions(uri, (11, 0), (11, 0), triggerKind=2)
            assert titles(there)[:2] == ["Apply Claude's edit (2 changes in shop.py)", "Apply this change only"]
            assert await editor.code_actions(uri, (9, 0), (9, 0), triggerKind=2) == []

    async def test_not_before_the_answer_is_whole(self, machine: Machine):
        """More may come."""
        await machine.model.script(ToolUse(**TWO[0].model_dump()), Text(text="Mended.", wait=True))
        async with machine.opened(text=TEXT) as (editor, uri):
            asked = await ask(editor, uri, TOTAL, None, prompt="fix")
            await machine.model.wait_for_requests(2)
            assert "edit" not in " ".join(titles(await editor.code_actions(uri, (4, 0), (4, 0), triggerKind=2)))
            await machine.model.release()
            await editor.finished(asked["turnId"])
            assert action(await editor.code_actions(uri, (4, 0), (4, 0)), "Apply Claude's edit (1 change in shop.py)")

    async def test_a_setting_turns_them_off(self, machine: Machine):
        async with machine.opened(text=TEXT, settings={"proposals": False, "confirmEdits": False}) as (editor, uri):
            await proposed(machine, editor, uri, *TWO)
            assert "Apply" not in " ".join(titles(await editor.code_actions(uri, (4, 0), (4, 0))))

    async def test_a_client_that_can_not_resolve_runs_the_command(self, machine: Machine):
        """And one without ``documentChanges`` gets plain changes."""
        client = capabilities(turns=True)
        del client["textDocument"]["codeAction"]["resolveSupport"]
        client["workspace"]["workspaceEdit"] = {}
        async with machine.opened(text=TEXT, client=client) as (editor, uri):
            await proposed(machine, editor, uri, *TWO)
            whole = action(await editor.code_actions(uri, (4, 0), (4, 0)), "Apply Claude's edit")
            assert "data" not in whole
            assert (await editor.choose(whole))["applied"] is True
            assert editor.texts[uri] == FIXED


class TestParts:
    """Change by change, and file by file."""

    async def test_one_change_after_the_other(self, machine: Machine):
        async with machine.opened(text=TEXT) as (editor, uri):
            await proposed(machine, editor, uri, *TWO)
            only = action(await editor.code_actions(uri, (11, 0), (11, 0)), "Apply this change only")
            assert (await editor.choose(only))["applied"] is True
            assert editor.texts[uri] == TEXT.replace('"🛒 " + name', '"🛒🛒 " + name')
            rest = action(await editor.code_actions(uri, (4, 0), (4, 0)), "Apply Claude's edit")
            assert rest["title"] == "Apply Claude's edit (1 change in shop.py)"
            await editor.choose(rest)
            assert editor.texts[uri] == FIXED

    async def test_several_files_a_new_one_and_a_deletion(self, machine: Machine):
        """In one edit; of those that aren't open too."""
        machine.write("lib/util.py", "x = 'é'\ny = 2\n")
        machine.write("old.py", "gone = True\n")
        async with machine.opened(text=TEXT) as (editor, uri):
            await proposed(
                machine,
                editor,
                uri,
                TWO[0],
                edit("y = 2", "y = 3", "lib/util.py"),
                tool("propose_file", path="lib/new.py", content="z = '🛒'\n"),
                tool("propose_deletion", path="old.py"),
            )
            whole = action(await editor.code_actions(uri, (4, 0), (4, 0)), "Apply Claude's edit")
            assert whole["title"] == "Apply Claude's edit (4 changes in 4 files)"
            assert (await editor.choose(whole))["applied"] is True
            folder = machine.project
            assert editor.texts[uri] == TEXT.replace("result = 0\n", "result = 0.0\n")
            assert editor.texts[(folder / "lib/util.py").as_uri()] == "x = 'é'\ny = 3\n"
            assert editor.texts[(folder / "lib/new.py").as_uri()] == "z = '🛒'\n"
            assert not (folder / "old.py").exists()
            assert "Claude's edit" not in " ".join(titles(await editor.code_actions(uri, (4, 0), (4, 0))))

    async def test_without_the_means_to_create_files_it_is_refused(self, machine: Machine):
        """Clearly, and the other file can be applied by itself."""
        client = capabilities(turns=True)
        del client["workspace"]["workspaceEdit"]["resourceOperations"]
        async with machine.opened(text=TEXT, client=client) as (editor, uri):
            await proposed(machine, editor, uri, TWO[0], tool("propose_file", path="new.py", content="z\n"))
            whole = action(await editor.code_actions(uri, (4, 0), (4, 0)), "Apply Claude's edit")
            with pytest.raises(ResponseError, match=r"can't create files for a server, so new\.py has to be created"):
                await editor.choose(whole)
            assert editor.texts[uri] == TEXT
            only = action(await editor.code_actions(uri, (4, 0), (4, 0)), "Apply this change only")
            assert (await editor.choose(only))["applied"] is True


class TestTheCodeWentOn:
    """The buffer changed between the proposal and its application."""

    async def test_elsewhere_it_is_made_where_the_code_is_now(self, machine: Machine):
        async with machine.opened(text=TEXT) as (editor, uri):
            await proposed(machine, editor, uri, *TWO)
            editor.change(uri, (0, 0), (0, 0), "# 🛒 typed meanwhile\n")
            whole = action(await editor.code_actions(uri, (5, 0), (5, 0)), "Apply Claude's edit")
            editor.change(uri, (9, 0), (9, 0), "# and after the offer\n")
            await editor.choose(whole)
            lines = ("# 🛒 typed meanwhile\n" + FIXED).split("\n")
            assert editor.texts[uri] == "\n".join([*lines[:9], "# and after the offer", *lines[9:]])

    async def test_in_its_place_it_is_refused_with_the_reason(self, machine: Machine):
        """Nothing is applied; what is untouched can be by itself."""
        async with machine.opened(text=TEXT) as (editor, uri):
            await proposed(machine, editor, uri, *TWO)
            whole = action(await editor.code_actions(uri, (4, 0), (4, 0)), "Apply Claude's edit")
            editor.change(uri, (4, 4), (4, 14), "result = 7")
            changed = editor.texts[uri]
            reason = "shop.py, line 5 as it was: the code to change was changed since"
            with pytest.raises(ResponseError, match=reason):
                await editor.choose(whole)
            with pytest.raises(ResponseError, match=f"Nothing was applied: {reason}"):
                await editor.execute("channelcoder.proposal.apply", whole["data"])
            assert editor.texts[uri] == changed
            here = titles(await editor.code_actions(uri, (4, 0), (4, 0), triggerKind=2))
            assert here[:2] == [
                "Preview Claude's edit, for which the code changed since",
                "Discard Claude's edit",
            ]
            await editor.choose(action(await editor.code_actions(uri, (11, 0), (11, 0)), "Apply this change only"))
            assert editor.texts[uri] == changed.replace('"🛒 " + name', '"🛒🛒 " + name')

    async def test_an_undo_opens_it_again(self, machine: Machine):
        async with machine.opened(text=TEXT) as (editor, uri):
            await proposed(machine, editor, uri, *TWO)
            await editor.choose(action(await editor.code_actions(uri, (4, 0), (4, 0)), "Apply Claude's edit"))
            last = len(TEXT.split("\n")) - 1
            editor.change(uri, (0, 0), (last, 0), TEXT)
            again = action(await editor.code_actions(uri, (11, 0), (11, 0)), "Apply Claude's edit")
            assert again["title"] == "Apply Claude's edit (2 changes in shop.py)"

    async def test_the_model_is_told_when_the_text_is_not_there(self, machine: Machine):
        """And proposes nothing then."""
        async with machine.opened(text=TEXT) as (editor, uri):
            editor.change(uri, (4, 4), (4, 14), "unsaved = 0")
            await proposed(machine, editor, uri, TWO[0])
            answer = await told(machine)
            assert "old_string is not in shop.py" in answer
            assert "unsaved = 0" in answer
            assert "Apply" not in " ".join(titles(await editor.code_actions(uri, (4, 0), (4, 0))))


class TestCommands:
    """The same for scripts, and for editors that don't show code actions."""

    async def test_apply_asks_the_editor_and_tells_what_it_said(self, machine: Machine):
        """The person may say no; then nothing is noted. Applied twice, it is applied once."""
        async with machine.opened(text=TEXT) as (editor, uri):
            await proposed(machine, editor, uri, *TWO)
            offered = action(await editor.code_actions(uri, (4, 0), (4, 0)), "Apply Claude's edit")
            proposal = offered["data"]
            editor.takes_edits = False
            assert (await editor.execute("channelcoder.proposal.apply", proposal))["applied"] is False
            assert editor.texts[uri] == TEXT
            assert action(await editor.code_actions(uri, (4, 0), (4, 0)), "Apply Claude's edit (2 changes in shop.py)")
            lie = await editor.execute("channelcoder.proposal.apply", {**proposal, "done": True})
            assert lie == {"applied": False, "reason": "shop.py does not have the change."}
            editor.takes_edits = True
            for reason in (None, "It is applied already."):
                applied = await editor.execute("channelcoder.proposal.apply", proposal)
                assert applied == {"applied": True, "reason": reason}
                assert editor.texts[uri] == FIXED

    async def test_preview_shows_what_would_change_now(self, machine: Machine):
        async with machine.opened(text=TEXT) as (editor, uri):
            await proposed(machine, editor, uri, *TWO)
            editor.change(uri, (0, 0), (0, 0), "# new\n")
            editor.change(uri, (5, 4), (5, 14), "result = 7")
            shown = await editor.choose(action(await editor.code_actions(uri, (4, 0), (4, 0)), "Preview"))
            text = shown["markdown"]
            assert text.startswith("# Claude's edit: Fix\n\n*2 changes in shop.py · not applied yet*")
            assert "### Change 1, line 5 as it was: can't be applied, the code to change was changed since" in text
            assert "### Change 2, line 13: can be applied" in text
            assert ' def label(name):\n-    return "🛒 " + name\n+    return "🛒🛒 " + name\n' in text

    async def test_discarded_in_part_and_whole(self, machine: Machine):
        """It is offered no more, and can't be applied."""
        async with machine.opened(text=TEXT) as (editor, uri):
            await proposed(machine, editor, uri, *TWO)
            proposal = action(await editor.code_actions(uri, (4, 0), (4, 0)), "Apply Claude's edit")["data"]
            discarded = await editor.execute("channelcoder.proposal.discard", {**proposal, "uri": uri, "hunk": 0})
            assert discarded == {"proposalId": proposal["proposalId"], "status": "open"}
            with pytest.raises(ResponseError, match=r"hunk: there is no change 0 in shop\.py"):
                await editor.execute("channelcoder.proposal.apply", {**proposal, "uri": uri, "hunk": 0})
            assert action(await editor.code_actions(uri, (4, 0), (4, 0)), "Apply Claude's edit (1 change in shop.py)")
            await editor.choose(action(await editor.code_actions(uri, (4, 0), (4, 0)), "Discard"))
            assert "Claude's edit" not in " ".join(titles(await editor.code_actions(uri, (4, 0), (4, 0))))
            with pytest.raises(ResponseError, match="This edit was discarded"):
                await editor.execute("channelcoder.proposal.apply", proposal)

    @pytest.mark.parametrize(
        ("more", "message"),
        [
            ({"uri": "file:///x"}, "uri: the proposal does nothing to"),
            ({"hunk": 7}, "hunk: there is no change 7"),
            ({"proposalId": "none"}, "There is no proposal 'none'"),
        ],
    )
    async def test_what_is_not_there_is_an_error(self, machine: Machine, more: dict[str, Any], message: str):
        async with machine.opened(text=TEXT) as (editor, uri):
            await proposed(machine, editor, uri, *TWO)
            proposal = action(await editor.code_actions(uri, (4, 0), (4, 0)), "Apply Claude's edit")["data"]
            with pytest.raises(ResponseError, match=message):
                await editor.execute("channelcoder.proposal.apply", {**proposal, **more})


async def test_proposals_outlive_the_server(machine: Machine):
    """With their base texts; what was applied stays so."""
    async with machine.opened(text=TEXT) as (editor, uri):
        await proposed(machine, editor, uri, *TWO)
    async with machine.opened(text="# new\n" + TEXT) as (editor, uri):
        only = action(await editor.code_actions(uri, (12, 0), (12, 0)), "Apply this change only")
        await editor.choose(only)
    applied = "# new\n" + TEXT.replace('"🛒 " + name', '"🛒🛒 " + name')
    async with machine.opened(text=applied) as (editor, uri):
        rest = action(await editor.code_actions(uri, (5, 0), (5, 0)), "Apply Claude's edit")
        assert rest["title"] == "Apply Claude's edit (1 change in shop.py)"


class TestSeeing:
    """What Claude sees of the editor while it answers."""

    async def test_the_unsaved_buffer_the_selection_and_the_diagnostics(self, machine: Machine):
        async with machine.opened(text=TEXT) as (editor, uri):
            editor.change(uri, (4, 4), (4, 14), "unsaved = 0")
            found = {"range": {"start": {"line": 6, "character": 8}, "end": {"line": 6, "character": 14}}}
            found |= {"message": "undefined name", "severity": 1, "source": "checker"}
            selection = {"start": {"line": 10, "character": 0}, "end": {"line": 10, "character": 9}}
            calls = [
                tool("open_documents"),
                tool("read_buffer", path="shop.py", offset=4, limit=2),
                tool("diagnostics"),
                tool("selection"),
            ]
            await machine.model.script(
                ToolUse(name=calls[0].name, input={}, also=tuple(calls[1:]), wait=True), Text(text="Seen.")
            )
            asked = await ask(editor, uri)
            await machine.model.wait_for_requests(1)
            diagnostics = [{"uri": uri, "diagnostics": [found]}]
            told_of = {"activeUri": uri, "selection": selection, "diagnostics": diagnostics}
            editor.notify("channelcoder/editor", told_of)
            editor.notify("channelcoder/editor", {"activeUri": 5})
            assert await editor.code_lenses(uri)
            await machine.model.release()
            assert (await editor.finished(asked["turnId"]))["state"] == "done"
            answer = await told(machine)
            assert "- shop.py (python, 13 lines, unsaved changes)" in answer
            assert "5|     unsaved = 0" in answer
            assert "- shop.py line 7, error (checker): undefined name" in answer
            assert "Selected is shop.py, line 11, column 1 to line 11, column 9" in answer


class TestRead:
    """The texts that a proposal would make, for an editor's own diff."""

    async def test_of_every_kind_of_file(self, machine: Machine):
        """Against the unsaved buffer as it is now; a change that can't be applied is left out, with the reason."""
        (machine.project / "old.py").write_text("gone = 1\n")
        async with machine.opened(text=TEXT) as (editor, uri):
            calls = *TWO, tool("propose_file", path="new.py", content="new = 1\n")
            asked = await proposed(machine, editor, uri, *calls, tool("propose_deletion", path="old.py"))
            thread = await editor.execute("channelcoder.thread.read", {"threadId": asked["threadId"]})
            (proposal_id,) = thread["proposalIds"]
            editor.change(uri, (4, 4), (4, 14), "result = 7")
            read = await editor.execute("channelcoder.proposal.read", {"proposalId": proposal_id})
        assert (read["proposalId"], read["threadId"], read["status"]) == (proposal_id, asked["threadId"], "open")
        shop, new, *rest = read["files"]
        assert (shop["uri"], shop["kind"], shop["state"]) == (uri, "edit", "open")
        assert shop["before"] == TEXT.replace("result = 0\n", "result = 7\n")
        assert shop["after"] == FIXED.replace("result = 0.0\n", "result = 7\n")
        assert "changed" in shop["reason"]
        assert (new["path"], new["kind"], new["before"], new["after"]) == ("new.py", "create", None, "new = 1\n")
        assert [(old["path"], old["kind"], old["before"], old["after"]) for old in rest] == [
            ("old.py", "delete", "gone = 1\n", None)
        ]
