from __future__ import annotations

import pytest

from channelcoder_lsp.storage import FileSessionStorage
from channelcoder_lsp.storage.file.names import SessionFiles


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "sessions"


@pytest.fixture
def storage(folder):
    return FileSessionStorage(folder)


@pytest.fixture
def files(folder):
    """The files of the session that the tests use."""
    return SessionFiles(folder, "mine")
