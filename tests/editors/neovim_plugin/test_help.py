"""What one is told: help, health, completion, options that don't fit; and what is left alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from .nvim import PLUGIN

if TYPE_CHECKING:
    from pathlib import Path

    from editors.conftest import Machine

    from .conftest import Start
    from .nvim import Plugin

HELP = (PLUGIN / "doc" / "channelcoder.txt").read_text("utf-8")


class TestHelp:
    def test_has_every_subcommand(self, nvim: Plugin):
        """Each where the commands are, and no other."""
        section = HELP.partition("*:ChannelCoder*")[2].partition("====")[0]
        documented = set(re.findall(r"^    ([a-z]+)\b", section, re.MULTILINE))
        assert documented == set(nvim.lua("return vim.tbl_keys(require('channelcoder.command').subcommands)"))

    def test_has_every_mapping(self, nvim: Plugin):
        maps = nvim.lua(
            """
            local names = {}
            for _, mode in ipairs({ 'n', 'x' }) do
              for _, map in ipairs(vim.api.nvim_get_keymap(mode)) do
                if map.lhs:find('channelcoder', 1, true) then names[map.lhs] = true end
              end
            end
            return vim.tbl_keys(names)
            """
        )
        assert maps
        assert [name for name in maps if f"*{name}*" not in HELP] == []

    def test_shows_the_defaults_that_there_are(self, nvim: Plugin):
        """The example of the options, run, changes nothing."""
        example = HELP.partition("require('channelcoder').setup(")[2].partition("\n    })")[0] + "}"
        changed = nvim.lua(
            f"""
            local config = require('channelcoder.config')
            local before, shown = config.get(), {example}
            shown.enable = before.enable
            return not vim.deep_equal(before, shown)
            """
        )
        assert not changed

    def test_leads_somewhere(self, nvim: Plugin, tmp_path: Path):
        """Every link within it has its place."""
        (tmp_path / "channelcoder.txt").write_text(HELP, "utf-8")
        nvim.api.command(f"helptags {tmp_path}")
        tags = {line.split("\t")[0] for line in (tmp_path / "tags").read_text("utf-8").splitlines()}
        links = set(re.findall(r"\|([^|\s]*[cC]hannel[^|\s]*)\|", HELP))
        assert links - tags == set()


class TestCompletion:
    @pytest.mark.parametrize(
        ("line", "completed"),
        [
            ("ChannelCoder res", ["resolve", "restart"]),
            ("13,18ChannelCoder res", ["resolve", "restart"]),
            ("ChannelCoder! th", ["threads"]),
            ("ChannelCoder review ", ["selection", "file", "changes", "branch"]),
            ("ChannelCoder review c", ["changes"]),
            ("ChannelCoder model s", ["sonnet"]),
            ("ChannelCoder export ", ["markdown", "json", "guide"]),
            ("ChannelCoder limit ", ["none"]),
            ("ChannelCoder insert ", []),
            ("ChannelCoder ask wh", []),
            ("ChannelCoder nothing x", []),
        ],
    )
    def test_of_subcommands_and_their_arguments(self, nvim: Plugin, line, completed):
        assert nvim.api.funcs.getcompletion(line, "cmdline") == completed


def test_an_unknown_subcommand_is_said(nvim: Plugin):
    nvim.run("sing")
    nvim.said("channelcoder: there is no :ChannelCoder sing; see :help :ChannelCoder.")


class TestHealth:
    def test_says_how_it_stands(self, nvim: Plugin, one_neovim):
        machine, _ = one_neovim
        nvim.run("doctor")
        nvim.wait("return vim.bo.filetype == 'checkhealth'")
        for part in (
            "OK Neovim 0.11",
            "channelcoder-lsp: channelcoder-lsp ",
            f"OK a server runs for {machine.project}",
        ):
            assert part in nvim.text.replace("✅ ", "")
        assert "ERROR" not in nvim.text
        assert "the folder is not trusted" in nvim.text
        assert re.search(r"OK Claude Code: \d+\.\d+", nvim.text.replace("✅ ", ""))
        assert "OK login: " in nvim.text.replace("✅ ", "")
        nvim.api.command("bwipeout!")

    def test_says_what_is_missing(self, machine: Machine, start: Start, shop: Path):
        machine.more_environment["PATH"] = str(machine.home)
        nvim = start(shop, ready=False, options={"kind": "float"})
        nvim.run("doctor")
        nvim.wait("return vim.bo.filetype == 'checkhealth'")
        assert "channelcoder-lsp is not on PATH" in nvim.text
        assert "there is no option 'kind'" in nvim.text

    def test_says_what_is_broken_on_the_machine(self, machine: Machine, start: Start, shop: Path):
        """What ``channelcoder doctor`` finds, with what helps; the plugin's settings count there, too."""
        nvim = start(shop, options={"settings": {"cliPath": "/nowhere/claude"}})
        nvim.run("doctor")
        nvim.wait("return vim.bo.filetype == 'checkhealth'")
        assert re.search(r"ERROR Claude Code: .*/nowhere/claude", nvim.text.replace("❌ ", ""))
        assert "ADVICE" in nvim.text


