"""What the command line's settings keep from Claude, in files of the user, the administrator and the folder."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

import pytest

from channelcoder_lsp.claude.prohibitions import Prohibitions, managed_folder
from channelcoder_lsp.domain.deny_list import DenyList, DenyRules


class Place:
    """A project, and where the settings for it are."""

    def __init__(self, folder: Path) -> None:
        self.project = folder / "project"
        self.config = folder / "config"
        self.managed = folder / "managed"
        for each in (self.project / ".claude", self.config, self.managed / "managed-settings.d"):
            each.mkdir(parents=True)

    def read(self) -> list[DenyRules]:
        return Prohibitions(self.project, {"CLAUDE_CONFIG_DIR": str(self.config)}, self.managed).rules()

    def denies(self, name: str) -> bool:
        return DenyList(self.project, self.read()).denies(self.project / name)


@pytest.fixture
def place(tmp_path) -> Place:
    return Place(tmp_path)


def denying(file: Path, *rules: object) -> None:
    file.write_text(json.dumps({"permissions": {"deny": list(rules)}}))


def test_the_rules_of_all_files_add_up_each_about_its_own_place(place):
    denying(place.config / "settings.json", "Read(/a)", "Bash(rm *)", "Read", 1, "Edit(x)", "Read(Finance (2024)/**)")
    denying(place.managed / "managed-settings.json", "Read(/b)")
    denying(place.managed / "managed-settings.d/20.json", "Read(d)")
    denying(place.managed / "managed-settings.d/10.json", "Read(c)")
    denying(place.managed / "managed-settings.d/.hidden.json", "Read(h)")
    denying(place.config / "remote-settings.json", "Read(e)")
    denying(place.project / ".claude/settings.json", "Read(/f)")
    denying(place.project / ".claude/settings.local.json", "Read(g)")
    assert place.read() == [
        DenyRules(("/a", "Finance (2024)/**"), place.config),
        *(DenyRules((pattern,), place.project) for pattern in ("/b", "c", "d", "e", "/f", "g")),
    ]


def test_without_files_there_are_none(place):
    assert place.read() == []
    assert Prohibitions(place.project, {"CLAUDE_CONFIG_DIR": "/nonexistent"}, Path("/nonexistent")).rules() == []
    assert managed_folder().is_absolute()


def test_what_is_read_is_told(place):
    prohibitions = Prohibitions(place.project, {"CLAUDE_CONFIG_DIR": str(place.config)}, place.managed)
    assert place.config / "settings.json" in prohibitions.files()
    assert place.project / ".claude/settings.local.json" in prohibitions.files()


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"\xff",
        b"[" * 100_000,
        b'{"permissions": {"deny": ["Read(a)"]}}' + b" " * 1_000_000,
        b"1" * 10_000,
    ],
)
@pytest.mark.parametrize("name", ["config/settings.json", "project/.claude/settings.json"])
def test_a_file_that_can_not_be_read_is_recorded_and_harms_nothing(place, content, name, caplog):
    file = place.project.parent / name
    file.write_bytes(content)
    denying(place.project / ".claude/settings.local.json", "Read(b)")
    with caplog.at_level(logging.WARNING):
        assert place.denies("b")
    assert str(file) in caplog.text
    assert not place.denies("a")


@pytest.mark.parametrize("told", [None, [], 1, {"permissions": []}, {"permissions": {"deny": {"Read(a)": 1}}}])
def test_settings_of_another_shape_say_nothing(place, told):
    (place.project / ".claude/settings.json").write_text(json.dumps(told))
    assert place.read() == []


def test_what_is_no_ordinary_file_is_not_read(place):
    """A pipe would be waited for, a device never ends."""
    os.mkfifo(place.project / ".claude/settings.json")
    (place.project / ".claude/settings.local.json").symlink_to("/dev/zero")
    assert place.read() == []


class TestAHostileFolder:
    """Its rules only narrow what is seen, and matching them is quick."""

    def test_takes_nothing_back(self, place):
        denying(place.config / "settings.json", "Read(notes.md)")
        rules = ["Read(!notes.md)", "Read(!.env)", "Read(!**)", "Read(!/**)"]
        (place.project / ".claude/settings.json").write_text(
            json.dumps({"permissions": {"allow": ["Read(notes.md)", "Read(.env)"], "deny": rules}})
        )
        assert place.denies("notes.md")
        assert place.denies(".env")
        assert not place.denies("app.py")

    def test_can_not_keep_us_busy(self, place):
        """Without a bound this takes years."""
        denying(
            place.project / ".claude/settings.json",
            *(f"Read({'*a' * number}b)" for number in range(3, 100)),
            *(f"Read({'**/a/' * number}b)" for number in range(3, 50)),
            *("Read(*a*ab)" for _ in range(10_000)),
            f"Read({'x' * 10_000})",
        )
        [rules] = place.read()
        assert rules.patterns == ("*a*ab",) * 100
        for name in ("a" * 255, "a/" * 499, "/".join(["a" * 249] * 4)):
            assert not place.denies(name)
