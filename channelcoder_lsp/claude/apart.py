"""The CLI in a session of its own, so that what ends us is for us alone to hear.

Ctrl-C, a terminal that is closed, and what stops a whole process group reach everybody in it. A CLI that hears of
it ends by itself, in its own time and without a word to the question under way; so it is started where it hears only
us: we interrupt it, keep what came, and end it.

The SDK has no option for that; it is given a program that becomes the CLI. On Linux the kernel ends the CLI when we are
gone, however that came; elsewhere it ends when it finds its input closed.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path


def apart(cli: Path) -> tuple[Path, dict[str, str]]:
    """What to start in the place of ``cli``, and with which variables; ``cli`` itself where there are no sessions."""
    program = Path(__file__).with_suffix(".sh")
    if os.name != "posix" or not sys.executable or not os.access(program, os.X_OK):
        return cli, {}
    return program, {"CHANNELCODER_PYTHON": sys.executable, "CHANNELCODER_CLAUDE": str(cli)}
