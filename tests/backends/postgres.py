"""A PostgreSQL server of the tests' own."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_DEBIAN = Path("/usr/lib/postgresql")


def programs() -> Path:
    """The folder of PostgreSQL's programs: Debian keeps them off PATH."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    return max(_DEBIAN.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3])).parent


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


class Postgres:
    """A server on a free port of this machine.

    Args:
        folder: where its data goes; a path that it can reach as another user.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._programs = programs()
        self.port = free_port()
        # It refuses to run as root.
        self._user = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        folder.mkdir(parents=True)
        if self._user is not None:
            os.chown(folder, self._user.pw_uid, self._user.pw_gid)
        self._run("initdb", "-D", "data", "-U", "test", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C")

    @property
    def url(self) -> str:
        """Where it is, as ``open_storage`` takes it."""
        return f"postgresql://test@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self._folder}"
        self._run("pg_ctl", "-D", "data", "-w", "-l", "log", "-o", options, "start")

    def stop(self, how: str = "fast") -> None:
        """Stop it: ``fast``, or ``immediate`` as by a loss of power."""
        self._run("pg_ctl", "-D", "data", "-w", "-m", how, "stop")

    def ask_for_passwords(self) -> None:
        """Let nobody in without one, from the next start on."""
        (self._folder / "data" / "pg_hba.conf").write_text("host all all 127.0.0.1/32 scram-sha-256\n")

    @property
    def pid(self) -> int:
        """The server's first process."""
        return int((self._folder / "data" / "postmaster.pid").read_text().split()[0])

    @property
    def running(self) -> bool:
        """Whether it was started and not stopped."""
        return (self._folder / "data" / "postmaster.pid").exists()

    def _run(self, program: str, *arguments: str) -> None:
        user = self._user
        subprocess.run(
            [self._programs / program, *arguments],
            cwd=self._folder,
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            user=user.pw_uid if user else None,
            group=user.pw_gid if user else None,
            extra_groups=[] if user else None,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
        )


@contextmanager
def running_postgres() -> Iterator[Postgres]:
    """A server that runs, until the end at most."""
    # pytest's own folders are closed to other users, and PostgreSQL runs as one.
    folder = Path(tempfile.mkdtemp(prefix="channelcoder-postgres-"))
    folder.chmod(0o755)
    server = Postgres(folder / "server")
    server.start()
    try:
        yield server
    finally:
        if server.running:
            server.stop("immediate")
        shutil.rmtree(folder)
