"""A small image, made from files of this machine alone: busybox, and the libraries that the CLI is linked to."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import claude_agent_sdk

BASE = "localhost/channelcoder-test-base:1"
CLAUDE = "localhost/channelcoder-test-claude:1"

_ENGINE_CONF = """\
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
lock_type = "file"
tmp_dir = "{work}/tmp"
volume_path = "{work}/volumes"
[network]
network_config_dir = "{work}/networks"
"""
_STORAGE_CONF = """\
[storage]
driver = "overlay"
graphroot = "{work}/images"
runroot = "{work}/run"
[storage.options.overlay]
skip_mount_home = "true"
"""

_LIBRARIES = ("libc.so.6", "libdl.so.2", "libm.so.6", "libpthread.so.0", "librt.so.1",
              "libnss_dns.so.2", "libnss_files.so.2", "libresolv.so.2")  # fmt: skip


def engine_conf(work: Path) -> str:
    """What lets Podman run where there is no systemd, with all that it keeps in ``work``."""
    return _ENGINE_CONF.format(work=work)


def storage_conf(work: Path) -> str:
    """Where Podman keeps images; nothing stays mounted, so that the folder can be removed."""
    return _STORAGE_CONF.format(work=work)


def _library(name: str) -> Path:
    for folder in (Path("/lib/x86_64-linux-gnu"), Path("/lib/aarch64-linux-gnu"), Path("/lib64"), Path("/lib")):
        if (folder / name).exists():
            return folder / name
    raise FileNotFoundError(name)


def make(work: Path) -> None:
    """Import the two images: one with a shell alone, and one with Claude Code in it."""
    root = work / "root"
    for folder in ("bin", "etc", "tmp", "proc", "dev", "sys", "root", "workspace", "usr/bin"):
        (root / folder).mkdir(parents=True)
    shutil.copy(shutil.which("busybox") or "busybox", root / "bin/busybox")
    for name in ("sh", "cat", "ls", "sleep", "true", "echo"):
        (root / "bin" / name).symlink_to("busybox")
    loaders = [
        path for path in (Path("/lib64/ld-linux-x86-64.so.2"), Path("/lib/ld-linux-aarch64.so.1")) if path.exists()
    ]
    for path in [*loaders, *map(_library, _LIBRARIES)]:
        target = root / path.relative_to("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path.resolve(), target)
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n", encoding="utf-8")
    (root / "etc/group").write_text("root:x:0:\n", encoding="utf-8")
    (root / "etc/nsswitch.conf").write_text("hosts: files dns\n", encoding="utf-8")
    _imported(root, BASE)
    program = Path(claude_agent_sdk.__file__).parent / "_bundled/claude"
    # A copy: tar fails when another run of the tests makes or removes a link to the file that it reads.
    shutil.copy(program, root / "usr/bin/claude")
    _imported(root, CLAUDE)


def _imported(root: Path, name: str) -> None:
    with subprocess.Popen(["tar", "-C", root, "-c", "."], stdout=subprocess.PIPE) as tar:
        subprocess.run(["podman", "import", "--quiet", "-", name], stdin=tar.stdout, check=True, capture_output=True)
    assert tar.returncode == 0
