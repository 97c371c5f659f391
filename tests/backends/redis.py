"""A Redis server of the tests' own."""

from __future__ import annotations

import socket
import subprocess
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_PATIENCE = 60.0


def free_port() -> int:
    """A port that nobody listens on; low enough that a cluster's own port, 10,000 above, is one."""
    while True:
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            port: int = listening.getsockname()[1]
        if port < 50_000:
            return port


class RedisServer:
    """A server on a free port of this machine.

    Args:
        folder: where its data goes.
        options: more of its command line. Nothing is written to the disk unless they say so.
    """

    def __init__(self, folder: Path, *options: str) -> None:
        folder.mkdir(parents=True)
        self._folder = folder
        self._options = options
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()

    @property
    def url(self) -> str:
        """Where it is, as ``open_storage`` takes it."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        command = ["redis-server", "--bind", "127.0.0.1", "--port", str(self.port), "--save", "", *self._options]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, cwd=self._folder, stdin=subprocess.DEVNULL, stdout=log)
        until = time.monotonic() + _PATIENCE
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > until:
                raise RuntimeError((self._folder / "log").read_text())
            time.sleep(0.02)

    def stop(self, how: str = "fast") -> None:
        """Stop it: ``fast``, or ``immediate``, which leaves it no time to write anything."""
        assert self._process is not None
        if how == "immediate":
            self._process.kill()
        else:
            self._process.terminate()
        self._process.wait(_PATIENCE)
        self._process = None

    @property
    def running(self) -> bool:
        """Whether it was started and not stopped."""
        return self._process is not None

    def cover_all_slots(self) -> None:
        """Make it a cluster of its own, and wait until that works."""
        self._ask("CLUSTER ADDSLOTSRANGE 0 16383")
        until = time.monotonic() + _PATIENCE
        while b"cluster_state:ok" not in self._ask("CLUSTER INFO"):
            if time.monotonic() > until:
                raise RuntimeError(self._ask("CLUSTER INFO").decode())
            time.sleep(0.02)

    def _ask(self, command: str) -> bytes:
        with socket.create_connection(("127.0.0.1", self.port), timeout=_PATIENCE) as connection:
            connection.sendall(f"{command}\r\nQUIT\r\n".encode())
            return b"".join(iter(lambda: connection.recv(65536), b""))

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=_PATIENCE) as connection:
                connection.sendall(b"PING\r\n")
                # It may load its data first, or ask for a password: then it is there, too.
                return connection.recv(64).startswith((b"+PONG", b"-NOAUTH"))
        except OSError:
            return False
