"""A server of the tests' own that speaks the protocol of S3: SeaweedFS."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

from obstore import put
from obstore.exceptions import BaseError
from obstore.store import S3Store

from backends.redis import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

_PATIENCE = 90.0
_TRIES = 3
BUCKET = "sessions"
KEYS = {"AWS_ACCESS_KEY_ID": "tests", "AWS_SECRET_ACCESS_KEY": "only-for-tests"}
"""The credentials, as the environment of a program that uses the bucket has them."""
_PARTS = ("master", "volume", "filer", "s3")


def client_for(url: str, *, timeout: int = 10, repeated: int = 2) -> tuple[S3Store, str]:
    """A client for the bucket of a URL, and the prefix in it."""
    parts = urlsplit(url)
    endpoint = parse_qs(parts.query).get("endpoint", [""])[0] or os.environ["AWS_ENDPOINT_URL"]
    client = S3Store(
        parts.hostname,
        endpoint=endpoint,
        region="us-east-1",
        access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
        secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
        client_options={"allow_http": True, "timeout": f"{timeout}s"},
        retry_config={"max_retries": repeated},
    )
    return client, parts.path.strip("/")


class S3Server:
    """A server on free ports of this machine, with one bucket.

    Args:
        folder: where its data goes.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        (folder / "data").mkdir(parents=True)
        self._ports = {part: free_port() for part in _PARTS}
        key = {"accessKey": KEYS["AWS_ACCESS_KEY_ID"], "secretKey": KEYS["AWS_SECRET_ACCESS_KEY"]}
        actions = ["Admin", "Read", "Write", "List", "Tagging"]
        identities = [{"name": "tests", "credentials": [key], "actions": actions}]
        (folder / "s3.json").write_text(json.dumps({"identities": identities}))

    @property
    def port(self) -> int:
        """Where the protocol of S3 is spoken."""
        return self._ports["s3"]

    @property
    def url(self) -> str:
        """Where the bucket is, as ``open_storage`` takes it."""
        return f"s3://{BUCKET}?endpoint=http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What a program needs that uses it by the bucket's name alone."""
        return {**KEYS, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}"}

    def below(self, prefix: str) -> str:
        """Where a part of the bucket is."""
        return self.url.replace("?", f"/{prefix}?")

    @property
    def pid(self) -> int:
        """The server's process."""
        assert self._process is not None
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it was started and not stopped."""
        return self._process is not None

    def start(self) -> None:
        """Start it, and wait until something can be written."""
        program = shutil.which("weed") or str(Path(sys.executable).parent / "weed")
        command = [program, "server", "-dir=data", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-filer", "-s3"]
        for part in _PARTS:
            command += [f"-{part}.port={self._ports[part]}"]
        command += ["-s3.config=s3.json", "-master.volumeSizeLimitMB=64", "-volume.max=20"]
        command += ["-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false"]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd=self._folder, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )
        until = time.monotonic() + _PATIENCE
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > until:
                raise RuntimeError((self._folder / "log").read_text()[-5000:])
            time.sleep(0.05)

    def stop(self, how: str = "fast") -> None:
        """Stop it: ``fast``, or ``immediate``, which leaves it no time to write anything."""
        assert self._process is not None
        if how == "immediate":
            self._process.kill()
        else:
            self._process.terminate()
        self._process.wait(_PATIENCE)
        self._process = None

    def _answers(self) -> bool:
        # A folder there is a bucket; it stays when it is there.
        made = urllib.request.Request(f"http://127.0.0.1:{self._ports['filer']}/buckets/{BUCKET}/", method="POST")
        try:
            with suppress(urllib.error.HTTPError), urllib.request.urlopen(made, timeout=5):  # it may be there already
                pass
            put(client_for(self.url, timeout=1, repeated=0)[0], "started", b"")
        except (OSError, BaseError):
            return False
        return True


@contextmanager
def running_s3(folder: Path) -> Iterator[S3Server]:
    """A server that runs, until the end at most, with its address and its key in the environment."""
    with ExitStack() as stack:
        for number in range(_TRIES):
            server = S3Server(folder / str(number))
            try:
                server.start()
            except RuntimeError:  # each port has one beside it, 10,000 above, which may be taken
                if number == _TRIES - 1:
                    raise
            else:
                break
        stack.enter_context(patch.dict(os.environ, server.environment))
        stack.callback(lambda: server.stop("immediate") if server.running else None)
        yield server
