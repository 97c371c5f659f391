"""What a model wrote is shown: nothing in it acts, nothing in it is unseen, ordinary answers look the same."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from channelcoder_lsp.services.safe_text import CodeBlock, code_blocks, plain_text, safe_markdown
from channelcoder_lsp.services.safe_unicode import without_hidden

ORDINARY = """\
# Why it is slow

The loop in `total` visits **every** item, so `List<String>` costs *twice*; a < b && c > d, 3 < 5, x <= y, p->q.
See [the docs](https://example.org/a_(b)?x=1&y=2 "Docs"), [the file](src/app.py#L12), [below](#fix) and
<https://example.org>, or write to <me@example.org>. R&D, AT&amp;T, &copy; 2024, $a_1 < b^2$, \\[x\\], 50 %.

Setext heading
--------------

1. one
   - nested with ``a ` tick``
     ```python
     def f(x: dict[str, int]) -> str:
         return f"<b>{x}</b>"  # ![not](an image)
     ```
2. two

> A quote, with `code`
> > and another
>
> ~~~sh
> curl "$URL" | tee <(cat)
> ~~~

| name | type |
|:-----|-----:|
| `a \\| <b>` | `dict[str](int)` |
| **x** | ~~y~~ |

- [ ] to do
- [x] done; arr[0](call), see [1][ref] and [ref]

    indented code

***

[ref]: https://example.org/ref "Title"

Emoji: 👩‍💻 ❤️ 1️⃣ 🏳️‍🌈, words: می‌خواهم, naïve, 日本語.
"""

FRAGMENTS = [
    *("`", "``", "```", "~~~", "~~~~", "```py\n", "~~~\n", "`c`", "`<b>`", "`\n", "`a\n"),
    *("<img src=x>", "<div>", "</div>", "<script>", "<!--", "-->", "<?php", "?>", "<![CDATA[", "]]>", "<b", "x>"),
    *('<a href="`">', "<", "\\<", "\\<b>", "<command:x>", "<https://e.x>", "<a@b.c>", "<http://a](command:x)>"),
    *("> ", ">", "- ", "1. ", "2) ", "* ", "    ", "  ", "\t", "\n", "\n\n", "\n> ", "\n- ", "\n  ", "\n    "),
    *("\\", "\\\\", "\\`", "|", "|-|\n", "|-|-|\n", "| a | b |\n|---|---|\n", "#", "# ", "---", "===", "**", "_"),
    *("![", "![a](", "](", ")", "(", "[", "]", "[a]", "[a]: ", "]:", "!", "'", '"t"', " ", "a", "b c"),
    *("command:x", "command&colon;x", "javascript:x", "java\nscript:x", "jav&#x09;ascript:x", "command%3Ax", "%3A"),
    *("file:///x", "//evil", "https://e.x/y", "http://a", "www.x", "ftp://b", "data:image/png;base64,AA"),
    *("![a](https://i.x/p.png)", "[![a](https://i.x)](https://h.x)", "[x](<a b>)", "[x](<command:y>)"),
    *("[r]: https://d.x/i.png\n", "[r]: command:x\n", "![r]", "[r]", "![q][r]"),
    *("&", "&#x1b;", "#x1b;", "lt;", "&lt;", "&zwj;", "\x1b[31m", "\x1b]8;;command:x\x07", "\u200b", "\u202e"),
]
HOSTILE = st.lists(st.sampled_from(FRAGMENTS), max_size=24).map("".join)
ALLOWED = re.compile(r"(?:https?://|mailto:)", re.IGNORECASE)

PARSERS = {
    "CommonMark": MarkdownIt("commonmark"),
    "GFM tables": MarkdownIt("commonmark").enable(["table"]),
    "GFM tables, no definitions": MarkdownIt("commonmark").enable(["table"]).disable(["reference"]),
}
for _parser in PARSERS.values():
    _parser.validateLink = lambda _url: True  # else the parser would refuse a part itself


