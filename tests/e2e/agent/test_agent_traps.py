"""The ten traps of driving the Claude CLI through its SDK, each with what keeps us out of it."""

from __future__ import annotations

import subprocess
import sys

import anyio
import pytest
from agent_bench import finished, heard, is_running, shown, tool_results, until

from channelcoder_lsp.claude.permissions import Guard
from channelcoder_lsp.domain.agent import Finished, Retrying, TextDelta, TextReplaced
from channelcoder_lsp.domain.errors import NotLoggedInError
from channelcoder_lsp.offline.script import Cut, Failure, Long, Text, ToolUse

# Trap 1, the repository's code and the key, has a file of its own: test_agent_hostile_folder.py.


async def test_trap_2_a_prompt_made_from_a_buffer_is_sent_as_it_is(bench, tmp_path):
    """``@path`` and ``/command`` in a question are text: no file is read, no command is run."""
    secret = tmp_path / "secret.txt"
    secret.write_text("the contents of the secret")
    prompts = [f"@{secret} says what?", "/context", "/compact", f"/init\n@{secret}"]

    async with bench.connected() as connection:
        for prompt in prompts:
            assert "offline model" in (await finished(connection, prompt)).answer

    requests = await bench.model.requests(None)
    assert [request.prompt for request in requests if request.kind == "question"] == prompts
    assert "the contents of the secret" not in str([request.messages for request in requests])


@pytest.mark.parametrize("retries", [0, 1])
async def test_trap_3_a_refused_key_is_told_after_bounded_retries(bench, retries):
    """A bad key is tried again as often as is set, each time shown, and then told."""
    await bench.model.script(Failure(status=401, times="always"))

    async with bench.connected(agent=bench.agent(max_retries=retries)) as connection:
        *events, end = await heard(connection, "Why?")

    assert isinstance(end.error, NotLoggedInError)
    assert len(await bench.model.requests()) == 1 + retries
    assert [(event.attempt, event.of, event.reason) for event in events] == [(1, 1, "the login was refused")] * retries
    assert all(isinstance(event, Retrying) and 0 < event.delay_seconds < 5 for event in events)


async def test_trap_4_a_success_that_is_an_error_is_an_error(bench):
    """The CLI ends a refused question with the subtype "success": it is not one."""
    await bench.model.script(Failure(status=400, message="That was not understood.", times="always"))

    async with bench.connected() as connection:
        end = await finished(connection, "Why?")

    assert end.error is not None
    assert "That was not understood." in end.error.message
    assert end.answer == ""


async def test_trap_5_a_slow_reader_blocks_nothing(bench):
    """More messages than the SDK buffers may be unread: the answer is complete and interrupts are heard."""
    words = " ".join(f"word{number}" for number in range(400))
    await bench.model.script(Text(text=words, words_per_chunk=1, hold_after=400))

    async with bench.connected() as connection:
        events = connection.ask("Tell me a lot.")
        first = await anext(events)
        await until(lambda: len(connection._turn.reader.answer) >= len(words))
        with anyio.fail_after(5):
            await connection.interrupt()
        rest = [event async for event in events]

    assert shown([first, *rest]) == words
    assert len(rest) == 2, "what waited is handed out as one delta"
    assert rest[-1].cancelled


async def test_trap_6_what_is_left_of_an_abandoned_answer_reaches_nobody(bench):
    """A reader may leave early: the question is interrupted, and the next one gets its own answer."""
    await bench.model.script(Text(text="one two three", words_per_chunk=1, hold_after=1), "The second answer.")

    async with bench.connected() as connection:
        async for event in connection.ask("First?"):
            assert event == TextDelta("one ")
            break
        events = await heard(connection, "Second?")

    assert shown(events) == "The second answer."
    assert events[-1].answer == "The second answer."
    assert [request.outcome for request in await bench.model.requests()] == ["gone", "answered"]


