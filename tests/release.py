"""Build what is released, twice, install each in a clean environment, and do the main job with it.

Run it as ``python tests/release.py``; what was built and tried is in ``dist/`` then. The wheel and the source
distribution run ``channelcoder demo``; the .vsix is installed in VS Code, with the wheel's server behind it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EXTENSION = ROOT / "editors" / "vscode"
DIST = ROOT / "dist"
BIN = Path(sys.executable).parent
IN_VSCODE = (
    "test_threads.py::test_an_answer_streams_into_a_thread_and_stays",
    "test_proposals.py::test_the_light_bulb_applies_a_proposal_and_one_undo_takes_it_back",
    "test_sessions.py::test_a_session_goes_on_after_a_reload",
)
"""Ask, see the hover, apply, go on after a restart."""


def main() -> None:
    """Stop at the first that doesn't hold."""
    with tempfile.TemporaryDirectory(prefix="channelcoder-release-") as folder:
        place = Path(folder)
        built, again = build(place / "first"), build(place / "second")
        for one, other in zip(built, again, strict=True):
            if digest(one) != digest(other):
                raise SystemExit(f"{one.name} built again is another file: something of the machine is in it.")
        wheel, source, vsix = built
        say(f"{wheel.name}, {source.name} and {vsix.name} are the same when they are built again")
        servers = [installed(file, place / f"environment-{number}") for number, file in enumerate((wheel, source))]
        in_vscode(vsix, servers[0])
        shutil.rmtree(DIST, ignore_errors=True)
        DIST.mkdir()
        for file in built:
            shutil.copy(file, DIST)
            say(f"{digest(file)}  {DIST.name}/{file.name}")


def build(folder: Path) -> list[Path]:
    """The wheel, the source distribution and the .vsix, as of the last commit's time."""
    folder.mkdir()
    committed = ["git", "log", "-1", "--format=%ct"]
    epoch = subprocess.run(committed, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()
    environment = {**os.environ, "SOURCE_DATE_EPOCH": epoch, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    run(BIN / "uv", "build", "--quiet", "--out-dir", folder, ROOT, environment=environment)
    vsix = folder / "channelcoder.vsix"
    run(BIN / "npm", "run", "--silent", "package", "--", "--out", vsix, environment=environment, folder=EXTENSION)
    [wheel], [source] = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return [wheel, source, vsix]


def installed(file: Path, folder: Path) -> Path:
    """Install it where nothing else is, do the main job from a folder of its own; the server's program."""
    venv.create(folder, with_pip=True)
    programs = folder / "bin"
    run(programs / "python", "-m", "pip", "install", "--quiet", file)
    run(programs / "python", "-m", "pip", "check")
    home = folder / "home"
    home.mkdir()
    environment = {"HOME": str(home), "PATH": os.defpath, "LANG": "C.UTF-8"}
    run(programs / "channelcoder", "demo", environment=environment, folder=home)
    say(f"{file.name} does the main job where nothing else is installed")
    return programs / "channelcoder-lsp"


def in_vscode(vsix: Path, server: Path) -> None:
    """Run the tests of the main job in VS Code with this extension and this server."""
    environment = {**os.environ, "CHANNELCODER_VSIX": str(vsix), "CHANNELCODER_SERVER": str(server)}
    tests = [f"tests/editors/vscode/{test}" for test in IN_VSCODE]
    run(sys.executable, "-m", "pytest", "--quiet", *tests, environment=environment)
    say(f"{vsix.name} does the main job in VS Code with the server of the wheel")


def run(*command: str | Path, environment: dict[str, str] | None = None, folder: Path = ROOT) -> None:
    """Run a program; what it says is shown when it fails."""
    done = subprocess.run(
        [str(part) for part in command], cwd=folder, env=environment, check=False, capture_output=True, text=True
    )
    if done.returncode:
        raise SystemExit(f"{done.stdout}{done.stderr}\nThis failed ({done.returncode}): {' '.join(map(str, command))}")


def digest(file: Path) -> str:
    """The SHA-256 of its content."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def say(line: str) -> None:
    """On standard output, at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
