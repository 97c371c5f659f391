"""``channelcoder-lsp``: the language server, on the standard streams or on a socket."""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import os
import sys
from typing import TYPE_CHECKING

from pygls.exceptions import JsonRpcException

from channelcoder_lsp.app import create_server
from channelcoder_lsp.cli.log_file import LogFile, log_folder
from channelcoder_lsp.domain.address import is_this_machine
from channelcoder_lsp.transport import serve_stdio, serve_tcp
from channelcoder_lsp.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence


_COLLECT_AFTER = 50_000, 20, 50
"""Allocations before a young collection, young ones before a middle one, middle ones before a full one."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the server until its client is gone; the process's exit code."""
    options = _parser().parse_args(arguments)
    _log((options.log_level or "warning").upper())
    given = {"offline": options.offline or None, "log_level": options.log_level}
    server = create_server({key: value for key, value in given.items() if value is not None}, ready=_collect_less)
    try:
        if options.tcp is None:
            asyncio.run(serve_stdio(server))
        else:
            host, port = options.tcp
            asyncio.run(serve_tcp(server, host, port, lambda at: print(f"listening on {host}:{at}", flush=True)))
    except KeyboardInterrupt:
        return 130
    return 0


def _log(level: str) -> None:
    """Log to the standard error stream what is at least of the level, and all that is logged to the log file."""
    stream = logging.StreamHandler()
    stream.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    stream.setLevel(level)
    logging.root.addHandler(stream)
    for name in ("pygls", "asyncio", "watchfiles"):
        logging.getLogger(name).setLevel(logging.ERROR)
    logging.getLogger("pygls.protocol.json_rpc").addFilter(_news)
    try:
        logging.root.addHandler(LogFile(log_folder()))
    except OSError as problem:
        logging.getLogger(__name__).warning("there is no log file: %s", problem)


def _collect_less() -> None:
    """Keep the garbage collector from what lives as long as the process: modules, types, the sessions' heads.

    Each full collection would walk them, and a hover that comes meanwhile would wait.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)


def _news(record: logging.LogRecord) -> bool:
    """Whether ``record`` is more than the trace of an error that was the answer to a request anyway.

    Of what can't be read :mod:`channelcoder_lsp.rpc` says, in one sentence, why.
    """
    answered = record.exc_info and isinstance(record.exc_info[1], JsonRpcException)
    return not answered and not str(record.msg).startswith("Unable to deserialize")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="channelcoder-lsp",
        description="The ChannelCoder language server. Editors start it; without options it speaks LSP on its "
        "standard streams.",
    )
    parser.add_argument("--stdio", action="store_true", help="speak LSP on the standard streams (the default)")
    parser.add_argument(
        "--tcp", metavar="HOST:PORT", type=_address, help="listen for one client; loopback addresses only"
    )
    parser.add_argument("--offline", action="store_true", help="ask the built-in offline model, not Claude")
    parser.add_argument(
        "--log-level",
        choices=["debug", "info", "warning", "error"],
        help="what is written to the standard error stream (default: warning), and to the log file in place of the "
        "setting logLevel",
    )
    parser.add_argument(
        "-v",
        "--verbose",
        dest="log_level",
        action="store_const",
        const="debug",
        help="log everything, the exact prompts too",
    )
    parser.add_argument("--version", action="version", version=f"channelcoder-lsp {__version__}")
    return parser


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    if not port.isdigit() or int(port) > 65535:  # noqa: PLR2004 - the highest port
        raise argparse.ArgumentTypeError(f"{text!r} is not HOST:PORT")
    if not is_this_machine(host) and os.environ.get("CHANNELCODER_ALLOW_REMOTE") != "1":
        raise argparse.ArgumentTypeError(
            f"{host} is not a loopback address, and whoever reaches the port can read and change files as you. "
            "Set CHANNELCODER_ALLOW_REMOTE=1 if that is meant"
        )
    return host, int(port)


if __name__ == "__main__":
    sys.exit(main())
