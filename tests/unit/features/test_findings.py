"""Findings as diagnostics (pulled and pushed), lenses, hovers and code actions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from lsprotocol import types as lsp
from services.desk import soon

from channelcoder_lsp import protocol
from channelcoder_lsp.domain.permission import Decision, Permission
from channelcoder_lsp.domain.place import Severity
from channelcoder_lsp.domain.thread import ThreadStatus
from channelcoder_lsp.domain.turn import Turn, TurnState
from channelcoder_lsp.domain.uri import path_of
from channelcoder_lsp.features import workspace
from channelcoder_lsp.features.code_actions import code_actions
from channelcoder_lsp.features.code_lens import code_lenses
from channelcoder_lsp.features.diagnostics import document_report, workspace_report
from channelcoder_lsp.features.documents import turn_document
from channelcoder_lsp.features.hover import hover
from channelcoder_lsp.features.table import HANDLERS

from .editor import CODE, Editor, span
from .findings import found

if TYPE_CHECKING:
    from pathlib import Path

    from services.desk import Desk


@pytest.fixture
async def uri(editor: Editor, tmp_path: Path) -> str:
    return await editor.open(tmp_path / "shop" / "a.py", CODE)


def pulled(editor: Editor, uri: str, previous: str | None = None) -> lsp.DocumentDiagnosticReport:
    params = lsp.DocumentDiagnosticParams(lsp.TextDocumentIdentifier(uri), previous_result_id=previous)
    return document_report(editor.face, params)


def items(editor: Editor, uri: str) -> list[lsp.Diagnostic]:
    report = pulled(editor, uri)
    assert isinstance(report, lsp.RelatedFullDocumentDiagnosticReport)
    return list(report.items)


def everywhere(editor: Editor, **previous: str) -> list[lsp.WorkspaceDocumentDiagnosticReport]:
    known = [lsp.PreviousResultId(uri, value) for uri, value in previous.items()]
    return list(workspace_report(editor.face, lsp.WorkspaceDiagnosticParams(previous_result_ids=known)).items)


def actions(editor: Editor, uri: str, diagnostics: list[lsp.Diagnostic], **context: Any) -> list[lsp.CodeAction]:
    params = lsp.CodeActionParams(
        lsp.TextDocumentIdentifier(uri),
        span((4, 4), (4, 4)),
        lsp.CodeActionContext(diagnostics, only=[lsp.CodeActionKind.QuickFix], **context),
    )
    return code_actions(editor.face, params)


def titles(found: list[lsp.CodeAction]) -> list[str]:
    return [action.title for action in found]


class TestPulled:
    async def test_is_not_on_hover_where_the_editor_shows_it_there(self, start: Any, tmp_path: Path, desk: Desk):
        """Unless diagnostics are off: its message stands there once."""
        editor = await start(ours={"diagnosticsOnHover": True})
        uri = await editor.open(tmp_path / "shop" / "a.py", CODE)
        await found(editor, uri, replacement="sum(items)")
        params = lsp.HoverParams(lsp.TextDocumentIdentifier(uri), lsp.Position(4, 0))

        def hovered() -> str:
            shown = hover(editor.face, params)
            assert shown is not None
            assert isinstance(shown.contents, lsp.MarkupContent)
            return shown.contents.value

        assert "It adds with a loop" not in hovered()
        assert "What it could be instead:" in hovered()
        desk.set(diagnostics=False)
        assert "It adds with a loop" in hovered()

    async def test_has_place_source_code_message_and_the_thread(self, editor: Editor, uri: str):
        thread = await found(editor, uri)
        (item,) = items(editor, uri)
        assert (item.range, item.source, item.code) == (span((3, 0), (5, 17)), "channelcoder", "bug")
        assert item.message == "It adds with a loop; use `sum`."
        assert item.data == {"threadId": thread.id, "reviewId": "review-1", "severity": "warning"}
        assert item.related_information is None

    @pytest.mark.parametrize(
        ("severity", "shown"),
        [("error", "Information"), ("warning", "Information"), ("information", "Information"), ("hint", "Hint")],
    )
    async def test_is_never_shown_as_more_than_information(self, editor: Editor, uri: str, severity: str, shown: str):
        """A finding is a suggestion: an editor's list of errors stays what the compiler says."""
        await found(editor, uri, severity=Severity(severity))
        assert items(editor, uri)[0].severity is lsp.DiagnosticSeverity[shown]

    async def test_message_is_plain_bounded_text(self, editor: Editor, uri: str):
        await found(editor, uri, "[run](command:evil) \u202etxt" + " more" * 1000, code="a\u202eb")
        (item,) = items(editor, uri)
        assert "](command:" not in item.message
        assert "\u202e" not in item.message + str(item.code)
        assert len(item.message) <= 1000

    async def test_unchanged_diagnostics_are_not_sent_again(self, editor: Editor, uri: str):
        await found(editor, uri)
        first = pulled(editor, uri)
        again = pulled(editor, uri, first.result_id)
        assert isinstance(again, lsp.RelatedUnchangedDocumentDiagnosticReport)
        editor.change(uri, [(span((0, 0), (0, 0)), "# first\n")])
        moved = pulled(editor, uri, first.result_id)
        assert isinstance(moved, lsp.RelatedFullDocumentDiagnosticReport)
        assert moved.items[0].range.start.line == 4

    @pytest.mark.parametrize(("encoding", "unit"), [("utf-8", 4), ("utf-16", 2), ("utf-32", 1)])
    async def test_counts_as_the_client_does(self, start, tmp_path: Path, encoding: str, unit: int):
        editor = await start(encoding=encoding)
        uri = await editor.open(tmp_path / "shop" / "b.py", "🛒 = total(1)\n")
        await found(editor, uri, where=((0, 4), (0, 12)))
        (item,) = items(editor, uri)
        assert (item.range.start.character, item.range.end.character) == (3 + unit, 11 + unit)

    async def test_says_what_it_is_related_to(self, editor: Editor, uri: str):
        """That the code changed, and what the proposed edit changes beyond it."""
        await found(editor, uri, proposed=True)
        editor.change(uri, [(span((5, 4), (5, 4)), "x = ")])
        related = items(editor, uri)[0].related_information
        assert [told.message.partition(":")[0] for told in related] == [
            "The code changed since. It was",
            "Edit proposed",
            "The proposed edit changes this file, too.",
        ]
        assert related[2].location.uri == "file:///b.py"

    async def test_a_resolved_finding_is_quiet(self, editor: Editor, uri: str):
        thread = await found(editor, uri)
        _, session = editor.face.projects.with_thread(thread.id)
        await session.set_status(thread.id, ThreadStatus.RESOLVED)
        assert items(editor, uri) == []
        assert everywhere(editor) == []
        await editor.face.projects.of(uri).closed(uri)
        assert everywhere(editor) == []

    async def test_a_finding_whose_code_is_gone_is_nowhere(self, editor: Editor, uri: str):
        await found(editor, uri)
        editor.change(uri, [(span((0, 0), (9, 0)), "")])
        assert items(editor, uri) == []
        assert everywhere(editor) == []
        await editor.face.projects.of(uri).closed(uri)
        assert everywhere(editor) == []

    async def test_a_setting_turns_it_off(self, desk: Desk, editor: Editor, uri: str):
        await found(editor, uri)
        desk.set(diagnostics=False)
        assert items(editor, uri) == []

    async def test_threads_without_a_finding_are_no_diagnostics(self, editor: Editor, uri: str):
        thread = await found(editor, uri)
        _, session = editor.face.projects.with_thread(thread.id)
        await session.open_thread(thread.model_copy(update={"finding": None}), CODE)
        assert items(editor, uri) == []