async def test_trap_7_a_failed_question_is_known_to_the_next_one(bench):
    """The CLI keeps a question that failed and sends it along with the next; the next answer is its own."""
    await bench.model.script(Failure(status=529), "The second answer.")

    async with bench.connected() as connection:
        failed = await finished(connection, "First?")
        end = await finished(connection, "Second?")

    assert failed.error is not None
    assert (end.answer, end.error) == ("The second answer.", None)
    assert "First?" in str((await bench.model.requests())[-1].messages)


async def test_trap_7_the_deltas_of_a_cut_stream_are_replaced(bench):
    """What was shown of a stream that was cut is taken back when it is repeated."""
    await bench.model.script(
        Cut(text="one two three four", words_per_chunk=1, hold_after=1, after=2), "The whole answer, at last."
    )

    events = []
    async with bench.connected(agent=bench.agent(max_retries=1)) as connection:
        async for event in connection.ask("Why?"):
            events.append(event)
            if event == TextDelta("one "):
                await bench.model.release()

    assert any(isinstance(event, Retrying) for event in events)
    assert any(isinstance(event, TextReplaced) for event in events)
    assert shown(events) == events[-1].answer == "The whole answer, at last."


async def test_trap_8_a_fresh_connection_knows_what_another_one_added(bench):
    """One connection at a time has the session: one that is opened after it goes on from where it stopped."""
    async with bench.connected() as first:
        await finished(first, "The first question?")
    async with bench.connected(resume=first.session_id) as second:
        await finished(second, "The second question?")
    async with bench.connected(resume=first.session_id) as third:
        await finished(third, "The third question?")

    assert second.session_id == third.session_id == first.session_id
    assert (await bench.model.requests())[-1].earlier_questions == [
        "The first question?",
        "The second question?",
    ]


async def test_trap_9_a_message_of_two_megabytes_arrives_whole(bench):
    """A long answer comes in one message of the CLI, longer than the SDK takes by default."""
    await bench.model.script(Long(size=2_000_000))

    async with bench.connected() as connection:
        events = await heard(connection, "All of it, please.")

    assert events[-1].error is None
    assert len(events[-1].answer.encode()) == 2_000_000
    assert shown(events) == events[-1].answer


async def test_trap_10_closing_in_mid_answer_interrupts_first(bench):
    """A CLI that is left in the middle of an answer would finish it: it is interrupted and ended."""
    await bench.model.script(Text(text="one two three", words_per_chunk=1, hold_after=1))

    async with bench.connected() as connection:
        await anext(connection.ask("Why?"))
        pid = connection.pid
        assert is_running(pid)

    assert not is_running(pid)
    [request] = await bench.model.wait_for_requests(1, ended=True)
    assert request.outcome == "gone"
    transcript = next((bench.config / "projects").glob("*/*.jsonl")).read_text()
    assert "[Request interrupted by user]" in transcript


def test_trap_10_the_sdk_is_imported_when_it_is_needed_and_not_before():
    """Importing the package, or making an agent, does not pay for the SDK."""
    code = (
        "import sys; from channelcoder_lsp.claude import ClaudeAgent; ClaudeAgent(); "
        "print([name for name in ('claude_agent_sdk', 'mcp', 'anyio') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


async def test_trap_10_a_guard_that_fails_blocks(bench, monkeypatch):
    """When the guard before a tool breaks, the tool is not run."""
    bench.file("notes.txt", "what the notes say")
    await bench.model.script(ToolUse(name="Read", input={"file_path": "notes.txt"}), "Done.")

    def broken(*_arguments):
        raise RuntimeError("the guard is broken")

    monkeypatch.setattr(Guard, "refusal", broken)
    async with bench.connected() as connection:
        end = await finished(connection, "What do the notes say?")

    assert isinstance(end, Finished)
    [result] = tool_results((await bench.model.requests())[-1])
    assert "what the notes say" not in result
