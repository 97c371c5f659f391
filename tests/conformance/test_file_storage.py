"""FileSessionStorage keeps every promise of the port."""

from __future__ import annotations

import pytest

from channelcoder_lsp.storage import FileSessionStorage
from channelcoder_lsp.testing import JOURNAL_PROMISES, STORAGE_PROMISES


@pytest.mark.parametrize("promise", STORAGE_PROMISES, ids=lambda promise: promise.__name__)
async def test_the_guides_methods(promise, tmp_path):
    await promise(lambda: FileSessionStorage(tmp_path / "sessions"))


@pytest.mark.parametrize("promise", JOURNAL_PROMISES, ids=lambda promise: promise.__name__)
async def test_recording(promise, tmp_path):
    await promise(lambda: FileSessionStorage(tmp_path / "sessions"))