class TestOptions:
    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ("{ sever = '/x' }", "there is no option 'sever'; see :help channelcoder-options."),
            ("{ code_lens = 1 }", "the option 'code_lens' is to be a boolean, not a number."),
            ("{ window = { hight = 1 } }", "there is no option 'window.hight'; see :help channelcoder-options."),
            ("{ window = { kind = 'tab' } }", "the option 'window.kind' is to be float, split or vsplit, not 'tab'."),
        ],
    )
    def test_that_do_not_fit_are_said_and_not_taken(self, nvim: Plugin, options, said):
        before = nvim.lua("return vim.inspect(require('channelcoder.config').get())")
        nvim.lua(f"require('channelcoder').setup({options})")
        assert nvim.lua("return seen.said") == [[f"channelcoder: {said}", 4]]
        assert nvim.lua("return vim.inspect(require('channelcoder.config').get())") == before

    def test_settings_reach_the_server(self, start: Start, shop: Path):
        nvim = start(shop, options={"settings": {"commentKeyword": "bot"}})
        nvim.api.current.buffer[14:15] = ["    # bot: what is this?"]
        nvim.go(15)
        nvim.lua("vim.lsp.buf.code_action()")
        nvim.wait("return vim.list_contains(seen.offered, 'Ask Claude: what is this?')")

    def test_enable_false_starts_nothing(self, start: Start, shop: Path):
        nvim = start(shop, ready=False, options={"enable": False})
        assert nvim.lua("return vim.lsp.is_enabled('channelcoder')") is False
        nvim.lua("vim.lsp.enable('channelcoder')")
        nvim.ready()
        nvim.settled()


def test_no_key_is_taken(start: Start, shop: Path):
    """Only `<Plug>` names are added; nothing of the plugin is loaded before it is used."""
    nvim = start(shop, ready=False, options={"enable": False})
    taken = nvim.lua(
        """
        local taken = {}
        for _, mode in ipairs({ 'n', 'x', 'i', 'o', 'c', 't' }) do
          for _, map in ipairs(vim.api.nvim_get_keymap(mode)) do
            if (map.rhs or ''):find('ChannelCoder', 1, true) and not vim.startswith(map.lhs, '<Plug>') then
              table.insert(taken, map.lhs)
            end
          end
        end
        local loaded = vim.tbl_filter(function(name) return vim.startswith(name, 'channelcoder') end,
          vim.tbl_keys(package.loaded))
        return { taken, loaded }
        """
    )
    assert taken == [[], []]


class TestText:
    @pytest.mark.parametrize(
        ("text", "cells", "line"),
        [
            ("a\nb\t c", 20, "a b c"),
            ("naïve 🛒 text", 9, "naïve 🛒…"),
            ("漢字漢字漢字", 6, "漢字…"),
            ("\x1b]0;title\x07x\u202ey\u200bz", 20, "]0;titlexyz"),
            ("exactly", 7, "exactly"),
        ],
    )
    def test_in_one_line(self, nvim: Plugin, text, cells, line):
        assert nvim.lua("return require('channelcoder.text').line(...)", text, cells) == line

    @pytest.mark.parametrize(
        ("seconds", "age"), [(5, "just now"), (130, "2 min ago"), (7300, "2 h ago"), (200000, "2 d ago")]
    )
    def test_age(self, nvim: Plugin, seconds, age):
        moment = nvim.lua("return os.date('!%Y-%m-%dT%H:%M:%S.123456+00:00', os.time() - ...)", seconds)
        assert nvim.lua("return require('channelcoder.text').age(...)", moment) == age
