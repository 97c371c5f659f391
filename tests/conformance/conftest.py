from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from backends.postgres import Postgres


@pytest.fixture(scope="session")
def postgres():
    # pytest's own folders are closed to other users, and PostgreSQL runs as one.
    folder = Path(tempfile.mkdtemp(prefix="channelcoder-postgres-"))
    folder.chmod(0o755)
    server = Postgres(folder / "server")
    server.start()
    yield server
    server.stop("immediate")
    shutil.rmtree(folder)
