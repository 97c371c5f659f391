"""All settings, in one tree.

Where a value comes from, strongest first: the editor (``workspace/configuration``, section
``channelcoder``, or ``initializationOptions``), the environment (``CHANNELCODER_*``), ``channelcoder.toml`` in
the user's config folder, the default. A value that is not allowed is reported and the default is used: the
server runs on. docs/settings.md is made from this module.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import platformdirs
from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from channelcoder_lsp.domain.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

APPLICATION = "channelcoder"
_SMALLEST = 1
LogLevel = Literal["debug", "info", "warning", "error"]


def config_file() -> Path:
    """Where the user's own settings are: ``channelcoder.toml`` in the platform's config folder."""
    return platformdirs.user_config_path(APPLICATION, appauthor=False) / "channelcoder.toml"


def state_folder() -> Path:
    """Where it is kept which session is active in which folder, and which folders are trusted."""
    return platformdirs.user_state_path(APPLICATION, appauthor=False)


class Settings(BaseSettings):
    """What can be set. Every name is a key of the editor's section ``channelcoder`` in camelCase."""

    model_config = SettingsConfigDict(
        env_prefix="CHANNELCODER_",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=False,
        # Names as in the environment and the file; the editor's camelCase is turned into them on the way in.
        populate_by_name=True,
    )

    # Claude
    cli_path: Path | None = Field(None, description="The `claude` command to use; empty: the bundled one.")
    model: str | None = Field(None, description="The model for new sessions; empty: the CLI's default.")
    offline: bool = Field(
        default=False, description="Ask the built-in offline model instead of Claude: no account, no network."
    )
    max_retries: int = Field(
        2, ge=0, le=10, description="How often a request that Claude's service refused is sent again."
    )
    stream_idle_seconds: float = Field(
        60, ge=10, le=600, description="How long a stream may say nothing before it is given up."
    )
    idle_seconds: float = Field(
        300, ge=_SMALLEST, description="How long the CLI of a session stays warm after its last answer."
    )
    max_open: int = Field(3, ge=_SMALLEST, le=50, description="How many sessions keep a warm CLI at once.")

    # Sessions
    storage: str = Field(
        "file:",
        description="Where sessions are kept: `file:` (files in `sessionDir`), `sqlite:////the/folder/sessions.db`, "
        "or, shared by several machines, `postgresql://user@host/database`, `redis://host/0` or `s3://bucket/prefix`.",
    )
    share_session: bool = Field(
        default=True,
        description="Where `storage` is on a server, have all checkouts of a project go on with one active session. "
        "They are known by their Git remote, and only folders that are trusted take part; off: each has its own.",
    )
    session_dir: Path = Field(Path("~/.channelcoder/sessions"), description="Where sessions are kept (file storage).")
    context_warning_percent: int = Field(
        80,
        ge=0,
        le=100,
        description="How full Claude's context is when compacting the session is suggested, once; 0: never.",
    )
    author: str | None = Field(
        None,
        description="Who asks, as recorded in the turns; empty: where sessions are kept on a server, Git's "
        "`user.name`, else the system's name of the user.",
    )
    record_author: bool = Field(default=True, description="Record who asks, so that others see it.")

    # What is sent
    context_lines: int = Field(
        20, ge=0, le=500, description="Lines before and after the selection that are sent along."
    )
    max_selection_chars: int = Field(
        200_000, ge=1_000, description="A selection longer than this many characters is cut, with a note."
    )
    review_max_files: int = Field(
        50, ge=_SMALLEST, le=1_000, description="A review of changes looks at this many files; the rest is named."
    )
    ask_before_secrets: bool = Field(
        default=True,
        description="Ask before code is sent in which something looks like a password or a key, or which is of a file "
        "whose name says so (`.env`, `*.pem`...), or which `deniedFiles` or a rule of Claude Code denies.",
    )
    denied_files: list[str] = Field(
        default_factory=list,
        description="Files that are kept from Claude, beyond those whose names say that they hold secrets and those "
        "that `permissions.deny` of Claude Code's settings names in `Read(...)`. Patterns are written as there: as in "
        "`.gitignore`, relative to the project's folder (`*.tfstate`, `secrets/`); `~/` begins a path in the home "
        "folder, `//` an absolute one.",
    )
    send_diagnostics: bool = Field(default=True, description="Send the diagnostics on the selection along with it.")

    # What Claude may do
    tools: list[str] = Field(
        default_factory=list,
        description="Built-in tools of Claude Code beyond Read, Grep and Glob, such as `WebFetch`; "
        "each use asks first. In a folder that is not trusted only `WebFetch` and `WebSearch` are there. "
        "Edit and Write stay off: edits are proposed.",
    )
    permission_seconds: float = Field(
        120, ge=_SMALLEST, le=3600, description="How long a question for permission waits; then the answer is no."
    )
    confirm_edits: bool = Field(
        default=True, description="Have the editor ask for confirmation before it applies a proposal, if it can."
    )

    # What is shown
    diagnostics: bool = Field(default=True, description="Show open findings of reviews as diagnostics.")
    workspace_symbols: bool = Field(default=True, description="Find threads among the workspace's symbols.")
    proposals: bool = Field(default=True, description="Offer Claude's proposed edits as code actions.")
    hover: bool = Field(default=True, description="Show answers on hover.")
    hover_max_chars: int = Field(
        8_000, ge=500, description="Characters of an answer shown on hover; the rest is one command away."
    )
    code_lens: bool = Field(default=True, description="Show code lenses above code that has answers.")
    code_actions: bool = Field(default=True, description="Offer questions and answers as code actions.")
    comment_keyword: str = Field(
        "claude", min_length=1, description="The word that makes a comment a question: `# claude: why?`."
    )
    remove_comment: bool = Field(default=True, description="Take the comment away once its question was asked.")

    log_level: LogLevel = Field(
        "info",
        description="How much is written to the log file, which `channelcoder doctor` names; `debug`: the exact "
        "prompts too. Warnings go to the standard error stream as well.",
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - no .env file is read: it may be the project's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - nor are secret files
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Editor, environment, the user's file."""
        try:
            return (init_settings, env_settings, TomlConfigSettingsSource(settings_cls, config_file()))
        except (ValueError, OSError):  # load_settings tells
            return (init_settings, env_settings)

    @field_validator("cli_path", "model", "author", "session_dir", "storage", mode="before")
    @classmethod
    def _empty_is_the_default(cls, value: Any, info: ValidationInfo) -> Any:
        """Editors send "" for what was not filled in."""
        return cls.model_fields[str(info.field_name)].default if value == "" else value

    @property
    def sessions(self) -> Path:
        """The sessions folder, with ``~`` expanded."""
        return self.session_dir.expanduser()


def load_settings(editor: Mapping[str, Any] | None = None) -> tuple[Settings, list[SettingsError]]:
    """The settings in force, and what was wrong with the given ones.

    Args:
        editor: the editor's values by camelCase or snake_case name; None values count as not given.

    A wrong value never stops anything: it is left out, so the default holds.
    """
    given = {_snake(key): value for key, value in (editor or {}).items() if value is not None}
    given = {key: value for key, value in given.items() if key in Settings.model_fields}
    problems = _unreadable_file()
    try:
        return Settings(**given), problems
    except ValidationError as problem:
        settings, wrong = _without_the_wrong(given, problem)
        return settings, problems + wrong


def _unreadable_file() -> list[SettingsError]:
    try:
        TomlConfigSettingsSource(Settings, config_file())
    except (ValueError, OSError) as problem:
        return [SettingsError(f"{config_file()} can't be read: {problem}. Mend it or remove it.")]
    return []


def _without_the_wrong(given: dict[str, Any], problem: ValidationError) -> tuple[Settings, list[SettingsError]]:
    errors = []
    wrong = set()
    for item in problem.errors():
        key = str(item["loc"][0])
        wrong.add(key)
        errors.append(
            SettingsError(
                f"The setting channelcoder.{_camel(key)} can't be {item['input']!r}: {_allowed(key, item['msg'])} "
                f"The default {Settings.model_fields[key].default!r} is used."
            )
        )
    defaults = {key: Settings.model_fields[key].default for key in wrong}
    return Settings(**{**given, **defaults}), errors


def _allowed(key: str, message: str) -> str:
    annotation = Settings.model_fields[key].annotation
    if annotation is not None and (choices := get_args(annotation)) and all(isinstance(c, str) for c in choices):
        return f"allowed are {', '.join(choices)}."
    return f"{message[0].lower()}{message[1:]}."


def _snake(key: str) -> str:
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in key)


def _camel(key: str) -> str:
    first, *rest = key.split("_")
    return first + "".join(word.capitalize() for word in rest)
