"""A program of ours in the place of ``claude``.

The SDK starts one program, and has no option for what comes before it. So it is given a script that starts ours, which
its variables name; nothing has to be written to the disk for it, and nothing stays there.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

_SCRIPT = Path(__file__).with_suffix(".sh")


def can_stand_in() -> bool:
    """Whether there is such a thing here: not on Windows, nor where the script was installed as one not to be run."""
    return os.name == "posix" and bool(sys.executable) and os.access(_SCRIPT, os.X_OK)


def stand_in(program: str | Path, **variables: str) -> tuple[Path, dict[str, str]]:
    """What is to be started in the place of ``claude``, and with which variables.

    Args:
        program: a file with Python, which needs the standard library alone.
        variables: what it is told; it takes them out of its environment.
    """
    return _SCRIPT, {"CHANNELCODER_PYTHON": sys.executable, "CHANNELCODER_PROGRAM": str(program), **variables}
