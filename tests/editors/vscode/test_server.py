"""The server's life in VS Code: where it is found, what is off in a folder that isn't trusted, and its death."""

from __future__ import annotations

import json

from playwright.sync_api import expect

from editors.conftest import SHOP

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
    model.script("It adds up.")
    code.ask("What does this do?", TOTAL)
    expect(code.thread).to_contain_text("It adds up.")
    [request] = model.requests(1)
    assert "French" not in json.dumps(request.messages) + request.system
    code.hover_over(code.status, "CLAUDE.md")
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
