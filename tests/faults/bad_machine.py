"""A program on a machine that goes bad: ``python bad_machine.py FAULTS python -m module ...``, run by the tests.

What the system answers the program is by the file FAULTS, which the tests change while it runs: JSON with ``refused``,
the system calls that fail on files below ``folder``, and ``clock``, the seconds that the clock is wrong by.
"""

from __future__ import annotations

import datetime as dt
import errno
import json
import os
import runpy
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

_FAULTS = Path(sys.argv[1])
_CALLS = ("write", "fsync", "read", "replace")
_system = {name: getattr(os, name) for name in _CALLS}
_open, _time, _read_text = os.open, time.time, Path.read_text


def _faults() -> dict[str, Any]:
    faults: dict[str, Any] = json.loads(_read_text(_FAULTS))
    return faults


def _refusing(name: str) -> Callable[..., Any]:
    def call(what: Any, *arguments: Any, **options: Any) -> Any:
        path = str(Path(f"/proc/self/fd/{what}").readlink()) if isinstance(what, int) else os.fspath(what)
        if str(_FAULTS) != path:
            faults = _faults()
            if name in faults.get("refused", ()) and path.startswith(faults["folder"]):
                raise OSError(errno.EIO, os.strerror(errno.EIO), path)
        return _system[name](what, *arguments, **options)

    return call


class _Datetime(dt.datetime):
    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> _Datetime:
        return cls.fromtimestamp(time.time(), tz)


if __name__ == "__main__":
    for each in _CALLS:
        setattr(os, each, _refusing(each))
    time.time = lambda: _time() + _faults().get("clock", 0)
    dt.datetime = _Datetime  # type: ignore[misc]
    _, _, _, minus_m, module, *rest = sys.argv
    assert minus_m == "-m"
    sys.argv = [module, *rest]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
