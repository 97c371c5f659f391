"""Run as a program (``apart.py``): becomes the CLI, in a session of its own, that ends when its parent does.

Standard library only, and little of it: it starts with every connection.
"""

from __future__ import annotations

import os
import signal
import sys
from contextlib import suppress

_PR_SET_PDEATHSIG = 1
_NOT_STARTED = 127


def main() -> int:
    """Become the CLI; returns only if that fails."""
    program = os.environ.pop("CHANNELCODER_CLAUDE")
    for name in ("CHANNELCODER_PYTHON", "CHANNELCODER_PROGRAM"):
        del os.environ[name]
    with suppress(OSError):  # it leads a session already
        os.setsid()
    if sys.platform == "linux":
        _end_with_the_parent()
    try:
        os.execv(program, [program, *sys.argv[1:]])  # noqa: S606 - the CLI that was chosen, without a shell
    except OSError as problem:
        sys.stderr.write(f"{program} can't be started: {problem.strerror}\n")
        return _NOT_STARTED


def _end_with_the_parent() -> None:
    """Have the kernel end this program when the thread that started it is gone; it is kept beyond ``exec``."""
    parent = os.getppid()
    import ctypes  # noqa: PLC0415 - elsewhere it would be loaded for nothing

    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM))
    if os.getppid() != parent:  # it was gone before
        os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main())