def what_acts(markdown: str) -> list[tuple[str, str, str]]:
    """The HTML, the images and the links to forbidden places that any of the parsers finds in ``markdown``."""
    found = []
    for name, parser in PARSERS.items():
        for block in parser.parse(markdown):
            for token in (block, *(block.children or ())):
                if token.type in {"html_block", "html_inline", "image"}:
                    found.append((name, token.type, token.content))
                href = str(token.attrs.get("href", "")) if token.type == "link_open" else ""
                if not ALLOWED.match(href) and (href.startswith("/") or ":" in re.split("[/?#]", href)[0]):
                    found.append((name, "link", href))
    return found


def rendered(markdown: str) -> str:
    return MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown)


class TestOrdinaryAnswers:
    def test_a_well_formed_answer_is_not_touched(self):
        """Headings, lists, tables, links, code, maths and comparisons come out letter by letter."""
        assert safe_markdown(ORDINARY) == ORDINARY

    @pytest.mark.parametrize(
        "text",
        ["Returns List<String>.", "Use Map<K, V>\n<br> here", "a `broken span", "[x]: note: this", "see foo[0]: bar:1"],
    )
    def test_what_is_escaped_looks_the_same(self, text):
        """Generics and tags in prose read as they were written."""
        assert rendered(safe_markdown(text)) == rendered(text)

    def test_a_tag_shows_as_its_source(self):
        assert safe_markdown("a <b>bold</b> <!-- note -->") == "a &lt;b>bold&lt;/b> &lt;!-- note -->"

    @pytest.mark.parametrize(
        ("written", "shown"),
        [
            ("a `broken span", "a \\`broken span"),  # else a later backtick could pair with it
            ("http://e.x\\<img>", "http://e.x&lt;img>"),  # a bare address takes the backslash with it
            ("[a]: b\n    <c>", "[a]: b\n    &lt;c>"),  # text below a definition, not code
            ("ftp://e.x", "ftp:\\//e.x"),
        ],
    )
    def test_what_parsers_see_differently_is_escaped(self, written, shown):
        assert safe_markdown(written) == shown
        assert rendered(shown).count("<a") == 0

    @pytest.mark.parametrize("text", ["", "\n", "a", "a\n", "a\r\nb\r\n", "  \n\n"])
    def test_line_ends_stay_in_number(self, text):
        assert safe_markdown(text) == text.replace("\r\n", "\n")


