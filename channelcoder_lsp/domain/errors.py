"""Every error that this package raises on purpose.

A message says what failed, on what, and what to do next; it is shown to the user as it stands.

    ChannelCoderError
    ├── ArgumentsError              an argument of a command or of an option does not fit
    ├── SettingsError               a setting has a value that is not allowed
    ├── PromptError                 a prompt file can't be read or filled in
    ├── SessionError
    │   ├── SessionNotFoundError
    │   ├── SessionExistsError      the name is taken
    │   ├── SessionNameError        the name can't be the name of a session
    │   ├── SessionBusyError        something is being asked in it, which must end first
    │   ├── SpendingLimitError      the session has cost what it may cost altogether
    │   ├── ThreadNotFoundError
    │   ├── TurnNotFoundError
    │   ├── ProposalNotFoundError
    │   └── ReviewNotFoundError
    ├── StorageError
    │   ├── StorageNotWritableError
    │   ├── StorageNotInstalledError  the packages that it needs are missing
    │   ├── StorageUnreachableError the back end is away, or too slow
    │   ├── LeaseLostError          another machine was given the session's lease meanwhile
    │   └── SessionCorruptError     what is stored can't be read; it was set aside, not lost
    ├── AgentError
    │   ├── CliNotFoundError
    │   ├── CliTooOldError
    │   ├── NotLoggedInError
    │   ├── ConversationLostError   Claude's side of the conversation is gone; ours is not
    │   ├── BudgetUsedUpError       the question has cost what it may cost
    │   ├── AgentGoneError          the CLI ended in the middle of a turn
    │   └── ApiError                Claude's service refused or failed
    ├── ToolError                   Claude used one of our tools wrongly; it is told how to do better
    ├── ProposalError               a proposal can't be applied; the message says why
    ├── ReviewError                 there is nothing to review, or it can't be had
    ├── RepositoryError             version control is not there, or failed
    │   └── WorktreeError           a worktree can't be made, found or removed
    ├── ContainerError              a container can't be made ready, or may not be used here
    └── OfflineModelError           the offline model could not be started or reached
"""

from __future__ import annotations

_CENT = 0.01


class ChannelCoderError(Exception):
    """The root of the tree: catching it catches everything that this package raises on purpose."""

    @property
    def message(self) -> str:
        """The sentence for the user."""
        return str(self)


def dollars(usd: float) -> str:
    """An amount as it is told: ``$0.50``, and what is less than a cent to the first digit that counts."""
    return f"${usd:.2f}" if usd >= _CENT or usd == 0 else f"${usd:.1g}"


class ArgumentsError(ChannelCoderError):
    """An argument does not fit; the message names the field."""


class SettingsError(ChannelCoderError):
    """A setting has a value that is not allowed; the message names key, value and what is allowed."""


class PromptError(ChannelCoderError):
    """A prompt file can't be read or filled in; the message names file and key."""


class SessionError(ChannelCoderError):
    """Something is wrong with one session."""


class SessionNotFoundError(SessionError):
    """There is no session of that name."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no session named {name!r}. List the ones there are to see their names.")
        self.name = name


class SessionExistsError(SessionError):
    """The name is taken by another session."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"A session named {name!r} exists already. Load it to go on with it, choose another name, or remove it."
        )
        self.name = name


