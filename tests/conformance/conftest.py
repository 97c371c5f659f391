from __future__ import annotations

import pytest
from backends.postgres import running_postgres
from backends.redis import RedisServer
from backends.s3 import running_s3


@pytest.fixture(scope="session")
def postgres():
    with running_postgres() as server:
        yield server


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


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory):
    with running_s3(tmp_path_factory.mktemp("s3") / "server") as server:
        yield server
