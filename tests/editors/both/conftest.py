"""VS Code and Neovim open on one folder of one machine."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from editors.conftest import SHOP, Machine
from editors.neovim.nvim import gone
from editors.neovim_plugin.nvim import Plugin, headless
from editors.vscode.code import Code
from editors.vscode.conftest import browser, extensions  # noqa: F401 - fixtures

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from _pytest.nodes import Item
    from playwright.sync_api import Browser

_TIMEOUT = 600
"""Each wait has a bound of its own that fails before this one."""


class Beside:
    """Neovim with the plugin, in a thread of its own: the browser's event loop has this one.

    Args:
        thread: where it is driven.
        machine: whose it is.
        path: the file that is open in it.
    """

    def __init__(self, thread: ThreadPoolExecutor, machine: Machine, path: Path) -> None:
        self._thread = thread
        self.nvim: Plugin = self.do(headless, machine, path)

    def do(self, what: Callable[..., Any], *arguments: Any) -> Any:
        """What comes of it, over there."""
        return self._thread.submit(what, *arguments).result()


@pytest.fixture
def shop(machine: Machine) -> Path:
    """A file of the shop."""
    return machine.write("shop.py", SHOP)


@pytest.fixture
def beside(machine: Machine, shop: Path) -> Iterator[Beside]:
    """Neovim with the file open, and its server ready."""
    with ThreadPoolExecutor(1) as thread:
        beside = Beside(thread, machine, shop)
        nvim = beside.nvim
        try:
            beside.do(nvim.ready)
            beside.do(nvim.settled)
            yield beside
            beside.do(nvim.healthy)
            gone(beside.do(nvim.quit))
        finally:
            beside.do(nvim.close)


@pytest.fixture
def code(machine: Machine, shop: Path, browser: Browser, extensions: Path) -> Iterator[Code]:  # noqa: F811 - those
    """VS Code with the file open, and its server ready."""
    code = Code(machine, browser, extensions)
    try:
        code.open(shop)
        code.ready()
        yield code
    finally:
        code.close()


def pytest_collection_modifyitems(items: list[Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(_TIMEOUT))
