"""Prompts are Markdown files with YAML frontmatter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from channelcoder_lsp.domain.errors import PromptError
from channelcoder_lsp.prompts import Prompt, built_in_prompts, load_prompt
from channelcoder_lsp.prompts.loader import parse_prompt

if TYPE_CHECKING:
    from pathlib import Path


def test_the_built_in_prompts_in_the_order_of_the_menu():
    """The six of the design, each with a title and something to say."""
    prompts = built_in_prompts()
    assert list(prompts) == ["explain", "review", "fix", "tests", "document", "refactor"]
    for name, prompt in prompts.items():
        assert (prompt.name, bool(prompt.title), bool(prompt.body)) == (name, True, True)


def test_those_that_change_code_say_so_and_have_a_kind_of_lsp():
    """So that an editor that asks for quick fixes or rewrites finds them."""
    kinds = {name: (prompt.kind, prompt.proposes_edits) for name, prompt in built_in_prompts().items()}
    assert kinds["fix"] == ("quickfix", True)
    assert kinds["document"] == kinds["refactor"] == ("refactor.rewrite", True)
    assert kinds["explain"] == kinds["review"] == ("claude", False)


def test_a_file_of_the_users_own(tmp_path: Path):
    """Its name is the file's, its text what is below the frontmatter."""
    file = tmp_path / "translate.md"
    file.write_text(
        "---\ntitle: Translate\nkind: refactor.rewrite\norder: 5\nproposesEdits: true\n---\n\nTo Rust.\n\n---\nend\n"
    )
    assert load_prompt(file) == Prompt("translate", "Translate", "refactor.rewrite", 5, True, "To Rust.\n\n---\nend")


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_line_ends_do_not_matter(end: str):
    """A file that was written on Windows."""
    prompt = parse_prompt("x", end.join(["---", "title: X", "---", "Body."]), "x.md")
    assert (prompt.title, prompt.body) == ("X", "Body.")


def test_a_byte_order_mark_does_not_matter(tmp_path: Path):
    """Nor one that was written with Notepad."""
    file = tmp_path / "x.md"
    file.write_bytes(b"\xef\xbb\xbf---\ntitle: X\n---\nBody.")
    assert load_prompt(file).title == "X"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("Just a text.", "'title'"),
        ("---\ntitle: X\nBody without an end of the frontmatter.", "'title'"),
        ("---\norder: 1\n---\nBody.", "'title'"),
        ("---\ntitle: X\norder: soon\n---\nBody.", "'order'"),
        ("---\ntitle: X\ntitel: Y\n---\nBody.", "'titel'"),
        ("---\ntitle: [\n---\nBody.", "not YAML"),
        ("---\n- a\n- b\n---\nBody.", "'frontmatter'"),
        ("---\ntitle: X\n---\n  \n", "'body'"),
    ],
)
def test_what_is_wrong_is_named_with_the_file(text: str, named: str):
    """File and key."""
    with pytest.raises(PromptError) as raised:
        parse_prompt("x", text, "x.md")
    assert "x.md" in raised.value.message
    assert named in raised.value.message


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00"], ids=["missing", "not UTF-8"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes | None):
    """One sentence, not a traceback."""
    file = tmp_path / "x.md"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(PromptError, match=r"x\.md can't be read"):
        load_prompt(file)


def test_yaml_makes_no_objects():
    """A prompt file of somebody else's runs nothing."""
    with pytest.raises(PromptError):
        parse_prompt("x", "---\ntitle: !!python/object/apply:os.getcwd []\n---\nBody.", "x.md")
