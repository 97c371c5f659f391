"""What the client is asked while the server stops."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

from channelcoder_lsp.features.client import Client

from .editor import capabilities


class Silent:
    """An editor that never answers, as one that quit at once."""

    client_capabilities = capabilities()
    workspace = SimpleNamespace(position_encoding="utf-16")

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.protocol = self

    def send_request_async(self, _method: str, _params: object) -> asyncio.Future[object]:
        self.asked.set()
        return asyncio.get_running_loop().create_future()


async def test_no_answer_is_waited_for_any_more():
    """An editor that quits before it answered must not keep the server."""
    editor, ending = Silent(), asyncio.Event()
    client = Client(editor, ending=ending)  # type: ignore[arg-type]
    applying = asyncio.create_task(client.apply(None, "label", seconds=3600))  # type: ignore[arg-type]
    await editor.asked.wait()
    ending.set()
    assert await asyncio.wait_for(applying, 10) == (False, "The editor did not answer.")
