"""What ``channelcoder doctor`` looks at in the place where sessions are kept."""

from __future__ import annotations

import asyncio
import os
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import uuid4

from anyio import fail_after

from channelcoder_lsp.cli import findings
from channelcoder_lsp.cli.findings import Finding
from channelcoder_lsp.domain.errors import ChannelCoderError, StorageUnreachableError
from channelcoder_lsp.domain.records import ModelChosen, parse_record
from channelcoder_lsp.domain.session import SessionState
from channelcoder_lsp.settings import config_file, state_folder
from channelcoder_lsp.storage import FileSessionStorage
from channelcoder_lsp.storage.opening import PASSWORD_VARIABLE, masked, open_storage, outbox_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from channelcoder_lsp.settings import Settings

SECONDS = 20.0
"""How long the place may take for everything that it is asked."""
_CLOCKS_SECONDS = 30.0
"""How far two clocks may differ before it is worth a look: times of sessions are shown by the minute."""


def storage(settings: Settings) -> Iterator[Finding]:
    """Whether the place can be reached, read and written, what waits to be delivered, and where its password is."""
    url = settings.storage
    try:
        place: Any = open_storage(url, directory=settings.sessions, password=os.environ.get(PASSWORD_VARIABLE))
    except ChannelCoderError as problem:
        yield Finding("storage", "broken", problem.message, "Correct the setting `storage`.")
        return
    if isinstance(place, FileSessionStorage):
        yield from findings.storage(place.directory)
        return
    yield from _password(url)
    yield from asyncio.run(_tried(place, masked(url)))
    yield from asyncio.run(_waiting(url))


def _password(url: str) -> Iterator[Finding]:
    try:
        inside = urlsplit(url).password
    except ValueError:
        return  # told by whoever opens it
    if inside and not os.environ.get("CHANNELCODER_STORAGE"):
        fix = f"Take it out, and set {PASSWORD_VARIABLE}."
        yield Finding("storage", "note", f"its password stands in {config_file()} or an editor's settings.", fix)


async def _tried(place: Any, where: str) -> list[Finding]:
    try:
        with fail_after(SECONDS):
            known = len(await place.list())
            try:
                await _written(place)
            except StorageUnreachableError:
                raise
            except ChannelCoderError as problem:
                fix = "Let your user change what is there; docs/storage.md has the rights that it needs."
                return [Finding("storage", "broken", f"{where} can be read, not written: {problem.message}", fix)]
            found = [Finding("storage", "ok", f"{where} can be read and written; it has {known} sessions")]
            return [*found, *_clocks(await place.clock())]
    except TimeoutError:
        fix = "Look whether it is overloaded, and at the network between."
        return [Finding("storage", "broken", f"{where} was not done in {SECONDS:.0f} seconds.", fix)]
    except StorageUnreachableError as problem:
        fix = f"Start it, or correct the setting `storage` or {PASSWORD_VARIABLE}. What is said is kept here meanwhile."
        return [Finding("storage", "broken", problem.message, fix)]
    except ChannelCoderError as problem:
        return [Finding("storage", "broken", problem.message, "See docs/storage.md for what it needs.")]
    finally:
        await place.close()


async def _written(place: Any) -> None:
    """Make a session, record in it, read it back and remove it."""
    name = f"doctor-{uuid4().hex[:8]}"
    journal = await place.create(SessionState(), name)
    try:
        await journal.append(ModelChosen(model="doctor"))
        await place.load(name)
    finally:
        await journal.close()
        await place.delete(name)


def _clocks(theirs: float | None) -> Iterator[Finding]:
    if theirs is not None and abs(apart := theirs - time.time()) > _CLOCKS_SECONDS:
        detail = f"its clock is {abs(apart):.0f} seconds {'ahead of' if apart > 0 else 'behind'} this machine's."
        yield Finding("storage", "note", detail, "Have both set by NTP: the times of sessions and turns are off.")


async def _waiting(url: str) -> list[Finding]:
    """What waits to be delivered there; that it can't be read is a finding, too."""
    folder = outbox_folder(url, state_folder() / "outbox")
    if not (folder / "outbox.db").is_file():
        return []
    try:
        records, oldest = await _counted(folder)
    except ChannelCoderError as problem:
        return [Finding("outbox", "broken", problem.message)]
    if not records:
        return []
    minutes = max(0, round((time.time() - oldest) / 60))
    counted = "1 record waits to be delivered, for" if records == 1 else f"{records} records wait, the oldest for"
    detail = f"{counted} {minutes} minutes."
    fix = "They are when the place can be reached, by an editor or any `channelcoder` command."
    return [Finding("outbox", "note", detail, fix)]


async def _counted(folder: Path) -> tuple[int, float]:
    """How many records wait, and since when."""
    from channelcoder_lsp.storage.shared.drawer import Drawer  # noqa: PLC0415 - only when there is one

    drawer = Drawer(folder)
    try:
        texts = [line.text for each in await drawer.waiting() for line in each.lines]
    finally:
        await drawer.close()
    times = [parse_record(text).at.timestamp() for text in texts]
    return len(texts), min(times, default=time.time())