class SessionNameError(SessionError):
    """The name can't be the name of a session."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name!r} can't be the name of a session: {reason}.")
        self.name = name


class SessionBusyError(SessionError):
    """Something is being asked in the session, here or by another process, and must end first."""


class SpendingLimitError(SessionError):
    """The session has cost what it may cost altogether.

    Args:
        limit_usd: what it may cost.
        spent_usd: what it has cost.
    """

    def __init__(self, limit_usd: float, spent_usd: float) -> None:
        super().__init__(
            f"This session has cost {dollars(spent_usd)} of the {dollars(limit_usd)} that it may cost. "
            "Raise its spending limit, or start a new session."
        )
        self.limit_usd = limit_usd
        self.spent_usd = spent_usd


class NotSentError(SessionError):
    """A person did not agree that something is sent."""


class ThreadNotFoundError(SessionError):
    """There is no thread of that id in the session."""

    def __init__(self, thread_id: str) -> None:
        super().__init__(f"There is no thread {thread_id!r} in this session. It may belong to another one.")


class TurnNotFoundError(SessionError):
    """There is no turn of that id in the session."""

    def __init__(self, turn_id: str) -> None:
        super().__init__(f"There is no turn {turn_id!r} in this session. It may belong to another one.")


class ProposalNotFoundError(SessionError):
    """There is no proposal of that id in the session."""

    def __init__(self, proposal_id: str) -> None:
        super().__init__(f"There is no proposal {proposal_id!r} in this session. It may belong to another one.")


class ReviewNotFoundError(SessionError):
    """There is no review of that id in the session."""

    def __init__(self, review_id: str) -> None:
        super().__init__(f"There is no review {review_id!r} in this session. It may belong to another one.")


class StorageError(ChannelCoderError):
    """Sessions can't be read or written."""


class StorageNotWritableError(StorageError):
    """The place where sessions are kept can't be written."""


class StorageUnreachableError(StorageError):
    """The back end that keeps the sessions is away, or too slow; it may be back later."""


class LeaseLostError(StorageError):
    """The lease under which something was to be recorded was given to another machine meanwhile."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The right to ask in session {name!r} was given to another machine, since this one did not answer for "
            "too long. Ask again."
        )


class StorageNotInstalledError(StorageError):
    """The packages that a storage needs are not installed; the message says how to install them."""


class SessionCorruptError(StorageError):
    """What is stored of a session can't be read; it was set aside, not lost."""


class AgentError(ChannelCoderError):
    """Claude could not be asked, or did not answer.

    Args:
        message: the sentence for the user.
        retryable: whether the same question may succeed when it is asked again.
    """

    def __init__(self, message: str, *, retryable: bool = True) -> None:
        super().__init__(message)
        self.retryable = retryable


class CliNotFoundError(AgentError):
    """The Claude Code command line isn't where it was looked for."""


class CliTooOldError(AgentError):
    """The Claude Code command line is older than what the SDK needs."""


class NotLoggedInError(AgentError):
    """There is no login, or it was refused."""


class ConversationLostError(AgentError):
    """Claude's side of the conversation is gone: "No conversation found with session ID".

    Our own record is not: the conversation goes on with a replay of it.
    """


class BudgetUsedUpError(AgentError):
    """What a question may cost was used up while Claude answered.

    Args:
        message: the sentence for the user.
        complete: whether the answer came whole all the same: the budget is looked at after each request.
    """

    def __init__(self, message: str, *, complete: bool = False) -> None:
        super().__init__(message)
        self.complete = complete


class AgentGoneError(AgentError):
    """The CLI ended in the middle of a turn, or could not be reached any more."""


class ApiError(AgentError):
    """Claude's service refused the question or failed on it.

    Args:
        message: the sentence for the user.
        status: the HTTP status, if there was one.
        retryable: whether the same question may succeed when it is asked again.
    """

    def __init__(self, message: str, *, status: int | None = None, retryable: bool = True) -> None:
        super().__init__(message, retryable=retryable)
        self.status = status


class ToolError(ChannelCoderError):
    """Claude used one of our tools wrongly; the message tells it how to do better."""


class ProposalError(ChannelCoderError):
    """A proposal, or a part of it, can't be applied; the message says why and what to do."""


class ReviewError(ChannelCoderError):
    """There is nothing to review, or it can't be had."""


class RepositoryError(ChannelCoderError):
    """The folder is in no repository, version control is not installed, or it failed."""


class WorktreeError(RepositoryError):
    """A worktree can't be made, found or removed; the message says why and what to do."""


class ContainerError(ChannelCoderError):
    """A container can't be made ready, or may not be used here; the message says why and what to do."""


class OfflineModelError(ChannelCoderError):
    """The offline model could not be started or reached."""
