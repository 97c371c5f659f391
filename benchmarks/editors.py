"""From a question in one editor until another editor on the same folder shows it, both as people have them.

VS Code in a browser and Neovim, each with a server of its own, sessions in files. In VS Code the time begins when the
question is sent with Enter, and ends when the code lens is in the page; in Neovim it begins with ``:ChannelCoder ask``
and ends when the question stands behind its line. What each editor takes to hand the question over is in it.
"""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import TYPE_CHECKING, Any

from benchmarks.measure import Spread, Table, quartiles

if TYPE_CHECKING:
    from pathlib import Path

ROUNDS = 10
AIM_SECONDS = 1.0
LINES = (13, 18)
_SHOWN = """
local question = ...
for _, mark in ipairs(seen.marks()) do
  if mark[3]:find(question, 1, true) then return true end
end
"""


def measure() -> Table:
    """A question here, a question there, in turns; what was asked is resolved before the next."""
    from benchmarks.windows import desk  # noqa: PLC0415 - Playwright

    with desk() as (machine, browser, extensions), ThreadPoolExecutor(1) as thread:
        from editors.conftest import SHOP  # noqa: PLC0415 - of the tests
        from editors.neovim_plugin.nvim import headless  # noqa: PLC0415
        from editors.vscode.code import Code  # noqa: PLC0415

        path: Path = machine.write("shop.py", SHOP)
        nvim = thread.submit(headless, machine, path).result()
        code = Code(machine, browser, extensions)
        try:
            thread.submit(nvim.ready).result()
            thread.submit(nvim.settled).result()
            code.open(path)
            code.ready()
            from_code, from_nvim = _rounds(_Both(code, nvim, thread))
        finally:
            code.close()
            thread.submit(nvim.close).result()
    table = Table("From VS Code to Neovim and back", ("asked in", "shown in the other after", "aim"))
    for name, seconds in (("VS Code", from_code), ("Neovim", from_nvim)):
        low, middle, high = quartiles(seconds)
        table.add(name, Spread(middle, low, high), aim=AIM_SECONDS, unit=" s")
        table.tell(name, seconds)
    return table


def _rounds(both: _Both) -> tuple[list[float], list[float]]:
    from_code, from_nvim = [], []
    for number in range(-1, ROUNDS):
        there, back = both.from_code(f"Question {2 * number}?"), both.from_nvim(f"Question {2 * number + 1}?")
        if number >= 0:
            from_code.append(there)
            from_nvim.append(back)
    return from_code, from_nvim


class _Both:
    """The two editors, Neovim in a thread of its own."""

    def __init__(self, code: Any, nvim: Any, thread: ThreadPoolExecutor) -> None:
        self.code, self.nvim, self._thread = code, nvim, thread

    def from_code(self, question: str) -> float:
        self.code.select(*LINES)
        self.code.run("ChannelCoder: Ask About Selection")
        box = self.code.page.locator(".quick-input-widget input[placeholder='Type a question']")
        box.fill(question)
        self.code.rows(question).first.wait_for()
        seen = self._thread.submit(self._seen, question)
        start = perf_counter()
        box.press("Enter")
        seconds = seen.result() - start
        self._resolve()
        return seconds

    def from_nvim(self, question: str) -> float:
        first, last = LINES
        begun = self._thread.submit(self._ask, f"{first},{last}ChannelCoder! ask {question}")
        self.code.lenses.first.wait_for()
        seconds = perf_counter() - begun.result()
        self._resolve()
        return seconds

    def _seen(self, question: str) -> float:
        self.nvim.wait(_SHOWN, question)
        return perf_counter()

    def _ask(self, given: str) -> float:
        start = perf_counter()
        self.nvim.run(given)
        return start

    def _resolve(self) -> None:
        """Wait for the answer, and take the thread out of the way in both."""
        self.code.lenses.filter(has_text=re.compile("1 answer")).first.wait_for()
        self._thread.submit(self._resolved).result()
        self.code.lenses.first.wait_for(state="detached")

    def _resolved(self) -> None:
        self.nvim.wait("return #seen.marks() == 1 and seen.marks()[1][3]:find('1 answer', 1, true)")
        self.nvim.go(LINES[0])
        self.nvim.run("resolve")
        self.nvim.wait("return #seen.marks() == 0")
