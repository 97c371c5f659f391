"""Tools beyond those that read: there if the settings name them, and run only when a person allows it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field

import anyio
import pytest
from agent_bench import finished, heard, tool_results

from channelcoder_lsp.claude import ClaudeAgent
from channelcoder_lsp.domain.agent import ToolStarted
from channelcoder_lsp.domain.permission import Decision, Permission
from channelcoder_lsp.domain.turn import ToolUse as ToolUsed
from channelcoder_lsp.offline.script import ToolCall, ToolUse
from channelcoder_lsp.services.permissions import SessionPermissions

TOUCH = "touch made.txt"


@dataclass
class Person:
    """Someone who answers as they were told to, and keeps what they were shown."""

    decision: Decision | Exception = Decision.DENY
    reason: str | None = None
    asked: list[tuple[str, str]] = field(default_factory=list)

    async def decide(self, tool: str, detail: str) -> Permission:
        self.asked.append((tool, detail))
        if isinstance(self.decision, Exception):
            raise self.decision
        return Permission(tool=tool, detail=detail, decision=self.decision, reason=self.reason)


def bash(command: str, **more) -> ToolCall:
    return ToolCall(name="Bash", input={"command": command, "description": "Do no harm", **more})


async def results(bench, *calls: ToolCall, **request) -> list[str]:
    """What the model was told when it called for all of this at once."""
    [first, *also] = calls
    await bench.model.script(ToolUse(name=first.name, input=first.input, also=tuple(also)), "Done.")
    async with bench.connected(**{"trusted": True, "more_tools": ("Bash",), **request}) as connection:
        assert (await finished(connection, "Do it.")).answer == "Done."
    return tool_results((await bench.model.requests())[-1])


class TestConsent:
    @pytest.mark.parametrize("decision", [Decision.ONCE, Decision.SESSION])
    async def test_what_is_allowed_runs(self, bench, decision):
        person = Person(decision)
        await results(bench, bash(TOUCH), permissions=person)
        assert person.asked == [("Bash", TOUCH)]
        assert (bench.project / "made.txt").exists()

    async def test_what_is_denied_does_not(self, bench):
        """And Claude is told that it was, and why."""
        person = Person(Decision.DENY, "nobody answered in 5 seconds")
        [told] = await results(bench, bash(TOUCH), permissions=person)
        assert person.asked == [("Bash", TOUCH)]
        assert not (bench.project / "made.txt").exists()
        assert "Bash was not run: the user did not allow it (nobody answered in 5 seconds)." in told

    async def test_a_person_who_does_not_answer_denies(self, bench):
        """With the session's own rules: the time is over, and the turn goes on."""
        shown = []

        async def nobody(_turn, tool, detail):
            shown.append((tool, detail))
            await anyio.sleep_forever()

        permissions = SessionPermissions(nobody, lambda: 0.05)
        permissions.begin(object())
        [told] = await results(bench, bash(TOUCH), permissions=permissions)
        assert shown == [("Bash", TOUCH)]
        assert "nobody answered" in told
        assert not (bench.project / "made.txt").exists()

    async def test_asking_that_fails_denies(self, bench, caplog):
        [told] = await results(bench, bash(TOUCH), permissions=Person(RuntimeError("no window")))
        assert "the user could not be asked" in told
        assert "no window" not in told
        assert "no window" in caplog.text
        assert not (bench.project / "made.txt").exists()

    async def test_every_use_is_asked_for_what_the_cli_takes_for_harmless_too(self, bench):
        """Left to itself the CLI runs these without a word."""
        bench.file("notes.txt", "what the notes say")
        person = Person(Decision.DENY)
        commands = ["ls", "cat notes.txt", "git status", "echo hi", "pwd"]
        told = await results(bench, *map(bash, commands), permissions=person)
        assert [detail for _, detail in person.asked] == commands
        assert ["did not allow" in result for result in told] == [True] * len(commands)

    async def test_a_secret_file_that_a_command_names_is_not_even_asked_for(self, bench):
        bench.file(".env", "SECRET=1")
        person = Person(Decision.ONCE)
        [told] = await results(bench, bash("cat .env"), permissions=person)
        assert person.asked == []
        assert "SECRET" not in told

    async def test_a_web_page_is_fetched_only_after_consent(self, bench):
        """The person sees address and question; this needs no trust in the folder."""
        person = Person(Decision.DENY)
        url = f"{bench.model.url}/page"
        fetch = ToolCall(name="WebFetch", input={"url": url, "prompt": "What is it?"})
        [told] = await results(bench, fetch, permissions=person, more_tools=("WebFetch",), trusted=False)
        assert person.asked == [("WebFetch", f"{url}⏎\nWhat is it?")]
        assert "did not allow" in told

    async def test_what_can_not_be_shown_in_full_is_not_asked_for(self, bench):
        person = Person(Decision.ONCE)
        [told] = await results(bench, bash(f"{TOUCH} # {'x' * 5000}"), permissions=person)
        assert person.asked == []
        assert "can't be shown to the user in full" in told
        assert not (bench.project / "made.txt").exists()

    async def test_the_tool_is_told_as_every_other(self, bench):
        await bench.model.script(ToolUse(name="Bash", input=bash(TOUCH).input), "Done.")
        async with bench.connected(permissions=Person(), trusted=True, more_tools=("Bash",)) as connection:
            events = await heard(connection, "Do it.")
        assert [event for event in events if isinstance(event, ToolStarted)] == [
            ToolStarted(ToolUsed(name="Bash", detail=TOUCH))
        ]


