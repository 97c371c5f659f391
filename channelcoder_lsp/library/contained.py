"""The option ``docker``: from what was chosen to a container that can be started."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence  # noqa: TC003 - the types of options are looked up
from typing import TYPE_CHECKING, Any, TypedDict

import anyio

from channelcoder_lsp.domain.container import ContainerOfSession
from channelcoder_lsp.domain.errors import ArgumentsError, ContainerError
from channelcoder_lsp.execution.container import ready
from channelcoder_lsp.settings import state_folder

if TYPE_CHECKING:
    from pathlib import Path

    from channelcoder_lsp.domain.container import ContainerRun


class DockerOptions(TypedDict, total=False):
    """A container to work in; without an image the folder's Dockerfile is built, in a trusted folder."""

    image: str
    dockerfile: str
    """Its path in the folder."""
    mounts: Sequence[str]
    """``HOST:/CONTAINER``, read-only, or ``HOST:/CONTAINER:rw``."""
    env: Sequence[str]
    """Names of variables that are passed on; their values are this process's."""
    engine: str
    """``docker`` or ``podman``; without it the first that answers."""
    network: str
    """The engine's name of a network; ``host`` to reach what listens on this machine's loopback."""


def container_named(given: Any) -> ContainerOfSession | None:
    """The container that the option ``docker`` names.

    Raises:
        ArgumentsError: it does not fit.
    """
    if given is None or given is False:
        return None
    wanted = {} if given is True else given
    known = DockerOptions.__annotations__.keys()
    if not isinstance(wanted, dict) or wanted.keys() - known:
        told = min(wanted.keys() - known) if isinstance(wanted, dict) else type(wanted).__name__
        raise ArgumentsError(f"docker: {told} does not fit. Give True, or {', '.join(known)}.")
    for name in ("mounts", "env"):
        if not isinstance(wanted.get(name, []), (list, tuple)):
            raise ArgumentsError(f"docker: {name} must be a list; env takes names alone, since values would be kept.")
    if not all(isinstance(wanted.get(name, ""), str) for name in ("image", "dockerfile", "engine", "network")):
        raise ArgumentsError("docker: image, dockerfile, engine and network are texts.")
    lists = {name: [str(one) for one in wanted.get(name, [])] for name in ("mounts", "env")}
    return ContainerOfSession(**{**wanted, **lists})


async def made_ready(wanted: ContainerOfSession, folder: Path, *, named: bool, trusted: bool) -> ContainerRun:
    """The container, ready to be started in ``folder``.

    Args:
        wanted: the container.
        folder: the folder that Claude works in.
        named: whether whoever asks names it; else it is of a session's record, which somebody else may have written.
        trusted: whether the folder's Dockerfile may be built.

    Raises:
        ContainerError: it can't be had, or nobody named it on this machine.
    """
    key = hashlib.sha256(f"{folder}\0{wanted.to_json()}".encode()).hexdigest()
    config = state_folder() / "containers" / key[:32]
    # The folder is made when the container is named: with a session from elsewhere comes no consent to its container.
    if not named and not await anyio.Path(config).is_dir():
        raise ContainerError(
            f"This session works in a container ({wanted.image or 'of a Dockerfile'}) that nobody has named for "
            f"{folder} on this machine. Name it (`--docker`, or docker=...) to agree to it."
        )
    return await ready(wanted, folder, config=config, may_build=trusted)
