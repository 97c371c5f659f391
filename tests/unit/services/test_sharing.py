"""The active session of a project, on several machines that keep their sessions on one server."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from channelcoder_lsp.domain.errors import RepositoryError, StorageUnreachableError
from channelcoder_lsp.services.checkouts import Checkout, Checkouts
from channelcoder_lsp.services.sharing import share_active
from channelcoder_lsp.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path


@dataclass
class Server:
    """What all machines are told."""

    chosen: dict[str, str] = field(default_factory=dict)
    away: bool = False

    async def active(self, project: str) -> str | None:
        if self.away:
            raise StorageUnreachableError("It is away.")
        return self.chosen.get(project)

    async def choose(self, project: str, name: str) -> None:
        self.chosen[project] = name

    def when_chosen(self, tell: Any) -> None:
        raise NotImplementedError


class Machine:
    """A machine with a checkout of the project, which is trusted."""

    def __init__(self, server: Server, folder: Path) -> None:
        (folder / "shop").mkdir(parents=True)
        self.server = server
        self.checkouts = Checkouts(folder / "state")
        self.checkout = Checkout.of(folder / "shop")
        self.checkouts.set_trusted(self.checkout, trusted=True)
        self.name: str | None = "example.org/shop"
        self.settings = Settings()

    async def project(self) -> str | None:
        if self.name == "":
            raise RepositoryError("It is in no repository.")
        return self.name

    async def share(self) -> str | None:
        await share_active(self.checkout, self.checkouts, self.server, self.settings, lambda: self)
        return self.active

    @property
    def active(self) -> str | None:
        return self.checkouts.active_session(self.checkout)

    def choose(self, name: str | None) -> None:
        self.checkouts.set_active_session(self.checkout, name)


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def one(server: Server, tmp_path: Path) -> Machine:
    return Machine(server, tmp_path / "one")


@pytest.fixture
def other(server: Server, tmp_path: Path) -> Machine:
    return Machine(server, tmp_path / "other")


async def test_what_is_chosen_on_one_is_active_on_the_other(one: Machine, other: Machine):
    """There and back; a folder without a session gets it, too."""
    one.choose("first")
    assert await one.share() == "first"
    assert await other.share() == "first"
    other.choose("second")
    assert await other.share() == "second"
    assert await one.share() == "second"


async def test_a_session_from_before_is_the_projects_where_none_was_chosen(one: Machine, other: Machine):
    """Of two, that of the machine that came first; on the other one its own is still in the list."""
    one.choose("mine")
    other.choose("theirs")
    assert await one.share() == "mine"
    assert await other.share() == "mine"
    assert await one.share() == "mine"


async def test_of_two_choices_the_one_that_was_told_first_counts(one: Machine, other: Machine):
    """And both end at the same one, however often they look."""
    one.choose("first")
    await one.share()
    await other.share()
    one.choose("here")
    other.choose("there")
    assert await other.share() == "there"
    assert [await one.share(), await other.share(), await one.share()] == ["there"] * 3


async def test_what_was_chosen_while_the_server_was_away_is_told_later(one: Machine, other: Machine, server: Server):
    one.choose("first")
    await one.share()
    server.away = True
    one.choose("second")
    assert await one.share() == "second"
    server.away = False
    assert await one.share() == "second"
    assert await other.share() == "second"


async def test_a_session_that_is_gone_here_is_not_taken_up_again(one: Machine, other: Machine, server: Server):
    """Nor is that the others' business, until there is a new one."""
    one.choose("first")
    await one.share()
    one.choose(None)
    assert await one.share() is None
    assert server.chosen == {"example.org/shop": "first"}
    one.choose("second")
    await one.share()
    assert await other.share() == "second"


async def test_a_server_that_forgot_is_told_again(one: Machine, server: Server):
    """Where sessions are kept for a time, or after it was set up anew."""
    one.choose("first")
    await one.share()
    server.chosen.clear()
    await one.share()
    assert server.chosen == {"example.org/shop": "first"}


@pytest.mark.parametrize("why", ["trust", "setting", "name", "repository", "server"])
async def test_otherwise_a_folder_has_its_own(one: Machine, server: Server, why: str):
    """A folder that isn't trusted could say that it is of any project; a setting keeps checkouts apart."""
    server.chosen["example.org/shop"] = "theirs"
    one.choose("mine")
    match why:
        case "trust":
            one.checkouts.set_trusted(one.checkout, trusted=False)
        case "setting":
            one.settings = Settings(share_session=False)
        case "name":
            one.name = None
        case "repository":
            one.name = ""
        case _:
            one.server = None  # type: ignore[assignment]
    assert await one.share() == "mine"
    assert server.chosen == {"example.org/shop": "theirs"}


async def test_processes_of_one_machine_do_it_one_after_the_other(one: Machine, server: Server):
    """What is chosen while another one tells an earlier choice is not taken back by it."""
    telling, told = asyncio.Event(), asyncio.Event()
    choose = server.choose

    async def slowly(project: str, name: str) -> None:
        await choose(project, name)
        telling.set()
        await told.wait()

    one.choose("first")
    server.choose = slowly  # type: ignore[method-assign]
    first = asyncio.create_task(one.share())
    await telling.wait()
    one.choose("second")
    second = asyncio.create_task(one.share())
    server.choose = choose  # type: ignore[method-assign]
    await asyncio.sleep(0)
    told.set()
    await asyncio.wait({first, second})
    assert one.active == "second"
    assert server.chosen == {"example.org/shop": "second"}