class TestWhileThePersonThinks:
    @pytest.fixture
    def person(self):
        class Thinking:
            asked = asyncio.Event()
            given_up = asyncio.Event()

            async def decide(self, tool, detail):
                self.asked.set()
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    self.given_up.set()
                    raise

        return Thinking()

    async def test_an_interrupt_ends_the_turn_and_takes_the_question_back(self, bench, person):
        await bench.model.script(ToolUse(name="Bash", input=bash(TOUCH).input), "Done.")
        async with bench.connected(permissions=person, trusted=True, more_tools=("Bash",)) as connection:
            asking = asyncio.create_task(finished(connection, "Do it."))
            await person.asked.wait()
            await connection.interrupt()
            end = await asking
            assert (end.cancelled, end.error) == (True, None)
            await person.given_up.wait()
            assert (await finished(connection, "And now?")).error is None
        assert not (bench.project / "made.txt").exists()

    async def test_closing_the_connection_does_too(self, bench, person):
        await bench.model.script(ToolUse(name="Bash", input=bash(TOUCH).input), "Done.")
        async with bench.connected(permissions=person, trusted=True, more_tools=("Bash",)) as connection:
            asking = asyncio.create_task(finished(connection, "Do it."))
            await person.asked.wait()
        assert (await asking).cancelled
        await person.given_up.wait()
        assert not (bench.project / "made.txt").exists()


class TestWhichThereAre:
    async def offered(self, bench, **request) -> set[str]:
        async with bench.connected(**{"permissions": Person(), "trusted": True, **request}) as connection:
            await finished(connection, "Why?")
        [asked] = await bench.model.requests()
        return set(asked.tool_names) - {"Read", "Grep", "Glob", "DeferredToolPlaceholder"}

    async def test_none_but_those_the_settings_name(self, bench):
        assert await self.offered(bench) == set()

    async def test_those_the_settings_name(self, bench):
        assert await self.offered(bench, more_tools=("Bash", "WebFetch")) == {"Bash", "WebFetch"}

    async def test_never_one_that_writes(self, bench, caplog):
        wanted = ("Edit", "Write", "MultiEdit", "NotebookEdit", "Bash")
        assert await self.offered(bench, more_tools=wanted) == {"Bash"}
        assert "'Write' of channelcoder.tools was left out: edits are proposed" in caplog.text

    async def test_in_a_folder_that_is_not_trusted_none_that_could_run_its_programs(self, bench, caplog):
        wanted = ("Bash", "WebFetch", "Skill", "Agent")
        assert await self.offered(bench, more_tools=wanted, trusted=False) == {"WebFetch"}
        assert "not trusted" in caplog.text

    async def test_none_when_there_is_nobody_to_ask(self, bench):
        assert await self.offered(bench, more_tools=("Bash",), permissions=None) == set()

    async def test_what_is_not_offered_is_not_asked_for(self, bench):
        person = Person(Decision.ONCE)
        made = bench.project / "made.txt"
        calls = [
            ToolCall(name="Write", input={"file_path": str(made), "content": "x"}),
            ToolCall(name="Edit", input={"file_path": str(made), "old_string": "", "new_string": "x"}),
            ToolCall(name="Agent", input={"description": "x", "prompt": "x"}),
            ToolCall(name="mcp__channelcoder__selection", input={}),
        ]
        told = await results(bench, *calls, permissions=person)
        assert ["No such tool" in result for result in told] == [True] * len(calls)
        assert person.asked == []
        assert not made.exists()

    async def test_nothing_runs_on_after_the_answer(self, bench):
        """A command in the background would begin a turn of its own when it ends."""
        person = Person(Decision.ONCE)
        [told] = await results(bench, bash(TOUCH, run_in_background=True), permissions=person)
        assert "run_in_background" in told
        assert not (bench.project / "made.txt").exists()

    async def test_a_subagent_has_the_same_tools_and_asks_as_well(self, bench):
        """It is done when the answer is, and what it may do is asked for in its turn."""
        person = Person(Decision.ONCE)
        agent = {"description": "x", "prompt": "Make the file.", "subagent_type": "general-purpose"}
        await bench.model.script(
            ToolUse(name="Agent", input=agent, when="Do it."),
            ToolUse(name="Bash", input=bash(TOUCH).input, when="Make the file."),
            "Made it.",
            "Done.",
        )
        async with bench.connected(permissions=person, trusted=True, more_tools=("Task", "Bash")) as connection:
            end = await finished(connection, "Do it.")
        assert (end.answer, end.error) == ("Done.", None)
        assert [tool for tool, _ in person.asked] == ["Agent", "Bash"]
        assert person.asked[1] == ("Bash", TOUCH)
        assert (bench.project / "made.txt").exists()


async def test_the_user_s_own_rules_do_not_answer_for_the_person(bench, monkeypatch):
    """Whatever Claude Code's own settings allow in a terminal, here each use is asked for."""
    for name, value in bench.model.environment().items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(bench.config))
    rules = {"allow": ["Bash", "Bash(*)", "Write"], "defaultMode": "bypassPermissions"}
    (bench.config / "settings.json").write_text(json.dumps({"permissions": rules}))
    person = Person(Decision.DENY)

    told = await results(
        bench, bash(TOUCH), bash("ls"), permissions=person, agent=ClaudeAgent(max_retries=0), trusted=True
    )
    assert [detail for _, detail in person.asked] == [TOUCH, "ls"]
    assert ["did not allow" in result for result in told] == [True, True]
    assert not (bench.project / "made.txt").exists()
