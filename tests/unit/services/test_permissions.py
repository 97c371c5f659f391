"""A person is asked before Claude uses a tool; no answer means no."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import pytest

from channelcoder_lsp.domain.permission import Decision, Permission
from channelcoder_lsp.domain.turn import Turn
from channelcoder_lsp.services.permissions import DETAIL_CHARS, SessionPermissions, Use

from .desk import soon


@dataclass
class Person:
    """Answers with ``decision``, once ``free`` is set."""

    decision: Decision | None = Decision.ONCE
    free: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[tuple[str, str]] = field(default_factory=list)
    looking: asyncio.Event = field(default_factory=asyncio.Event)
    """Set while something is shown to them."""
    withdrawn: int = 0

    async def __call__(self, _turn: Turn, tool: str, detail: str) -> Decision | None:
        self.asked.append((tool, detail))
        self.looking.set()
        try:
            await self.free.wait()
        except asyncio.CancelledError:
            self.withdrawn += 1
            raise
        finally:
            self.looking.clear()
        return self.decision


@pytest.fixture
def person() -> Person:
    person = Person()
    person.free.set()
    return person


@dataclass
class Session:
    """A session's permissions with a turn under way."""

    person: Person
    seconds: float = 60.0
    said: list[str] = field(default_factory=list)
    turn: Turn = field(default_factory=lambda: Turn(question="Why?"))

    def __post_init__(self) -> None:
        self.permissions = SessionPermissions(self.person, lambda: self.seconds, lambda _, said: self.said.append(said))
        self.permissions.begin(self.turn)

    async def decide(self, tool: str = "Bash", detail: str = "make") -> Permission:
        return await soon(self.permissions.decide(tool, detail))


@pytest.fixture
def session(person: Person) -> Session:
    return Session(person)


class TestDeciding:
    @pytest.mark.parametrize("decision", list(Decision))
    async def test_what_the_person_says_holds(self, session: Session, person: Person, decision: Decision):
        """And it is known of the turn."""
        person.decision = decision
        permission = await session.decide()
        assert (permission.tool, permission.detail, permission.decision) == ("Bash", "make", decision)
        assert session.permissions.decided(session.turn.id) == [permission]
        assert person.asked == [("Bash", "make")]

    async def test_a_message_that_is_dismissed_denies(self, session: Session, person: Person):
        person.decision = None
        permission = await session.decide()
        assert permission.decision is Decision.DENY
        assert "dismissed" in (permission.reason or "")

    async def test_no_answer_in_time_denies_and_withdraws_the_question(self, session: Session, person: Person):
        person.free.clear()
        session.seconds = 0.01
        permission = await session.decide()
        assert permission.decision is Decision.DENY
        assert "nobody answered" in (permission.reason or "")
        assert person.withdrawn == 1

    async def test_a_question_that_is_cancelled_is_withdrawn_and_recorded_as_denied(
        self, session: Session, person: Person
    ):
        person.free.clear()
        asking = asyncio.create_task(session.decide())
        await soon(person.looking.wait())
        asking.cancel()
        await asyncio.wait([asking])
        assert asking.cancelled()
        assert person.withdrawn == 1
        [permission] = session.permissions.decided(session.turn.id)
        assert (permission.decision, permission.reason) == (Decision.DENY, "the question was cancelled")

    async def test_without_a_question_under_way_nobody_is_asked(self, person: Person):
        permissions = SessionPermissions(person, lambda: 60.0)
        assert (await permissions.decide("Bash", "make")).decision is Decision.DENY
        assert person.asked == []

    async def test_what_is_kept_of_a_long_command_is_bounded(self, session: Session, person: Person):
        """The person is shown all of it."""
        permission = await session.decide(detail="x" * (DETAIL_CHARS + 1))
        assert len(permission.detail) == DETAIL_CHARS
        assert len(person.asked[0][1]) == DETAIL_CHARS + 1


