"""Whose a turn is, and whether that process lives."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import psutil
import pytest

from channelcoder_lsp.services.owner import is_alive, this_process


def name_of(pid: int, host: str | None = None) -> str:
    return f"{host or socket.gethostname()}:{pid}:{psutil.Process(pid).create_time():.2f}"


def test_this_process_lives():
    """And is called the same each time."""
    assert this_process() == this_process() == name_of(os.getpid())
    assert is_alive(this_process())


def test_a_process_that_ended_does_not():
    """Nor does one that ended and was not waited for: an editor may leave its servers so."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        owner = name_of(child.pid)
        assert is_alive(owner)
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert not is_alive(owner), "a zombie"
    assert not is_alive(owner)


def test_another_process_of_the_same_number_is_another():
    """Numbers come again; the time of birth does not."""
    host, pid, created = this_process().rsplit(":", 2)
    assert not is_alive(f"{host}:{pid}:{float(created) - 60:.2f}")


def test_a_process_on_another_machine_may_live():
    """It can't be known."""
    assert is_alive(name_of(os.getpid(), host="another-machine"))
    assert is_alive("fe80::1:2:3.00")


@pytest.mark.parametrize("owner", [None, "", "me", f"{socket.gethostname()}:x:y", f"{socket.gethostname()}:1:"])
def test_what_names_no_process_is_not_alive(owner: str | None):
    """A record without one, or from elsewhere."""
    assert not is_alive(owner)
