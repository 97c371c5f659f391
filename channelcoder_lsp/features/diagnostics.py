"""textDocument/diagnostic, workspace/diagnostic and textDocument/publishDiagnostics: open findings at their code.

A client that pulls diagnostics (LSP 3.17, "Pull Diagnostics") is sent none, so that it shows nothing twice. A finding
is a suggestion: it is shown as information or a hint, whatever its severity; ``data`` has that.
"""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING, NamedTuple

from lsprotocol import types as lsp

from channelcoder_lsp.domain.place import AnchorState, Severity
from channelcoder_lsp.domain.thread import ThreadStatus
from channelcoder_lsp.features.render import open_proposals, plain, title
from channelcoder_lsp.services.proposals import summary

if TYPE_CHECKING:
    from collections.abc import Iterator

    from channelcoder_lsp.domain.place import Anchor
    from channelcoder_lsp.domain.proposal import Proposal
    from channelcoder_lsp.domain.thread import Thread
    from channelcoder_lsp.features.face import Face
    from channelcoder_lsp.services.project import Project

SOURCE = "channelcoder"
_MESSAGE_CHARS = 1_000
_EDIT_SECONDS = 0.2
"""How long typing must pause before places are published anew."""


class Report(NamedTuple):
    """The diagnostics of one document."""

    version: int | None
    """The document's, if it is open."""
    items: list[lsp.Diagnostic]

    @property
    def result_id(self) -> str:
        """Changes when what is shown does."""
        return hashlib.sha256("\0".join(map(_key, self.items)).encode("utf-8", "replace")).hexdigest()[:16]


def document_report(face: Face, params: lsp.DocumentDiagnosticParams) -> lsp.DocumentDiagnosticReport:
    """The open findings of one document."""
    uri = params.text_document.uri
    report = reports(face, uri).get(uri, Report(None, []))
    face.findings.told(uri, report)
    if report.result_id == params.previous_result_id:
        return lsp.RelatedUnchangedDocumentDiagnosticReport(result_id=report.result_id)
    return lsp.RelatedFullDocumentDiagnosticReport(items=report.items, result_id=report.result_id)


def workspace_report(face: Face, params: lsp.WorkspaceDiagnosticParams) -> lsp.WorkspaceDiagnosticReport:
    """The open findings of all documents, those that aren't open as they were recorded; answered at once."""
    found = reports(face)
    before = {known.uri: known.value for known in params.previous_result_ids}
    items: list[lsp.WorkspaceDocumentDiagnosticReport] = []
    for uri in [*found, *(uri for uri in before if uri not in found)]:
        report = found.get(uri, Report(None, []))
        face.findings.told(uri, report)
        if before.get(uri) == report.result_id:
            items.append(lsp.WorkspaceUnchangedDocumentDiagnosticReport(uri, report.result_id, report.version))
        else:
            items.append(
                lsp.WorkspaceFullDocumentDiagnosticReport(uri, report.items, report.version, result_id=report.result_id)
            )
    return lsp.WorkspaceDiagnosticReport(items)


def reports(face: Face, only: str | None = None) -> dict[str, Report]:
    """The documents that have open findings, by URI; of one that is ``only``, no more. Reads memory only."""
    found: dict[str, Report] = {}
    if not face.settings().diagnostics:
        return found
    for project in face.projects:
        if project.session is not None:
            for uri, version, item in _in_project(face, project, only):
                found.setdefault(uri, Report(version, [])).items.append(item)
    return found


def _in_project(face: Face, project: Project, only: str | None) -> Iterator[tuple[str, int | None, lsp.Diagnostic]]:
    session = project.session
    if session is None:
        return
    threads = session.head.threads
    findings = [each for each in threads.values() if each.finding and each.status is ThreadStatus.OPEN]
    if not findings:
        return
    waiting: dict[str, list[Proposal]] = {}
    if face.settings().proposals:
        waiting = open_proposals(session.head.proposals.values())
    codec = face.client.codec
    for document in project.documents:
        if only in (None, document.uri):
            for here in project.placed.threads_in(document.uri):
                if here.thread.finding is not None:
                    where = codec.client_range(document.lines, here.range)
                    at, proposed = lsp.Location(document.uri, where), waiting.get(here.thread.id, [])
                    yield document.uri, document.version, _diagnostic(face, here.thread, here.place.state, at, proposed)
    for thread in findings:
        anchor: Anchor = project.placed.anchor_of(thread)
        if anchor.state is AnchorState.ORPHANED or only not in (None, anchor.uri):
            continue
        if project.placed.document_of(thread) is None:
            at, proposed = lsp.Location(anchor.uri, codec.anchor_range(anchor)), waiting.get(thread.id, [])
            yield anchor.uri, None, _diagnostic(face, thread, anchor.state, at, proposed)