class TestWorkspace:
    async def test_has_files_that_are_not_open(self, editor: Editor, uri: str, tmp_path: Path):
        """At the place that was recorded; open ones with their version."""
        other = await editor.open(tmp_path / "shop" / "b.py", CODE)
        await found(editor, uri)
        await found(editor, other)
        await editor.face.projects.of(other).closed(other)
        reports = {report.uri: report for report in everywhere(editor)}
        assert {uri: report.version for uri, report in reports.items()} == {uri: 1, other: None}
        assert reports[other].items[0].range == span((3, 0), (5, 17))

    async def test_unchanged_files_are_named_only_and_those_without_findings_are_cleared(
        self, editor: Editor, uri: str
    ):
        thread = await found(editor, uri)
        (first,) = everywhere(editor)
        (again,) = everywhere(editor, **{uri: first.result_id})
        assert isinstance(again, lsp.WorkspaceUnchangedDocumentDiagnosticReport)
        _, session = editor.face.projects.with_thread(thread.id)
        await session.set_status(thread.id, ThreadStatus.RESOLVED)
        (cleared,) = everywhere(editor, **{uri: first.result_id})
        assert isinstance(cleared, lsp.WorkspaceFullDocumentDiagnosticReport)
        assert cleared.items == []


class TestRefreshed:
    async def test_a_client_that_pulls_is_asked_to_when_findings_changed(self, editor: Editor, uri: str):
        """And only then, and nothing is published to it: it would show everything twice."""
        await found(editor, uri)
        editor.news.clear()
        editor.face.findings.refresh()
        editor.face.findings.refresh()
        await soon(editor.news.wait())
        assert editor.refreshed == ["diagnostics"]
        assert editor.published == []

    async def test_what_was_pulled_meanwhile_counts(self, editor: Editor, uri: str):
        """A finding that the client has is taken away, however short its life was."""
        thread = await found(editor, uri)
        items(editor, uri)
        _, session = editor.face.projects.with_thread(thread.id)
        await session.set_status(thread.id, ThreadStatus.RESOLVED)
        editor.news.clear()
        editor.face.findings.refresh()
        await soon(editor.news.wait())
        assert editor.refreshed == ["diagnostics"]


