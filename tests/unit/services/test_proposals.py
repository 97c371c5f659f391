"""Proposals: made from findings, and what becomes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from channelcoder_lsp.domain.errors import ProposalError
from channelcoder_lsp.domain.place import Position, Range, Selection
from channelcoder_lsp.domain.proposal import FileKind, Hunk, Proposal, ProposalStatus, ProposedFile
from channelcoder_lsp.domain.review import Finding
from channelcoder_lsp.domain.text import split_lines
from channelcoder_lsp.domain.uri import uri_of
from channelcoder_lsp.services.hunks import HunkState
from channelcoder_lsp.services.proposals import (
    believed,
    discard,
    file_now,
    propose_replacement,
    summary,
    with_news,
)
from channelcoder_lsp.services.proposed import ProposedEdits, hunks_at
from channelcoder_lsp.services.threads import Document, OpenDocuments, thread_about

if TYPE_CHECKING:
    from pathlib import Path

    from .desk import Desk

BASE = "def one():\n    return 1\n\n\ndef two():\n    return 2\n"
LINES = split_lines(BASE)
ONE, TWO = Hunk(start=1, end=2, lines=["    return 11"]), Hunk(start=5, end=6, lines=["    return 22"])
BOTH = BASE.replace("1\n", "11\n").replace("2\n", "22\n")
URI = "file:///shop/a.py"


def edited(**more: Any) -> ProposedFile:
    return ProposedFile(uri=URI, path="a.py", base="digest", hunks=[ONE, TWO], **more)


def whole(*files: ProposedFile) -> Proposal:
    return Proposal(turn_id="turn", files=list(files))


class TestFileNow:
    """What a proposal comes to in a file."""

    @pytest.mark.parametrize(
        ("text", "state"),
        [
            (BASE, HunkState.OPEN),
            (BOTH, HunkState.APPLIED),
            (BASE.replace("1\n", "11\n"), HunkState.OPEN),
            (BASE.replace("1\n", "7\n"), HunkState.OPEN),
            (BOTH.replace("11\n", "7\n"), HunkState.STALE),
            (None, HunkState.STALE),
        ],
    )
    def test_an_edited_file(self, text: str | None, state: HunkState):
        """Open while one of its changes is."""
        assert file_now(edited(), BASE, None if text is None else split_lines(text)).state is state

    def test_a_base_that_is_lost(self):
        """Nothing is applied at a guess."""
        now = file_now(edited(), None, LINES)
        assert (now.state, now.reason) == (HunkState.STALE, "the text that it was made for is lost")
        assert [hunk.state for hunk in now.hunks] == [HunkState.STALE, HunkState.STALE]

    def test_discarded_changes_are_left_out_and_the_others_keep_their_number(self):
        file = discard(whole(edited()), URI, 0).files[0]
        now = file_now(file, BASE, LINES)
        assert [(hunk.index, hunk.start) for hunk in now.hunks] == [(1, 5)]
        assert (now.hunk(0), now.hunk(1)) == (None, now.hunks[0])

    @pytest.mark.parametrize(
        ("lines", "state"),
        [(None, HunkState.OPEN), (["x", ""], HunkState.APPLIED), (["y", ""], HunkState.STALE)],
    )
    def test_a_new_file(self, lines: list[str] | None, state: HunkState):
        file = ProposedFile(uri=URI, kind=FileKind.CREATE, hunks=[Hunk(start=0, end=0, lines=["x", ""])])
        assert file_now(file, None, lines).state is state

    @pytest.mark.parametrize(
        ("lines", "state"),
        [(None, HunkState.APPLIED), (LINES, HunkState.OPEN), (["y", ""], HunkState.STALE)],
    )
    def test_a_deletion(self, lines: list[str] | None, state: HunkState):
        """Not of a file that says something else by now."""
        file = ProposedFile(uri=URI, kind=FileKind.DELETE, base="digest")
        assert file_now(file, BASE, lines).state is state


class TestRecord:
    """What is recorded of a proposal's fate, and how it is told."""

    def test_applied_in_part_then_whole_then_undone(self):
        proposal = whole(edited())
        assert summary(proposal) == "2 changes in a.py · not applied yet"
        for text, told, status in (
            (BASE.replace("1\n", "11\n"), "partly applied", ProposalStatus.OPEN),
            (BOTH, "applied", ProposalStatus.APPLIED),
            (BASE, "not applied yet", ProposalStatus.OPEN),
        ):
            proposal = with_news(proposal, [file_now(proposal.files[0], BASE, split_lines(text))])
            assert (summary(proposal), proposal.status) == (f"2 changes in a.py · {told}", status)

    def test_what_is_stale_keeps_what_was_recorded(self):
        """It was applied, and then the person went on with it."""
        proposal = whole(edited())
        applied = with_news(proposal, [file_now(proposal.files[0], BASE, split_lines(BOTH))])
        later = with_news(applied, [file_now(applied.files[0], BASE, ["something else"])])
        assert later.status is ProposalStatus.APPLIED

    def test_what_the_editor_says_is_believed(self):
        proposal = whole(edited())
        now = believed(file_now(proposal.files[0], BASE, LINES), {1})
        assert [hunk.applied is not None for hunk in with_news(proposal, [now]).files[0].hunks] == [False, True]

    def test_discarding_bit_by_bit_comes_to_all(self):
        """And what remains applied is an applied proposal."""
        proposal = whole(edited(), ProposedFile(uri="file:///b", path="b.py", kind=FileKind.CREATE))
        proposal = discard(proposal, "file:///b")
        assert summary(proposal) == "2 changes in a.py · not applied yet"
        done = with_news(proposal, [file_now(proposal.files[0], BASE, split_lines(BASE.replace("1\n", "11\n")))])
        assert discard(done, URI, 1).status is ProposalStatus.APPLIED
        for index in (0, 1):
            proposal = discard(proposal, URI, index)
        assert (proposal.status, summary(proposal)) == (ProposalStatus.DISCARDED, "an edit · discarded")
        assert discard(whole(edited())).status is ProposalStatus.DISCARDED


