"""The back end port on a bucket.

A bucket changes one object in one step, if that is as it was read (``If-Match``) or not there (``If-None-Match``); it
has no step over two. So each session has one object, its *card*, that decides: how far the session is, its lease, its
row, which other objects are its base and head, and its last records themselves. An append is one conditional write of
the card. When the records in a card come to some 32 KiB, the next append moves them to an object of their own first;
so neither the card nor the cost of an append grows with the history.

A key is given to one session only and never again; so are the paths of bases and heads, which have a random part. What
is written before the card speaks of it harms nobody, and what the card speaks of no more can be removed by anybody at
any time: no removal can hit something that was put there since. What happens when a process dies between two steps:

- *create*: base and head, the card, the name. Before the name is there, nobody finds the session; the next sweep gives
  it its name, if that is free.
- *append*: the records that were moved, then the card. They are in both for a while, and who moves them anew writes the
  same: a card's tail that is full stays as it is until it is moved.
- *replace*, *keep_head*: the new objects, the card, then the removal of the old ones. What is left over goes when the
  session is folded an hour later.
- *rename*: the new name, the card, the removal of the old name. A name counts only if the card says it, too. Who takes
  a name from somebody who died, or stopped, after the first step writes that one's card anew before, so that the second
  step fails; and who makes the first step again writes the names anew, so that the taking fails.
- *delete*: the card is marked, which ends the session for everybody; then the name, the row, the data, the card. Who
  comes across a marked card does the rest.
- What was on its way while its session was removed (a text, a base, moved records) is removed by who sent it, or, if
  that one died, by the sweep at a later removal.

An answer that is lost leaves open whether a write came through. Each write has a token, so the next look tells.

Who reads takes the card first. If another object that it speaks of is not there, the card has changed meanwhile, and is
read anew.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar
from uuid import uuid4

from channelcoder_lsp.domain.errors import (
    LeaseLostError,
    SessionCorruptError,
    SessionExistsError,
    SessionNotFoundError,
)
from channelcoder_lsp.storage.s3 import paths
from channelcoder_lsp.storage.s3.card import Card, Entry, without
from channelcoder_lsp.storage.s3.cards import Cards
from channelcoder_lsp.storage.s3.leases import Leases
from channelcoder_lsp.storage.s3.listing import Listing
from channelcoder_lsp.storage.s3.names import Names
from channelcoder_lsp.storage.s3.records import Records, VanishedError
from channelcoder_lsp.storage.s3.removing import LEFT_BEHIND, Removing
from channelcoder_lsp.storage.s3.watching import Bell, Watch
from channelcoder_lsp.storage.shared.backend import Backend, Handle, Line, Mark, Stored, Whole

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Sequence

    from channelcoder_lsp.domain.session import SessionInfo
    from channelcoder_lsp.storage.s3.bucket import Bucket

T = TypeVar("T")

_LOOKS = 10
"""How often a card is read anew because something that it spoke of had gone; then it was never there."""


class BucketBackend(Backend):
    """The port :class:`channelcoder_lsp.storage.shared.backend.Backend` on a bucket.

    Args:
        bucket: the tenant's folder of it.
        retention: seconds after which a session is removed that nobody changed; None: never.
    """

    def __init__(self, bucket: Bucket, *, retention: float | None = None) -> None:
        self._bucket = bucket
        self._bell = Bell(bucket)
        self._cards = Cards(bucket, self._bell.ring)
        self._names = Names(bucket)
        self._records = Records(bucket)
        self._leases = Leases()
        self._listing = Listing(bucket, self._names, self._cards)
        self._removing = Removing(bucket, self._names, self._cards, self._listing, retention)

    @property
    def address(self) -> str:
        """Where the bucket is, without credentials."""
        return self._bucket.address

    # Sessions

    async def create(self, handle: Handle, whole: Whole) -> None:
        """Store a new session."""
        if await self.find(handle.name) is not None:
            raise SessionExistsError(handle.name)
        base, head = await self._put_texts(handle, whole)
        card = Card(
            token=uuid4().hex,
            key=handle.key,
            name=handle.name,
            generation=0,
            seq=whole.seq,
            row=whole.info,
            base=base,
            base_seq=whole.seq,
            head=head,
            head_seq=whole.seq,
            moved=whole.seq,
        )
        if not await self._cards.make(card):
            there = await self._cards.read(handle.key)
            if there is None or there.card.token != card.token:  # not the write whose answer was lost
                await self._bucket.delete([base, head])
            if there is None or there.card.gone or there.card.name != handle.name:
                raise SessionExistsError(handle.name)
        if not await self._take(handle.name, handle.key):
            await self._removing.end(handle)
            raise SessionExistsError(handle.name)
        self._bell.ring()

    async def find(self, name: str) -> Handle | None:
        """The session of that name."""
        await self._remove_old()
        key = (await self._names.read()).names.get(name)
        known = await self._cards.read(key) if key is not None else None
        if known is None or known.card.gone or known.card.name != name:
            return None
        return Handle(name, known.card.key)

    async def rows(self) -> list[SessionInfo]:
        """The rows of all sessions."""
        await self._remove_old()
        return await self._listing.rows()

    async def replace(self, handle: Handle, whole: Whole) -> None:
        """Store the session anew."""
        base, head = await self._put_texts(handle, whole)

        async def anew(card: Card) -> dict[str, Any]:
            return {
                "generation": card.generation + 1,
                "seq": whole.seq,
                "row": whole.info,
                "base": base,
                "base_seq": whole.seq,
                "head": head,
                "head_seq": whole.seq,
                "moved": whole.seq,
                "tail": (),
            }

        try:
            changed = await self._cards.change(handle, anew)
        except SessionNotFoundError:
            await self._bucket.delete([base, head])
            raise
        if changed is not None:
            before, _ = changed
            old = await self._bucket.list(paths.records(handle.key, before.generation))
            await self._bucket.delete([before.base, before.head, *(each.path for each in old)])

    async def rename(self, handle: Handle, name: str) -> None:
        """Give the session another name."""
        lost = 0
        while True:
            known = await self._cards.read(handle.key)
            if known is None or known.card.gone or known.card.name != handle.name:
                raise SessionNotFoundError(handle.name)
            if not await self._take(name, handle.key):
                raise SessionExistsError(name)
            row = known.card.row.model_copy(update={"name": name})
            if await self._cards.write(known, name=name, row=row):
                break
            lost += 1
            await self._names.collided(lost)
        await self._names.drop(handle.name, handle.key)
        self._bell.ring()

    async def delete(self, handle: Handle) -> None:
        """Remove the session and all that belongs to it."""
        await self._removing.end(handle)
        await self._removing.sweep()
        self._bell.ring()

    # Reading

    async def head(self, handle: Handle) -> Stored:
        """The head that was kept last, and the records after it."""
        return await self._consistent(
            handle, lambda card: self._stored(card, card.head, Mark(card.generation, card.head_seq))
        )

    async def whole(self, handle: Handle) -> Stored:
        """The base, and all records."""
        return await self._consistent(
            handle, lambda card: self._stored(card, card.base, Mark(card.generation, card.base_seq))
        )

    async def since(self, handle: Handle, mark: Mark) -> Sequence[Line] | None:
        """The records after a mark."""

        async def lines(card: Card) -> Sequence[Line] | None:
            return await self._records.after(card, mark.seq) if card.generation == mark.generation else None

        return await self._consistent(handle, lines)

    # Recording

    async def append(
        self, handle: Handle, mark: Mark, lines: Sequence[Line], info: SessionInfo, fence: int
    ) -> Mark | None:
        """Add records after ``mark``."""
        moved: dict[Mark, str] = {}
        texts = tuple((line.seq, line.text) for line in lines)
        token = uuid4().hex

        async def added(card: Card) -> dict[str, Any] | None:
            if fence and card.fence != fence:
                raise LeaseLostError(handle.name)
            at = Mark(card.generation, card.seq)
            if at != mark:
                return None
            kept, moved_to = card.tail, card.moved
            if card.full:
                if at not in moved:
                    moved[at] = ""
                    moved[at] = await self._records.move(card)
                kept, moved_to = (), card.seq
            return {
                "seq": lines[-1].seq,
                "row": info,
                "moved": moved_to,
                "tail": (*kept, Entry(token=token, lines=texts)),
            }

        async def came_through(card: Card, _card_token: str) -> bool:
            return card.generation == mark.generation and await self._records.has(card, mark.seq, token)

        try:
            changed = await self._cards.change(handle, added, came_through)
        except SessionNotFoundError:
            known = await self._cards.read(handle.key)
            if known is None or known.card.gone:
                await self._bucket.delete(filter(None, moved.values()))
            raise
        return Mark(mark.generation, lines[-1].seq) if changed is not None else None

    async def keep_head(self, handle: Handle, mark: Mark, head: str, drop: Sequence[int]) -> None:
        """Keep a head, unless a later one is kept."""
        path = paths.head(handle.key, uuid4().hex)
        await self._bucket.put(path, head.encode())
        unwanted = set(drop)

        async def kept(card: Card) -> dict[str, Any] | None:
            if card.generation != mark.generation:
                return None
            changes: dict[str, Any] = {}
            if card.head_seq < mark.seq:
                changes = {"head": path, "head_seq": mark.seq}
            # A full tail is being moved, maybe: it must stay as it is.
            if not card.full and any(seq in unwanted for entry in card.tail for seq, _ in entry.lines):
                changes["tail"] = without(card.tail, unwanted)
            return changes or None

        try:
            changed = await self._cards.change(handle, kept)
        except SessionNotFoundError:
            await self._bucket.delete([path])
            raise
        needless = path
        if changed is not None:
            before, after = changed
            needless = before.head if after.head == path else path
        await self._bucket.delete([needless])
        card = await self._cards.of(handle)
        if card.generation == mark.generation:
            await self._records.drop(card, drop)

    # The lease

    async def acquire(self, handle: Handle, holder: str, seconds: float) -> int | None:
        """The lease, as its fence; see :mod:`channelcoder_lsp.storage.s3.leases`."""

        async def taken(card: Card) -> dict[str, Any] | None:
            return self._leases.wanted(card, holder, seconds)

        changed = await self._cards.change(handle, taken)
        return changed[1].fence if changed is not None and changed[1].holder == holder else None

    async def renew(self, handle: Handle, fence: int, seconds: float) -> bool:
        """Hold a lease for longer."""

        async def renewed(card: Card) -> dict[str, Any] | None:
            return self._leases.renewed(card, fence, seconds)

        return await self._cards.change(handle, renewed) is not None

    async def release(self, handle: Handle, fence: int) -> None:
        """Let go of a lease."""

        async def released(card: Card) -> dict[str, Any] | None:
            return self._leases.released(card, fence)

        await self._cards.change(handle, released)

    async def give_up(self, handle: Handle, holder: str) -> None:
        """Ask for the lease no more."""

        async def given_up(card: Card) -> dict[str, Any] | None:
            return {"waiting": None} if card.waiting == holder else None

        await self._cards.change(handle, given_up)

    # Texts

    async def keep_content(self, handle: Handle, digest: str, data: bytes) -> None:
        """Keep some bytes under their digest; when they were written last is when they were wanted last."""
        path = paths.content(handle.key, digest)
        await self._bucket.put(path, data)
        try:
            await self._cards.of(handle)
        except SessionNotFoundError:
            known = await self._cards.read(handle.key)
            if known is None or known.card.gone:
                await self._bucket.delete([path])
            raise

    async def content(self, handle: Handle, digest: str) -> bytes | None:
        """What was kept."""
        found = await self._bucket.get(paths.content(handle.key, digest))
        return found.data if found is not None else None

    async def drop_contents(self, handle: Handle, keep: Collection[str], older_than: float) -> None:
        """Drop what nothing points at any more, and what somebody who died left behind.

        A text that is wanted again in the very moment in which it is dropped for its age is lost: who pointed at it
        goes without, as after a longer time.
        """
        card = await self._cards.of(handle)
        listed = await self._bucket.list(paths.data(handle.key))
        if not listed:
            return
        now = max(each.modified for each in listed)  # at least that, by the server's clock
        contents, current = paths.content(handle.key, ""), paths.records(handle.key, card.generation)
        unwanted = []
        for each in listed:
            if each.path.startswith(contents):
                wanted = each.path.removeprefix(contents) in keep
                age = timedelta(seconds=older_than)
            else:
                wanted = each.path in (card.base, card.head) or each.path.startswith(current)
                age = LEFT_BEHIND
            if not wanted and now - each.modified > age:
                unwanted.append(each.path)
        await self._bucket.delete(unwanted)

    async def watch(self) -> AsyncGenerator[str, None]:
        """The names of sessions that changed."""
        async with aclosing(Watch(self._bucket, self._names, self._cards).changes()) as names:
            async for name in names:
                yield name

    async def close(self) -> None:
        """Have told what is to be told."""
        await self._bell.rung()

    async def _put_texts(self, handle: Handle, whole: Whole) -> tuple[str, str]:
        token = uuid4().hex
        base, head = paths.base(handle.key, token), paths.head(handle.key, token)
        await asyncio.gather(self._bucket.put(base, whole.base.encode()), self._bucket.put(head, whole.head.encode()))
        return base, head

    async def _take(self, name: str, key: str) -> bool:
        """Give a name to a session; whether it was free, or that one's."""
        lost = 0
        while True:
            seen = await self._names.read()
            holder = seen.names.get(name)
            known = await self._cards.read(holder) if holder not in (None, key) else None
            if known is not None and known.card.gone:
                await self._removing.finish(known.card.key, name)
            elif known is not None and known.card.name == name:
                return False
            # The card is written anew, so that whoever was about to take the name can't.
            elif (known is None or await self._cards.write(known)) and await self._names.give(seen, name, key):
                return True
            lost += 1
            await self._names.collided(lost)

    async def _remove_old(self) -> None:
        if await self._removing.end_old():
            self._bell.ring()

    async def _consistent(self, handle: Handle, read: Callable[[Card], Awaitable[T]]) -> T:
        """Read what a card speaks of, and the card anew as long as something of that has gone."""
        for _ in range(_LOOKS):
            try:
                return await read(await self._cards.of(handle))
            except VanishedError:
                continue
        raise SessionCorruptError(
            f"A part of session {handle.name!r} is missing in the bucket at {self.address}. What is there was left as "
            "it is; go on in another session, and restore this one from a backup."
        )

    async def _stored(self, card: Card, path: str, mark: Mark) -> Stored:
        found, lines = await asyncio.gather(self._bucket.get(path), self._records.after(card, mark.seq))
        if found is None:
            raise VanishedError
        return Stored(found.data.decode(), mark, lines)
