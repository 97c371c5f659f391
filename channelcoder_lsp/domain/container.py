"""A container that Claude works in: what a session keeps of it, and what a connection is opened with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from pydantic import Field

from channelcoder_lsp.domain.model import Model

WORKSPACE = PurePosixPath("/workspace")
"""Where the folder is in a container."""


class ContainerOfSession(Model):
    """The container that a session works in. Values of variables are not kept, their names are."""

    image: str | None = None
    """None: the one that the folder's Dockerfile makes."""
    dockerfile: str | None = None
    mounts: list[str] = Field(default_factory=list)
    """``HOST:CONTAINER``, read-only, or ``HOST:CONTAINER:rw``."""
    env: list[str] = Field(default_factory=list)
    """Names of variables that are passed on."""
    engine: str | None = None
    """``docker`` or ``podman``; None: the first that answers."""
    network: str | None = None
    """The engine's name of a network; None: the engine's own default, which does not reach this machine's loopback."""


@dataclass(frozen=True)
class ContainerRun:
    """A container that is ready to be started: the image is there, and ``claude`` in it.

    Args:
        engine: the program.
        image: the image.
        folder: the folder, which is mounted at :data:`WORKSPACE`.
        config: a folder of this machine for Claude's transcripts, which outlive the container.
        arguments: more arguments of the engine's ``run``.
        env: names of variables that are passed on beside those of the login.
    """

    engine: Path
    image: str
    folder: Path
    config: Path
    arguments: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
