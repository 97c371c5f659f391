"""A Redis server by its URL."""

from __future__ import annotations

import ssl
import subprocess
from uuid import uuid4

import pytest
from redis.asyncio import SSLConnection
from redis.asyncio.connection import Connection

from backends.redis import RedisServer, free_port
from channelcoder_lsp.domain.errors import ArgumentsError, StorageUnreachableError
from channelcoder_lsp.domain.session import SessionState
from channelcoder_lsp.storage.redis.opening import open_backend
from channelcoder_lsp.storage.shared.storage import SharedStorage


def connection(url):
    """How the first connection would be made."""
    pool = open_backend(url)._server.client.connection_pool
    return pool.connection_class, pool.connection_kwargs


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis://127.0.0.1", "redis://127.0.0.1:6379/0"),
        ("redis://:secret@localhost:1234/2", "redis://localhost:1234/2"),
        ("redis://user:secret@[::1]:1/0?tenant=team", "redis://[::1]:1/0"),
        ("rediss://127.0.0.1", "rediss://127.0.0.1:6379/0"),
        ("redis://user:secret@far.example", "rediss://far.example:6379/0"),
        ("redis://far.example?tls=no&db=4", "redis://far.example:6379/4"),
        ("redis+unix:///run/the%20socket?db=3", "unix:///run/the socket?db=3"),
    ],
)
def test_where_it_is(url, address):
    """Shown without what is secret; TLS on the way to another machine, unless it is told otherwise."""
    assert open_backend(url).address == address


def test_the_certificate_is_checked():
    kind, settings = connection("redis://far.example")
    made = kind(**settings)
    assert kind is SSLConnection
    assert (made.ssl_context.cert_reqs, made.ssl_context.check_hostname) == (ssl.CERT_REQUIRED, True)


def test_the_login_is_taken_as_it_was_before_it_was_put_in_a_url():
    kind, settings = connection("redis://the%40user:p%2Fw%3A@127.0.0.1")
    assert kind is Connection
    assert (settings["username"], settings["password"]) == ("the@user", "p/w:")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("tls=maybe", "write tls=yes or tls=no"),
        ("tls_ca=/none", "tls_ca=/none can't be read"),
        ("pasword=secret", "has pasword in it"),
        ("retention=0", "seconds above 0"),
        ("retention=soon", "seconds above 0"),
        ("db=x", "can't be read"),
    ],
)
def test_what_does_not_fit_is_refused(query, said):
    with pytest.raises(ArgumentsError, match=said) as refused:
        open_backend(f"redis://user:secret@127.0.0.1/?{query}")
    assert "secret" not in str(refused.value)


def test_tls_and_none_at_once_are_refused():
    with pytest.raises(ArgumentsError, match="rediss: means TLS"):
        open_backend("rediss://far.example?tls=no")


async def test_sessions_are_kept_there(redis_server):
    """The tenant's, for as long as the URL says; the client is closed with the storage."""
    tenant = uuid4().hex
    storage = SharedStorage(open_backend(f"{redis_server.url}?tenant={tenant}&retention=3600"))
    await storage.create(SessionState(), "mine")
    backend = storage._backend
    handle = await backend.find("mine")
    left = await backend._server.ask("PTTL", backend._keys.meta(handle.key))
    assert 0 < left <= 3_600_000
    assert tenant in backend._keys.names
    connections = backend._server.client.connection_pool._available_connections
    assert [each.is_connected for each in connections] == [True]
    await storage.close()
    assert not any(each.is_connected for each in connections)


async def test_over_tls(tmp_path):
    """With the authority's certificate it is talked to; without, the certificate is refused."""
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    files = ["-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "cert.pem")]
    subprocess.run([*command, *subject, *files], check=True, capture_output=True)  # noqa: ASYNC221 - it is quick
    port = free_port()
    options = ["--tls-port", str(port), "--tls-auth-clients", "no"]
    for what, name in (("cert", "cert"), ("key", "key"), ("ca-cert", "cert")):
        options += [f"--tls-{what}-file", str(tmp_path / f"{name}.pem")]
    server = RedisServer(tmp_path / "redis", *options)
    server.start()
    try:
        storage = SharedStorage(open_backend(f"rediss://localhost:{port}?tls_ca={tmp_path}/cert.pem"))
        await storage.save(SessionState(), "mine")
        await storage.close()
        stranger = SharedStorage(open_backend(f"rediss://localhost:{port}"))
        with pytest.raises(StorageUnreachableError, match=r"(?i)certificate"):
            await stranger.list()
        await stranger.close()
    finally:
        server.stop()
