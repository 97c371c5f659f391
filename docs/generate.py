# ruff: noqa: INP001 - a script, not a package
"""Writes docs/protocol.md and docs/settings.md, and what the VS Code extension has of both, from the modules.

Run it as ``python docs/generate.py``; with ``--check`` it writes nothing, shows what is out of date, and exits with 1.
"""

from __future__ import annotations

import ast
import difflib
import inspect
import re
import sys
import types
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin, get_type_hints

import luacats
import typescript

from channelcoder_lsp import protocol
from channelcoder_lsp.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS = Path(__file__).parent
EXTENSION = DOCS.parent / "editors" / "vscode"
PLUGIN = DOCS.parent / "editors" / "nvim"
_PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null", Path: "string (a path)"}
_BOUNDS = {
    "ge": "at least",
    "gt": "more than",
    "le": "at most",
    "lt": "less than",
    "min_length": "length at least",
}

PROTOCOL_HEAD = """\
# Protocol

What ChannelCoder adds to the Language Server Protocol (3.17): the commands of `workspace/executeCommand`, and one
notification. Made from `channelcoder_lsp/protocol/` by `docs/generate.py`.

A command takes one argument, an object. A key with a `?` may be left out. What does not fit is answered with the error
InvalidParams (-32602), whose message names the command and the field. No command waits for Claude.

A client says what it can do in `capabilities.experimental.channelcoder` of `initialize`:

| key | meaning |
| --- | --- |
| `input` | The client asks its user where a `channelcoder.ask` has neither `question` nor `prompt`. |
| `turns` | The client wants `channelcoder/turn` notifications. |
| `changes` | The client wants `channelcoder/changed` notifications. |
| `diagnosticsOnHover` | The client shows diagnostics with the hover, which has no messages of findings then. |
"""

SETTINGS_HEAD = """\
# Settings

Made from `channelcoder_lsp/settings.py` by `docs/generate.py`.

A setting is looked for in the editor's configuration (section `channelcoder`, or `initializationOptions`), then in the
environment, then in `channelcoder.toml` in the user's config folder (`~/.config/channelcoder` on Linux,
`~/Library/Application Support/channelcoder` on macOS, `%LOCALAPPDATA%\\channelcoder` on Windows), and else has its
default. The file has the names without `CHANNELCODER_` in lower case: `max_open = 5`. Nothing of the project's folder
is read. A value that is not allowed is reported, and the default is used.

| editor | environment | type | default | |
| --- | --- | --- | --- | --- |
"""


def protocol_page() -> str:
    """docs/protocol.md."""
    parts = [PROTOCOL_HEAD, "## Commands\n"]
    parts += [
        f"### `{command.name}`\n\n{command.description}\n\n"
        f"Argument: {_link(command.arguments)}. Result: {_link(command.result)}.\n"
        for command in protocol.COMMANDS
    ]
    parts.append("## Notifications\n")
    parts += [f"### `{method}`\n\n{which} {_link(params)}.\n" for method, params, which in protocol.NOTIFICATIONS]
    parts.append("## Types\n")
    parts += [_type_section(kind) for kind in _all_types()]
    return "\n".join(parts)


def settings_page() -> str:
    """docs/settings.md."""
    rows = []
    for name, field in Settings.model_fields.items():
        default = field.get_default(call_default_factory=True)
        shown = "" if default is None else f"`{str(default).lower() if isinstance(default, bool) else default}`"
        kind = _type_name(field.annotation, links=False)
        bounds = [
            f"{word} {getattr(bound, key)}"
            for bound in field.metadata
            for key, word in _BOUNDS.items()
            if getattr(bound, key, None) is not None
        ]
        kind = ", ".join([kind.removesuffix(r" \| null"), *bounds])
        editor, environment = f"channelcoder.{protocol.camel(name)}", f"CHANNELCODER_{name.upper()}"
        rows.append(f"| `{editor}` | `{environment}` | {kind} | {shown} | {field.description} |")
    return SETTINGS_HEAD + "\n".join(rows) + "\n"


