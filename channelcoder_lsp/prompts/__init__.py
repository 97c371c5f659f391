"""Prompts are data: Markdown files with YAML frontmatter, the built-in ones and the user's own alike."""

from channelcoder_lsp.prompts.loader import Prompt, built_in_prompts, in_order, load_folder, load_prompt
from channelcoder_lsp.prompts.template import render

__all__ = ["Prompt", "built_in_prompts", "in_order", "load_folder", "load_prompt", "render"]
