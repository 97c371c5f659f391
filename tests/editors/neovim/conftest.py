from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from editors.conftest import SHOP, Machine, Model

from .nvim import Neovim, configure, gone, headless

if TYPE_CHECKING:
    from pathlib import Path

Start = Callable[..., Neovim]
Open = Callable[[str, str], Neovim]


@pytest.fixture
def start(machine: Machine) -> Iterator[Start]:
    """Start Neovim on a file, with more Lua in its configuration if there is any.

    When the test is over, nothing went wrong in it and no process is left.
    """
    started: list[Neovim] = []

    def start_on(path: Path, more: str = "") -> Neovim:
        configure(machine, more)
        nvim = headless(machine, path)
        started.append(nvim)
        nvim.ready()
        return nvim

    yield start_on
    try:
        for nvim in started:
            if nvim.running:
                nvim.healthy()
                gone(nvim.quit())
    finally:
        for nvim in started:
            nvim.close()


@pytest.fixture(scope="session")
def one_neovim(running_model: Model, tmp_path_factory) -> Iterator[tuple[Machine, Neovim]]:
    """One Neovim whose server and session stay warm: for tests that need no beginning and no end."""
    machine = Machine(tmp_path_factory.mktemp("home"), running_model)
    configure(machine)
    nvim = headless(machine, machine.write("README.md", "# The shop\n"))
    try:
        nvim.ready()
        yield machine, nvim
        gone(nvim.quit())
    finally:
        nvim.close()


@pytest.fixture
def open_file(one_neovim: tuple[Machine, Neovim], model: Model) -> Iterator[Open]:
    """Open a new file in the Neovim that is there; when the test is over, nothing went wrong in it."""
    machine, nvim = one_neovim
    nvim.healthy()
    nvim.tidy()

    def open_in_it(name: str, text: str) -> Neovim:
        path = machine.project / str(len(list(machine.project.iterdir()))) / name
        path.parent.mkdir()
        path.write_text(text, "utf-8")
        nvim.edit(path)
        return nvim

    yield open_in_it
    nvim.healthy()


@pytest.fixture
def nvim(open_file: Open) -> Neovim:
    """A Neovim with a new file of the shop open."""
    return open_file("shop.py", SHOP)
