"""A small image, made from files of this machine alone: busybox, and the libraries that the CLI is linked to."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import claude_agent_sdk

BASE = "localhost/channelcoder-test-base:1"
CLAUDE = "localhost/channelcoder-test-claude:1"

ENGINE_CONF = """\
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
"""
"""What lets Podman run where there is no systemd."""

_LIBRARIES = ("libc.so.6", "libdl.so.2", "libm.so.6", "libpthread.so.0", "librt.so.1",
              "libnss_dns.so.2", "libnss_files.so.2", "libresolv.so.2")  # fmt: skip


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
    target = root / "usr/bin/claude"
    try:
        os.link(program, target)
    except OSError:
        shutil.copy(program, target)
    _imported(root, CLAUDE)


def _imported(root: Path, name: str) -> None:
    with subprocess.Popen(["tar", "-C", root, "-c", "."], stdout=subprocess.PIPE) as tar:
        subprocess.run(["podman", "import", "--quiet", "-", name], stdin=tar.stdout, check=True, capture_output=True)
    assert tar.returncode == 0