class TestFindings:
    """``propose_replacement``."""

    @pytest.mark.parametrize(
        ("span", "code", "expected"),
        [
            (((1, 4), (1, 12)), "return 11", BASE.replace("1\n", "11\n")),
            (((1, 0), (2, 0)), "return 11\n", BASE.replace("1\n", "11\n")),
            (((0, 0), (3, 0)), "", "\ndef two():\n    return 2\n"),
        ],
    )
    async def test_a_replacement_is_kept_in_the_findings_thread(self, desk: Desk, span: Any, code: str, expected: str):
        session = await desk.session()
        range_ = Range(*(Position(*at) for at in span))
        thread = thread_about(Selection(uri=URI, path="a.py", range=range_, text="", document=BASE))
        thread.finding = Finding(review_id="review", turn_id="turn", message="Odd.")
        await session.open_thread(thread, BASE)
        proposal = await propose_replacement(session, thread, LINES, range_, code)
        assert proposal is not None
        assert session.proposals_of(thread) == [proposal]
        assert (proposal.turn_id, proposal.files[0].path) == ("turn", "a.py")
        base = await session.kept_text(proposal.files[0].base)
        assert base == BASE
        now = file_now(proposal.files[0], base, split_lines(expected))
        assert now.state is HunkState.APPLIED

    async def test_one_that_changes_nothing_is_none(self, desk: Desk):
        session = await desk.session()
        range_ = Range(Position(1, 4), Position(1, 12))
        thread = thread_about(Selection(uri=URI, path="a.py", range=range_, text="", document=BASE))
        assert await propose_replacement(session, thread, LINES, range_, "return 1") is None
        assert session.head.proposals == {}


