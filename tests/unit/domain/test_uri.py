"""Document URIs and the files they name."""

from __future__ import annotations

from pathlib import Path

import pytest

from channelcoder_lsp.domain.uri import path_of, uri_of


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("file:///home/a/b.py", "/home/a/b.py"),
        ("file:///home/a%20b/%23c%3F.py", "/home/a b/#c?.py"),
        ("file:///home/%C3%A9%F0%9F%99%82.py", "/home/é🙂.py"),
        ("file://localhost/home/a.py", "/home/a.py"),
        ("vscode-notebook-cell:/home/a.ipynb#W0sZmlsZQ%3D%3D", "/home/a.ipynb"),
        ("untitled:Untitled-1", None),
        ("git:/home/a.py?%7B%7D", None),
        ("", None),
        ("file:", None),
        ("not a uri", None),
        ("vscode-remote://[broken/a.py", None),
        ("file:///home/a%00b.py", None),
    ],
)
def test_the_file_of_a_uri(uri: str, path: str | None):
    """Files and notebook cells have one; whatever else an editor names has none, and nothing raises."""
    assert path_of(uri) == (Path(path) if path else None)


@pytest.mark.parametrize("name", ["a.py", "a b.py", "#a?.py", "é🙂.py", "100%.py"])
def test_a_path_and_its_uri(tmp_path: Path, name: str):
    """There and back."""
    assert path_of(uri_of(tmp_path / name)) == tmp_path / name
