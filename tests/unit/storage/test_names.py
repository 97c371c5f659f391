"""Which names a session can have."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channelcoder_lsp.domain.errors import SessionExistsError, SessionNameError
from channelcoder_lsp.domain.session import SessionState
from channelcoder_lsp.storage import names
from channelcoder_lsp.storage.file.names import SessionFiles
from channelcoder_lsp.storage.names import session_name


@pytest.mark.parametrize(
    "name", ["a", "bug-12345", "security-review-2024-01", "mit Umlaut ä", "日本語", "v1.2", "console", "com", "x" * 200]
)
def test_names_that_are_names(name):
    """Letters of any script, digits, inner dots, spaces and dashes are fine."""
    assert session_name(name) == name


def test_a_json_ending_is_not_part_of_the_name():
    """As in ChannelCoder, ``x.json`` means the session ``x``."""
    assert session_name("x.json") == "x"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "empty"),
        (".json", "empty"),
        ("a/b", "separator"),
        ("..\\b", "separator"),
        ("../b", "separator"),
        (".", "dots alone"),
        ("..", "dots alone"),
        (".hidden", "starts or ends"),
        ("a.", "starts or ends"),
        (" a", "starts or ends"),
        ("a\t", "starts or ends"),
        ("a\nb", "control character"),
        ("a\x00b", "control character"),
        ("a\x9bb", "control character"),
        ("a\u2028b", "control character"),
        ("a\ud800b", "control character"),
        ("x" * 201, "longer than 200 bytes"),
        ("ü" * 101, "longer than 200 bytes"),
        ("con", "Windows"),
        ("NUL", "Windows"),
        ("com1", "Windows"),
        ("LPT9.txt", "Windows"),
        ("aux .x", "Windows"),
        ("x.json.json", "twice"),
        ("x.JSON.json", "twice"),
    ],
)
def test_names_that_are_refused(name, reason):
    """What would be another file, no file, or none on another system is refused with the reason."""
    with pytest.raises(SessionNameError, match=reason):
        session_name(name)


def test_windows_allows_less(monkeypatch):
    """Characters that mean something else on Windows are refused there only."""
    assert session_name("fix: login?") == "fix: login?"
    monkeypatch.setattr(names.os, "name", "nt")
    with pytest.raises(SessionNameError, match="Windows"):
        session_name("fix: login?")


@given(st.text(max_size=220))
def test_every_name_that_is_allowed_can_be_a_file(name):
    """Whatever is not refused is one file name, short enough with each suffix, and can be written."""
    try:
        plain = session_name(name)
    except SessionNameError:
        return
    file = f"{plain}.corrupt-20240101T000000Z-99"
    assert os.path.basename(file) == file  # noqa: PTH119 - what a path would make of it
    assert len(os.fsencode(file)) <= 255
    assert session_name(plain) == plain


@given(st.text("abj.sonlck", min_size=1), st.text("abj.sonlck", min_size=1))
def test_no_two_sessions_share_a_file(tmp_path_factory, one, other):
    """A session's name may look like another's file: ``a.journal`` beside ``a``."""
    folder = tmp_path_factory.getbasetemp()
    suffixes = ("snapshot", "journal", "index", "lock", "lease", "queue", "contents")
    paths = [{getattr(SessionFiles(folder, name), suffix) for suffix in suffixes} for name in (one, other)]
    assert one == other or not paths[0] & paths[1]


@pytest.mark.parametrize("twin", ["Mine", "MINE"])
async def test_names_that_only_case_tells_apart_are_refused(storage, twin):
    """A folder may be used from a system that ignores case: no session may hide another there."""
    await (await storage.create(SessionState(), "mine")).close()
    await (await storage.create(SessionState(), "other")).close()
    with pytest.raises(SessionExistsError, match="'mine'"):
        await storage.create(SessionState(), twin)
    with pytest.raises(SessionExistsError, match="'mine'"):
        await storage.save(SessionState(), twin)
    with pytest.raises(SessionExistsError, match="'mine'"):
        await storage.rename("other", twin)
    await storage.rename("mine", twin)
    assert {info.name for info in await storage.list()} == {twin, "other"}


@pytest.mark.parametrize("composed", ["straße", "caf\u00e9"])
async def test_names_that_a_file_system_normalises_are_one(storage, composed):
    """Nor may two names differ only in how a letter is written."""
    await storage.save(SessionState(), composed)
    with pytest.raises(SessionExistsError):
        await storage.save(SessionState(), {"straße": "STRASSE", "caf\u00e9": "cafe\u0301"}[composed])


@pytest.mark.parametrize("use", ["open", "load", "delete"])
async def test_every_method_refuses_what_is_no_name(storage, use):
    """A name that can't be one is an error of its own, not a missing session; load takes paths, though."""
    with pytest.raises(SessionNameError):
        await getattr(storage, use)("..")
    with pytest.raises(SessionNameError):
        await storage.rename("mine", "a/b")
    assert not await storage.exists("a/b")
