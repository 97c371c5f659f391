from __future__ import annotations

from contextlib import contextmanager
from uuid import uuid4

import pytest

from backends.places import Place
from backends.postgres import running_postgres
from backends.redis import RedisServer
from backends.s3 import BUCKET, running_s3


@contextmanager
def running_redis(folder, *options):
    server = RedisServer(folder / "redis", *options)
    server.start()
    yield server
    if server.running:
        server.stop("immediate")


@pytest.fixture
def own_postgres():
    """A server that the test may stop."""
    with running_postgres() as server:
        yield server


@pytest.fixture
def own_redis(tmp_path):
    """A server that the test may stop, and that has on the disk what it acknowledged."""
    with running_redis(tmp_path, "--appendonly", "yes", "--appendfsync", "always") as server:
        yield server


@pytest.fixture(scope="session")
def postgres_server():
    """A server for all tests that leave it running."""
    with running_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory):
    """A server for all tests that leave it running."""
    with running_redis(tmp_path_factory.mktemp("server")) as server:
        yield server


@pytest.fixture
def own_s3(tmp_path):
    """A server that the test may stop."""
    with running_s3(tmp_path / "s3") as server:
        yield server


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory):
    """A server for all tests that leave it running."""
    with running_s3(tmp_path_factory.mktemp("s3") / "server") as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql", "redis", "s3"])
def place(request, tmp_path):
    """A back end of each kind, with nothing of this test's tenant in it."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/sessions.db"
    else:
        servers = {"postgresql": "postgres_server", "redis": "redis_server", "s3": "s3_server"}
        server = request.getfixturevalue(servers[request.param])
        url = f"s3://{BUCKET}" if request.param == "s3" else server.url
    return Place(url, uuid4().hex)


@pytest.fixture(params=["postgresql", "redis", "s3"])
def own_server(request):
    """A server of each kind, which the test may stop."""
    servers = {"postgresql": "own_postgres", "redis": "own_redis", "s3": "own_s3"}
    return request.getfixturevalue(servers[request.param])
