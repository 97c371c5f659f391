"""Settings: editor over environment over the user's file over the default; a wrong one stops nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from channelcoder_lsp.settings import Settings, config_file, load_settings, state_folder


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without settings, and an environment without any."""
    for name in [name for name in os.environ if name.startswith("CHANNELCODER_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path


def write(text: str | bytes) -> Path:
    file = config_file()
    file.parent.mkdir(parents=True)
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def test_without_anything_the_defaults_hold(home: Path):
    """And nothing is wrong."""
    settings, problems = load_settings()
    assert problems == []
    assert (settings.max_open, settings.offline, settings.model) == (3, False, None)
    assert settings.sessions == home / ".channelcoder" / "sessions"


def test_files_are_in_the_users_folders(home: Path):
    """The platform's, not ours."""
    assert config_file().is_relative_to(home)
    assert state_folder().is_relative_to(home)


def test_the_editor_goes_before_the_environment_and_that_before_the_file(monkeypatch: pytest.MonkeyPatch):
    """Each where the stronger ones say nothing."""
    write("max_open = 4\nmax_retries = 4\ncontext_lines = 4\n")
    monkeypatch.setenv("CHANNELCODER_MAX_OPEN", "5")
    monkeypatch.setenv("CHANNELCODER_MAX_RETRIES", "5")
    settings, problems = load_settings({"maxOpen": 6})
    assert (settings.max_open, settings.max_retries, settings.context_lines) == (6, 5, 4)
    assert problems == []


def test_the_editors_names_are_camel_case_or_not():
    """VS Code's and Lua's habits; null is not given; keys of other parts are not ours."""
    settings, problems = load_settings({"maxOpen": 7, "context_lines": 8, "codeLens": None, "trace": {"server": "off"}})
    assert (settings.max_open, settings.context_lines, settings.code_lens) == (7, 8, True)
    assert problems == []


@pytest.mark.parametrize("source", ["editor", "environment", "file"])
@pytest.mark.parametrize(
    ("key", "name"), [("cliPath", "cli_path"), ("model", "model"), ("author", "author"), ("sessionDir", "session_dir")]
)
def test_empty_is_the_default(key: str, name: str, source: str, monkeypatch: pytest.MonkeyPatch):
    """Editors send "" for what was not filled in: it names no command, no model, and not the current folder."""
    if source == "environment":
        monkeypatch.setenv(f"CHANNELCODER_{name.upper()}", "")
    if source == "file":
        write(f'{name} = ""\n')
    settings, problems = load_settings({key: ""} if source == "editor" else {})
    assert getattr(settings, name) == Settings.model_fields[name].default
    assert problems == []


WRONG = [
    ("maxOpen", 0, "greater than or equal to 1"),
    ("maxOpen", "many", "valid integer"),
    ("maxRetries", 11, "less than or equal to 10"),
    ("logLevel", "loud", "allowed are debug, info, warning, error"),
    ("hover", "perhaps", "valid boolean"),
    ("commentKeyword", "", "at least 1 character"),
    ("sessionDir", 3, "path"),
    ("model", {"name": "x"}, "valid string"),
]


@pytest.mark.parametrize(("key", "value", "allowed"), WRONG)
def test_a_wrong_value_is_named_with_what_is_allowed_and_the_default_holds(key: str, value: object, allowed: str):
    """Key, value, what is allowed, what is used: one sentence for the user."""
    settings, problems = load_settings({key: value, "contextLines": 5})
    (problem,) = problems
    name = "".join(f"_{char.lower()}" if char.isupper() else char for char in key)
    default = Settings.model_fields[name].default
    for part in (f"channelcoder.{key}", repr(value), allowed, repr(default)):
        assert part in problem.message
    assert getattr(settings, name) == default
    assert settings.context_lines == 5, "the others hold"


def test_all_wrong_values_are_named(monkeypatch: pytest.MonkeyPatch):
    """Wherever they come from."""
    write('max_retries = "x"\n')
    monkeypatch.setenv("CHANNELCODER_HOVER_MAX_CHARS", "2")
    settings, problems = load_settings({"maxOpen": -1})
    named = sorted(problem.message.split()[2] for problem in problems)
    assert named == ["channelcoder.hoverMaxChars", "channelcoder.maxOpen", "channelcoder.maxRetries"]
    assert (settings.max_retries, settings.hover_max_chars, settings.max_open) == (2, 8000, 3)


@pytest.mark.parametrize("content", ["max_open = = 3", b"\xff\xfe"], ids=["not TOML", "not UTF-8"])
def test_a_file_that_cannot_be_read_is_named_and_the_rest_holds(content: str | bytes, monkeypatch: pytest.MonkeyPatch):
    """Editor and environment still count."""
    file = write(content)
    monkeypatch.setenv("CHANNELCODER_CONTEXT_LINES", "9")
    settings, (problem,) = load_settings({"maxOpen": 6})
    assert str(file) in problem.message
    assert (settings.max_open, settings.context_lines, settings.max_retries) == (6, 9, 2)


def test_a_file_that_cannot_be_read_and_a_wrong_value_are_both_named():
    """One does not hide the other."""
    write("max_open = = 3")
    settings, problems = load_settings({"maxOpen": 0, "contextLines": 5})
    assert [("channelcoder.toml" in p.message, "channelcoder.maxOpen" in p.message) for p in problems] == [
        (True, False),
        (False, True),
    ]
    assert (settings.max_open, settings.context_lines) == (3, 5)


def test_a_file_that_may_not_be_read_stops_nothing(monkeypatch: pytest.MonkeyPatch):
    """As root every file can be read, so the fault is put in."""
    file = write("max_open = 4")

    def refused(*args, **kwargs):
        raise PermissionError(13, "Permission denied", str(file))

    opened = Path.open
    monkeypatch.setattr(Path, "open", lambda self, *a, **k: refused() if self == file else opened(self, *a, **k))
    settings, (problem,) = load_settings()
    assert str(file) in problem.message
    assert settings.max_open == 3


def test_nothing_of_the_project_folder_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A repository can't choose the command that is run or where sessions go."""
    project = tmp_path / "project"
    project.mkdir()
    (project / ".env").write_text("CHANNELCODER_CLI_PATH=/evil\nCHANNELCODER_SESSION_DIR=/evil\n")
    (project / "channelcoder.toml").write_text('cli_path = "/evil"\nsession_dir = "/evil"\n')
    (project / ".channelcoder").mkdir()
    (project / ".channelcoder" / "channelcoder.toml").write_text('cli_path = "/evil"\n')
    monkeypatch.chdir(project)
    settings, problems = load_settings()
    assert (settings.cli_path, problems) == (None, [])
    assert "evil" not in str(settings.sessions)


def test_settings_cannot_be_changed():
    """Who holds them can rely on them; another tree is made instead."""
    settings, _ = load_settings()
    with pytest.raises(ValueError, match="frozen"):
        settings.max_open = 9


def test_every_setting_is_described():
    """docs/settings.md has a sentence for each."""
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert field.description.endswith("."), name
