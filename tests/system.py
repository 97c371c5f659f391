"""Install the programs that the tests run and that come from the system, not from Python's or Node's packages.

On Debian and Ubuntu, as root, they are installed; elsewhere this says which are missing.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

PACKAGES = {
    "busybox": "busybox-static",
    "docker": "docker.io",
    "emacs": "emacs-nox",
    "initdb": "postgresql",
    "luacheck": "lua-check",
    "podman": "podman",
    "redis-server": "redis-server",
    "runc": "runc",
    "vim": "vim-nox",
}
"""Program: the Debian package that has it."""
LIBRARIES = {
    "/usr/share/emacs/site-lisp/elpa-src/eglot-*": "elpa-eglot",
    "/usr/share/vim/vimfiles/pack/*/opt/ale": "vim-ale",
}
"""What the editors load, by where Debian puts it: the package that has it."""
_POSTGRES = Path("/usr/lib/postgresql")
"""Where Debian keeps the programs of PostgreSQL, off PATH."""


def missing() -> dict[str, str]:
    """What isn't there, with the packages that have it."""
    folders = [os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin", *map(str, _POSTGRES.glob("*/bin"))]
    path = os.pathsep.join(folders)
    programs = {program: package for program, package in PACKAGES.items() if shutil.which(program, path=path) is None}
    libraries = {place: package for place, package in LIBRARIES.items() if not list(Path("/").glob(place[1:]))}
    return programs | libraries


def install(packages: list[str]) -> None:
    """Install Debian packages, with nothing asked."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    # Lists of packages that are old or were never fetched name versions that are gone.
    subprocess.run(["apt-get", "update", "--quiet=2"], check=True, env=environment)
    command = ["apt-get", "install", "--quiet=2", "--yes", "--no-install-recommends", *packages]
    subprocess.run(command, check=True, env=environment)


def main() -> None:
    """Install what is missing, or say it."""
    wanted = sorted(set(missing().values()))
    if not wanted:
        return
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        sys.exit(
            f"The tests need {', '.join(sorted(missing()))}: install them, on Debian and Ubuntu "
            f"with `sudo apt-get install {' '.join(wanted)}`, then run make again."
        )
    install(wanted)
    if missing():
        sys.exit(f"{', '.join(sorted(missing()))} still can't be found after the packages were installed.")


if __name__ == "__main__":
    main()
