"""VS Code on a machine, with the packaged extension and a window in a browser."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from . import install
from .window import MILLISECONDS, SECONDS, Window

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Playwright

    from editors.conftest import Machine

SIZE = 1200, 760
VSIX = Path(os.environ.get("CHANNELCODER_VSIX", Path(__file__).parents[3] / "editors/vscode/channelcoder.vsix"))
SERVER = Path(os.environ.get("CHANNELCODER_SERVER", Path(sys.executable).parent / "channelcoder-lsp"))
_ENDS_WITH_US = ("setpriv", "--pdeathsig", "TERM")
"""A run of the tests that is killed leaves no code-server behind."""
_LISTENING = re.compile(r"listening on http://127\.0\.0\.1:(\d+)")

_SETTINGS = {
    "chat.disableAIFeatures": True,
    "comments.openView": "never",
    "editor.hover.delay": 100,
    "editor.minimap.enabled": False,
    "extensions.autoCheckUpdates": False,
    "extensions.ignoreRecommendations": True,
    "files.autoSave": "off",
    "git.enabled": False,
    "remote.autoForwardPorts": False,
    "security.workspace.trust.banner": "never",
    "security.workspace.trust.startupPrompt": "never",
    "telemetry.telemetryLevel": "off",
    "update.showReleaseNotes": False,
    "window.commandCenter": False,
    "workbench.enableExperiments": False,
    "workbench.layoutControl.enabled": False,
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "workbench.startupEditor": "none",
    "workbench.tips.enabled": False,
}


def code_server(*arguments: str | Path) -> list[str]:
    """The command that runs code-server."""
    return [str(install.node()), str(install.CODE_SERVER), *map(str, arguments)]


def with_extension(folder: Path) -> Path:
    """Install the packaged extension in a folder, as a user does; the folder."""
    command = code_server("--extensions-dir", folder, "--user-data-dir", folder / "user", "--install-extension", VSIX)
    environment = {"HOME": str(folder), "PATH": os.defpath}
    subprocess.run(command, env=environment, check=True, capture_output=True)
    return folder


@contextmanager
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """The installed browser without a screen, with fonts of its own so that pictures are the same everywhere."""
    environment = {
        "HOME": str(install.CHROMIUM),
        "FONTCONFIG_FILE": str(install.CHROMIUM / "fonts.conf"),
        "LD_LIBRARY_PATH": str(install.CHROMIUM / "lib"),
    }
    browser = playwright.chromium.launch(
        executable_path=install.CHROMIUM / "chromium",
        env=environment,
        args=["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"],
    )
    yield browser
    browser.close()


class Code(Window):
    """One VS Code on a machine, with a window in the browser.

    Args:
        machine: whose it is.
        browser: where its window is.
        extensions: the folder with the extension.
        trusted: whether workspaces are trusted without asking; else Restricted Mode, until the user says otherwise.
        more: more of the user's settings.
    """

    def __init__(
        self, machine: Machine, browser: Browser, extensions: Path, *, trusted: bool = True, **more: Any
    ) -> None:
        self.machine = machine
        self.complaints: list[str] = []
        self._user = machine.home / "code"
        self._log = machine.home / "code.log"
        settings = {**_SETTINGS, "channelcoder.server.path": str(SERVER), **more}
        for scope in ("User", "Machine"):
            (self._user / scope).mkdir(parents=True, exist_ok=True)
            (self._user / scope / "settings.json").write_text(json.dumps(settings), "utf-8")
        (self._user / "config.yaml").write_text("auth: none\n", "utf-8")
        self._process, port = self._start(extensions, trusted=trusted)
        self._context = browser.new_context(viewport={"width": SIZE[0], "height": SIZE[1]})
        self._context.set_default_timeout(MILLISECONDS)
        super().__init__(self._context.new_page(), port, machine.project)
        self.page.on("pageerror", lambda problem: self.complaints.append(str(problem)))

    def _start(self, extensions: Path, *, trusted: bool) -> tuple[subprocess.Popen[bytes], int]:
        arguments: list[str | Path] = ["--auth", "none", "--bind-addr", "127.0.0.1:0"]
        arguments += ["--user-data-dir", self._user, "--extensions-dir", extensions]
        arguments += ["--config", self._user / "config.yaml", "--disable-telemetry", "--disable-update-check"]
        arguments += ["--disable-getting-started-override"]
        if trusted:
            arguments.append("--disable-workspace-trust")
        with self._log.open("wb") as log:
            process = subprocess.Popen(
                [*_ENDS_WITH_US, *code_server(*arguments)],
                env=self.machine.environment,
                cwd=self.machine.home,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + SECONDS
        while (listening := _LISTENING.search(self._log.read_text("utf-8"))) is None:
            assert process.poll() is None, self._log.read_text("utf-8")
            assert time.monotonic() < deadline, self._log.read_text("utf-8")
            time.sleep(0.05)  # another program's log: nothing tells when it has the line
        return process, int(listening[1])

    def servers(self) -> list[psutil.Process]:
        """The language servers that run for it."""
        found = []
        for process in psutil.Process(self._process.pid).children(recursive=True):
            try:
                if str(SERVER) in process.cmdline():
                    found.append(process)
            except psutil.NoSuchProcess:
                continue
        return found

    def state(self) -> str:
        """What helps to find out why something does not come."""
        logs = sorted(self._user.glob("logs/**/*.log"), key=lambda path: path.stat().st_mtime)
        parts = [
            f"--- {path.name}\n{path.read_text('utf-8', 'replace')[-3000:]}" for path in logs if "exthost" in str(path)
        ]
        return "\n".join([*parts, *self.complaints])

    def close(self) -> None:
        """End it with all that it started, at once: nothing of it is looked at any more."""
        self._context.close()
        processes = [psutil.Process(self._process.pid)] if self._process.poll() is None else []
        processes += [child for process in processes for child in process.children(recursive=True)]
        for process in processes:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        psutil.wait_procs(processes, timeout=SECONDS)
        self._process.wait(SECONDS)
