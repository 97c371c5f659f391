"""How long VS Code takes to load and activate the extension, against its own JSON extension in the same windows.

That one is of the same kind: a language client with its server. As "Developer: Show Running Extensions" tells it: the
time to load the code and the time of the call of ``activate()``. Each round is a window loaded anew, with an extension
host of its own.
"""

from __future__ import annotations

import re
from typing import Any

from benchmarks.measure import Table, ratio

ROUNDS = 8
AIM = 1.0
OURS, BASE = "ChannelCoder", "JSON Language Features"
_MILLISECONDS = re.compile(r"(\d+)ms")
_TALL = {"width": 1200, "height": 2400}
"""A window in which the list of all extensions has its place: what is out of sight is not in the page."""


def measure() -> Table:
    """Windows loaded one after the other."""
    from benchmarks.windows import desk  # noqa: PLC0415 - Playwright

    times: dict[str, list[float]] = {OURS: [], BASE: []}
    with desk() as (machine, browser, extensions):
        from editors.vscode.code import Code  # noqa: PLC0415 - of the tests

        code = Code(machine, browser, extensions)
        try:
            code.page.set_viewport_size(_TALL)
            path = machine.write("prices.json", "{}\n")
            for number in range(-1, ROUNDS):
                code.open(path)
                code.ready()
                code.run("Developer: Show Running Extensions")
                for name, found in times.items():
                    milliseconds = _told(code.page, name)
                    if number >= 0:
                        found.append(milliseconds / 1000)
                code.page.keyboard.press("Control+w")
        finally:
            code.close()
    table = Table("Activation of the VS Code extension", ("", "against VS Code's own JSON extension", "aim"))
    table.add("load and activate", ratio(times[OURS], times[BASE]), aim=AIM)
    for name, found in times.items():
        table.tell(name, found)
    return table


def _told(page: Any, name: str) -> float:
    """The milliseconds beside the name."""
    row = page.locator(".runtime-extensions-editor .extension").filter(
        has=page.locator(".name").get_by_text(name, exact=True)
    )
    found = row.locator(".activation-time").get_by_text(_MILLISECONDS)
    found.wait_for()  # what is still being activated says so
    return float(_MILLISECONDS.findall(found.inner_text())[0])
