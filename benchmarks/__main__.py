"""``python -m benchmarks``: run the measurements, print their tables, and keep them in docs/performance.md."""

from __future__ import annotations

import argparse
import re
import sys
import time
from importlib import import_module
from pathlib import Path

from benchmarks.measure import Table, load

NAMES = (
    "startup",
    "hover",
    "first_text",
    "recording",
    "footprint",
    "anchors",
    "original",
    "between",
    "editors",
    "activation",
    "growth",
    "busy",
    "others",
    "backends",
    "writers",
)
PAGE = Path(__file__).resolve().parents[1] / "docs" / "performance.md"


def main() -> int:
    """Run what is asked for; 1 if an aim was missed and ``--strict`` was given."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which to run (all): {', '.join(NAMES)}")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/performance.md")
    parser.add_argument("--strict", action="store_true", help="exit with 1 when an aim is missed")
    options = parser.parse_args()
    if unknown := set(options.names) - set(NAMES):
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    missed: list[str] = []
    for name in options.names or NAMES:
        busy, start = load(), time.monotonic()
        table: Table = import_module(f"benchmarks.{name}").measure()
        print(f"\n## {table.title}\n\n{table.markdown()}\n")
        for line in [*table.absolute, f"load before: {busy}; took {time.monotonic() - start:.0f} s"]:
            print(f"  {line}")
        missed += table.missed
        if options.write:
            write(name, table)
    print("\nAll aims are met." if not missed else "\nMissed:\n" + "\n".join(f"  {row}" for row in missed))
    return 1 if missed and options.strict else 0


def write(name: str, table: Table) -> None:
    """Put a table between its markers in the page.

    Raises:
        ValueError: the page has no such markers.
    """
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    page, count = re.subn(
        f"(?s){re.escape(begin)}.*?{re.escape(end)}",
        lambda _: f"{begin}\n\n{table.markdown()}\n\n{end}",
        PAGE.read_text("utf-8"),
    )
    if count != 1:
        raise ValueError(f"{PAGE} has the markers {begin} ... {end} {count} times, not once")
    PAGE.write_text(page, "utf-8")


if __name__ == "__main__":
    sys.exit(main())
