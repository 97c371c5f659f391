"""``python -m channelcoder_lsp.offline``: serve the offline model until told to stop.

Prints one line of JSON when it can be asked: ``{"url": "http://127.0.0.1:PORT"}``.
"""

from __future__ import annotations

import argparse
import json
import socket
import sys
import threading

import uvicorn

from channelcoder_lsp.domain.address import is_this_machine
from channelcoder_lsp.offline.app import build_app
from channelcoder_lsp.offline.control import Control
from channelcoder_lsp.offline.delivery import Connections

_SHUTDOWN_SECONDS = 3  # longer than a client polls the control face


class _Server(uvicorn.Server):
    """A server that does not wait for answers in progress when it is to stop: one may be held for good."""

    def __init__(self, config: uvicorn.Config, connections: Connections) -> None:
        super().__init__(config)
        self._answered_on = connections

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._answered_on.close_all()
        await super().shutdown(sockets)


def main() -> int:
    """Serve until a signal, or the end of standard input when asked for; the process's exit code."""
    options = _options()
    try:
        listener = _bound(options.host, options.port)
    except OSError as problem:
        place = f"{options.host}:{options.port}"
        sys.stderr.write(
            f"The offline model can't listen on {place}: {problem.strerror}. "
            "Give another port, or none to have a free one.\n"
        )
        return 1
    connections = Connections()
    control = Control(options.control_token) if options.control_token else None
    app = build_app(delay_ms=options.delay_ms, control=control, connections=connections)
    config = uvicorn.Config(
        app,
        http=connections.protocol(),
        ws="none",
        lifespan="off",
        log_level="error",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
    )
    server = _Server(config, connections)
    if options.end_with_stdin:
        threading.Thread(target=_end_with_stdin, args=(server,), daemon=True).start()
    host, port = listener.getsockname()[:2]
    sys.stdout.write(json.dumps({"url": f"http://{_in_url(host)}:{port}"}) + "\n")
    sys.stdout.flush()
    server.run(sockets=[listener])
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m channelcoder_lsp.offline",
        description="A stand-in for the Anthropic Messages API on the loopback address. No Claude is asked.",
    )
    parser.add_argument("--host", type=_loopback, default="127.0.0.1", help="a loopback address")
    parser.add_argument("--port", type=int, default=0, help="0: any free one")
    parser.add_argument("--delay-ms", type=int, default=15, help="between two chunks of an answer")
    parser.add_argument("--control-token", default="", help="opens the control face, for tests")
    parser.add_argument("--end-with-stdin", action="store_true", help="stop when standard input ends")
    return parser.parse_args()


def _loopback(host: str) -> str:
    """``host`` if it is a loopback address."""
    if is_this_machine(host):
        return host
    raise argparse.ArgumentTypeError(f"{host!r} is not a loopback address such as 127.0.0.1")


def _bound(host: str, port: int) -> socket.socket:
    """A listening socket: connections are taken from now on, and answered once the server runs."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    try:
        if sys.platform != "win32":  # there it would let two processes have the same port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(128)
    except BaseException:
        listener.close()
        raise
    return listener


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _end_with_stdin(server: uvicorn.Server) -> None:
    """Stop ``server`` when standard input ends: the parent is gone or wants it so."""
    while sys.stdin.buffer.read(1024):
        pass
    server.should_exit = True


if __name__ == "__main__":
    sys.exit(main())