class TestOneAtATime:
    async def test_uses_of_one_turn_are_put_before_the_person_one_after_the_other(
        self, session: Session, person: Person
    ):
        person.free.clear()
        both = [asyncio.create_task(session.decide(detail=command)) for command in ("make", "make test")]
        await soon(person.looking.wait())
        assert person.asked == [("Bash", "make")]
        person.free.set()
        await soon(asyncio.gather(*both))
        assert person.asked == [("Bash", "make"), ("Bash", "make test")]

    async def test_sessions_do_not_wait_for_each_other(self, person: Person):
        person.free.clear()
        one, other = Session(person), Session(Person(free=asyncio.Event()))
        asking = [asyncio.create_task(each.decide()) for each in (one, other)]
        await soon(person.looking.wait())
        await soon(other.person.looking.wait())
        other.person.free.set()
        assert (await soon(asking[1])).decision is Decision.ONCE
        assert not asking[0].done()
        person.free.set()
        await soon(asking[0])

    async def test_a_use_that_waited_behind_a_turn_that_is_over_is_denied(self, session: Session, person: Person):
        """It isn't put before the person as if the next question had led to it."""
        person.free.clear()
        both = [asyncio.create_task(session.decide(detail=command)) for command in ("make", "make test")]
        await soon(person.looking.wait())
        later = Turn(question="And now?")
        session.permissions.begin(later)
        person.free.set()
        decided = await soon(asyncio.gather(*both))
        assert person.asked == [("Bash", "make")]
        assert decided[1].decision is Decision.DENY
        assert session.permissions.decided(later.id) == []


class TestForTheSession:
    async def test_the_same_use_is_not_asked_for_again(self, session: Session, person: Person):
        """It is recorded all the same, in the turn that did it."""
        person.decision = Decision.SESSION
        await session.decide()
        later = Turn(question="And now?")
        session.permissions.begin(later)
        permission = await session.decide()
        assert person.asked == [("Bash", "make")]
        assert permission.decision is Decision.SESSION
        assert permission.reason == "it was allowed for the session before"
        assert session.permissions.decided(later.id) == [permission]
        assert session.permissions.decided(session.turn.id) == []

    async def test_allowed_once_is_asked_for_again(self, session: Session, person: Person):
        await session.decide()
        await session.decide()
        assert len(person.asked) == 2

    async def test_another_session_asks_for_itself(self, session: Session, person: Person):
        person.decision = Decision.SESSION
        await session.decide()
        await Session(person).decide()
        assert len(person.asked) == 2

    @pytest.mark.parametrize(
        ("tool", "allowed", "also"),
        [
            ("Bash", "make", "make"),
            ("WebSearch", '{"query": "a"}', '{"query": "b"}'),
            ("WebFetch", "https://docs.example/a⏎\nWhat?", "https://docs.example/b?c=d⏎\nAnd?"),
            ("WebFetch", "https://Docs.Example:8080/a", "https://docs.example:8080/b"),
        ],
    )
    async def test_covers_what_is_alike(self, session: Session, person: Person, tool: str, allowed: str, also: str):
        """A host's addresses; any search."""
        person.decision = Decision.SESSION
        await session.decide(tool, allowed)
        await session.decide(tool, also)
        assert len(person.asked) == 1

    @pytest.mark.parametrize(
        ("tool", "allowed", "other"),
        [
            ("Bash", "make", "make clean"),
            ("Bash", "make", "make "),
            ("Bash", "https://docs.example/a", "https://docs.example/b"),
            ("Unknown", '{"a": 1}', '{"a": 2}'),
            ("WebFetch", "https://docs.example/", "https://docs.example.evil.example/"),
            ("WebFetch", "https://docs.example/", "http://docs.example/"),
            ("WebFetch", "https://docs.example/", "https://docs.example:8443/"),
            ("WebFetch", "https://docs.example/", "https://docs.example@evil.example/"),
            ("WebFetch", "https://docs.example/", "https://evil.example\\@docs.example/"),
            ("WebFetch", "https://docs.example/", "https://docs.example⏎\n.evil.example/"),
            ("WebFetch", "https://docs.example/", "https://docs.example\n.evil.example/"),
        ],
    )
    async def test_covers_nothing_else(self, session: Session, person: Person, tool: str, allowed: str, other: str):
        """Above all: one command that was allowed allows no other."""
        person.decision = Decision.SESSION
        await session.decide(tool, allowed)
        await session.decide(tool, other)
        assert len(person.asked) == 2

    def test_an_address_that_is_read_in_several_ways_has_no_host(self):
        assert Use("WebFetch", "https://docs.example/a").host == "https://docs.example"
        assert Use("WebFetch", "https://evil.example\\@docs.example/").host is None


class TestStatus:
    async def test_progress_says_what_is_waited_for_and_what_came_of_it(self, session: Session, person: Person):
        await session.decide(detail="make \n  all")
        person.decision = Decision.DENY
        await session.decide(detail="x" * 500)
        assert session.said[:2] == ["waiting for your permission: Bash make all", "allowed: Bash make all"]
        assert session.said[3].startswith("denied: Bash xxx")
        assert max(map(len, session.said)) < 120

    async def test_what_was_allowed_before_is_not_waited_for(self, session: Session, person: Person):
        person.decision = Decision.SESSION
        await session.decide()
        told = len(session.said)
        await session.decide()
        assert len(session.said) == told
