"""workspace/executeCommand: what can be done to sessions."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

from channelcoder_lsp import protocol
from channelcoder_lsp.domain.errors import ArgumentsError, SessionNotFoundError
from channelcoder_lsp.domain.model import iso
from channelcoder_lsp.features import shown
from channelcoder_lsp.services import archive
from channelcoder_lsp.services.safe_text import plain_text

if TYPE_CHECKING:
    from channelcoder_lsp.features.face import Face

_EXCERPT_CHARS = 400


async def new(face: Face, arguments: protocol.SessionArguments) -> protocol.SessionNamed:
    """``channelcoder.session.new``."""
    project = face.projects.of_folder(arguments.folder)
    session = await project.new_session(arguments.name)
    return protocol.SessionNamed(session.name, str(project.checkout.root))


async def list_(face: Face, arguments: protocol.FolderArguments) -> protocol.SessionRows:
    """``channelcoder.session.list``."""
    project = face.projects.of_folder(arguments.folder)
    active = face.projects.checkouts.active_session(project.checkout)
    return protocol.SessionRows(
        [
            protocol.SessionRow(
                name=info.name,
                path=info.path,
                created=iso(info.created),
                last_active=iso(info.last_active),
                message_count=info.message_count,
                cost_usd=info.cost_usd,
                first_question=info.first_question,
                checkout=info.checkout,
                active=info.name == active,
            )
            for info in await face.projects.list_sessions(project)
        ]
    )


async def switch(face: Face, arguments: protocol.NamedSessionArguments) -> protocol.SessionNamed:
    """``channelcoder.session.switch``."""
    project = face.projects.of_folder(arguments.folder)
    session = await project.switch(arguments.name)
    return protocol.SessionNamed(session.name, str(project.checkout.root))


async def rename(face: Face, arguments: protocol.RenameArguments) -> protocol.Done:
    """``channelcoder.session.rename``."""
    await face.projects.rename_session(arguments.name, arguments.new_name)
    return protocol.Done(arguments.new_name)


async def remove(face: Face, arguments: protocol.NamedSessionArguments) -> protocol.Done:
    """``channelcoder.session.remove``."""
    open_in = [each.checkout.root for each in face.projects if each.session and each.session.name == arguments.name]
    await face.projects.remove_session(arguments.name)
    face.client.refresh()
    face.client.notify_changed({"folders": [str(root) for root in open_in]})
    return protocol.Done(arguments.name)


async def clear(face: Face, arguments: protocol.FolderArguments) -> protocol.Done:
    """``channelcoder.session.clear``."""
    session = await face.projects.of_folder(arguments.folder).resume()
    if session is None:
        raise SessionNotFoundError("the folder's active session")
    await session.clear()
    return protocol.Done(session.name)


async def save(face: Face, arguments: protocol.SessionArguments) -> protocol.SessionSaved:
    """``channelcoder.session.save``."""
    project = face.projects.of_folder(arguments.folder)
    session = await project.session_to_ask_in()
    if arguments.name is not None and arguments.name != session.name:
        await face.projects.rename_session(session.name, arguments.name)
        session = await project.session_to_ask_in()
    path = await session.save()
    return protocol.SessionSaved(session.name, path)


async def fork(face: Face, arguments: protocol.ForkArguments) -> protocol.SessionNamed:
    """``channelcoder.session.fork``."""
    project = face.projects.of_folder(arguments.folder)
    active = await project.resume()
    name = arguments.name or (active.name if active is not None else None)
    if name is None:
        raise SessionNotFoundError("the folder's active session")
    for each in face.projects:
        if each.session is not None and each.session.name == name:
            await each.placed.record(each.session)
            await each.session.save()
    await archive.fork(face.projects.storage, name, arguments.new_name)
    copy = await project.switch(arguments.new_name)
    return protocol.SessionNamed(copy.name, str(project.checkout.root))


async def compact(face: Face, arguments: protocol.FolderArguments) -> protocol.Asked:
    """``channelcoder.session.compact``."""
    session = await face.projects.of_folder(arguments.folder).resume()
    if session is None:
        raise SessionNotFoundError("the folder's active session")
    turn = await session.compact()
    return protocol.Asked(turn.id, None, session.name)


async def limit(face: Face, arguments: protocol.LimitArguments) -> protocol.SpendingLimit:
    """``channelcoder.session.limit``."""
    session = await face.projects.of_folder(arguments.folder).session_to_ask_in()
    await session.limit_spending(arguments.usd)
    ledger = session.head.channelcoder
    return protocol.SpendingLimit(session.name, ledger.limit_usd, ledger.totals.cost_usd)


async def search(face: Face, arguments: protocol.SearchArguments) -> protocol.SearchHits:
    """``channelcoder.session.search``."""
    if not arguments.text.strip():
        raise ArgumentsError("text: there is nothing to look for. Give some text.")
    hits: list[protocol.SearchHit] = []
    async with aclosing(archive.search(face.projects.storage, arguments.text)) as found:
        async for hit in found:
            message = hit.message
            excerpt = plain_text(hit.excerpt, max_chars=_EXCERPT_CHARS)
            hits.append(
                protocol.SearchHit(hit.session, message.role, message.timestamp.isoformat(), message.turn_id, excerpt)
            )
            if len(hits) >= arguments.limit:
                break
    return protocol.SearchHits(hits)


async def export(face: Face, arguments: protocol.ExportArguments) -> protocol.Exported:
    """``channelcoder.session.export``."""
    name = arguments.name
    if name is None:
        session = await face.projects.of_folder(arguments.folder).resume()
        if session is None:
            raise SessionNotFoundError("the folder's active session")
        name = session.name
    return protocol.Exported(name, archive.export(await face.projects.storage.load(name), arguments.form))


async def show(face: Face, arguments: protocol.SessionArguments) -> protocol.Shown:
    """``channelcoder.session.show``."""
    project = face.projects.of_folder(arguments.folder)
    session = await project.resume()
    if session is not None and arguments.name in (None, session.name):
        return await shown.show_transcript(face, session.name, await session.state())
    if arguments.name is None:
        raise SessionNotFoundError("the folder's active session")
    return await shown.show_transcript(face, arguments.name, await face.projects.storage.load(arguments.name))
