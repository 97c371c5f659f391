"""The CLI in a container: what is started in the place of ``claude``."""

from __future__ import annotations

import json
import shlex
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from channelcoder_lsp.domain.container import WORKSPACE
from channelcoder_lsp.execution import container_launcher

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from channelcoder_lsp.domain.container import ContainerRun

_CONFIG = "/claude"
"""Where Claude keeps its transcripts in the container."""


@contextmanager
def launcher(run: ContainerRun, env: Iterable[str]) -> Iterator[Path]:
    """A program that is ``claude`` in the container, for as long as the context is.

    Args:
        run: the container.
        env: names of variables that are passed on beside those of the login and of ``run``.
    """
    arguments = [
        "--rm", "--interactive", "--workdir", str(WORKSPACE), "--tmpfs", "/tmp", "--entrypoint", "claude",  # noqa: S108 - the container's
        "--env", "HOME=/tmp", "--env", f"CLAUDE_CONFIG_DIR={_CONFIG}",
        "--volume", f"{run.folder}:{WORKSPACE}", "--volume", f"{run.config}:{_CONFIG}",
        *run.arguments,
    ]  # fmt: skip
    described = {
        "engine": str(run.engine),
        "image": run.image,
        "arguments": arguments,
        "env": [*env, *run.env],
    }
    with tempfile.TemporaryDirectory(prefix="channelcoder-container-") as folder:
        file, program = Path(folder, "run.json"), Path(folder, "claude")
        file.write_text(json.dumps(described), encoding="utf-8")
        words = [sys.executable, "-I", container_launcher.__file__, str(file)]
        program.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n', encoding="utf-8")
        program.chmod(0o700)
        yield program
