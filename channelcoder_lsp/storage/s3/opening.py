"""A bucket by its URL."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from obstore.store import S3Store

from channelcoder_lsp.domain.address import is_this_machine
from channelcoder_lsp.domain.errors import ArgumentsError
from channelcoder_lsp.storage.s3 import paths
from channelcoder_lsp.storage.s3.backend import BucketBackend
from channelcoder_lsp.storage.s3.bucket import Bucket
from channelcoder_lsp.storage.s3.credentials import credential_provider
from channelcoder_lsp.storage.shared.retention import retention_seconds

if TYPE_CHECKING:
    from collections.abc import Mapping

_CONNECT = "5s"
_ANSWER = "10s"
_REPEATED = 2
"""How often the client repeats what a server that is busy has refused."""
_YES_OR_NO = {"yes": True, "no": False}
_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
_REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")


def open_backend(url: str) -> BucketBackend:
    """The back end; see :func:`channelcoder_lsp.storage.opening.open_storage`.

    ``s3://bucket/a/prefix``. ``endpoint`` is the address of a server that is not AWS's own, ``region`` the bucket's;
    else the environment says them as for any program that uses AWS. A server on another machine is talked to over TLS,
    unless ``tls=no`` is given; ``tls_ca`` names the file of the authority that signed its certificate. Credentials come
    from the environment, the machine's or container's role, or, if boto3 is installed, from AWS's own files.
    ``retention`` is the number of seconds after which a session is removed that nobody changed, by whoever has it in
    the URL.

    Raises:
        ArgumentsError: something in the URL does not fit.
    """
    try:
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        named = parts.username is not None or parts.password is not None or parts.port is not None
    except ValueError as problem:
        raise ArgumentsError("The storage's URL can't be read: write s3://bucket/prefix.") from problem
    if named or not parts.hostname:
        raise ArgumentsError(
            "A bucket's URL has the bucket's name and nothing else before the path: write s3://bucket/prefix. "
            "Credentials belong into the environment (AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY) or AWS's own files, "
            "a server's address into ?endpoint=."
        )
    bucket, prefix = parts.hostname, unquote(parts.path).strip("/")
    tenant, retention = query.pop("tenant", ""), retention_seconds(query.pop("retention", None))
    options = _options(query)
    if query:
        raise ArgumentsError(f"The storage's URL has {', '.join(sorted(query))} in it, which is not known.")
    provider = credential_provider(options.get("region"))
    store = S3Store(
        bucket,
        **options,
        retry_config=retries(),
        **({"credential_provider": provider} if provider is not None else {}),
    )
    place = Bucket(store, address(bucket, prefix, options.get("endpoint")), paths.folder(prefix, tenant))
    return BucketBackend(place, retention=retention)


def retries() -> Any:
    """How often requests are repeated: within the time that one visit may take."""
    from datetime import timedelta  # noqa: PLC0415

    pause = {"init_backoff": timedelta(milliseconds=50), "max_backoff": timedelta(seconds=1), "base": 2}
    return {"max_retries": _REPEATED, "retry_timeout": timedelta(seconds=10), "backoff": pause}


def address(bucket: str, prefix: str, endpoint: str | None) -> str:
    """Where sessions are, for people."""
    server = f"{urlsplit(endpoint).netloc.rpartition('@')[2]}/" if endpoint else ""
    return f"s3://{server}{bucket}{f'/{prefix}' if prefix else ''}"


def _options(query: dict[str, str]) -> dict[str, Any]:
    """What the client is made with; takes what it knows out of ``query``."""
    client: dict[str, Any] = {"connect_timeout": _CONNECT, "timeout": _ANSWER}
    endpoint, tls, authority = query.pop("endpoint", None), query.pop("tls", None), query.pop("tls_ca", None)
    options: dict[str, Any] = {"region": query.pop("region", None) or _first(_REGIONS) or "us-east-1"}
    if endpoint := endpoint or _first(_ENDPOINTS):
        options["endpoint"] = _endpoint(endpoint, tls)
        client["allow_http"] = options["endpoint"].startswith("http:")
    elif tls is not None and tls != "yes":
        raise ArgumentsError(f"tls={tls} in the storage's URL is for a server of your own, which ?endpoint= names.")
    if authority is not None:
        try:
            client["root_certificate"] = Path(authority).read_bytes()
        except OSError as problem:
            raise ArgumentsError(f"tls_ca={authority} can't be read: {problem.strerror}.") from problem
    return {**options, "client_options": client}


def _endpoint(given: str, tls: str | None) -> str:
    """A server's address, with the scheme that is right for it."""
    if tls is not None and tls not in _YES_OR_NO:
        raise ArgumentsError(f"tls={tls} in the storage's URL is not known: write tls=yes or tls=no.")
    parts = urlsplit(given if "://" in given else f"//{given}")
    if parts.scheme not in ("", "http", "https") or not parts.hostname or parts.username is not None:
        raise ArgumentsError("The endpoint in the storage's URL can't be read: write endpoint=https://server:9000.")
    here = is_this_machine(parts.hostname)
    plain = tls == "no" or (tls is None and here and parts.scheme != "https")
    if parts.scheme == "http" and not plain:
        raise ArgumentsError(
            f"{parts.hostname} is another machine, and http: to it can be read by others on the way: write https:, "
            "or add tls=no to the storage's URL."
        )
    if parts.scheme == "https" and plain:
        raise ArgumentsError("https: means TLS, and tls=no means none: write http: for a server without it.")
    return f"{'http' if plain else 'https'}://{parts.netloc}{parts.path.rstrip('/')}"


def _first(names: tuple[str, ...], environment: Mapping[str, str] = os.environ) -> str | None:
    return next((environment[name] for name in names if environment.get(name)), None)
