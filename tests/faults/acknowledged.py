"""What a person was told, written down apart from the product, and held against what is on the disk."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from channelcoder_lsp.domain.session import SessionState

Json = dict[str, Any]


@dataclass
class Acknowledged:
    """What the servers said was done."""

    asked: set[str] = field(default_factory=set)
    """The questions that were sent, each with a text of its own."""
    questions: dict[str, str] = field(default_factory=dict)
    """Of those, the ones that a server took on: the turn, and the question."""
    answers: dict[str, str] = field(default_factory=dict)
    """The turns that were said to be done, and the answers that were shown."""
    status: dict[str, str] = field(default_factory=dict)
    """The threads, and what they were last said to be."""
    doubtful: set[str] = field(default_factory=set)
    """The threads for which the server was asked and died before it said."""

    def hear(self, messages: Sequence[Json]) -> None:
        """Take in what a server said to the editor, of the turns that it told from their start."""
        texts: dict[str, str] = {}
        for message in messages:
            if message.get("method") != "channelcoder/turn":
                continue
            told = message["params"]
            turn, text = told["turnId"], told["text"] or ""
            if told["state"] == "queued":
                texts[turn] = ""
            if turn in texts:
                texts[turn] = text if told["replace"] else texts[turn] + text
                if told["state"] == "done":
                    self.answers[turn] = texts[turn]

    def differences(self, state: SessionState) -> list[str]:
        """What is lost, doubled or changed in ``state``, one sentence each."""
        return [*self._of_questions(state), *self._of_answers(state), *self._of_threads(state)]

    def _of_questions(self, state: SessionState) -> Iterator[str]:
        stored = Counter(message.content for message in state.messages if message.role == "user")
        for text in self.asked:
            if stored[text] > 1:
                yield f"{text!r} stands {stored[text]} times"
        for turn, text in self.questions.items():
            if not stored[text]:
                yield f"{text!r} of {turn} is lost"

    def _of_answers(self, state: SessionState) -> Iterator[str]:
        stored = defaultdict(list)
        for message in state.messages:
            if message.role == "assistant":
                stored[message.turn_id].append(message.content)
        for turn, contents in stored.items():
            if len(contents) > 1:
                yield f"the answer of {turn} stands {len(contents)} times"
        for turn, text in self.answers.items():
            kept = state.channelcoder.turns.get(turn)
            if kept is None or kept.state != "done":
                yield f"{turn} was done and is {kept and kept.state.value}"
            if stored[turn] != [text]:
                yield f"the answer of {turn} was {text[-60:]!r} and is {[each[-60:] for each in stored[turn]]}"

    def _of_threads(self, state: SessionState) -> Iterator[str]:
        for thread, status in self.status.items():
            kept = state.channelcoder.threads.get(thread)
            if kept is None:
                yield f"{thread} is lost"
            elif thread not in self.doubtful and kept.status != status:
                yield f"{thread} was {status} and is {kept.status.value}"
