"""Containers for Claude to work in: the engine, the image, and what the container may do."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import re
import subprocess
import sys
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from channelcoder_lsp.domain.container import WORKSPACE, ContainerRun
from channelcoder_lsp.domain.errors import ContainerError
from channelcoder_lsp.services.programs import on_path

if TYPE_CHECKING:
    from channelcoder_lsp.domain.container import ContainerOfSession

logger = logging.getLogger(__name__)

ENGINES = ("docker", "podman")
RESTRICTED = ("--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--stop-timeout", "1")
"""What every container is started with."""

_DOCKERFILES = ("Dockerfile", "Containerfile", "docker/Dockerfile")
_ANSWER_SECONDS = 60.0
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NO_PROGRAM = (126, 127)
"""The engine's exit codes for a command that can't be run in the container."""


async def ready(wanted: ContainerOfSession, folder: Path, *, config: Path, may_build: bool) -> ContainerRun:
    """Have everything there that ``wanted`` needs; the image is built if it isn't there yet.

    Args:
        wanted: the container.
        folder: the folder that Claude works in.
        config: a folder of this machine for Claude's transcripts; made if it isn't there.
        may_build: whether a Dockerfile of the folder may be built: that runs what is in it.

    Raises:
        ContainerError: there is no engine, no image, no ``claude`` in it, or a folder to mount is not there.
    """
    return await asyncio.to_thread(_ready, wanted, folder, config, may_build)


def _ready(wanted: ContainerOfSession, folder: Path, config: Path, may_build: bool) -> ContainerRun:  # noqa: FBT001 - its only caller is above
    mounts = [argument for mount in wanted.mounts for argument in ("--volume", _mount(mount))]
    env = _names(wanted.env)
    engine = find_engine(wanted.engine, outside=folder)
    image = wanted.image or _built(engine, wanted.dockerfile, folder, may_build=may_build)
    _has_claude(engine, image)
    config.mkdir(mode=0o700, parents=True, exist_ok=True)
    network = ("--network", wanted.network) if wanted.network is not None else ()
    return ContainerRun(engine, image, folder, config, (*RESTRICTED, *_user(engine), *network, *mounts), env)


def find_engine(named: str | None = None, *, outside: Path) -> Path:
    """The engine to use: the one that is named, else the first of :data:`ENGINES` that answers.

    Args:
        named: ``docker`` or ``podman``.
        outside: a folder whose programs are not run.

    Raises:
        ContainerError: there is none, or it does not answer.
    """
    if named is not None and named not in ENGINES:
        raise ContainerError(f"docker: there is no engine {named!r}. Name {' or '.join(ENGINES)}, or none.")
    found = [path for name in ([named] if named else ENGINES) if (path := on_path(name, outside)) is not None]
    for path in found:
        if _run(path, "ps", "--quiet").returncode == 0:
            return path
    if found:
        told = " and ".join(path.name for path in found)
        raise ContainerError(f"{told} can't reach a container engine. Start it, and try `{found[0].name} ps`.")
    raise ContainerError(f"There is no {named or 'docker or podman'} on PATH. Install it, or ask without a container.")


def dockerfile_of(folder: Path, named: str | None = None) -> Path:
    """The Dockerfile of ``folder``.

    Raises:
        ContainerError: there is none.
    """
    for name in [named] if named else _DOCKERFILES:
        if (path := folder / name).is_file():
            return path
    what = named or "Dockerfile"
    raise ContainerError(f"There is no {what} in {folder}. Write one with Claude Code in it, or name an image.")


def tag_of(dockerfile: Path) -> str:
    """The tag of the image that ``dockerfile`` makes, from its contents."""
    return f"localhost/channelcoder:{hashlib.sha256(dockerfile.read_bytes()).hexdigest()[:24]}"


def _built(engine: Path, named: str | None, folder: Path, *, may_build: bool) -> str:
    dockerfile = dockerfile_of(folder, named)
    tag = tag_of(dockerfile)
    if _run(engine, "image", "inspect", tag).returncode == 0:
        return tag
    if not may_build:
        raise ContainerError(
            f"{dockerfile} was not built, since {folder} is not trusted and building runs what is in it. Read it, "
            "then trust the folder (`channelcoder trust`, or --trust for once), or name an image."
        )
    logger.info("Building %s from %s", tag, dockerfile)
    command = [str(engine), "build", "--tag", tag, "--file", str(dockerfile), str(folder)]
    # Whoever waits sees how far it is; the standard output stream is for answers.
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sys.__stderr__, check=False)  # noqa: S603 - the engine
    if done.returncode != 0:
        raise ContainerError(f"{dockerfile} can't be built; what failed is told above. Correct it, and ask again.")
    return tag


def _has_claude(engine: Path, image: str) -> None:
    if image.startswith("-"):
        raise ContainerError(f"docker: {image!r} can't be the name of an image.")
    done = _run(engine, "run", "--rm", *RESTRICTED, "--network", "none", "--entrypoint", "claude", image, "--version")
    if done.returncode == 0:
        return
    told = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
    if done.returncode in _NO_PROGRAM or "executable file" in done.stderr:
        raise ContainerError(f"The image {image} has no `claude` that runs. Install Claude Code in it ({told}).")
    raise ContainerError(f"The image {image} can't be started: {told}. Name another, or build it.")


def _mount(given: str) -> str:
    """``given`` as the engine's argument.

    Raises:
        ContainerError: it does not fit, or there is no such folder on this machine.
    """
    host, _, rest = given.partition(":")
    target, _, mode = rest.partition(":")
    path = Path(host).expanduser()
    if not PurePosixPath(target).is_absolute() or mode not in ("", "ro", "rw") or PurePosixPath(target) == WORKSPACE:
        raise ContainerError(f"docker: the mount {given!r} does not fit. Write HOST:/CONTAINER, or HOST:/CONTAINER:rw.")
    if not path.exists():
        raise ContainerError(f"docker: {host} is to be mounted, and is not there. Correct it, or make it.")
    return f"{path.resolve()}:{target}:{mode or 'ro'}"


def _names(env: list[str]) -> tuple[str, ...]:
    for name in env:
        if _VARIABLE.fullmatch(name) is None:
            # A value may be a secret: it is not repeated.
            raise ContainerError("docker: env takes names of variables; their values are those of this process.")
    return tuple(env)


def _user(engine: Path) -> tuple[str, ...]:
    """The user on this machine, so that files in the folder stay theirs."""
    if not hasattr(os, "getuid") or os.getuid() == 0:
        return ()
    keep = ("--userns", "keep-id") if engine.name == "podman" else ()
    return (*keep, "--user", f"{os.getuid()}:{os.getgid()}")


def _run(engine: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(  # noqa: S603 - the engine
            [engine, *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_ANSWER_SECONDS * (10 if arguments[0] == "run" else 1),  # the image may have to be fetched
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as problem:
        raise ContainerError(f"{engine} does not answer: {problem}. Start it, and try `{engine.name} ps`.") from problem
