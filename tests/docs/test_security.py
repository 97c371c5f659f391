"""Each promise of docs/security.md names tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_each_promise_is_held_by_tests_that_are_there():
    rows = re.findall(r"^\| (.+) \| (tests/.+) \|$", (ROOT / "docs" / "security.md").read_text(), re.MULTILINE)
    assert len(rows) >= 10
    for promise, held_by in rows:
        for path in held_by.split(", "):
            tests = [ROOT / path] if path.endswith(".py") else list((ROOT / path).rglob("test_*.py"))
            assert tests, promise
            assert all("def test_" in test.read_text() for test in tests), (promise, path)
