"""The offline model as a child process."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import textwrap

import anyio
import anyio.to_thread
import pytest

from channelcoder_lsp.domain.errors import OfflineModelError
from channelcoder_lsp.offline.process import OfflineModel
from channelcoder_lsp.offline.script import Text

MODULE = [sys.executable, "-m", "channelcoder_lsp.offline"]


def refuses(url: str) -> bool:
    """Whether nobody listens at ``url``."""
    host, port = url.removeprefix("http://").split(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) != 0


class TestLife:
    async def test_it_runs_inside_its_block(self):
        """It has an address while it runs, and none before and after."""
        model = OfflineModel()
        assert model.url == ""
        async with model:
            url = model.url
            assert url.startswith("http://127.0.0.1:")
            assert not refuses(url)
        assert model.url == ""
        assert refuses(url)

    async def test_it_can_be_started_again(self):
        """The same object, another run."""
        model = OfflineModel(control=True)
        for _ in range(2):
            async with model:
                assert await model.requests() == []

    async def test_it_ends_while_an_answer_is_held(self, wire, caplog):
        """An open stream does not keep it, and is no error."""
        async with OfflineModel(control=True) as model:
            await model.script(Text(text="x", hold_after=0))
            other = type(wire)(model.url)
            asked = {"model": "m", "messages": [{"role": "user", "content": "Q"}], "stream": True}
            response = await anyio.to_thread.run_sync(other.send, "POST", "/v1/messages", asked, {})
            process = model._process
        with response:
            assert process.returncode == 0
            assert caplog.messages == []

    def test_it_ends_when_its_parent_is_killed(self):
        """Nothing is left behind, however the parent died."""
        program = textwrap.dedent("""
            import anyio
            from channelcoder_lsp.offline.process import OfflineModel

            async def main():
                async with OfflineModel() as model:
                    print(model.url, flush=True)
                    await anyio.sleep_forever()

            anyio.run(main)
        """)
        with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
            host, port = parent.stdout.readline().strip().removeprefix("http://").split(":")
            with socket.create_connection((host, int(port)), timeout=20) as connection:
                connection.sendall(b"HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n")
                assert connection.recv(4096).startswith(b"HTTP/1.1 200")
                parent.kill()
                assert connection.recv(1) == b""  # the end of the stream is the end of the child

    async def test_an_error_inside_the_block_ends_it_too(self):
        """The block's own error comes through."""
        urls = []
        with pytest.raises(LookupError):  # noqa: PT012 - the block is what is tested
            async with OfflineModel() as model:
                urls.append(model.url)
                raise LookupError
        assert refuses(urls[0])


class TestWhatGoesWrong:
    async def test_a_port_in_use_is_named(self):
        """With what to do about it."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            with pytest.raises(OfflineModelError, match=f"can't listen on 127.0.0.1:{port}: .*another port"):
                await OfflineModel(port=port).__aenter__()

    async def test_outside_its_block_it_says_so(self):
        """Instead of an address that leads nowhere."""
        model = OfflineModel(control=True)
        with pytest.raises(OfflineModelError, match="not running"):
            model.environment()
        with pytest.raises(OfflineModelError, match="not running"):
            await model.requests()

    async def test_a_killed_child_does_not_answer(self):
        """The error names the address."""
        async with OfflineModel(control=True) as model:
            model._process.kill()
            model._process.wait()
            with pytest.raises(OfflineModelError, match=model.url):
                await model.requests()

    async def test_a_module_in_the_current_folder_is_not_run(self, tmp_path, monkeypatch):
        """The folder that a server is started in may be anybody's."""
        for name in ("starlette", "uvicorn", "channelcoder_lsp"):
            (tmp_path / f"{name}.py").write_text("raise SystemExit('run from the current folder')")
        monkeypatch.chdir(tmp_path)
        async with OfflineModel() as model:
            assert model.url


class TestEnvironment:
    async def test_it_leads_the_cli_here_and_nowhere_else(self, model):
        """Address and key are set; other clouds, tokens and proxies are not."""
        environment = model.environment()
        assert environment["ANTHROPIC_BASE_URL"] == model.url
        assert environment["ANTHROPIC_API_KEY"]
        assert environment["CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC"] == "1"
        assert environment["NO_PROXY"] == environment["no_proxy"] == "127.0.0.1"
        elsewhere = ["ANTHROPIC_AUTH_TOKEN", "CLAUDE_CODE_OAUTH_TOKEN", "CLAUDE_CODE_USE_BEDROCK"]
        assert [environment[name] for name in elsewhere] == [""] * 3


class TestCommandLine:
    def test_it_prints_its_address_and_stops_at_the_end_of_input(self):
        """One line of JSON, for the parent."""
        with subprocess.Popen(
            [*MODULE, "--end-with-stdin"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as child:
            assert set(json.loads(child.stdout.readline())) == {"url"}
            child.stdin.close()
            assert child.wait(20) == 0

    @pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.0.1", "example.org"])
    def test_only_a_loopback_address_is_taken(self, host):
        """It never serves the network."""
        run = subprocess.run([*MODULE, "--host", host], capture_output=True, text=True, check=False)
        assert run.returncode == 2
        assert "not a loopback address" in run.stderr

    def test_the_parent_does_not_pay_for_the_web_server(self):
        """Importing the process's module imports neither Starlette nor uvicorn."""
        program = "import sys, channelcoder_lsp.offline.process; print([*sys.modules])"
        run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert not {"starlette", "uvicorn", "h11", "claude_agent_sdk"} & set(eval(run.stdout))
