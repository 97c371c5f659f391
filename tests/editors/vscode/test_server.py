"""The server's life in VS Code: where it is found, what is off in a folder that isn't trusted, and its death."""

from __future__ import annotations

import json
import os
import re
import sys
import zipfile
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from editors.conftest import SHOP

from .code import SERVER

if TYPE_CHECKING:
    from pathlib import Path

TOTAL = (13, 18)


def test_the_server_is_started_again_when_it_dies(start, machine, model):
    """The extension says so, and what was asked is still there."""
    model.script("It adds up.")
    code = start(machine.write("shop.py", SHOP))
    code.ready()
    code.ask("What does this do?", TOTAL)
    code.answered("It adds up.")

    [server] = code.servers()
    server.kill()
    expect(code.notifications).to_contain_text(["ended unexpectedly and was started again"])
    code.ready()
    expect(code.lenses.first).to_have_text("Claude: 1 answer")
    [another] = code.servers()
    assert another.pid != server.pid
    model.script("Still here.")
    code.ask("And now?", (16, 17))
    expect(code.thread.filter(has_text="Still here.")).to_have_count(1)


def test_what_nobody_set_is_the_environments(start, machine, model):
    """The defaults that the editor has for the server's settings don't win over the environment or the user's file."""
    model.script("It adds up.")
    code = start(machine.write("shop.py", SHOP))
    code.ready()
    code.ask("What does this do?", TOTAL)
    expect(code.thread).to_contain_text("It adds up.")
    assert list((machine.home / "sessions").glob("*.journal"))
    assert not (machine.home / ".channelcoder").exists()


def test_nothing_is_started_before_a_file_is_open(start, machine):
    """A window without files costs nothing; the first file starts one server."""
    path = machine.write("shop.py", SHOP)
    code = start()
    assert code.servers() == []
    code.edit(path)
    code.ready()
    assert len(code.servers()) == 1


def test_a_command_of_the_palette_starts_it_in_a_window_without_files(start, machine, model):
    """The session is gone on with as soon as the server, which the command starts, is there."""
    machine.write("shop.py", SHOP)
    model.script("Here.")
    code = start()
    assert code.servers() == []
    code.run("ChannelCoder: Continue Session")
    code.answer("Are you there?")
    expect(code.status).to_have_accessible_name(re.compile("2 messages"))
    assert len(code.servers()) == 1


def test_a_missing_server_is_said_with_what_to_do(start, machine):
    """One sentence with the reason, and buttons; the commands that need a server are not offered."""
    code = start(machine.write("shop.py", SHOP), **{"channelcoder.server.path": "/nowhere/channelcoder-lsp"})
    expect(code.notifications).to_contain_text(["names /nowhere/channelcoder-lsp, where there is no program"])
    for choice in ("Install Server", "Restart Server", "Show Output"):
        expect(code.page.get_by_role("button", name=choice).first).to_be_visible()
    offered = code.commands("ChannelCoder: ", among="ChannelCoder: Install Server")
    assert "ChannelCoder: Ask About Selection…" not in offered


def test_a_folder_cannot_name_the_server(start, machine):
    """Settings of the folder that name programs count for nothing."""
    trap = machine.write("trap.sh", f"#!/bin/sh\ntouch {machine.home}/trapped\n")
    trap.chmod(0o755)
    folder = machine.project / ".vscode"
    folder.mkdir()
    settings = {"channelcoder.server.path": str(trap), "channelcoder.cliPath": str(trap)}
    (folder / "settings.json").write_text(json.dumps(settings), "utf-8")
    code = start(machine.write("shop.py", SHOP))
    code.ready()
    assert len(code.servers()) == 1
    assert not (machine.home / "trapped").exists()


def test_restricted_mode_says_what_is_off(start, machine, model):
    """Questions are answered, the folder's instructions are not read, and the status bar says so."""
    (machine.project / "CLAUDE.md").write_text("Always answer in French.", "utf-8")
    code = start(machine.write("shop.py", SHOP), trusted=False)
    code.ready()
    expect(code.status).to_contain_text("Claude (restricted)")

    def explained() -> None:
        code.hover_over(code.status, "CLAUDE.md")

    explained()
    code.small_pictures("trust", explained)
    model.script("It adds up.")
    code.ask("What does this do?", TOTAL)
    code.answered("It adds up.")
    [request] = model.requests(1)
    assert "French" not in json.dumps(request.messages) + request.system
    explained()
    code.picture("restricted")