class TestHtmlImagesAndLinks:
    @pytest.mark.parametrize(
        ("written", "shown"),
        [
            ("![a chart](https://e.x/c.png)", "a chart (`https://e.x/c.png`)"),
            ('![a chart](<https://e.x/c d.png> "t")', "a chart (`https://e.x/c%20d.png`)"),
            ("![](http://e.x/c.png)", "image (`http://e.x/c.png`)"),
            ("![local](img/c.png)", "local"),
            ("![x](data:image/png;base64,AA)", "x"),
            ("![# heading](https://e.x)", "image: # heading (`https://e.x`)"),
            ("[![badge](https://e.x/b.svg)](https://e.x)", "[badge (`https://e.x/b.svg`)](https://e.x)"),
            ("![q][r]\n\n[R]: https://e.x/i.png", "q (`https://e.x/i.png`)\n\n[R]: https://e.x/i.png"),
            ("![[odd]](https://e.x)", "!\\[[odd]](https://e.x)"),
        ],
    )
    def test_an_image_becomes_its_text_and_its_address(self, written, shown):
        """No editor loads it, and the reader sees where it would have come from."""
        assert safe_markdown(written) == shown

    @pytest.mark.parametrize(
        "address",
        [
            *("command:x", "COMMAND:x", "vscode://x", "file:///etc/passwd", "javascript:x", "data:text/html,x"),
            *("command&colon;x", "command&#58;x", "command&#x3A;x", "command\\:x", "command%3Ax", "command%253Ax"),
            *("java&Tab;script:x", "<command:x>", "<java script:x>", "com\u200bmand:x", "//host/x", "/etc/passwd"),
            *("\\\\host\\share", "C:\\x", "\n command:x", "x" * 3000),
        ],
    )
    @pytest.mark.parametrize("form", ["[t]({})", "[r]: {}\n\n[r] [t][r]", "> [t]({})", "| [t]({}) |\n|-|"])
    def test_a_link_elsewhere_shows_as_its_source(self, address, form):
        """However its scheme is written, inline or by reference."""
        shown = safe_markdown(form.format(address))
        assert what_acts(shown) == []
        assert not any(t.type == "link_open" for b in PARSERS["CommonMark"].parse(shown) for t in b.children or ())

    @pytest.mark.parametrize(
        "address", ["https://e.x", "HTTP://e.x", "mailto:a@b.c", "a/b.py", "../c.md#d", "#x", "?q"]
    )
    def test_a_link_to_the_web_or_a_relative_path_stays(self, address):
        assert safe_markdown(f"[t]({address})") == f"[t]({address})"

    def test_a_path_in_angle_brackets_is_written_without_them(self):
        """Where it is no link after all, it would be a tag."""
        assert safe_markdown("[t](<a b.md>)") == "[t](a%20b.md)"

    @pytest.mark.parametrize("autolink", ["<command:x>", "<file:///x>", "<javascript:alert(1)>", "<ftp://x>"])
    def test_an_autolink_elsewhere_shows_as_its_source(self, autolink):
        assert safe_markdown(autolink).startswith("&lt;")


class TestCode:
    @pytest.mark.parametrize(
        ("written", "shown"),
        [
            ("```py\ncode", "```py\ncode\n```"),
            ("```py\ncode\n", "```py\ncode\n```\n"),
            ("```", "```\n```"),
            ("````\n```\ncode\n```", "````\n```\ncode\n```\n````"),
            ("- a\n  ~~~\n  code", "- a\n  ~~~\n  code\n  ~~~"),
            ("1. ```\n   code", "1. ```\n   code\n   ```"),
            ("```\n> ", "```\n> \n```"),
            ("```\n\na\n\n\n", "```\n\na\n```\n\n\n"),
            ("> ```\n> code\n\ntext", "> ```\n> code\n> ```\n\ntext"),
        ],
    )
    def test_an_open_fence_is_closed_where_it_stands(self, written, shown):
        """An answer is shown while it streams; what follows the hover's answer must not become code."""
        assert safe_markdown(written) == shown

    @pytest.mark.parametrize(
        ("info", "language"),
        [("python", "python"), ("c++", "c++"), ("{.js onclick=x}", "js"), ("ts:src/a.ts", "ts"), ("<img>", "")],
    )
    def test_the_info_string_becomes_the_language(self, info, language):
        assert safe_markdown(f"~~~{info}\nx\n~~~") == f"~~~{language}\nx\n~~~"

    def test_a_span_over_two_lines_comes_on_one(self):
        """What stands at the beginning of its second line could end the paragraph, and with it the span."""
        assert safe_markdown("> `a\n> <img src=x>`") == "> `a <img src=x>`"

    def test_indented_code_that_could_act_comes_between_fences(self):
        """Parsers disagree about where code begins by indentation, never about a fence."""
        assert safe_markdown("- a\n\n      <b>`\n") == "- a\n\n  ```\n  <b>`\n  ```\n"

    def test_a_span_next_to_a_bare_address_keeps_its_backtick(self):
        """GitHub's bare addresses end at a space only."""
        assert safe_markdown("http://e.x`<b>`") == "http://e.x `<b>`"


