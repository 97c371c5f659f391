"""Which runs in the background there are, and what becomes of those that ended."""

from __future__ import annotations

import json
import stat
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from channelcoder_lsp.domain.errors import ArgumentsError, StorageNotWritableError
from channelcoder_lsp.execution.background import KEPT, Detached, ended, runs, start

if TYPE_CHECKING:
    from pathlib import Path

ENDS_AT_ONCE = "channelcoder_lsp.version"
"""A module that does nothing, and does not say that it has ended."""


def begin(folder: Path, **given) -> Detached:
    settings = {"log": None, "session": "work", "question": "One\n two", **given}
    return start(ENDS_AT_ONCE, {"secret": "prompt"}, folder=folder, **settings)


async def test_a_run_is_known_by_process_log_session_and_question(tmp_path: Path):
    run = begin(tmp_path / "runs")
    (known,) = runs(tmp_path / "runs")
    assert (known.pid, known.session, known.question) == (run.pid, "work", "One two")
    assert known.log.parent == tmp_path / "runs"
    await run.wait()


async def test_what_is_asked_is_in_no_file_of_the_folder(tmp_path: Path):
    await begin(tmp_path / "runs").wait()
    for file in (tmp_path / "runs").iterdir():
        assert "prompt" not in file.read_text()
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


async def test_a_run_that_ended_without_a_word_has_no_code(tmp_path: Path):
    done = await begin(tmp_path / "runs").wait()
    assert (done.running, done.code) == (False, None)


async def test_a_run_that_said_how_it_ended_has_one(tmp_path: Path):
    run = begin(tmp_path / "runs")
    ended(tmp_path / "runs" / f"{run.id}.end", 1)
    assert (run.now().running, run.now().code) == (False, 1)
    await run.wait()


async def test_runs_that_ended_long_ago_are_forgotten_with_their_logs(tmp_path: Path):
    folder = tmp_path / "runs"
    old = await begin(folder).wait()
    kept = await begin(folder, log=tmp_path / "kept.log").wait()
    for run in (old, kept):
        file = folder / f"{run.id}.json"
        data = json.loads(file.read_text())
        data["started"] = (run.started - KEPT - timedelta(days=1)).isoformat()
        file.write_text(json.dumps(data))
    new = await begin(folder).wait()
    assert [run.id for run in runs(folder)] == [new.id]
    assert not old.log.exists()
    assert kept.log.exists()  # whoever named a log keeps it


async def test_what_can_not_be_read_is_left_out(tmp_path: Path):
    run = await begin(tmp_path / "runs").wait()
    (tmp_path / "runs/broken.json").write_text("{")
    assert [known.id for known in runs(tmp_path / "runs")] == [run.id]
    assert runs(tmp_path / "nowhere") == []


def test_a_log_that_can_not_be_written_is_named(tmp_path: Path):
    with pytest.raises(ArgumentsError, match=r"log: .*missing/x\.log can't be written"):
        begin(tmp_path / "runs", log=tmp_path / "missing/x.log")
    assert runs(tmp_path / "runs") == []
    (tmp_path / "file").touch()
    with pytest.raises(StorageNotWritableError, match="file/runs can't be written"):
        begin(tmp_path / "file/runs")
