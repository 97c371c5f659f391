"""The workflow of the public CI runs what `make` runs, on every Python that is promised."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
WORKFLOW: dict[str, Any] = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
RUN = [step["run"] for job in WORKFLOW["jobs"].values() for step in job["steps"] if "run" in step]


def test_every_python_that_is_promised_is_tried_on_three_systems():
    promised = [
        found[1]
        for classifier in PROJECT["project"]["classifiers"]
        if (found := re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", classifier))
    ]
    matrix = WORKFLOW["jobs"]["unit"]["strategy"]["matrix"]
    assert matrix["python"] == promised
    assert {system.split("-")[0] for system in matrix["system"]} == {"ubuntu", "macos", "windows"}


def test_all_is_run_by_what_is_run_here():
    assert ".ci/run" in RUN
    assert "make test\n" in (ROOT / ".ci" / "run").read_text("utf-8")


@pytest.mark.parametrize("command", RUN)
def test_what_it_names_is_there(command: str):
    """Targets of make, files and groups of requirements."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in re.findall(r"^make ([\w-]+)$", command, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE)
    for path in re.findall(r"(?:tests|requirements|editors|\.ci)/[\w./]+", command):
        assert (ROOT / path).exists()
    for group in re.findall(r"--group (\w+)", command):
        assert group in PROJECT["dependency-groups"]


def test_it_may_only_read():
    assert WORKFLOW["permissions"] == {"contents": "read"}
