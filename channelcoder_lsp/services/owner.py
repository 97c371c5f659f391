"""Which process a queued turn belongs to, and whether that process still lives."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import psutil

_PARTS = 3
_STARTED = 19
"""Where the time of the start stands in /proc/PID/stat, behind the program's name (proc(5): field 22)."""


def this_process() -> str:
    """A name for this process that no other process on any machine had or will have."""
    return owner_of(os.getpid())


def owner_of(pid: int) -> str:
    """The like for another process of this machine, which must not have been waited for.

    Raises:
        psutil.NoSuchProcess: there is none.
    """
    return f"{socket.gethostname()}:{pid}:{_started(psutil.Process(pid))}"


def is_of_this_machine(owner: str | None) -> bool:
    """Whether a process of this machine is named, dead or alive."""
    return owner is not None and owner.rsplit(":", _PARTS - 1)[0] == socket.gethostname()


def is_alive(owner: str | None) -> bool:
    """Whether the process named ``owner`` may still be at work; one on another machine counts as alive."""
    parts = (owner or "").rsplit(":", _PARTS - 1)
    if len(parts) != _PARTS:
        return False
    host, pid, started = parts
    if host != socket.gethostname():
        return True
    try:
        process = psutil.Process(int(pid))
        ended = process.status() == psutil.STATUS_ZOMBIE
        return not ended and _started(process) == started
    except (psutil.NoSuchProcess, ValueError):
        return False
    except psutil.AccessDenied:
        return True


def _started(process: psutil.Process) -> str:
    """When a process started, the same each time: no clock that somebody sets back or forward is in it.

    Raises:
        psutil.NoSuchProcess: it ended.
        psutil.AccessDenied: it isn't to be seen.
    """
    if sys.platform != "linux":
        return f"{process.create_time():.2f}"
    # There psutil reckons from the time of day and the time since the system started.
    try:
        ticks = Path(f"/proc/{process.pid}/stat").read_text("utf-8", "replace").rpartition(")")[2].split()[_STARTED]
    except PermissionError as problem:
        raise psutil.AccessDenied(process.pid) from problem
    except (FileNotFoundError, ProcessLookupError) as problem:
        raise psutil.NoSuchProcess(process.pid) from problem
    return f"{_system_start()}.{ticks}"


def _system_start() -> str:
    """Which start of the system this is; nothing where that has no name."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return ""
