# ruff: noqa: INP001 - part of a script, not of a package
"""What the VS Code extension has of the protocol and the settings: made, so that it can't differ."""

from __future__ import annotations

import inspect
import json
import re
import types
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin, get_type_hints

from channelcoder_lsp import protocol
from channelcoder_lsp.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable

_PLAIN = {str: "string", int: "number", float: "number", bool: "boolean", type(None): "null"}
_JSON = {str: "string", int: "integer", float: "number", bool: "boolean", Path: "string"}
_MACHINE = {"cli_path", "session_dir", "storage", "tools", "denied_files", "ask_before_secrets", "offline", "log_level"}
"""Settings that name programs, places or rights: no workspace can set them."""
_HEAD = """\
// What ChannelCoder adds to the Language Server Protocol: see docs/protocol.md.
// Made from channelcoder_lsp/protocol/ by docs/generate.py. Don't edit it.
"""


def protocol_module(kinds: Iterable[type], notes_of: Any) -> str:
    """``editors/vscode/src/protocol.ts``.

    Args:
        kinds: the protocol's types.
        notes_of: gives the notes on a type's fields, by field.
    """
    parts = [_HEAD, *(_interface(kind, notes_of(kind)) for kind in kinds)]
    commands = [
        f"  /** {command.description} */\n"
        f'  "{command.name}": {{ arguments: {command.arguments.__name__}; result: {command.result.__name__} }};\n'
        for command in protocol.COMMANDS
    ]
    parts.append(f"/** What each command takes and returns. */\nexport interface Commands {{\n{''.join(commands)}}}\n")
    parts.append("export type CommandName = keyof Commands;\n")
    names = "".join(f'  "{command.name}",\n' for command in protocol.COMMANDS)
    parts.append(f"export const COMMANDS: readonly CommandName[] = [\n{names}];\n")
    for method, params, _ in protocol.NOTIFICATIONS:
        parts.append(f'/** Carries a {{@link {params.__name__}}}. */\nexport const {_constant(method)} = "{method}";\n')
    return "\n".join(parts)


def package_json(text: str) -> str:
    """``editors/vscode/package.json`` with the server's settings as they are now.

    Args:
        text: the file as it is.
    """
    package = json.loads(text)
    mine, servers = package["contributes"]["configuration"]
    servers["properties"] = {f"channelcoder.{protocol.camel(name)}": _setting(name) for name in Settings.model_fields}
    package["capabilities"]["untrustedWorkspaces"]["restrictedConfigurations"] = [
        *mine["properties"],
        *servers["properties"],
    ]
    return json.dumps(package, indent=2, ensure_ascii=False) + "\n"


def _interface(kind: type, notes: dict[str, str]) -> str:
    hints = get_type_hints(kind)
    lines = [_comment(inspect.getdoc(kind) or "", ""), f"export interface {kind.__name__} {{\n"]
    for field in fields(kind):
        if note := notes.get(field.name):
            lines.append(_comment(note, "  "))
        optional = field.default is not MISSING or field.default_factory is not MISSING
        key = f"{protocol.camel(field.name)}{'?' if optional else ''}"
        lines.append(f"  readonly {key}: {_type(hints[field.name])};\n")
    return "".join([*lines, "}\n"])


def _type(hint: Any) -> str:
    if isinstance(hint, type) and is_dataclass(hint):
        return hint.__name__
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return " | ".join(map(_type, inner))
    if origin is list:
        made_of = _type(inner[0])
        return f"readonly ({made_of})[]" if "|" in made_of else f"readonly {made_of}[]"
    if origin is Literal:
        return " | ".join(f'"{value}"' for value in inner)
    return _PLAIN[hint]


def _comment(text: str, indent: str) -> str:
    text = re.sub(r":\w+:`~?([^`]+)`", r"`\1`", text).replace("``", "`")
    lines = text.splitlines()
    if len(lines) == 1:
        return f"{indent}/** {lines[0]} */\n"
    inner = "".join(f"{indent} * {line}".rstrip() + "\n" for line in lines)
    return f"{indent}/**\n{inner}{indent} */\n"


def _constant(method: str) -> str:
    return method.partition("/")[2].upper()


def _setting(name: str) -> dict[str, Any]:
    """A setting as VS Code wants it: a JSON schema with a scope."""
    field = Settings.model_fields[name]
    kinds = get_args(field.annotation) if get_origin(field.annotation) in (Union, types.UnionType) else ()
    optional = type(None) in kinds
    kind = next((found for found in kinds if found is not type(None)), field.annotation)
    schema: dict[str, Any] = {}
    default: Any = field.get_default(call_default_factory=True)
    if get_origin(kind) is Literal:
        schema |= {"type": "string", "enum": list(get_args(kind))}
    elif get_origin(kind) is list:
        schema |= {"type": "array", "items": {"type": _JSON[get_args(kind)[0]]}}
    else:
        schema["type"] = [_JSON[kind], "null"] if optional else _JSON[kind]
    bounds = {"ge": "minimum", "gt": "exclusiveMinimum", "le": "maximum", "lt": "exclusiveMaximum"}
    bounds["min_length"] = "minLength"
    for bound in field.metadata:
        schema |= {word: getattr(bound, key) for key, word in bounds.items() if getattr(bound, key, None) is not None}
    schema["default"] = default.as_posix() if isinstance(default, Path) else default
    schema["scope"] = "machine" if name in _MACHINE else "window"
    schema["markdownDescription"] = field.description
    return schema
