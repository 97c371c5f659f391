"""What went wrong, as an error of our own tree with a sentence that says what to do.

Two sources: results of the CLI that are errors (Claude's service refused, a limit was reached), and
exceptions of the SDK (the CLI could not be started, or ended). The SDK's own classes are told apart by name,
so that this module can be read and tested without importing it.
"""

from __future__ import annotations

import re
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

from channelcoder_lsp.domain.errors import (
    AgentError,
    AgentGoneError,
    ApiError,
    BudgetUsedUpError,
    CliNotFoundError,
    CliTooOldError,
    ConversationLostError,
    NotLoggedInError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

OUTPUT_NOT_VALID = "error_max_structured_output_retries"
"""How a turn ends whose structured answers were not valid, as often as the CLI asked for them anew."""

_LOG_IN = "Run `channelcoder login` in a terminal, or set ANTHROPIC_API_KEY for the editor, and ask again."
_STATUS = re.compile(r"\bAPI Error: (\d{3})\b")
_LONGEST = 300
_SERVER_ERRORS = 500


@dataclass(frozen=True)
class Failure:
    """What the CLI told about a turn that failed."""

    subtype: str = "success"
    status: int | None = None
    kind: str | None = None
    """The ``error`` of the message: ``authentication_failed``, ``rate_limit``, ``server_error``..."""
    texts: tuple[str, ...] = ()
    model: str | None = None
    complete: bool = False
    """Whether the answer had come whole."""
    resets_in: float | None = None
    """Seconds until a limit is lifted, where that was told."""

    @property
    def text(self) -> str:
        """What the CLI said, in one bounded line without the stack traces and diagnostics for its makers."""
        told = [text for text in self.texts if text.strip() and not text.startswith("[ede_diagnostic]")]
        return one_line("; ".join(told), _LONGEST)


def from_failure(failure: Failure) -> AgentError:
    """The error for a turn whose result says that it failed."""
    status = failure.status or _status_in(failure.text)
    if failure.subtype != "success" and (error := _limit(failure)) is not None:
        return error
    if status is not None:
        return _from_status(status, failure)
    return _without_status(failure)


def from_exception(problem: BaseException, stderr: Sequence[str] = (), *, starting: bool) -> AgentError:
    """The error for an exception of the SDK.

    Args:
        problem: what was raised.
        stderr: the last lines that the CLI wrote to its standard error.
        starting: whether the CLI was being started; else a turn was under way.
    """
    if isinstance(problem, AgentError):
        return problem
    said = f"{problem}\n" + "\n".join(stderr)
    name = type(problem).__name__
    if "No conversation found with session ID" in said:
        return ConversationLostError(
            "Claude's own record of this conversation is gone. Ask again to go on from the record kept here.",
        )
    if name == "CLINotFoundError":
        return CliNotFoundError(
            f"The Claude Code command line can't be started: {one_line(str(problem), _LONGEST)}. "
            "Correct channelcoder.cliPath, or clear it to use the one that comes with this package.",
            retryable=False,
        )
    if "unknown option" in said or "does not honor on_failure" in said:
        return CliTooOldError(
            "The Claude Code command line is too old for this package. Run `claude update`, or clear "
            f"channelcoder.cliPath to use the one that comes with it. ({_reason(problem, stderr)})",
            retryable=False,
        )
    if name == "CLIConnectionError" and "Working directory does not exist" in said:
        return AgentError(
            f"The folder to ask about is gone: {one_line(str(problem), _LONGEST)}. Open another one.",
            retryable=False,
        )
    if "is already in use" in said:
        return AgentError(
            f"The Claude Code command line refused the new conversation's id. Ask again. ({_reason(problem, stderr)})"
        )
    if starting:
        return AgentError(
            f"The Claude Code command line did not start: {_reason(problem, stderr)}. Ask again; "
            "if it stays so, run `claude` in a terminal to see why."
        )
    return AgentGoneError(
        f"The Claude Code command line ended before the answer was complete: {_reason(problem, stderr)}. Ask again."
    )


def retry_reason(status: int | None, kind: str | None) -> str:
    """Why the CLI tries again, in a few words."""
    match status:
        case 401 | 403:
            return "the login was refused"
        case 429:
            return "too many requests"
        case 529:
            return "Claude is overloaded"
        case int() if status >= _SERVER_ERRORS:
            return f"Claude's service failed ({status})"
        case int():
            return f"Claude's service answered {status}"
        case None if kind in (None, "unknown"):
            return "the connection to Claude was lost or refused"
    return str(kind).replace("_", " ")


def one_line(text: str, limit: int) -> str:
    """``text`` in one line of at most ``limit`` characters, without control characters."""
    line = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return line if len(line) <= limit else f"{line[: limit - 1]}…"


def _limit(failure: Failure) -> AgentError | None:
    match failure.subtype:
        case "error_max_turns":
            return AgentError(
                "Claude used more steps than are allowed for one question. Ask for less at once, or continue."
            )
        case "error_max_budget_usd":
            sentence = "The budget for this question is used up. Raise it or start a new session."
            return BudgetUsedUpError(sentence, complete=failure.complete)
        case _ if failure.subtype == OUTPUT_NOT_VALID:
            return not_in_form(failure.text)
    return None


def not_in_form(reason: str = "it was plain text") -> AgentError:
    """The error for an answer without the structure that was asked for."""
    return AgentError(f"Claude's answer was not in the form that was asked for. Ask again. ({reason})")


def _from_status(status: int, failure: Failure) -> AgentError:
    text = failure.text
    match status:
        case 401 | 403:
            return NotLoggedInError(f"Claude's service refused the login ({status}). {_LOG_IN}")
        case 404:
            return _no_model(failure)
        case 413:
            return _too_long(failure)
        case 429:
            return _limited(failure)
        case 529:
            return ApiError("Claude's service is overloaded (529) and stayed so. Ask again in a minute.", status=status)
        case _ if status >= _SERVER_ERRORS:
            return ApiError(
                f"Claude's service failed ({status}) and stayed so. Ask again in a minute. ({text})",
                status=status,
            )
    return _by_words(failure) or ApiError(
        f"Claude's service refused the question ({status}): {text}", status=status, retryable=False
    )


def _without_status(failure: Failure) -> AgentError:
    told = failure.text or "no reason was given"
    return _by_words(failure) or ApiError(f"Claude did not answer: {told.rstrip('.')}. Ask again.")


def _by_words(failure: Failure) -> AgentError | None:
    """The error by the kind that the CLI gave or by the words that it used."""
    said = f"{failure.kind or ''} {failure.text.lower()}"
    for words, error in _WORDS:
        if any(word in said for word in words):
            return error(failure)
    return None


def _too_long(failure: Failure) -> AgentError:
    return ApiError(
        "The question with all that came before it is too long for the model. Select less, or start a new session.",
        status=failure.status,
        retryable=False,
    )


def _unpaid(failure: Failure) -> AgentError:
    return ApiError(
        "The account's credit does not suffice. Add credit in the Claude Console, or log in with another account.",
        status=failure.status,
        retryable=False,
    )


def _not_logged_in(_failure: Failure) -> AgentError:
    return NotLoggedInError(f"Claude Code is not logged in. {_LOG_IN}")


def _no_model(failure: Failure) -> AgentError:
    model = f"The model {failure.model!r}" if failure.model else "The model"
    return ApiError(
        f"{model} was not found or may not be used with this login. Choose another model.",
        status=failure.status,
        retryable=False,
    )


def _limited(failure: Failure) -> AgentError:
    return ApiError(
        f"A limit of the Claude account is reached. {_when(failure)} ({failure.text})", status=failure.status
    )


def _stalled(_failure: Failure) -> AgentError:
    return ApiError("Claude stopped answering in the middle of the stream. Ask again.")


def _unreachable(failure: Failure) -> AgentError:
    return ApiError(f"Claude's service can't be reached. Check the network connection and ask again. ({failure.text})")


def _lost(failure: Failure) -> AgentError:
    return ApiError(f"The connection to Claude was lost in the middle of the answer. Ask again. ({failure.text})")


_WORDS: tuple[tuple[tuple[str, ...], Callable[[Failure], AgentError]], ...] = (
    (("authentication_failed", "not logged in", "invalid api key"), _not_logged_in),
    (("prompt is too long",), _too_long),
    (("billing_error", "credit balance"), _unpaid),
    (("rate_limit",), _limited),
    (("model_not_found",), _no_model),
    (("stream idle", "idle timeout", "stalled", "timed out", "timeout"), _stalled),
    (("unable to connect", "connectionrefused", "econnrefused", "enotfound"), _unreachable),
    (("connection", "econnreset", "socket"), _lost),
)


def _when(failure: Failure) -> str:
    if failure.resets_in is None or failure.resets_in <= 0:
        return "Ask again later."
    minutes = round(failure.resets_in / 60)
    if minutes < 1:
        return f"Ask again in {max(1, round(failure.resets_in))} seconds."
    return f"Ask again in {minutes} minute{'s' if minutes > 1 else ''}."


def _reason(problem: BaseException, stderr: Sequence[str]) -> str:
    """The best that was said about it: how the process ended and its last words, else what was raised."""
    last_words = " ".join(line for line in stderr if line.strip())
    code = getattr(problem, "exit_code", None)
    if type(problem).__name__ == "ProcessError" and isinstance(code, int):
        ended = f"killed by {_signal_name(-code)}" if code < 0 else f"exit code {code}"
        said = f"{ended}: {last_words}" if last_words else ended
    else:
        said = last_words or str(problem) or type(problem).__name__
    return one_line(said, _LONGEST).rstrip(".")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _status_in(text: str) -> int | None:
    match = _STATUS.search(text)
    return int(match.group(1)) if match else None
