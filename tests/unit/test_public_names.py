"""What ``from channelcoder_lsp import ...`` gives, in whatever order things are imported."""

from __future__ import annotations

import subprocess
import sys

import pytest

import channelcoder_lsp


@pytest.mark.parametrize("name", channelcoder_lsp.__all__)
def test_every_public_name_is_there(name: str):
    assert getattr(channelcoder_lsp, name)


def test_an_unknown_name_is_not():
    with pytest.raises(AttributeError, match="nothing_of_the_kind"):
        _ = channelcoder_lsp.nothing_of_the_kind


@pytest.mark.parametrize(
    "before",
    ["", "import channelcoder_lsp.claude.agent", "from channelcoder_lsp.claude import ClaudeAgent"],
    ids=["nothing before", "the subpackage before", "a part of it before"],
)
def test_claude_is_the_function(before: str):
    program = f"{before}\nfrom channelcoder_lsp import claude\nassert callable(claude), claude\n"
    program += "from channelcoder_lsp.claude.options import build_options\nfrom channelcoder_lsp import claude\n"
    subprocess.run([sys.executable, "-c", f"{program}assert callable(claude), claude"], check=True)


def test_nothing_heavy_is_loaded_before_it_is_used():
    program = "import channelcoder_lsp, sys; assert not {'pydantic', 'pygls', 'claude_agent_sdk'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)


def test_every_name_of_the_session_guide_is_there():
    program = (
        "from channelcoder_lsp import session, Session, claude, stream, interactive, run, detached\n"
        "from channelcoder_lsp import FileSessionStorage, DatabaseStorage, RedisStorage, S3Storage\n"
        "from channelcoder_lsp import SessionStorage, SessionState, SessionInfo, Message\n"
        "assert callable(interactive) and callable(detached)\n"
        "import channelcoder_lsp.library.interactive, channelcoder_lsp.library.detached, channelcoder_lsp as package\n"
        "assert package.interactive is interactive and package.detached is detached"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


@pytest.mark.parametrize(
    ("name", "package", "extra"),
    [("DatabaseStorage", "sqlalchemy", "database"), ("RedisStorage", "redis", "redis"), ("S3Storage", "obstore", "s3")],
)
def test_a_storage_whose_packages_are_missing_says_how_to_install_them(name: str, package: str, extra: str):
    program = (
        f"import sys\nsys.modules['{package}'] = None\nfrom channelcoder_lsp import {name}\n"
        "from channelcoder_lsp.domain.errors import StorageNotInstalledError\n"
        f"try:\n    {name}(object())\n"
        "except StorageNotInstalledError as problem:\n    print(problem)"
    )
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert f"pip install 'channelcoder-lsp[{extra}]'" in done.stdout
