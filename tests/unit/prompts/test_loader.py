"""Prompts are Markdown files with YAML frontmatter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from channelcoder_lsp.domain.errors import PromptError
from channelcoder_lsp.prompts import built_in_prompts, load_folder, load_prompt
from channelcoder_lsp.prompts.loader import PROPOSING, parse_prompt

if TYPE_CHECKING:
    from pathlib import Path


def test_the_built_in_prompts_in_the_order_of_the_menu():
    """The six of the design, each with a title, a line on what it is good for, and something to say."""
    prompts = built_in_prompts()
    assert list(prompts) == ["explain", "review", "fix", "tests", "document", "refactor"]
    for name, prompt in prompts.items():
        said = bool(prompt.title), bool(prompt.description), bool(prompt.body)
        assert (prompt.name, *said) == (name, True, True, True)


def test_those_that_change_code_say_so_and_have_a_kind_of_lsp():
    """So that an editor that asks for quick fixes or rewrites finds them."""
    kinds = {name: (prompt.kind, prompt.head.proposes_edits) for name, prompt in built_in_prompts().items()}
    assert kinds["fix"] == ("quickfix", True)
    assert kinds["document"] == kinds["refactor"] == ("refactor.rewrite", True)
    assert kinds["explain"] == kinds["review"] == ("claude", False)


def test_a_file_of_the_users_own(tmp_path: Path):
    """Its name is the file's, its text what is below the frontmatter."""
    file = tmp_path / "translate.md"
    file.write_text(
        "---\ntitle: Translate\nkind: refactor.rewrite\norder: 5\nproposesEdits: true\n---\n\nTo Rust.\n\n---\nend\n"
    )
    prompt = load_prompt(file)
    assert (prompt.name, prompt.title, prompt.body) == ("translate", "Translate", "To Rust.\n\n---\nend")
    assert (prompt.kind, prompt.order, prompt.head.proposes_edits, prompt.path) == ("refactor.rewrite", 5, True, file)


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
        ("---\ntitle: X\norder: soon\n---\nBody.", "x.md, line 3, 'order' is wrong"),
        ("---\ntitle: X\ntitel: Y\n---\nBody.", "x.md, line 3, 'titel' is wrong: there is no such key"),
        ("---\n# no\ntemperature: 0.7\n---\nBody.", "x.md, line 3, 'temperature'"),
        ("---\nsession:\n  require: true\n---\nBody.", "x.md, line 2, 'session.require'"),
        ("---\nsession:\n  required: 'yes'\n---\nBody.", "'session.required'"),
        ("---\nallowedTools: Read\n---\nBody.", "'allowedTools'"),
        ("---\ninput:\n  name: strong\n---\nBody.", "x.md, line 2, 'input.name' is wrong: 'strong' is no type"),
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


def test_the_keys_of_channelcoder():
    """All of the original's reference."""
    text = """---
systemPrompt: prompts/expert.md
appendSystemPrompt: Be brief.
allowedTools: [Read, "Bash(git:*)"]
disallowedTools:
  - "Bash(rm:*)"
mcpConfig: ./mcp-servers.json
permissionPromptTool: mcp__auth__prompt
input:
  name: string
output:
  success: boolean
session:
  required: true
---
Hello {name}"""
    prompt = parse_prompt("hello", text, "hello.md")
    head = prompt.head
    assert (head.system_prompt, head.append_system_prompt) == ("prompts/expert.md", "Be brief.")
    assert (head.allowed_tools, head.disallowed_tools) == (["Read", "Bash(git:*)"], ["Bash(rm:*)"])
    assert (head.mcp_config, head.permission_prompt_tool) == ("./mcp-servers.json", "mcp__auth__prompt")
    assert head.session.required
    assert prompt.output is not None
    assert prompt.render({"name": "Ada"}) == "Hello Ada"


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Just a text.", "plain"),
        ("# The heading #\n\nMore.", "The heading"),
        ("---\norder: 1\n---\nText.\n## Later\n", "Later"),
        ("---\ntitle: Named\n---\n# Heading", "Named"),
    ],
)
def test_a_title_is_given_found_or_the_files_name(text: str, title: str):
    """A file of ChannelCoder has none."""
    assert parse_prompt("plain", text, "plain.md").title == title


def test_values_that_do_not_fit_are_named():
    """Before anything is sent."""
    prompt = parse_prompt("hello", "---\ninput:\n  name: string\n  age: number\n---\nHi {name}", "hello.md")
    with pytest.raises(PromptError) as raised:
        prompt.render({"name": 1})
    assert "name: " in raised.value.message
    assert "age: field required" in raised.value.message


def test_a_folder_with_a_broken_file_gives_the_others(tmp_path: Path):
    """One typing error must not take away all prompts."""
    (tmp_path / "good.md").write_text("Good.")
    (tmp_path / "bad.md").write_text("---\nnope: 1\n---\nBad.")
    (tmp_path / "notes.txt").write_text("no prompt")
    prompts, wrong = load_folder(tmp_path)
    assert list(prompts) == ["good"]
    assert ["bad.md" in problem.message for problem in wrong] == [True]
    assert load_folder(tmp_path / "missing") == ({}, [])


def test_a_link_out_of_the_folder_is_not_read(tmp_path: Path):
    """A prompt file that is a link to a secret would send it."""
    (tmp_path / "secret").write_text("secret")
    folder = tmp_path / "prompts"
    folder.mkdir()
    (folder / "leak.md").symlink_to(tmp_path / "secret")
    prompts, wrong = load_folder(folder)
    assert prompts == {}
    assert "leak.md" in wrong[0].message


def test_prompts_are_offered_for_their_languages():
    """None named: for all."""
    prompt = parse_prompt("x", "---\nlanguages: [rust]\n---\nBody.", "x.md")
    assert (prompt.fits("rust"), prompt.fits("python")) == (True, False)
    assert parse_prompt("x", "Body.", "x.md").fits("python")


def test_a_prompt_that_proposes_edits_says_how_to_an_editors_question_alone():
    """A file of the user's own need not know the tools."""
    prompt = parse_prompt("x", "---\nproposesEdits: true\n---\nRename {path}.", "x.md")
    assert prompt.render({"path": "a.py"}) == "Rename a.py."
    assert prompt.instruction({"path": "a.py"}) == f"Rename a.py.\n\n{PROPOSING}"
    assert parse_prompt("x", "Say {path}.", "x.md").instruction({"path": "a.py"}) == "Say a.py."