class TestProposedEdits:
    """The proposals of a session in the files of its project."""

    async def start(
        self, desk: Desk, root: Path, *files: ProposedFile
    ) -> tuple[ProposedEdits, OpenDocuments, Proposal]:
        session = await desk.session()
        digest = await session.keep_text(BASE)
        proposal = whole(*(file.model_copy(update={"base": digest if file.base else None}) for file in files))
        await session.keep_proposal(proposal)
        documents = OpenDocuments()
        return ProposedEdits(root, documents, lambda: session), documents, session.proposal(proposal.id)

    async def test_in_an_open_document_they_are_known_from_memory(self, desk: Desk, tmp_path: Path):
        """By the document's URI, or its path when it has another one here."""
        proposed, documents, proposal = await self.start(desk, tmp_path, edited())
        document = Document(uri_of(tmp_path / "a.py"), "a.py", list(LINES))
        documents.add(document)
        ((found, now),) = list(proposed.about(document))
        assert (found, now.state) == (proposal, HunkState.OPEN)
        assert next(proposed.about(document))[1] is now, "not worked out again"
        documents.edit(document.uri, Range(Position(1, 11), Position(1, 12)), "7")
        assert next(proposed.about(document))[1].hunks[0].state is HunkState.STALE

    async def test_of_the_applied_ones_only_the_latest_are_compared_with_the_text(self, desk: Desk, tmp_path: Path):
        """Each costs a comparison after every edit, and a file may have had hundreds; an undo opens the latest."""
        proposed, documents, waiting = await self.start(desk, tmp_path, edited())
        documents.add(document := Document(URI, "a.py", list(LINES)))
        session = desk.sessions[0]
        applied = [
            waiting.model_copy(update={"id": f"proposal-{number}", "status": ProposalStatus.APPLIED})
            for number in range(7)
        ]
        for proposal in applied:
            await session.keep_proposal(proposal)
        found = [proposal.id for proposal, _ in proposed.about(document)]
        assert found == [waiting.id, *(proposal.id for proposal in applied[2:])]

    async def test_the_changes_on_some_lines(self, desk: Desk, tmp_path: Path):
        inserts = ProposedFile(uri=URI, path="a.py", base="x", hunks=[Hunk(start=3, end=3, lines=["new"])])
        proposed, documents, _ = await self.start(desk, tmp_path, edited(), inserts)
        document = Document(URI, "a.py", list(LINES))
        documents.add(document)
        found = list(proposed.about(document))
        assert [index for _, _, index in hunks_at(found, 1, 1)] == [0]
        assert [index for _, _, index in hunks_at(found, 0, 5)] == [0, 1, 0]
        assert hunks_at(found, 0, 0) == []
        assert len(hunks_at(found, 3, 3)) == 1

    async def test_after_a_restart_the_texts_are_loaded(self, desk: Desk, tmp_path: Path):
        """Until then nothing is said rather than something wrong."""
        proposed, documents, proposal = await self.start(desk, tmp_path, edited())
        session = desk.sessions[0]
        document = Document(URI, "a.py", list(LINES))
        documents.add(document)
        session.texts = type(session.texts)()
        assert list(proposed.about(document)) == []
        await proposed.load()
        assert [found.id for found, _ in proposed.about(document)] == [proposal.id]

    async def test_files_that_are_not_open_are_read(self, desk: Desk, tmp_path: Path):
        (tmp_path / "a.py").write_bytes(BASE.replace("\n", "\r\n").encode())
        proposed, _, proposal = await self.start(desk, tmp_path, edited())
        (target,) = await proposed.targets(desk.sessions[0], proposal)
        assert (target.now.state, target.line_end, target.uri) == (HunkState.OPEN, "\r\n", uri_of(tmp_path / "a.py"))
        (tmp_path / "a.py").write_bytes(b"\xff")
        with pytest.raises(ProposalError, match=r"a\.py is not text in UTF-8"):
            await proposed.targets(desk.sessions[0], proposal)
        (tmp_path / "a.py").unlink()
        (target,) = await proposed.targets(desk.sessions[0], proposal)
        assert (target.now.state, target.now.reason) == (HunkState.STALE, "there is no such file any more")

    async def test_what_was_undone_is_noted_when_the_document_is_saved(self, desk: Desk, tmp_path: Path):
        proposed, documents, proposal = await self.start(desk, tmp_path, edited())
        session = desk.sessions[0]
        document = Document(URI, "a.py", split_lines(BOTH))
        documents.add(document)
        await proposed.saved(document)
        assert session.proposal(proposal.id).status is ProposalStatus.APPLIED
        documents.replaced(URI, BASE)
        await proposed.saved(document)
        assert session.proposal(proposal.id).status is ProposalStatus.OPEN

    async def test_they_go_with_files_that_are_renamed(self, desk: Desk, tmp_path: Path):
        proposed, _, proposal = await self.start(desk, tmp_path, edited())
        await proposed.renamed("a.py", "lib/b.py")
        (file,) = desk.sessions[0].proposal(proposal.id).files
        assert (file.path, file.uri) == ("lib/b.py", uri_of(tmp_path / "lib" / "b.py"))
        await proposed.renamed("lib", "src")
        assert desk.sessions[0].proposal(proposal.id).files[0].path == "src/b.py"
