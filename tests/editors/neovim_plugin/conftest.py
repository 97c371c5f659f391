from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from editors.conftest import SHOP, Machine, Model
from editors.neovim.nvim import gone

from .nvim import Plugin, headless

if TYPE_CHECKING:
    from pathlib import Path

Start = Callable[..., Plugin]


@pytest.fixture
def start(machine: Machine) -> Iterator[Start]:
    """Start Neovim with the plugin on a file. When the test is over, nothing went wrong and no process is left."""
    started: list[Plugin] = []

    def start_on(path: Path, *more: str, ready: bool = True, options: dict[str, Any] | None = None) -> Plugin:
        nvim = headless(machine, path, *more, options=options)
        started.append(nvim)
        if ready:
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


@pytest.fixture
def shop(machine: Machine) -> Path:
    """A file of the shop."""
    return machine.write("shop.py", SHOP)


@pytest.fixture(scope="session")
def one_neovim(running_model: Model, tmp_path_factory) -> Iterator[tuple[Machine, Plugin]]:
    """One Neovim whose server and session stay warm: for tests that need no beginning and no end."""
    machine = Machine(tmp_path_factory.mktemp("home"), running_model)
    nvim = headless(machine, machine.write("README.md", "# The shop\n"))
    try:
        nvim.ready()
        yield machine, nvim
        gone(nvim.quit())
    finally:
        nvim.close()


@pytest.fixture
def nvim(one_neovim: tuple[Machine, Plugin], model: Model) -> Iterator[Plugin]:
    """A Neovim with a new file of the shop open; when the test is over, nothing went wrong in it."""
    machine, nvim = one_neovim
    nvim.healthy()
    nvim.idle()  # what the test before asked takes none of this one's replies
    nvim.tidy()
    path = machine.project / str(len(list(machine.project.iterdir()))) / "shop.py"
    path.parent.mkdir()
    path.write_text(SHOP, "utf-8")
    nvim.edit(path)
    yield nvim
    nvim.healthy()
