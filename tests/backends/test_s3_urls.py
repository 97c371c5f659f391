"""What the URL of a bucket says, and what is refused in it."""

from __future__ import annotations

import pytest
from obstore.store import S3Store

from channelcoder_lsp import S3Storage
from channelcoder_lsp.domain.errors import ArgumentsError
from channelcoder_lsp.storage.opening import masked, open_storage
from channelcoder_lsp.storage.s3.opening import open_backend


@pytest.fixture(autouse=True)
def environment(monkeypatch):
    for name in ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hidden")


def made(url: str):
    """What the client is made with, and the folder in the bucket."""
    bucket = open_backend(url)._bucket
    return bucket._store.config, bucket._store.client_options, bucket._prefix


@pytest.mark.parametrize(
    ("query", "endpoint"),
    [
        ("endpoint=http://127.0.0.1:8333", "http://127.0.0.1:8333"),
        ("endpoint=localhost:8333", "http://localhost:8333"),
        ("endpoint=https://localhost:8333", "https://localhost:8333"),
        ("endpoint=store.example:9000", "https://store.example:9000"),
        ("endpoint=https://store.example", "https://store.example"),
        ("endpoint=http://store.example&tls=no", "http://store.example"),
    ],
)
def test_other_machines_are_talked_to_over_tls(query: str, endpoint: str):
    config, client, _ = made(f"s3://team/notes?{query}&region=eu-central-1")
    assert config["endpoint"] == endpoint
    assert config["region"] == "eu-central-1"
    assert str(client.get("allow_http", False)).lower() == str(endpoint.startswith("http:")).lower()


def test_the_environment_says_the_rest(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:8333")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    config, _, _ = made("s3://team")
    assert (config["endpoint"], config["region"]) == ("http://127.0.0.1:8333", "eu-west-1")


def test_an_endpoint_of_the_environment_is_talked_to_over_tls_too(monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://store.example")
    with pytest.raises(ArgumentsError, match="another machine"):
        open_storage("s3://team")


@pytest.mark.parametrize(
    ("url", "folder"),
    [
        ("s3://team", "_/"),
        ("s3://team/a/b/", "a/b/_/"),
        ("s3://team/a?tenant=shop", "a/shop/"),
        ("s3://team?tenant=_", "_5f/"),
        ("s3://team?tenant=%C3%BC/..", "_c3_bc_2f_2e_2e/"),
    ],
)
def test_each_tenant_has_a_folder(url: str, folder: str):
    assert made(url)[2] == folder


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("s3://key:secret@team", "Credentials belong into the environment"),
        ("s3://", "write s3://bucket/prefix"),
        ("s3://team?secret_access_key=secret", "secret_access_key in it, which is not known"),
        ("s3://team?endpoint=http://store.example", "another machine"),
        ("s3://team?endpoint=https://store.example&tls=no", "tls=no means none"),
        ("s3://team?endpoint=https://me:secret@store.example", "endpoint in the storage's URL can't be read"),
        ("s3://team?endpoint=store.example&tls=maybe", "tls=yes or tls=no"),
        ("s3://team?tls=no", r"which \?endpoint= names"),
        ("s3://team?endpoint=localhost&tls_ca=/missing.pem", "tls_ca=/missing.pem can't be read"),
    ],
)
def test_what_does_not_fit_is_refused(url: str, said: str):
    """Without a word of what may be a secret."""
    with pytest.raises(ArgumentsError, match=said) as refused:
        open_storage(url)
    assert "secret@" not in str(refused.value)
    assert "=secret" not in str(refused.value)
    assert "secret" not in masked(url)


class TestReadyClient:
    def test_has_a_url_for_another_process(self):
        """Without the credentials, which that one has in its environment as well."""
        store = S3Store("team", endpoint="http://127.0.0.1:1", client_options={"allow_http": True})
        storage = S3Storage(store, "team", prefix="a", tenant="shop")
        assert storage.url is not None
        assert "hidden" not in storage.url
        again = open_storage(storage.url)
        assert (again._backend.address, again._backend._bucket._prefix) == ("s3://127.0.0.1:1/team/a", "a/shop/")

    def test_with_a_key_of_its_own_has_none(self):
        store = S3Store("team", access_key_id="other", secret_access_key="hidden")
        assert S3Storage(store).url is None

    def test_of_another_bucket_is_refused(self):
        with pytest.raises(ArgumentsError, match="not for 'notes'"):
            S3Storage(S3Store("team"), "notes")