class TestPublished:
    @pytest.fixture
    async def pushed(self, start) -> Editor:
        return await start(pulls=False)

    async def test_to_a_client_that_does_not_pull(self, pushed: Editor, tmp_path: Path):
        uri = await pushed.open(tmp_path / "shop" / "a.py", CODE)
        await found(pushed, uri)
        pushed.face.findings.refresh()
        pushed.face.findings.refresh()
        (published,) = pushed.published
        assert (published.uri, published.version, len(published.diagnostics)) == (uri, 1, 1)
        assert pushed.refreshed == []

    async def test_again_where_the_code_went_once_typing_pauses(self, desk: Desk, pushed: Editor, tmp_path: Path):
        uri = await pushed.open(tmp_path / "shop" / "a.py", CODE)
        await found(pushed, uri)
        pushed.face.findings.refresh()
        for _ in range(3):
            pushed.change(uri, [(span((0, 0), (0, 0)), "# first\n")])
        assert len(pushed.published) == 1
        pushed.news.clear()
        await soon(pushed.news.wait())
        assert len(pushed.published) == 2
        assert pushed.published[1].diagnostics[0].range.start.line == 6
        assert pushed.published[1].version == 4

    async def test_cleared_when_resolved_when_the_session_changes_and_when_switched_off(
        self, desk: Desk, pushed: Editor, tmp_path: Path
    ):
        uri = await pushed.open(tmp_path / "shop" / "a.py", CODE)

        def now() -> int:
            pushed.face.client.refresh()
            return len(pushed.published[-1].diagnostics)

        thread = await found(pushed, uri)
        project, session = pushed.face.projects.with_thread(thread.id)
        assert now() == 1
        await session.set_status(thread.id, ThreadStatus.RESOLVED)
        assert now() == 0
        await session.set_status(thread.id, ThreadStatus.OPEN)
        assert now() == 1
        desk.set(diagnostics=False)
        assert now() == 0
        desk.set(diagnostics=True)
        assert now() == 1
        await project.new_session("another")
        assert now() == 0

    async def test_cleared_when_the_folder_is_closed(self, pushed: Editor, tmp_path: Path):
        uri = await pushed.open(tmp_path / "shop" / "a.py", CODE)
        await found(pushed, uri)
        pushed.face.client.refresh()
        folder = lsp.WorkspaceFolder((tmp_path / "shop").as_uri(), "shop")
        await workspace.remove_folders(pushed.face, [folder])
        assert [len(each.diagnostics) for each in pushed.published] == [1, 0]


