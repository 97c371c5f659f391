from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from editors.conftest import SHOP, Machine

from . import install
from .code import VSIX, Code, chromium, with_extension

if TYPE_CHECKING:
    from _pytest.nodes import Item

    from editors.conftest import Model

Start = Callable[..., Code]

_TIMEOUT = 600


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium without a screen, with fonts of its own so that pictures are the same everywhere.

    It ends with this folder's tests: while it is there, no other test can run an event loop.
    """
    if not install.installed():
        pytest.fail("code-server is not installed here. Run: python tests/editors/vscode/install.py", pytrace=False)
    with sync_playwright() as playwright, chromium(playwright) as browser:
        yield browser


@pytest.fixture(scope="session")
def extensions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the packaged extension, installed as a user does."""
    if not VSIX.exists():
        pytest.fail(f"{VSIX} is not there. Run: make vsix", pytrace=False)
    return with_extension(tmp_path_factory.mktemp("extensions"))


@pytest.fixture
def start(machine: Machine, browser: Browser, extensions: Path, request: pytest.FixtureRequest) -> Iterator[Start]:
    """Start VS Code on the project with a file open in it.

    When the test failed, the window as it was is kept beside the machine's home.
    """
    started: list[Code] = []

    def start_on(path: Path | None = None, *, workspace: Path | None = None, **options: Any) -> Code:
        code = Code(machine, browser, extensions, **options)
        started.append(code)
        code.open(path, workspace=workspace)
        return code

    yield start_on
    for code in started:
        try:
            keep(code, request)
        finally:
            code.close()


@pytest.fixture(scope="module")
def window(
    tmp_path_factory: pytest.TempPathFactory, running_model: Model, browser: Browser, extensions: Path
) -> Iterator[Code]:
    """One VS Code for all tests of a module that don't need one of their own, with a file of the shop open."""
    machine = Machine(tmp_path_factory.mktemp("machine"), running_model)
    machine.write("prices.py", "VALUE_ADDED_TAX = 0.19\n")
    code = Code(machine, browser, extensions)
    code.open(machine.write("shop.py", SHOP))
    code.ready()
    yield code
    code.close()


@pytest.fixture
def desk(window: Code, model: Model, request: pytest.FixtureRequest) -> Iterator[Code]:
    """The module's VS Code in a session of its own, with the shop's file as it was."""
    window.machine.write("shop.py", SHOP)
    window.begin()
    yield window
    keep(window, request)


def keep(code: Code, request: pytest.FixtureRequest) -> None:
    """Keep the window of a test that failed; the next test that uses it finds it loaded anew."""
    if getattr(request.node, "failed", False):
        shown = code.machine.home / f"failed-{request.node.name}.png"
        sys.stderr.write(f"the window as it was: {shown}\n{code.state()}\n")
        code.page.screenshot(path=shown)
        code.open(code.machine.project / "shop.py")
        code.ready()


def pytest_collection_modifyitems(items: list[Item]) -> None:
    """A window of a busy machine takes its time: each wait has a bound of its own that fails before this one."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(_TIMEOUT))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: Item) -> Any:
    report = yield
    if report.when == "call" and report.failed:
        item.failed = True  # type: ignore[attr-defined]
    return report
