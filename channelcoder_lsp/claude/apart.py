"""The CLI in a session of its own, so that what ends us is for us alone to hear.

Ctrl-C, a terminal that is closed, and what stops a whole process group reach everybody in it. A CLI that hears of
it ends by itself, in its own time and without a word to the question under way; so it is started where it hears only
us: we interrupt it, keep what came, and end it.

On Linux the kernel ends the CLI when we are gone, however that came; elsewhere it ends when it finds its input closed.
"""

from __future__ import annotations

from pathlib import Path

from channelcoder_lsp.claude.stand_in import can_stand_in, stand_in

_PROGRAM = Path(__file__).with_name("apart_start.py")


def apart(cli: Path) -> tuple[Path, dict[str, str]]:
    """What to start in the place of ``cli``, and with which variables; ``cli`` itself where there are no sessions."""
    return stand_in(_PROGRAM, CHANNELCODER_CLAUDE=str(cli)) if can_stand_in() else (cli, {})