class TestLens:
    async def test_shows_severity_and_message_and_what_waits(self, start, tmp_path: Path):
        editor = await start(ours={"input": True})
        uri = await editor.open(tmp_path / "shop" / "a.py", CODE)
        thread = await found(editor, uri, "It adds\nwith a loop.", proposed=True)
        lenses = code_lenses(editor.face, lsp.CodeLensParams(lsp.TextDocumentIdentifier(uri)))
        assert [lens.command.title for lens in lenses] == [
            "Claude: warning · It adds",
            "Apply",
            "Preview",
            "Reply",
            "Resolve",
        ]
        _, session = editor.face.projects.with_thread(thread.id)
        (proposal,) = session.proposals_of(thread)
        assert [lens.command.arguments for lens in lenses[1:3]] == [[{"proposalId": proposal.id}]] * 2

    async def test_a_client_that_takes_no_edits_or_input_is_offered_none(self, desk: Desk, start, tmp_path: Path):
        editor = await start(edits=False)
        uri = await editor.open(tmp_path / "shop" / "a.py", CODE)
        await found(editor, uri, proposed=True)
        lenses = code_lenses(editor.face, lsp.CodeLensParams(lsp.TextDocumentIdentifier(uri)))
        assert [lens.command.title for lens in lenses[1:]] == ["Preview", "Resolve"]
        desk.set(proposals=False)
        lenses = code_lenses(editor.face, lsp.CodeLensParams(lsp.TextDocumentIdentifier(uri)))
        assert [lens.command.title for lens in lenses[1:]] == ["Resolve"]


class TestHover:
    @staticmethod
    def shown(editor: Editor, uri: str) -> str:
        found = hover(editor.face, lsp.HoverParams(lsp.TextDocumentIdentifier(uri), lsp.Position(4, 0)))
        assert found is not None
        assert isinstance(found.contents, lsp.MarkupContent)
        return found.contents.value

    async def test_shows_the_finding_its_replacement_and_the_proposal(self, editor: Editor, uri: str):
        await found(editor, uri, replacement="def total(items):\n    return sum(items)", proposed=True)
        edit = "1 change in a.py · 1 change in b.py · not applied yet"
        assert self.shown(editor, uri).split("\n\n") == [
            "**Claude** · warning (bug) · just now",
            "It adds with a loop; use `sum`.",
            "What it could be instead:",
            "```python\ndef total(items):\n    return sum(items)\n```",
            f"**Edit proposed: {edit}** · code actions preview and apply it",
        ]

    async def test_nothing_of_a_finding_acts(self, editor: Editor, uri: str):
        await found(editor, uri, "[run](command:evil) ![i](https://evil/x.png)", code="[x](command:evil)")
        shown = self.shown(editor, uri)
        assert "](command:" not in shown.replace("\\]", "")
        assert "![" not in shown

    async def test_shows_how_the_code_changed(self, editor: Editor, uri: str):
        await found(editor, uri)
        editor.change(uri, [(span((4, 4), (4, 10)), "added")])
        assert "the code changed since" in self.shown(editor, uri).partition("\n")[0]
        assert "```diff\n" in self.shown(editor, uri)
        assert "-    result = sum(items)\n+    added = sum(items)" in self.shown(editor, uri)

    async def test_long_code_that_changed_is_shown_by_its_first_lines(self, editor: Editor, tmp_path: Path):
        text = "".join(f"line_{number} = {number}\n" for number in range(100))
        uri = await editor.open(tmp_path / "shop" / "b.py", text)
        await found(editor, uri, where=((0, 0), (99, 12)))
        editor.change(uri, [(span((4, 0), (4, 4)), "LINE")])
        shown = self.shown(editor, uri)
        assert "The code changed since. It was:\n\n```python\nline_0 = 0\n" in shown
        assert shown.endswith("line_19 = 19\n…\n```")


