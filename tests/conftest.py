from __future__ import annotations

import signal

import pytest
from hypothesis import settings
from xdist.scheduler import LoadFileScheduling

# A machine under load must not fail a property: how long an example takes is a benchmark's business.
settings.register_profile("here", deadline=None)
settings.load_profile("here")


BROWSERS = ("tests/editors/both/", "tests/editors/vscode/")


class Scheduling(LoadFileScheduling):
    """Each file's tests by one process, and all that need a browser by one: windows side by side starve each other."""

    def _split_scope(self, nodeid: str) -> str:
        scope: str = super()._split_scope(nodeid)
        return "browsers" if scope.startswith(BROWSERS) else scope


def pytest_configure():
    # A shell ignores Ctrl-C for what it starts in the background, and so would all that the tests start and interrupt.
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return Scheduling(config, log) if config.option.dist == "loadfile" else None


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"
