from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

from editors.conftest import SHOP, Machine
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


@pytest.fixture
def nvim(start: Start, shop: Path) -> Plugin:
    """A Neovim with a file of the shop open."""
    return start(shop)