def test_trust_is_the_editors(start, machine, model):
    """Once the user trusts the folder in VS Code, its instructions go to Claude, and nothing is marked restricted."""
    (machine.project / "CLAUDE.md").write_text("Always answer in French.", "utf-8")
    code = start(machine.write("shop.py", SHOP), trusted=False)
    code.ready()
    code.run("ChannelCoder: Trust This Folder")
    code.page.get_by_role("button", name="Trust", exact=True).first.click()
    expect(code.status).not_to_contain_text("restricted")
    said = code.page.get_by_text("You trust this folder")
    expect(said).to_be_visible()
    code.page.locator(".monaco-dialog-modal-block .codicon-close, [class*=modal-editor] .codicon-close").last.click()
    expect(said).to_be_hidden()
    code.edit(machine.project / "shop.py")
    model.script("Elle additionne.")
    code.ask("What does this do?", TOTAL)
    expect(code.thread).to_contain_text("Elle additionne.")
    [request] = model.requests(1)
    assert "French" in json.dumps(request.messages) + request.system


def test_a_server_is_installed_on_a_click(start, machine):
    """In an environment of its own in the editor's folder, where it is found from then on."""
    # VS Code asks the login shell for the environment.
    (machine.home / ".profile").write_text(f"export PATH='{sys.base_prefix}/bin:{os.defpath}'\n", "utf-8")
    settings = {"channelcoder.server.path": "", "channelcoder.server.requirement": str(wheel(machine.home))}
    code = start(machine.write("shop.py", SHOP), **settings)
    install = code.page.get_by_role("button", name="Install Server").first
    install.wait_for()
    code.small_pictures("install")
    install.click()
    code.ready()
    assert len(code.servers()) == 1
    assert list((machine.home / "code").glob("User/globalStorage/*/server/bin/channelcoder-lsp"))


def wheel(folder: Path) -> Path:
    """What is installed: a program that is the server that is tested."""
    name, version = "channelcoder_lsp", "0.0.1"
    info = f"{name}-{version}.dist-info"
    files = {
        "installed.py": f"import os, sys\ndef main(): os.execv({str(SERVER)!r}, [{str(SERVER)!r}, *sys.argv[1:]])\n",
        f"{info}/entry_points.txt": "[console_scripts]\nchannelcoder-lsp = installed:main\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": "",
    }
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for file, text in files.items():
            archive.writestr(file, text)
    return path


def test_a_place_for_sessions_that_is_away_is_told(start, machine, model):
    """In the status bar, with what it means; questions are answered all the same."""
    model.script("It adds up.")
    code = start(machine.write("shop.py", SHOP), **{"channelcoder.storage": "redis://127.0.0.1:1/0"})
    code.ready()
    code.ask("What does this do?", TOTAL)
    code.answered("It adds up.")
    expect(code.status).to_contain_text("Claude (storage away)")
    expect(code.status).to_have_accessible_name(re.compile("Sessions wait on this machine: "))


def test_each_folder_of_a_workspace_has_a_session_of_its_own(start, machine, model):
    """The threads of all folders are in the view; which session goes on is the user's choice where no file says it."""
    model.script("It adds up.", "It is a list.", "Nothing else.")
    shop = machine.write("shop.py", SHOP)
    stock = machine.home / "stock" / "stock.py"
    (stock.parent / ".git").mkdir(parents=True)
    stock.write_text("stock: list[str] = []\n", "utf-8")
    workspace = machine.home / "both.code-workspace"
    workspace.write_text(json.dumps({"folders": [{"path": "shop"}, {"path": "stock"}]}), "utf-8")
    code = start(shop, workspace=workspace)
    code.ready()
    code.ask("What does this do?", TOTAL)
    code.answered("It adds up.")
    code.edit(stock)
    code.ask("What is this?", (1, 1))
    code.answered("It is a list.")
    code.view("ChannelCoder")
    for question in ("What does this do", "What is this"):
        expect(code.page.get_by_role("treeitem", name=re.compile(question)).first).to_be_visible()
    for folder in ("shop", "stock"):
        row = code.page.get_by_role("treeitem", name=re.compile(rf"{folder}-[0-9a-f]{{6}}.*2 messages"))
        expect(row).to_have_count(1)
        expect(row).to_be_visible()
    code.page.get_by_role("treeitem", name=re.compile("shop-[0-9a-f]{6}.*2 messages")).click()
    expect(code.session().locator("main")).to_contain_text("It adds up.")
    code.picture("workspace")
    code.close_all()
    code.take("ChannelCoder: Continue Session", "stock")
    code.answer("And what else?")
    asked = model.requests(3)[2]
    assert (asked.question, asked.earlier_questions) == ("And what else?", ["What is this?"])
    expect(code.session().locator("main")).to_contain_text("Nothing else.")
