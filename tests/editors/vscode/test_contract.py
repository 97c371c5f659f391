"""What the extension declares in package.json, what it registers, and what the server has, agree."""

from __future__ import annotations

import json
import re
from pathlib import Path

from channelcoder_lsp import protocol
from channelcoder_lsp.settings import Settings

EXTENSION = Path(__file__).parents[3] / "editors" / "vscode"
PACKAGE = json.loads((EXTENSION / "package.json").read_text("utf-8"))
SOURCE = "\n".join(path.read_text("utf-8") for path in sorted((EXTENSION / "src").glob("*.ts")))
DECLARED = {command["command"] for command in PACKAGE["contributes"]["commands"]}
SETTINGS = {
    name: setting for part in PACKAGE["contributes"]["configuration"] for name, setting in part["properties"].items()
}
PROGRAMS = {"server.path", "server.arguments", "server.requirement", "cliPath", "storage", "sessionDir", "tools"}


def test_every_declared_command_is_registered_and_the_other_way_round():
    """None is offered that does nothing; none is there that nobody can run."""
    registered = set(re.findall(r'context\.command\(\s*"([\w.]+)"', SOURCE))
    prompts = set(re.findall(r"const PROMPTS = \[([^\]]*)\]", SOURCE)[0].replace('"', "").replace(" ", "").split(","))
    registered |= {f"prompt.{name}" for name in prompts if name}
    assert {f"channelcoder.ui.{name}" for name in registered} == DECLARED


def test_the_extension_has_ids_of_its_own():
    """The client registers the server's commands by their names: the same name twice would keep it from starting."""
    assert not DECLARED & {command.name for command in protocol.COMMANDS}


def test_menus_keys_and_welcomes_run_declared_commands():
    contributes = PACKAGE["contributes"]
    used = {item["command"] for menu in contributes["menus"].values() for item in menu}
    used |= {binding["command"] for binding in contributes["keybindings"]}
    used |= set(re.findall(r"command:(channelcoder[\w.]+)", json.dumps(contributes)))
    used |= set(re.findall(r'"(channelcoder\.ui\.[\w.]*\w)"', SOURCE))
    assert used <= DECLARED


def test_every_prompt_that_comes_with_the_server_is_a_command():
    from channelcoder_lsp.prompts.loader import __file__ as loader  # noqa: PLC0415 - where the library is

    names = {path.stem for path in (Path(loader).parent / "library").glob("*.md")}
    assert {f"channelcoder.ui.prompt.{name}" for name in names} <= DECLARED


def test_every_setting_of_the_server_is_one_of_the_extension():
    """With a description and a scope; the generator keeps types and defaults the same."""
    assert {f"channelcoder.{protocol.camel(name)}" for name in Settings.model_fields} <= set(SETTINGS)
    assert all(setting["markdownDescription"] and setting["scope"] for setting in SETTINGS.values())


def test_no_workspace_can_name_a_program_or_a_place():
    assert {SETTINGS[f"channelcoder.{name}"]["scope"] for name in PROGRAMS} == {"machine"}


def test_in_restricted_mode_no_setting_of_the_folder_counts():
    trust = PACKAGE["capabilities"]["untrustedWorkspaces"]
    assert trust["supported"] == "limited"
    assert set(trust["restrictedConfigurations"]) == set(SETTINGS)


def test_no_workspace_can_take_back_what_a_person_keeps_from_claude():
    """A list that it has takes the place of the user's."""
    assert SETTINGS["channelcoder.deniedFiles"]["scope"] == "machine"