class TestActions:
    """Quick fixes of what is shown at the code."""

    OTHER = lsp.Diagnostic(
        span((4, 4), (4, 10)),
        'Variable "result" is shadowed',
        severity=lsp.DiagnosticSeverity.Warning,
        source="lint",
        code="W1",
    )

    async def test_a_finding_is_fixed_and_resolved_in_its_thread(self, editor: Editor, uri: str):
        """Not asked about as if another checker had found it."""
        thread = await found(editor, uri)
        (item,) = items(editor, uri)
        offered = actions(editor, uri, [item])
        assert titles(offered) == [
            "Fix with Claude: It adds with a loop; use `sum`.",
            "Show Claude's finding",
            "Resolve this thread",
            "Claude: Fix",
        ]
        assert [action.diagnostics for action in offered] == [[item]] * 4
        assert offered[0].command.arguments[0]["threadId"] == thread.id
        assert offered[2].command.arguments == [{"threadId": thread.id}]

    async def test_a_finding_with_an_edit_is_not_fixed_otherwise(self, editor: Editor, uri: str):
        await found(editor, uri, proposed=True)
        assert not any(title.startswith("Fix with") for title in titles(actions(editor, uri, items(editor, uri))))

    async def test_what_others_found_can_be_asked_about_and_fixed(self, editor: Editor, uri: str):
        """Also where an editor asks by itself, as its quick fixes."""
        offered = actions(editor, uri, [self.OTHER], trigger_kind=lsp.CodeActionTriggerKind.Automatic)
        assert titles(offered) == [
            'Fix with Claude: Variable "result" is shadowed',
            'Ask Claude about: Variable "result" is shadowed',
        ]
        assert [(action.kind, action.diagnostics) for action in offered] == [("quickfix", [self.OTHER])] * 2
        fix, ask = (action.command.arguments[0] for action in offered)
        assert fix["range"] == {"start": {"line": 4, "character": 4}, "end": {"line": 4, "character": 10}}
        assert (fix["prompt"], fix["diagnostics"][0]["code"]) == ("fix", "W1")
        assert ask["question"] == (
            'Variable "result" is shadowed (lint W1): what does this mean here, and what should be done about it?'
        )

    async def test_of_many_some_are_offered(self, editor: Editor, uri: str):
        offered = actions(editor, uri, [self.OTHER] * 10, trigger_kind=lsp.CodeActionTriggerKind.Automatic)
        assert len(offered) == 6


class TestDocuments:
    async def test_a_thread_shows_finding_replacement_and_edits(self, editor: Editor, uri: str):
        thread = await found(editor, uri, replacement="sum(items)", proposed=True)
        shown = await HANDLERS[protocol.THREAD_SHOW.name](editor.face, protocol.ThreadArguments(thread.id))
        for part in (
            "# a.py, lines 4 to 6\n\n**warning (bug)**\n\nIt adds with a loop; use `sum`.",
            "What it could be instead:\n\n```python\nsum(items)\n```",
            "## Edits\n\n- Edit proposed: 1 change in a.py",
        ):
            assert part in shown.markdown

    async def test_a_file_that_was_shown_follows_its_thread(self, editor: Editor, uri: str):
        """Also when it is no longer open here: whoever reads it reads what is true."""
        thread = await found(editor, uri)
        shown = await HANDLERS[protocol.THREAD_SHOW.name](editor.face, protocol.ThreadArguments(thread.id))
        path = path_of(shown.uri)
        assert path is not None
        assert "resolved" not in path.read_text()
        _, session = editor.face.projects.with_thread(thread.id)
        await session.set_status(thread.id, ThreadStatus.RESOLVED)
        editor.face.client.refresh()
        await soon(editor.face.client.settled())
        assert path.read_text().startswith("# a.py, lines 4 to 6, resolved\n")

    async def test_a_document_that_is_fetched_is_drawn_anew_only_when_it_changed(self, start, tmp_path: Path):
        editor = await start(fetches=True)
        uri = await editor.open(tmp_path / "shop" / "a.py", CODE)
        thread = await found(editor, uri)
        shown = await HANDLERS[protocol.THREAD_SHOW.name](editor.face, protocol.ThreadArguments(thread.id))
        await soon(editor.face.client.settled())
        editor.refreshed.clear()
        editor.face.client.refresh()
        await soon(editor.face.client.settled())
        assert shown.uri not in editor.refreshed
        editor.change(uri, [(span((0, 0), (0, 0)), "# first\n")])
        editor.face.client.refresh()
        await soon(editor.face.client.settled())
        assert editor.refreshed.count(shown.uri) == 1

    def test_what_was_consented_to_stands_with_the_turn(self):
        """In full, with why nobody decided."""
        asked = Permission(tool="Bash", detail="rm -r `x`\n```", decision=Decision.DENY, reason="No answer in time.")
        shown = turn_document(Turn(question="Q", permissions=[asked], state=TurnState.DONE), "")
        assert (
            "## What it asked to do\n\n**Bash**: not allowed: No answer in time.\n\n````\nrm -r `x`\n```\n````" in shown
        )
