"""Every fault has an error of our own and a sentence that says what to do."""

from __future__ import annotations

import pytest
from claude_agent_sdk import (
    CLIConnectionError,
    CLIJSONDecodeError,
    CLINotFoundError,
    ProcessError,
)

from channelcoder_lsp.claude.faults import Failure, from_exception, from_failure, one_line, retry_reason
from channelcoder_lsp.domain import errors

FAILURES = [
    (Failure(status=401), errors.NotLoggedInError, True, "Run `channelcoder login`"),
    (Failure(status=403), errors.NotLoggedInError, True, "Run `channelcoder login`"),
    (Failure(status=404, model="m"), errors.ApiError, False, "'m' was not found"),
    (Failure(status=413), errors.ApiError, False, "Select less"),
    (Failure(status=400, texts=("API Error: 400 prompt is too long",)), errors.ApiError, False, "Select less"),
    (Failure(status=400, texts=("Your credit balance is too low",)), errors.ApiError, False, "Add credit"),
    (Failure(status=400, texts=("Bad thing.",)), errors.ApiError, False, "refused the question (400): Bad thing."),
    (Failure(status=429, resets_in=30), errors.ApiError, True, "Ask again in 30 seconds."),
    (Failure(status=429, resets_in=60), errors.ApiError, True, "Ask again in 1 minute."),
    (Failure(status=429, resets_in=-5), errors.ApiError, True, "Ask again later."),
    (Failure(status=500), errors.ApiError, True, "in a minute"),
    (Failure(status=529), errors.ApiError, True, "overloaded"),
    (Failure(texts=("API Error: 503 Unavailable",)), errors.ApiError, True, "failed (503)"),
    (Failure(kind="authentication_failed"), errors.NotLoggedInError, True, "not logged in"),
    (Failure(texts=("Not logged in · Please run /login",)), errors.NotLoggedInError, True, "not logged in"),
    (Failure(texts=("Prompt is too long",)), errors.ApiError, False, "Select less"),
    (Failure(kind="billing_error"), errors.ApiError, False, "Add credit"),
    (Failure(kind="rate_limit"), errors.ApiError, True, "A limit"),
    (Failure(texts=("API Error: Stream idle timeout",)), errors.ApiError, True, "stopped answering"),
    (Failure(texts=("Unable to connect to API (ConnectionRefused)",)), errors.ApiError, True, "can't be reached"),
    (Failure(texts=("Connection to the API was lost (ECONNRESET)",)), errors.ApiError, True, "was lost"),
    (Failure(texts=("Something new",)), errors.ApiError, True, "Claude did not answer: Something new. Ask again."),
    (Failure(), errors.ApiError, True, "no reason was given"),
    (Failure(subtype="error_max_turns"), errors.AgentError, True, "more steps"),
    (Failure(subtype="error_max_budget_usd"), errors.BudgetUsedUpError, True, "budget"),
    (Failure(subtype="error_during_execution", texts=("Boom",)), errors.ApiError, True, "Boom"),
]


@pytest.mark.parametrize(("failure", "expected"), [(failure, expected) for failure, *expected in FAILURES])
def test_a_question_that_failed(failure, expected):
    kind, retryable, words = expected
    error = from_failure(failure)
    assert type(error) is kind
    assert error.retryable == retryable
    assert words in error.message
    assert getattr(error, "status", failure.status) in (failure.status, 503)


EXCEPTIONS = [
    (CLINotFoundError("Claude Code not found at: /x"), [], errors.CliNotFoundError, "channelcoder.cliPath"),
    (ProcessError("failed", exit_code=1), ["error: unknown option '--x'"], errors.CliTooOldError, "claude update"),
    (CLIConnectionError("it does not honor on_failure"), [], errors.CliTooOldError, "claude update"),
    (CLIConnectionError("Working directory does not exist: /x"), [], errors.AgentError, "is gone"),
    (
        ProcessError("No conversation found with session ID: x", exit_code=1),
        [],
        errors.ConversationLostError,
        "from the record kept here",
    ),
    (
        ProcessError("failed", exit_code=127),
        ["", "no libfoo"],
        errors.AgentError,
        "did not start: exit code 127: no libfoo. Ask",
    ),
    (Exception("Control request timeout: initialize"), [], errors.AgentError, "timeout: initialize"),
]


@pytest.mark.parametrize(("problem", "expected"), [(problem, expected) for problem, *expected in EXCEPTIONS])
def test_a_cli_that_does_not_start(problem, expected):
    stderr, kind, words = expected
    error = from_exception(problem, stderr, starting=True)
    assert type(error) is kind
    assert words in error.message


@pytest.mark.parametrize(
    "problem",
    [
        ProcessError("failed", exit_code=-9),
        CLIConnectionError("ProcessTransport is not ready for writing"),
        CLIJSONDecodeError("{", ValueError("x")),
        EOFError("it closed its output"),
    ],
)
def test_a_cli_that_ends_in_mid_answer(problem):
    error = from_exception(problem, starting=False)
    assert type(error) is errors.AgentGoneError
    assert error.message.endswith(". Ask again.")
    assert error.retryable


@pytest.mark.parametrize(
    ("code", "stderr", "said"),
    [
        (-9, [], "killed by SIGKILL"),
        (-9, ["Out of memory"], "killed by SIGKILL: Out of memory"),
        (-999, [], "killed by signal 999"),
        (3, [], "exit code 3"),
    ],
)
def test_how_the_process_ended_is_said_in_words(code, stderr, said):
    error = from_exception(ProcessError("Command failed", exit_code=code), stderr, starting=False)
    assert f"before the answer was complete: {said}. Ask again." in error.message


def test_our_own_errors_stay_as_they_are():
    error = errors.AgentGoneError("gone")
    assert from_exception(error, starting=False) is error


@pytest.mark.parametrize("status", [401, 403, 418, 429, 500, 529, None])
def test_a_retry_has_a_reason_in_words(status):
    assert len(retry_reason(status, None)) > 10


def test_what_others_say_is_shown_in_one_bounded_printable_line():
    text = one_line("a\nb\x1b[31m\u202e c" + "x" * 500, 50)
    assert text.startswith("a b [31m c")
    assert len(text) == 50
    assert text.isprintable()