def pages() -> dict[Path, str]:
    """What the generated files should hold."""
    package = EXTENSION / "package.json"
    return {
        DOCS / "protocol.md": protocol_page(),
        DOCS / "settings.md": settings_page(),
        EXTENSION / "src" / "protocol.ts": typescript.protocol_module(_all_types(), _field_notes),
        PLUGIN / "lua" / "channelcoder" / "protocol.lua": luacats.protocol_module(_all_types(), _field_notes),
        package: typescript.package_json(package.read_text(encoding="utf-8")),
    }


def stale() -> str:
    """The difference between the files and what they should hold; empty when there is none."""
    lines: list[str] = []
    for path, text in pages().items():
        old = path.read_text(encoding="utf-8") if path.exists() else ""
        lines += difflib.unified_diff(
            old.splitlines(keepends=True),
            text.splitlines(keepends=True),
            path.relative_to(DOCS.parent).as_posix(),
            "generated",
        )
    return "".join(lines)


def _all_types() -> list[type]:
    """Every type of the protocol, each before those it is made of, none twice."""
    tops = [kind for command in protocol.COMMANDS for kind in (command.arguments, command.result)]
    found: dict[type, None] = {}

    def add(kind: type) -> None:
        if kind not in found:
            found[kind] = None
            for hint in get_type_hints(kind).values():
                for inner in _dataclasses_in(hint):
                    add(inner)

    for top in [*tops, *(params for _, params, _ in protocol.NOTIFICATIONS)]:
        add(top)
    return list(found)


def _dataclasses_in(hint: Any) -> Iterator[type]:
    if isinstance(hint, type) and is_dataclass(hint):
        yield hint
    for inner in get_args(hint):
        yield from _dataclasses_in(inner)


def _type_section(kind: type) -> str:
    hints, notes = get_type_hints(kind), _field_notes(kind)
    rows = []
    for field in fields(kind):
        optional = field.default is not MISSING or field.default_factory is not MISSING
        key = f"`{protocol.camel(field.name)}{'?' if optional else ''}`"
        rows.append(f"| {key} | {_type_name(hints[field.name])} | {notes.get(field.name, '')} |")
    table = "\n".join(["| key | type | |", "| --- | --- | --- |", *rows])
    return f"### {kind.__name__}\n\n{_markdown(inspect.getdoc(kind) or '')}\n\n{table}\n"


def _field_notes(kind: type) -> dict[str, str]:
    """The strings below the fields in the source, by field."""
    body = ast.parse(inspect.getsource(kind)).body[0]
    notes: dict[str, str] = {}
    name: str | None = None
    for statement in body.body if isinstance(body, ast.ClassDef) else []:
        match statement:
            case ast.AnnAssign(target=ast.Name(id=field_name)):
                name = field_name
            case ast.Expr(value=ast.Constant(value=str(text))) if name is not None:
                notes[name] = _markdown(" ".join(text.split()))
    return notes


def _type_name(hint: Any, *, links: bool = True) -> str:
    if isinstance(hint, type) and is_dataclass(hint):
        return _link(hint) if links else hint.__name__
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return r" \| ".join(_type_name(part, links=links) for part in inner)
    if origin is list:
        return f"array of {_type_name(inner[0], links=links)}"
    if origin is Literal:
        return r" \| ".join(f"`{value}`" for value in inner)
    return _PLAIN[hint]


def _link(kind: type) -> str:
    return f"[{kind.__name__}](#{kind.__name__.lower()})"


def _markdown(text: str) -> str:
    text = re.sub(r":\w+:`~?([^`]+)`", r"`\1`", text)
    return text.replace("``", "`")


def main() -> int:
    """Write the files, or check them."""
    if "--check" in sys.argv[1:]:
        difference = stale()
        sys.stdout.write(difference)
        return 1 if difference else 0
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
