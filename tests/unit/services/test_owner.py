"""Whose a turn is, and whether that process lives."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import psutil
import pytest

from channelcoder_lsp.services.owner import is_alive, owner_of, this_process


def test_this_process_lives():
    """And is called the same each time."""
    assert this_process() == this_process() == owner_of(os.getpid())
    assert is_alive(this_process())


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system keeps the time at which a process started")
@pytest.mark.parametrize("seconds", [-86_400, -1, 1, 3_600])
def test_a_clock_that_is_set_changes_nothing(monkeypatch: pytest.MonkeyPatch, seconds: int):
    """A laptop that slept, or a virtual machine: who lived lives, and is called the same."""
    before, booted = this_process(), psutil.boot_time()
    monkeypatch.setattr(f"{psutil.__name__}._pslinux.boot_time", lambda: booted + seconds)
    assert this_process() == before
    assert is_alive(before)


def test_a_process_that_never_was_has_no_name():
    with subprocess.Popen([sys.executable, "-c", ""]) as child:
        pass
    with pytest.raises(psutil.NoSuchProcess):
        owner_of(child.pid)


def test_a_process_that_ended_does_not():
    """Nor does one that ended and was not waited for: an editor may leave its servers so."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        owner = owner_of(child.pid)
        assert is_alive(owner)
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        assert not is_alive(owner), "a zombie"
    assert not is_alive(owner)


def test_another_process_of_the_same_number_is_another():
    """Numbers come again; the time of birth does not."""
    assert not is_alive(f"{this_process()[:-1]}")
    assert not is_alive(f"{this_process()}0")


def test_a_process_on_another_machine_may_live():
    """It can't be known."""
    assert is_alive(this_process().replace(socket.gethostname(), "another-machine"))
    assert is_alive("fe80::1:2:3.00")


@pytest.mark.parametrize("owner", [None, "", "me", f"{socket.gethostname()}:x:y", f"{socket.gethostname()}:1:"])
def test_what_names_no_process_is_not_alive(owner: str | None):
    """A record without one, or from elsewhere."""
    assert not is_alive(owner)
