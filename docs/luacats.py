# ruff: noqa: INP001 - part of a script, not of a package
"""What the Neovim plugin has of the protocol: annotations for lua-language-server, made so that they can't differ."""

from __future__ import annotations

import inspect
import re
import types
from dataclasses import MISSING, fields, is_dataclass
from typing import TYPE_CHECKING, Any, Literal, Union, get_args, get_origin, get_type_hints

from channelcoder_lsp import protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

_PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean"}
_HEAD = """\
---@meta channelcoder.protocol
-- What ChannelCoder adds to the Language Server Protocol: see docs/protocol.md.
-- Made from channelcoder_lsp/protocol/ by docs/generate.py. Don't edit it.
"""


def protocol_module(kinds: Iterable[type], notes_of: Any) -> str:
    """``editors/nvim/lua/channelcoder/protocol.lua``.

    Args:
        kinds: the protocol's types.
        notes_of: gives the notes on a type's fields, by field.
    """
    parts = [_HEAD, *(_class(kind, notes_of(kind)) for kind in kinds)]
    names = "".join(f"---| '{command.name}' # {command.description}\n" for command in protocol.COMMANDS)
    return "\n".join([*parts, f"---@alias channelcoder.Command\n{names}"])


def _class(kind: type, notes: dict[str, str]) -> str:
    hints = get_type_hints(kind)
    described = "".join(f"--- {line}".rstrip() + "\n" for line in _plain(inspect.getdoc(kind) or "").splitlines())
    lines = [described, f"---@class channelcoder.{kind.__name__}\n"]
    for field in fields(kind):
        # Neovim makes a null of an object nil, as what was left out.
        defaults = field.default is not MISSING or field.default_factory is not MISSING
        optional = defaults or type(None) in get_args(hints[field.name])
        note = " ".join(_plain(notes.get(field.name, "")).split())
        name = f"{protocol.camel(field.name)}{'?' if optional else ''}"
        lines.append(f"---@field {name} {_type(hints[field.name])} {note}".rstrip() + "\n")
    return "".join(lines)


def _type(hint: Any) -> str:
    if isinstance(hint, type) and is_dataclass(hint):
        return f"channelcoder.{hint.__name__}"
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return "|".join(_type(kind) for kind in inner if kind is not type(None))
    if origin is list:
        made_of = _type(inner[0])
        return f"({made_of})[]" if "|" in made_of else f"{made_of}[]"
    if origin is Literal:
        return "|".join(f"'{value}'" for value in inner)
    return _PLAIN[hint]


def _plain(text: str) -> str:
    return re.sub(r":\w+:`~?([^`]+)`", r"`\1`", text).replace("``", "`")
