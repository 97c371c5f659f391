"""Reading an answer in Neovim, taking its code, and going on."""

from __future__ import annotations

import pytest

from editors.conftest import SHOP, Model

from .nvim import TOTAL, Neovim

CODE = """Shorter:

```python
def total(items: list[Item]) -> float:
    return sum(item.price * item.quantity for item in items)
```
"""
NEW = CODE.split("```")[1].removeprefix("python\n")
OLD = "".join(line + "\n" for line in SHOP.split("\n")[TOTAL[0] - 1 : TOTAL[1]])


class TestHover:
    def test_shows_the_answer_with_its_question(self, nvim: Neovim):
        nvim.ask("What does this add up?")
        first, _, asked, *answer = nvim.hover().splitlines()
        assert first.startswith("**Claude** · just now · ")
        assert asked == "> What does this add up?"
        assert "**This is the offline model: no Claude was asked.**" in answer

    def test_is_on_the_code_only(self, nvim: Neovim):
        nvim.ask("What does this add up?")
        nvim.go(22)
        nvim.lua("vim.lsp.buf.hover()")
        nvim.wait("return vim.fn.execute('messages'):find('No information available') ~= nil")

    def test_stays_with_the_code_while_it_is_edited(self, nvim: Neovim):
        nvim.ask("What does this add up?")
        nvim.lens("Claude: 1 answer | Reply | Resolve", TOTAL[0])
        nvim.api.input("ggO# one more line<CR># and another<Esc>")
        nvim.wait("return vim.fn.mode() == 'n' and vim.fn.getline(2) == '# and another'")
        nvim.lens("Claude: 1 answer | Reply | Resolve", TOTAL[0] + 2)
        nvim.go(TOTAL[1] + 2)
        assert "> What does this add up?" in nvim.hover()


class TestCodeActions:
    @pytest.mark.parametrize(
        ("title", "expected"),
        [
            ("Claude: Insert the code from the answer", SHOP.replace(OLD, OLD + NEW)),
            ("Claude: Replace the selection with it", SHOP.replace(OLD, NEW)),
        ],
        ids=["insert", "replace"],
    )
    def test_take_the_code_and_one_undo_takes_it_back(self, nvim: Neovim, model: Model, title, expected):
        """After the undo the text is as it was saved, and the answer is where it was."""
        model.script(CODE)
        nvim.ask("Shorter?")
        nvim.choose(title)
        nvim.wait("return vim.bo.modified")
        assert nvim.text == expected
        nvim.api.command("undo")
        assert nvim.text == SHOP
        assert not nvim.api.current.buffer.options["modified"]
        nvim.lens("Claude: 1 answer | Reply | Resolve", TOTAL[0])
        nvim.go(TOTAL[0] + 1)
        assert "> Shorter?" in nvim.hover()

    def test_show_the_whole_answer_as_a_document(self, nvim: Neovim):
        """It opens as Markdown with what was sent; no second server is started for it."""
        nvim.ask("What does this add up?")
        nvim.choose("Show Claude's answer: What does this add up?")
        nvim.wait("return vim.bo.filetype == 'markdown'")
        assert nvim.lines[0] == "# What does this add up?"
        assert "## What was sent" in nvim.lines
        nvim.ready()
        assert nvim.lua("return #vim.lsp.get_clients()") == 1


class TestCodeLens:
    def test_counts_the_answers_and_goes_on(self, nvim: Neovim, model: Model):
        """What is typed after "Reply" goes to the same thread, and the model is given the earlier question."""
        nvim.ask("What does this add up?")
        nvim.lens("Claude: 1 answer | Reply | Resolve", TOTAL[0])
        nvim.go(TOTAL[0])
        nvim.run_lens("Reply", question="And for an empty list?")
        nvim.over(2)
        nvim.lens("Claude: 2 answers | Reply | Resolve", TOTAL[0])
        assert model.requests()[-1].earlier_questions[-1] == "What does this add up?"
        hover = nvim.hover()
        assert "> And for an empty list?" in hover
        assert "- What does this add up? (just now)" in hover

    def test_shows_the_thread(self, nvim: Neovim):
        nvim.ask("What does this add up?")
        nvim.lens("Claude: 1 answer | Reply | Resolve", TOTAL[0])
        nvim.go(TOTAL[0])
        nvim.run_lens("Claude: 1 answer")
        nvim.wait("return vim.bo.filetype == 'markdown'")
        assert nvim.lines[0].endswith("shop.py, lines 13 to 18")
        assert "## What does this add up?" in nvim.lines
