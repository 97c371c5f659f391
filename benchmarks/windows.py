"""VS Code with the packaged extension in a browser without a screen, and Neovim with the plugin beside it."""

from __future__ import annotations

import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.place import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

sys.path.insert(0, str(ROOT / "tests"))


@contextmanager
def desk() -> Iterator[tuple[Any, Any, Path]]:
    """A user's machine with the offline model, a browser, and the folder that the extension is installed in.

    Raises:
        FileNotFoundError: VS Code or the packaged extension isn't there; ``make vsix .make/vscode`` makes both.
    """
    from anyio.from_thread import start_blocking_portal  # noqa: PLC0415 - of the tests, as the following
    from editors.conftest import Machine, Model  # noqa: PLC0415
    from editors.vscode.code import VSIX, chromium, with_extension  # noqa: PLC0415
    from playwright.sync_api import sync_playwright  # noqa: PLC0415

    from channelcoder_lsp.offline.process import OfflineModel  # noqa: PLC0415
    from editors.vscode import install  # noqa: PLC0415

    if not install.installed() or not VSIX.exists():
        raise FileNotFoundError("VS Code or the packaged extension is not there. Run: make vsix .make/vscode")
    with (
        tempfile.TemporaryDirectory(prefix="channelcoder-bench-", ignore_cleanup_errors=True) as folder,
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(OfflineModel(control=True, delay_ms=0)) as model,
        sync_playwright() as playwright,
        chromium(playwright) as browser,
    ):
        home, extensions = Path(folder) / "home", Path(folder) / "extensions"
        home.mkdir()
        yield Machine(home, Model(model, portal)), browser, with_extension(extensions)