def _diagnostic(
    face: Face, thread: Thread, state: AnchorState, at: lsp.Location, proposed: list[Proposal]
) -> lsp.Diagnostic:
    finding = thread.finding
    if finding is None:
        raise ValueError(f"{thread.id} has no finding")
    hint = finding.severity is Severity.HINT
    related = list(_related(thread, state, at, proposed)) if face.client.relates_diagnostics else []
    return lsp.Diagnostic(
        range=at.range,
        message=plain(finding.message, max_chars=_MESSAGE_CHARS, one_line=False),
        severity=lsp.DiagnosticSeverity.Hint if hint else lsp.DiagnosticSeverity.Information,
        code=plain(finding.code, max_chars=60) if finding.code else None,
        source=SOURCE,
        related_information=related or None,
        data={"threadId": thread.id, "reviewId": finding.review_id, "severity": finding.severity.value},
    )


def _related(
    thread: Thread, state: AnchorState, at: lsp.Location, proposed: list[Proposal]
) -> Iterator[lsp.DiagnosticRelatedInformation]:
    """That the code is no longer what the finding is about; the files that the proposed edit changes."""
    if state is AnchorState.EDITED:
        was = title(thread.anchor.quote)
        yield lsp.DiagnosticRelatedInformation(at, f"The code changed since. It was: {was}")
    for proposal in proposed[-1:]:
        yield lsp.DiagnosticRelatedInformation(at, f"Edit proposed: {plain(summary(proposal), max_chars=200)}")
        for file in proposal.files:
            if file.uri != at.uri and file.path != thread.anchor.path and file.discarded is None:
                start = lsp.Range(lsp.Position(0, 0), lsp.Position(0, 0))
                yield lsp.DiagnosticRelatedInformation(
                    lsp.Location(file.uri, start), "The proposed edit changes this file, too."
                )


def _key(item: lsp.Diagnostic) -> str:
    start, end = item.range.start, item.range.end
    related = [told.message for told in item.related_information or []]
    parts = (start.line, start.character, end.line, end.character, item.severity, item.code, item.message, *related)
    return "\1".join(map(str, parts))


class FindingsShown:
    """Keeps what the client shows of findings up to date: publishes it, or says that it is to be pulled anew.

    Args:
        face: the editor.
    """

    def __init__(self, face: Face) -> None:
        self._face = face
        self._shown: dict[str, str] = {}
        """What the client shows, as far as is known: a result id by document."""
        self._publishing: asyncio.TimerHandle | None = None

    def told(self, uri: str, report: Report) -> None:
        """The client pulled ``report``."""
        if report.items:
            self._shown[uri] = report.result_id
        else:
            self._shown.pop(uri, None)

    def edited(self, uri: str) -> None:
        """A document was edited: what was published moves along when typing pauses."""
        if uri in self._shown and not self._face.client.pulls_diagnostics:
            if self._publishing is not None:
                self._publishing.cancel()
            self._publishing = asyncio.get_running_loop().call_later(_EDIT_SECONDS, self.refresh)

    def refresh(self) -> None:
        """Findings came, went, or changed: have the client show them so."""
        found = reports(self._face)
        now = {uri: report.result_id for uri, report in found.items()}
        before, self._shown = self._shown, now
        if self._face.client.pulls_diagnostics:
            if now != before:
                self._face.client.refresh_diagnostics()
            return
        for uri in [*found, *(uri for uri in before if uri not in found)]:
            if before.get(uri) != now.get(uri):
                version, items = found.get(uri, Report(None, []))
                self._face.client.publish_diagnostics(uri, version, items)
