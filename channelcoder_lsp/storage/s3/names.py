"""Which name belongs to which session: one object, changed in one step."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, ValidationError

from channelcoder_lsp.domain.errors import StorageError
from channelcoder_lsp.storage.s3 import paths
from channelcoder_lsp.storage.s3.card import FORMAT, refuse_newer_format

if TYPE_CHECKING:
    from collections.abc import Mapping

    from channelcoder_lsp.storage.s3.bucket import Bucket, Found

_PAUSE_SECONDS = 0.1


class _Names(BaseModel):
    model_config = ConfigDict(frozen=True)

    format: int = FORMAT
    token: str
    """Another one each time: what was put off by a look at the names as they were can't be done any more."""
    names: dict[str, str]


@dataclass(frozen=True)
class Seen:
    """The names at one moment."""

    names: Mapping[str, str]
    """Each name's key."""
    found: Found | None
    """What they were read from."""


class Names:
    """The names of one tenant. What stands there holds only if the session's card says so, too."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._seen = Seen({}, None)

    async def read(self) -> Seen:
        """The names as they are now."""
        seen = self._seen
        found = await self._bucket.get(paths.NAMES, unless=seen.found)
        if found is None:
            seen = Seen({}, None)
        elif found is not seen.found:
            try:
                read = _Names.model_validate_json(found.data)
            except ValidationError as error:
                refuse_newer_format(found.data)
                raise StorageError(
                    f"The names of the sessions at {self._bucket.address} can't be read. Restore the object "
                    f"{paths.NAMES!r} of that folder from a backup."
                ) from error
            seen = Seen(read.names, found)
        self._seen = seen
        return seen

    async def give(self, seen: Seen, name: str, key: str) -> bool:
        """Give a name to a session; whether the names were still as they were seen.

        They are written also if the name is the session's already.
        """
        return await self._write(seen, {**seen.names, name: key})

    async def drop(self, name: str, key: str) -> None:
        """Take a name from a session, if it is that one's."""
        lost = 0
        while (seen := await self.read()).names.get(name) == key:
            if await self._write(seen, {each: whose for each, whose in seen.names.items() if each != name}):
                return
            lost += 1
            await self.collided(lost)

    async def collided(self, lost: int) -> None:
        """Wait a moment, so that those who wrote at once don't do so again.

        Args:
            lost: how often others were faster by now.

        Raises:
            StorageUnreachableError: so often that something must be wrong.
        """
        self._bucket.expect_an_end(lost)
        await asyncio.sleep(random.uniform(0, _PAUSE_SECONDS))  # noqa: S311 - nothing to keep secret

    async def _write(self, seen: Seen, names: Mapping[str, str]) -> bool:
        new = _Names(token=uuid4().hex, names=dict(names))
        data = new.model_dump_json().encode()
        tag = await self._bucket.put_if(paths.NAMES, data, seen.found.e_tag if seen.found else None)
        if tag is None:
            now = await self._bucket.get(paths.NAMES)
            return now is not None and now.data == data  # written, and the answer lost
        if seen.found is None:
            await self._expect_conditions(data)
        return True

    async def _expect_conditions(self, data: bytes) -> None:
        """See, where the first session is made, whether the server keeps to conditions at all: some ignore them."""
        created = await self._bucket.put_if(paths.NAMES, data, None)
        changed = await self._bucket.put_if(paths.NAMES, data, f'"{uuid4().hex}"')
        if created is not None or changed is not None:
            await self._bucket.delete([paths.NAMES])
            raise StorageError(
                f"The server of the bucket at {self._bucket.address} ignores If-None-Match and If-Match, so sessions "
                "would be lost there when two machines write. Use a server that has conditional writes."
            )
