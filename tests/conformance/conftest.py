from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from backends.postgres import Postgres
from backends.redis import RedisServer


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


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory):
    server = RedisServer(tmp_path_factory.mktemp("redis") / "server")
    server.start()
    yield server
    server.stop("immediate")


@pytest.fixture(scope="session")
def redis_cluster(tmp_path_factory):
    """A cluster of one node, which refuses what would need two."""
    server = RedisServer(tmp_path_factory.mktemp("redis") / "node", "--cluster-enabled", "yes")
    server.start()
    server.cover_all_slots()
    yield server
    server.stop("immediate")