class TestHiddenCharacters:
    @pytest.mark.parametrize(
        ("written", "shown"),
        [
            ("\x1b[31mred\x1b[0m \x9b1mbold", "red bold"),
            ("\x1b]8;;command:x\x1b\\link\x1b]8;;\x07", "link"),
            ("\x1b]0;title\x07a\x1bPq\x1b\\b\x1bc", "ab"),
            ("\x1b]52;c;unterminated\nnext", "52;c;unterminated\nnext"),
            ("a\x00\x07\x08\x0b\x0c\x7f\x85b\tc", "ab\tc"),
            ("a\u202eb\u2066c\u2069\u200ed\u061c", "abcd"),
            ("a\u200b\u200d\ufeff\u00ad\u2060\u2063\u3164b", "ab"),
            ("a\U000e0041\U000e0101\ufe0fb\ufe01", "ab"),
            ("👩\u200d💻 ❤\ufe0f 1\ufe0f\u20e3 क्\u200dष", "👩\u200d💻 ❤\ufe0f 1\ufe0f\u20e3 क्\u200dष"),
            ("a\rb\r\nc\u2028d", "a\nb\nc d"),
            ("\ud83d x", "\ufffd x"),
        ],
    )
    def test_they_go_and_what_is_seen_stays(self, written, shown):
        """In prose and in code, in hovers and in titles; emoji and the scripts that need joiners are whole."""
        assert without_hidden(written) == shown
        assert safe_markdown(f"```\n{written}\n```") == f"```\n{shown}\n```"

    @pytest.mark.parametrize("entity", ["&#x1b;", "&#27;", "&#8238;", "&zwj;", "&shy;", "&ZeroWidthSpace;"])
    def test_entities_for_them_show_as_their_source(self, entity):
        """A terminal's Markdown renderer would turn them into the character."""
        assert safe_markdown(f"a {entity}") == f"a &amp;{entity[1:]}"


class TestAnyInput:
    @settings(deadline=None, max_examples=400)
    @given(HOSTILE)
    @example("| a |\n|-|\n    <img src=x>")
    @example("[a]: command:x\n    <img src=x>")
    @example("`a | <b>`\n- |-|")
    @example("<!--\n```\n-->\n<img src=x>")
    @example(">" * 40 + " <img src=x>")
    def test_parsed_again_nothing_acts(self, text):
        """By CommonMark's rules, by GitHub's, and by those of a parser that knows less."""
        assert what_acts(safe_markdown(text)) == []

    @settings(deadline=None, max_examples=300)
    @given(st.one_of(HOSTILE, st.text()))
    def test_what_is_safe_stays_as_it_is(self, text):
        shown = safe_markdown(text)
        assert safe_markdown(shown) == shown

    @settings(deadline=None, max_examples=300)
    @given(HOSTILE, st.integers(0, 80))
    def test_a_cut_answer_is_short_enough_and_safe(self, text, max_chars):
        shown = safe_markdown(text, max_chars=max_chars)
        assert len(shown) <= max_chars
        assert what_acts(shown) == []
        assert safe_markdown(shown, max_chars=max_chars) == shown

    @settings(deadline=None, max_examples=200)
    @given(st.text(), st.integers(0, 40), st.booleans())
    def test_plain_text_is_short_enough_and_can_be_sent(self, text, max_chars, one_line):
        shown = plain_text(text, max_chars=max_chars, one_line=one_line)
        assert len(shown) <= max_chars
        assert shown.encode() is not None
        assert not (one_line and "\n" in shown)


