"""The server: where it is found, what is never run, what is said when it is missing or ends."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from channelcoder_lsp.offline.script import Text
from editors.neovim.nvim import NVIM, TOTAL, processes_of

from .nvim import PLUGIN

if TYPE_CHECKING:
    from editors.conftest import Machine

    from .conftest import Start
    from .nvim import Plugin

SERVER = Path(sys.executable).parent / "channelcoder-lsp"
MISSING = "channelcoder: channelcoder-lsp is not on PATH; :ChannelCoder install installs it."
CLIENTS = "return #vim.lsp.get_clients({ name = 'channelcoder', _uninitialized = true })"


def servers_of(nvim: Plugin) -> list[psutil.Process]:
    """The servers that a Neovim has started."""

    def is_one(process: psutil.Process) -> bool:
        try:
            return str(SERVER) in process.cmdline()
        except psutil.NoSuchProcess:  # something of a server's that ended just now
            return False

    return [process for process in processes_of(nvim.process) if is_one(process)]


def path_without_server(machine: Machine, *more: Path | str) -> None:
    """A ``PATH`` with Python on it, but no server."""
    folder = machine.home / "bin"
    folder.mkdir(exist_ok=True)
    if not (folder / "python3").exists():
        (folder / "python3").symlink_to(Path(sys.executable).resolve())
    machine.more_environment["PATH"] = os.pathsep.join([*map(str, more), str(folder)])


def trap(folder: Path, name: str = "channelcoder-lsp") -> Path:
    """A program that leaves a trace when it is run."""
    folder.mkdir(parents=True, exist_ok=True)
    program = folder / name
    program.write_text(f"#!/bin/sh\ntouch {folder}/was-run\n", "utf-8")
    program.chmod(0o755)
    return folder / "was-run"


class TestMissing:
    def test_is_said_once_with_what_to_do(self, machine: Machine, start: Start, shop: Path):
        """One sentence at the first file, and again when it is asked for; nothing else happens."""
        path_without_server(machine)
        nvim = start(shop, ready=False)
        nvim.run("ask Why?")
        assert nvim.lua("return seen.said") == [[MISSING, 4]]
        assert nvim.messages.split("\n") == ["", MISSING]
        assert nvim.lua(CLIENTS) == 0

    def test_option_that_names_nothing_is_said(self, machine: Machine, start: Start, shop: Path):
        """Also one that is relative: it would depend on the folder."""
        trap(machine.project, "server")
        nvim = start(shop, ready=False, options={"server": "./server"})
        nvim.run("ask Why?")
        nvim.said("the option 'server' is to be the absolute path of a program, and './server' is none.")
        assert not (machine.project / "was-run").exists()


class TestInTheFolder:
    @pytest.mark.parametrize("way", ["absolute", "relative", "empty", "dot", "link", "subfolder"])
    def test_is_never_run(self, machine: Machine, start: Start, shop: Path, way):
        """However `PATH` leads there, and though nothing else is to be had."""
        folder = machine.project / "tools" if way in ("relative", "subfolder") else machine.project
        was_run = trap(folder)
        link = machine.home / "link"
        link.symlink_to(folder)
        leads = {"absolute": folder, "relative": "tools", "empty": "", "dot": ".", "link": link, "subfolder": folder}
        path_without_server(machine, leads[way])
        nvim = start(shop, ready=False)
        nvim.run("ask Why?")
        said = nvim.said(":ChannelCoder install")
        if way in ("absolute", "link", "subfolder"):
            assert "is in the opened folder and is not run" in said
        nvim.run("doctor")
        nvim.wait("return vim.bo.filetype == 'checkhealth'")
        assert nvim.lua(CLIENTS) == 0
        assert not was_run.exists()

    def test_gives_way_to_one_outside(self, machine: Machine, start: Start, shop: Path):
        was_run = trap(machine.project)
        machine.more_environment["PATH"] = os.pathsep.join([str(machine.project), str(SERVER.parent), os.defpath])
        nvim = start(shop)
        nvim.ask_about(*TOTAL, "Which one?")
        assert not was_run.exists()


def test_named_by_the_option(machine: Machine, start: Start, shop: Path):
    path_without_server(machine)
    nvim = start(shop, options={"server": str(SERVER)})
    nvim.ask_about(*TOTAL, "Which one?")


class TestInstall:
    def test_makes_an_environment_of_its_own(self, machine: Machine, start: Start, shop: Path):
        """From the package that the option names; the server starts at once, and in the next Neovim by itself."""
        path_without_server(machine)
        nvim = start(shop, ready=False, options={"package": str(wheel(machine.home))})
        nvim.run("install")
        nvim.said("channelcoder: the server is installed.")
        nvim.ready()
        nvim.ask_about(*TOTAL, "Installed?")
        started = nvim.lua("return require('channelcoder.server').find().path")
        assert started == str(machine.home / "data" / "nvim" / "channelcoder" / "bin" / "channelcoder-lsp")
        nvim.healthy()
        start(shop).ask_about(*TOTAL, "Still there?")

    def test_runs_nothing_of_the_folder(self, machine: Machine, start: Start, shop: Path):
        """Neither its Python nor its modules of the same names."""
        was_run = trap(machine.project / "tools", "python3")
        (machine.project / "venv.py").write_text(f"open({str(was_run)!r}, 'w')", "utf-8")
        (machine.project / "pip.py").write_text(f"open({str(was_run)!r}, 'w')", "utf-8")
        path_without_server(machine, machine.project / "tools")
        nvim = start(shop, ready=False, options={"package": str(machine.home / "none.whl")})
        nvim.run("install")
        assert "none.whl" in nvim.said("the server could not be installed")
        assert not was_run.exists()

    def test_says_that_python_is_missing(self, machine: Machine, start: Start, shop: Path):
        machine.more_environment["PATH"] = str(machine.home)
        nvim = start(shop, ready=False)
        nvim.run("install")
        nvim.said("channelcoder: Python 3.10 or newer is needed, and there is no python3 on PATH.")


class TestEnding:
    def test_is_said_once_and_a_restart_goes_on(self, machine: Machine, start: Start, shop: Path):
        """What was being asked says so; after the restart the threads are back and the session goes on."""
        nvim = start(shop)
        nvim.ask_about(*TOTAL, "Before?")
        machine.model.script(Text(text="never", wait=True))
        nvim.run("21,27ChannelCoder ask Meanwhile?")
        machine.model.requests(2)
        (server,) = servers_of(nvim)
        server.kill()
        said = nvim.said("the server ended")
        assert said == (
            "channelcoder: the server ended (signal 9); :ChannelCoder restart starts it again, "
            ":ChannelCoder log has what it said."
        )
        assert nvim.window("The server ended.")["title"] == " Claude: failed "
        nvim.api.input("q")
        nvim.marks()
        assert nvim.lua("return require('channelcoder').statusline()") == ""
        nvim.run("restart")
        nvim.ready()
        nvim.marks((TOTAL[0], "◆", "◆ Before? · 1 answer"), (21, "◆", "◆ Meanwhile? · no answer"))
        nvim.ask_about(*TOTAL, "After?")
        assert "Before?" in machine.model.requests(3)[-1].earlier_questions
        assert [message[0] for message in nvim.lua("return seen.said")] == [said]

    def test_restart_leaves_one_server(self, start: Start, shop: Path):
        nvim = start(shop)
        old = nvim.lua("return vim.lsp.get_clients({ name = 'channelcoder' })[1].id")
        nvim.run("restart")
        nvim.wait(
            """
            local clients = vim.lsp.get_clients({ bufnr = 0, name = 'channelcoder' })
            return #clients == 1 and clients[1].id ~= ... and clients[1].initialized
            """,
            old,
        )
        nvim.settled()
        assert len(servers_of(nvim)) == 1
        assert nvim.lua("return seen.said") == []


def wheel(folder: Path) -> Path:
    """A package that brings a `channelcoder-lsp`: it runs the one of this environment."""
    path = folder / "channelcoder_lsp-9.9.9-py3-none-any.whl"
    info = "channelcoder_lsp-9.9.9.dist-info"
    run = f"os.execv({str(SERVER)!r}, sys.argv)"
    files = {
        "channelcoder_stand_in.py": f"import os, sys\ndef main(): {run}\n",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: channelcoder-lsp\nVersion: 9.9.9\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: a test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "[console_scripts]\nchannelcoder-lsp = channelcoder_stand_in:main\n",
        f"{info}/RECORD": "",
    }
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def test_installs_as_a_package(machine: Machine, start: Start, shop: Path):
    """In `site/pack`, as `:help packages` has it, with help that is found and nothing to set up."""
    pack = Path(machine.environment["XDG_DATA_HOME"]) / "nvim" / "site" / "pack" / "any" / "start"
    pack.mkdir(parents=True)
    shutil.copytree(PLUGIN, pack / "channelcoder")
    script = """
      local ok = vim.wait(90000, function()
        return #vim.lsp.get_clients({ bufnr = 0, name = 'channelcoder' }) == 1
      end, 10)
      vim.cmd('helptags ALL | help :ChannelCoder')
      io.stdout:write(tostring(ok), ' ', vim.fn.expand('%:t'), ' ', vim.trim(vim.api.nvim_get_current_line()))
      vim.cmd('qa!')
    """
    command = [str(NVIM), "-n", "--headless", str(shop), "-c", f"lua {script}"]
    result = subprocess.run(
        command, env=machine.environment, cwd=machine.project, capture_output=True, text=True, check=True
    )
    assert (
        result.stdout
        == "true channelcoder.txt 6. Commands                                                    *:ChannelCoder*"
    )
    assert result.stderr == ""
