"""Sessions in a bucket."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from channelcoder_lsp.domain.errors import ArgumentsError
from channelcoder_lsp.storage.s3 import paths
from channelcoder_lsp.storage.s3.backend import BucketBackend
from channelcoder_lsp.storage.s3.bucket import Bucket
from channelcoder_lsp.storage.s3.opening import address
from channelcoder_lsp.storage.shared.leasing import LEASE_SECONDS
from channelcoder_lsp.storage.shared.storage import SharedStorage

if TYPE_CHECKING:
    from obstore.store import S3Store


class S3Storage(SharedStorage):
    """Keeps sessions in a bucket of S3, or of a server like it (session guide, "Cloud Storage Example").

    All that use one bucket and prefix see each other's sessions, turn by turn. The server must keep to ``If-Match`` and
    ``If-None-Match`` when objects are written, and show at once what was written: S3 does. One that ignores conditions
    is refused when the first session is made.

    Args:
        store: an obstore store made for the bucket.
        bucket: its name, where the store doesn't say it.
        prefix: what the paths of all objects begin with.
        tenant: whose sessions these are; those of another tenant are never seen. To keep others out, too, let a policy
            give each tenant's users the objects below ``prefix/TENANT/`` alone.
        retention: seconds after which a session is removed that nobody changed; None: never. Whoever has it removes
            them.
        lease_seconds: how long the right to ask in a session lasts when its holder has died.

    Raises:
        ArgumentsError: the store is another bucket's.
    """

    def __init__(
        self,
        store: S3Store,
        bucket: str | None = None,
        *,
        prefix: str = "",
        tenant: str = "",
        retention: float | None = None,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        config: Any = getattr(store, "config", None) or {}
        named = config.get("bucket")
        if bucket is not None and named not in (None, bucket):
            raise ArgumentsError(f"The store is made for the bucket {named!r}, not for {bucket!r}.")
        where = "/".join(part.strip("/") for part in (getattr(store, "prefix", None) or "", prefix) if part.strip("/"))
        place = address(bucket or named or "bucket", where, config.get("endpoint"))
        backend = BucketBackend(Bucket(store, place, paths.folder(prefix, tenant)), retention=retention)
        # Credentials that the program gets in a way of its own are not to be had elsewhere.
        own = getattr(store, "credential_provider", None) is not None
        url = None if own else _url(config, bucket or named, where, tenant, retention)
        super().__init__(backend, lease_seconds=lease_seconds, url=url)


def _url(config: Any, bucket: str | None, prefix: str, tenant: str, retention: float | None) -> str | None:
    """What another process opens the same place with, if it has the credentials in its environment as this one has."""
    if bucket is None or config.get("access_key_id") not in (None, os.environ.get("AWS_ACCESS_KEY_ID")):
        return None
    options = {name: config.get(name) for name in ("endpoint", "region")} | {"tenant": tenant, "retention": retention}
    if (endpoint := config.get("endpoint")) and endpoint.startswith("http:"):
        options["tls"] = "no"
    query = urlencode({key: value for key, value in options.items() if value})
    return f"s3://{bucket}{f'/{quote(prefix)}' if prefix else ''}{f'?{query}' if query else ''}"
