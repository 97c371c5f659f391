"""The CLI in a container: what is started in the place of ``claude``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from channelcoder_lsp.claude.stand_in import can_stand_in, stand_in
from channelcoder_lsp.domain.container import WORKSPACE
from channelcoder_lsp.domain.errors import ContainerError
from channelcoder_lsp.execution import container_launcher

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from channelcoder_lsp.domain.container import ContainerRun

_CONFIG = "/claude"
"""Where Claude keeps its transcripts in the container."""


def launcher(run: ContainerRun, env: Iterable[str]) -> tuple[Path, dict[str, str]]:
    """A program that is ``claude`` in the container, and the variables that tell it so.

    Args:
        run: the container.
        env: names of variables that are passed on beside those of the login and of ``run``.

    Raises:
        ContainerError: no program can stand in for ``claude`` here.
    """
    if not can_stand_in():
        raise ContainerError("Claude can't be started in a container here. Ask without one, or install this anew.")
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
    return stand_in(container_launcher.__file__, CHANNELCODER_CONTAINER=json.dumps(described))
