"""The server's log file stays small, and what goes wrong with it is said once."""

from __future__ import annotations

import json
import logging

from channelcoder_lsp.cli import log_file
from channelcoder_lsp.cli.log_file import LogFile, log_files


def record(message, *arguments):
    return logging.LogRecord("channelcoder_lsp.some", logging.INFO, __file__, 1, message, arguments, None)


def test_nothing_logged_makes_no_file(tmp_path):
    LogFile(tmp_path).close()
    assert log_files(tmp_path) == []


def test_each_line_is_an_object_whatever_is_logged(tmp_path):
    handler = LogFile(tmp_path)
    handler.emit(record("two\nlines, a \u202e mark and %s", {"a": 1}))
    handler.close()
    [file] = log_files(tmp_path)
    [line] = file.read_text(encoding="utf-8").splitlines()
    entry = json.loads(line)
    assert entry["message"] == "two\nlines, a \u202e mark and {'a': 1}"
    assert (entry["level"], entry["logger"]) == ("info", "channelcoder_lsp.some")


def test_a_file_that_got_long_is_put_aside_and_the_one_before_it_goes(tmp_path, monkeypatch):
    monkeypatch.setattr(log_file, "_BYTES", 1_000)
    handler = LogFile(tmp_path)
    for number in range(100):
        handler.emit(record("entry %d", number))
    handler.close()
    newest, before = log_files(tmp_path)
    assert newest.stat().st_size <= 1_000
    assert before.stat().st_size <= 1_000
    assert json.loads(newest.read_text().splitlines()[-1])["message"] == "entry 99"


def test_old_files_go_when_a_server_starts(tmp_path, monkeypatch):
    monkeypatch.setattr(log_file, "_KEPT", 3)
    (tmp_path / "mine.txt").write_text("stays")
    for number in range(5):
        (tmp_path / f"server-{number}.jsonl").write_text("{}\n")
    LogFile(tmp_path).close()
    assert len(log_files(tmp_path)) == 3
    assert (tmp_path / "mine.txt").exists()


def test_a_log_that_cannot_be_written_is_told_of_once(tmp_path, caplog):
    handler = LogFile(tmp_path / "log")
    (tmp_path / "log").rmdir()
    handler.handle(record("one"))
    handler.handle(record("two"))
    assert len([told for told in caplog.messages if "can't be written" in told]) == 1
