"""Loads the Agent SDK for a process that asks and ends, such as ``channelcoder run``.

Most of the time that it takes to import the SDK goes to ``mcp`` and ``jsonschema``, which it needs for MCP servers
in our own process alone. A question from the command line has none. So there the SDK is imported with placeholders for
what it takes from these packages. A program that uses this package as a library is not touched by that, nor is the
server, which has such a server: there the SDK is imported as it is.
"""

from __future__ import annotations

import logging
import sys
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

logger = logging.getLogger(__name__)

_SDK = "claude_agent_sdk"
_FOR_SERVERS = ("mcp", "jsonschema")


def load_without_servers() -> None:
    """Import the SDK so that it can do everything but have MCP servers in this process.

    An SDK that needs more of those packages than their names is imported as it is, as is one that is loaded already.
    """
    if any(name in sys.modules for name in (_SDK, *_FOR_SERVERS)):
        import_module(_SDK)
        return
    placeholders = _Placeholders()
    sys.meta_path.insert(0, placeholders)
    try:
        import_module(_SDK)
    except Exception as problem:  # noqa: BLE001 - whatever it is, it is not to be had this way
        logger.info("The Agent SDK needs all of what it imports: %r", problem)
        _forget(_SDK)
    finally:
        sys.meta_path.remove(placeholders)
        for name in _FOR_SERVERS:
            _forget(name)
    import_module(_SDK)


def _forget(name: str) -> None:
    for loaded in [module for module in sys.modules if module == name or module.startswith(f"{name}.")]:
        del sys.modules[loaded]


class _Placeholders(MetaPathFinder, Loader):
    """Finds the packages for servers, with nothing in them."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        del path, target
        return ModuleSpec(fullname, self, is_package=True) if fullname.partition(".")[0] in _FOR_SERVERS else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return _Placeholder(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """There is nothing to run."""


class _Placeholder(ModuleType):
    """A module in which every name is a class that can be derived from and not be used."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        made = type(name, (_NotLoaded,), {})
        setattr(self, name, made)
        return made


class _NotLoaded:
    """What is not there in this process."""

    def __init_subclass__(cls, **_: Any) -> None:
        pass

    def __init__(self, *_: Any, **__: Any) -> None:
        raise RuntimeError(f"{type(self).__name__}: there are no MCP servers in this process.")
