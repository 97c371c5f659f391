"""Asking about a selection in Neovim with nothing but the few lines of configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from channelcoder_lsp.offline.script import Text

from .nvim import TOTAL, Neovim

if TYPE_CHECKING:
    from editors.conftest import Model


class TestSelection:
    def test_has_every_question_among_its_code_actions(self, nvim: Neovim, model: Model):
        nvim.select(*TOTAL)
        assert nvim.code_actions() == [
            "Ask Claude…",
            "Claude: Explain",
            "Claude: Review",
            "Claude: Fix",
            "Claude: Write tests",
            "Claude: Document",
            "Claude: Refactor",
        ]

    def test_is_what_the_typed_question_is_about(self, nvim: Neovim, model: Model):
        """What `vim.ui.input` brings is the question, the selected lines of the unsaved buffer go with it."""
        nvim.api.current.buffer[14] = "    result = 0.0  # 🛒 unsaved"
        nvim.select(*TOTAL)
        nvim.choose("Ask Claude…", question="What does this add up?")
        nvim.over()
        (request,) = model.requests()
        assert request.question == "What does this add up?"
        for sent in ('shop.py" language="python" lines="13-18"', "15|     result = 0.0  # 🛒 unsaved"):
            assert sent in request.prompt
        assert nvim.lua("return seen.asked") == ["Ask Claude: "]

    @pytest.mark.parametrize("typed", [None, ""])
    def test_no_question_typed_asks_nothing(self, nvim: Neovim, model: Model, typed):
        nvim.select(*TOTAL)
        nvim.choose("Ask Claude…", question=typed)
        nvim.choose("Claude: Explain")
        nvim.over()
        assert [request.question for request in model.requests()] == ["Explain"]

    def test_can_be_explained_fixed_tested_and_documented(self, nvim: Neovim, model: Model):
        """Each prompt asks in its own words about the selection, in one session, without asking for a question."""
        titles = ["Explain", "Fix", "Write tests", "Document"]
        for title in titles:
            nvim.select(*TOTAL)
            nvim.choose(f"Claude: {title}")
        nvim.over(len(titles))
        requests = model.requests()
        assert [request.question for request in requests] == titles
        assert requests[-1].earlier_questions[-3:] == titles[:-1]
        assert len({request.prompt for request in requests}) == len(titles)
        assert nvim.lua("return seen.asked") == []


class TestProgress:
    def test_is_seen_from_the_question_to_the_answer(self, nvim: Neovim, model: Model):
        """`LspProgress` carries it, and the message area shows the last of it."""
        nvim.select(*TOTAL)
        nvim.choose("Claude: Explain")
        values = [progress["value"] for progress in nvim.over()]
        first, *_, last = values
        assert (first["kind"], first["cancellable"]) == ("begin", True)
        assert "report" in {value["kind"] for value in values}
        assert (last["kind"], last["message"]) == ("end", "answered")

    def test_can_be_cancelled_in_mid_answer(self, nvim: Neovim, model: Model):
        """What had come by then is kept and shown; the session goes on."""
        model.script(Text(text="one two three four five six seven eight nine", hold_after=2, delay_ms=400))
        nvim.select(*TOTAL)
        nvim.choose("Claude: Explain")
        nvim.go(14)
        nvim.wait(
            """
            for _, progress in ipairs(seen.progress) do
              if (progress.value.message or ''):find('answering') then return true end
            end
            """
        )
        nvim.lua(
            """
            local client = vim.lsp.get_clients({ name = 'channelcoder' })[1]
            client:notify('window/workDoneProgress/cancel', { token = seen.progress[1].token })
            """
        )
        assert nvim.over()[-1]["value"]["message"] == "cancelled"
        hover = nvim.hover()
        assert "one two three four" in hover
        assert "cancelled" in hover
        nvim.select(*TOTAL)
        nvim.choose("Claude: Write tests")
        assert nvim.over(2)[-1]["value"]["message"] == "answered"

    def test_can_be_cancelled_before_the_model_said_anything(self, nvim: Neovim, model: Model):
        """The suggested key ends it, and nobody waits for the model any more."""
        model.script(Text(text="never", wait=True))
        nvim.select(*TOTAL)
        nvim.choose("Claude: Explain")
        model.requests(1)
        nvim.api.input("grq")
        assert nvim.over()[-1]["value"]["message"] == "cancelled"
        (request,) = model.requests(1, ended=True)
        assert request.outcome == "gone"
