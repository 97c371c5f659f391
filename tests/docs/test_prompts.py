"""The prompt files in docs/prompts.md are prompt files."""

from __future__ import annotations

import re
from pathlib import Path

from channelcoder_lsp.prompts.loader import Frontmatter, Prompt, parse_prompt

PAGE = (Path(__file__).parents[2] / "docs/prompts.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```markdown\n(.*?)^```", re.MULTILINE | re.DOTALL)


def examples() -> list[Prompt]:
    return [
        parse_prompt(f"example-{number}", text, "docs/prompts.md") for number, text in enumerate(BLOCK.findall(PAGE))
    ]


def test_the_examples_can_be_read_and_filled_in():
    translate, commit = examples()
    assert translate.title == "Translate to Rust"
    assert translate.render({"language": "go"}) == ("Translate the selected go to idiomatic Rust. Keep its structure.")
    assert commit.render({"question": "Be brief.", "path": "a.py"}).endswith("of a.py. Be brief.")


def test_every_key_is_named():
    for name, field in Frontmatter.model_fields.items():
        assert f"`{field.alias or name}`" in PAGE
