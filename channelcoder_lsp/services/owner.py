"""Which process a queued turn belongs to, and whether that process still lives."""

from __future__ import annotations

import os
import socket

import psutil

_PARTS = 3
_CLOCK_SLACK_SECONDS = 2.0


def this_process() -> str:
    """A name for this process that no other process on any machine had or will have."""
    return owner_of(os.getpid())


def owner_of(pid: int) -> str:
    """The like for another process of this machine, which must not have been waited for.

    Raises:
        psutil.NoSuchProcess: there is none.
    """
    return f"{socket.gethostname()}:{pid}:{psutil.Process(pid).create_time():.2f}"


def is_of_this_machine(owner: str | None) -> bool:
    """Whether a process of this machine is named, dead or alive."""
    return owner is not None and owner.rsplit(":", _PARTS - 1)[0] == socket.gethostname()


def is_alive(owner: str | None) -> bool:
    """Whether the process named ``owner`` may still be at work; one on another machine counts as alive."""
    parts = (owner or "").rsplit(":", _PARTS - 1)
    if len(parts) != _PARTS:
        return False
    host, pid, created = parts
    if host != socket.gethostname():
        return True
    try:
        process = psutil.Process(int(pid))
        ended = process.status() == psutil.STATUS_ZOMBIE
        return not ended and abs(process.create_time() - float(created)) < _CLOCK_SLACK_SECONDS
    except (psutil.NoSuchProcess, ValueError):
        return False
    except psutil.AccessDenied:
        return True
