"""What a container is started with, as far as no engine is needed; the rest is tested with one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from channelcoder_lsp.claude.permissions import Guard
from channelcoder_lsp.domain.container import WORKSPACE, ContainerOfSession
from channelcoder_lsp.domain.errors import ArgumentsError, ContainerError
from channelcoder_lsp.execution.container import RESTRICTED, dockerfile_of, find_engine, ready, tag_of
from channelcoder_lsp.execution.container_launcher import command
from channelcoder_lsp.library.contained import container_named

if TYPE_CHECKING:
    from pathlib import Path


class TestVariables:
    def test_are_passed_by_name(self):
        run = {"engine": "/usr/bin/podman", "image": "image", "arguments": ["--rm"], "env": ["TOKEN"]}
        environment = {
            "ANTHROPIC_API_KEY": "secret-1",
            "TOKEN": "secret-2",
            "OTHER": "secret-3",
            "CLAUDE_CONFIG_DIR": "x",
        }
        assert command(run, "name", ["--version"], environment) == [
            "/usr/bin/podman", "run", "--name", "name", "--rm",
            "--env", "ANTHROPIC_API_KEY", "--env", "TOKEN", "image", "--version",
        ]  # fmt: skip

    async def test_a_value_is_refused_and_not_repeated(self, tmp_path: Path):
        wanted = ContainerOfSession(image="image", env=["TOKEN=secret"])
        with pytest.raises(ContainerError) as told:
            await ready(wanted, tmp_path, config=tmp_path / "config", may_build=False)
        assert "secret" not in str(told.value)


class TestMounts:
    @pytest.mark.parametrize("mount", ["/tmp", "/tmp:data", "/tmp:/data:rx", "/tmp:/workspace"])
    async def test_that_do_not_fit_are_refused(self, tmp_path: Path, mount: str):
        with pytest.raises(ContainerError, match="does not fit"):
            await ready(ContainerOfSession(mounts=[mount]), tmp_path, config=tmp_path / "c", may_build=False)


class TestEngine:
    def test_one_in_the_folder_is_not_run(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        program = tmp_path / "docker"
        program.write_text("#!/bin/sh\nexit 0\n", encoding="utf-8")
        program.chmod(0o700)
        monkeypatch.setenv("PATH", str(tmp_path))
        with pytest.raises(ContainerError, match="no docker or podman"):
            find_engine(outside=tmp_path)
        assert find_engine(outside=tmp_path / "elsewhere") == program


class TestUser:
    @pytest.mark.parametrize(
        ("engine", "arguments"),
        [("docker", ["--user", "1000:1001"]), ("podman", ["--userns", "keep-id", "--user", "1000:1001"])],
    )
    async def test_is_the_one_of_this_machine(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: str, arguments: list[str]
    ):
        """So that files in the folder stay theirs; root's container is root's."""
        program = tmp_path / "bin" / engine
        program.parent.mkdir()
        program.write_text("#!/bin/sh\nexit 0\n", encoding="utf-8")
        program.chmod(0o700)
        monkeypatch.setenv("PATH", str(program.parent))
        monkeypatch.setattr("os.getgid", lambda: 1001)
        folder, wanted = tmp_path / "shop", ContainerOfSession(image="image", engine=engine)
        for uid, expected in ((1000, arguments), (0, [])):
            monkeypatch.setattr("os.getuid", lambda uid=uid: uid)
            run = await ready(wanted, folder, config=tmp_path / "config", may_build=False)
            assert run.arguments == (*RESTRICTED, *expected)


class TestDockerfile:
    def test_its_tag_follows_its_contents(self, tmp_path: Path):
        (tmp_path / "Containerfile").write_text("FROM a\n", encoding="utf-8")
        first = tag_of(dockerfile_of(tmp_path))
        assert first == tag_of(dockerfile_of(tmp_path))
        (tmp_path / "Containerfile").write_text("FROM b\n", encoding="utf-8")
        assert tag_of(dockerfile_of(tmp_path)) != first


class TestOption:
    def test_true_is_the_folders_own(self):
        assert container_named(True) == ContainerOfSession()
        assert container_named(None) is None

    @pytest.mark.parametrize(
        "given", ["image", {"imag": "x"}, {"env": {"KEY": "secret"}}, {"mounts": "/a:/b"}, {"image": 1}]
    )
    def test_what_does_not_fit_is_refused(self, given: object):
        with pytest.raises(ArgumentsError, match="docker"):
            container_named(given)


class TestGuard:
    def test_judges_a_path_of_the_container_by_the_file_on_this_machine(self, tmp_path: Path):
        (tmp_path / ".env").write_text("TOKEN=x", encoding="utf-8")
        (tmp_path / "link").symlink_to(".env")
        (tmp_path / "shop.py").write_text("", encoding="utf-8")
        guard = Guard(tmp_path, (), WORKSPACE)
        judged = {
            path: guard.refusal("Read", {"file_path": path}) is None
            for path in (
                "/workspace/shop.py",
                "shop.py",
                "/workspace/link",
                "/workspace/../etc/passwd",
                "/claude/x",
                "~/x",
            )
        }
        assert judged == {
            "/workspace/shop.py": True, "shop.py": True, "/workspace/link": False,
            "/workspace/../etc/passwd": False, "/claude/x": False, "~/x": False,
        }  # fmt: skip
        assert guard.refusal("Grep", {"pattern": "x"}) is None