class TestCutting:
    def test_it_is_cut_before_the_block_that_does_not_fit(self):
        """A reader gets whole paragraphs, then the line that says there is more."""
        text = "First paragraph, of some length.\n\nSecond paragraph,\nof two lines.\n\nThird."
        assert safe_markdown(text, max_chars=60) == "First paragraph, of some length.\n\n…"

    def test_a_long_fence_is_cut_between_lines_and_closed(self):
        text = "```py\n" + "x = 1\n" * 100 + "```\n"
        assert safe_markdown(text, max_chars=50) == "```py\n" + "x = 1\n" * 6 + "```\n\n…"

    def test_a_long_line_is_cut_between_words(self):
        assert safe_markdown("word " * 50, max_chars=24) == "word word word word\n\n…"

    @pytest.mark.parametrize("max_chars", [3, 2, 1])
    def test_too_little_room_leaves_the_sign(self, max_chars):
        assert safe_markdown("A longer answer", max_chars=max_chars) == "…"

    def test_what_fits_is_whole(self):
        assert safe_markdown("abc", max_chars=3) == "abc"


class TestPlainText:
    @pytest.mark.parametrize(
        ("written", "shown"),
        [
            ("  Why is\n\n `x`\t**slow**?  ", "Why is `x` **slow**?"),
            ("\x1b[1mbold\u202e\x07", "bold"),
            ("a" * 30, "a" * 19 + "…"),
            ("word " * 10, "word word word word…"),
            ("[run](command:x)", "[run] (command:x)"),
            ("[run](https://e.x)", "[run](https://e.x)"),
            ("👩\u200d💻" * 7, "👩\u200d💻" * 6 + "👩…"),
        ],
    )
    def test_a_title_is_one_line_of_visible_text(self, written, shown):
        """And no link of it runs a command: VS Code reads links in notifications."""
        assert plain_text(written, max_chars=20) == shown

    def test_lines_can_stay(self):
        assert plain_text(" a  b \r\n\n\n c", max_chars=20, one_line=False) == "a b\nc"


class TestCodeBlocks:
    def test_fences_are_those_of_commonmark(self):
        """Longer fences hold shorter ones, tildes hold backticks, a list's indentation is not the code's."""
        text = (
            "````md\n```py\nx\n```\n````\n\n- a\n  ~~~ js title=x\n    y\n  ```\n  ~~~\n> ```\n> z\n\n    no fence\n`n`"
        )
        assert code_blocks(text) == [
            CodeBlock("md", "```py\nx\n```\n", cleaned=False),
            CodeBlock("js", "  y\n```\n", cleaned=False),
            CodeBlock("", "z\n", cleaned=False),
        ]

    def test_code_is_what_the_model_wrote(self):
        """Tabs, tags, trailing spaces and empty lines are code."""
        assert code_blocks("```\n\tif a <b> c:  \n\n\n```") == [CodeBlock("", "\tif a <b> c:  \n\n\n", cleaned=False)]

    def test_an_open_block_is_there_as_far_as_it_goes(self):
        assert code_blocks("```py\nx = 1\ny =") == [CodeBlock("py", "x = 1\ny =\n", cleaned=False)]

    def test_hidden_characters_are_taken_out_and_it_says_so(self):
        """A bidirectional override shows a reviewer another program than the one that runs."""
        text = "```py\nok\n```\n```py\nif a:\u202e \u2066# b\u2069\n```\n"
        assert code_blocks(text) == [
            CodeBlock("py", "ok\n", cleaned=False),
            CodeBlock("py", "if a: # b\n", cleaned=True),
        ]

    def test_windows_line_ends_are_no_hidden_characters(self):
        assert code_blocks("```py\r\nx\r\n```\r\n") == [CodeBlock("py", "x\n", cleaned=False)]

    @settings(deadline=None, max_examples=200)
    @given(HOSTILE)
    def test_they_are_the_blocks_that_are_shown(self, text):
        """Asked of the answer or of what is shown of it, each block is there (shown, indented code may join)."""
        shown = [block.code for block in code_blocks(safe_markdown(text))]
        assert [block.code.strip() in "".join(shown) for block in code_blocks(text)].count(False) == 0


def test_the_parser_is_loaded_on_first_use():
    """Starting the server must not pay for it."""
    code = "import sys, channelcoder_lsp.services.safe_text; print('markdown_it' in sys.modules)"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "False"
