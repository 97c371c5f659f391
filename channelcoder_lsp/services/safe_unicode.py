r"""Characters that change what a reader sees without being seen: escapes, controls, hidden Unicode.

What is dropped: ANSI and OSC sequences, C0 and C1 controls but ``\n`` and ``\t``, bidirectional overrides and
isolates, zero-width and tag characters, soft hyphens, invisible separators and fillers, stray variation
selectors. What stays: joiners inside an emoji or inside a word of a script that needs them, and the variation
selector of an emoji. Sources: Unicode Technical Report 36 and Technical Standard 39; ECMA-48.
"""

from __future__ import annotations

import re

_LINE_END = re.compile(r"\r\n?")

# A body ends at the first control character, so that an unterminated sequence can't take the answer with it.
_BODY = r"[^\x00-\x1f\x7f-\x9f]*"
_ESCAPE_SEQUENCE = re.compile(
    rf"(?:\x1b\]|\x9d){_BODY}(?:\x07|\x1b\\|\x9c)"  # OSC: window titles, hyperlinks, the clipboard
    rf"|(?:\x1b[PX^_]|[\x90\x98\x9e\x9f]){_BODY}(?:\x1b\\|\x9c)"  # DCS, SOS, PM, APC
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, the cursor
    r"|\x1b[ -/]*[0-~]?"
)

_EMOJI = (
    "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u27bf\u2900-\u297f\u2b00-\u2bff"
    "\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
)
_JOINING_SCRIPTS = "\u0620-\u109f"  # Arabic to Myanmar: joiners spell words there
_NEVER_SHOWN = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff"
)
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SUSPECT = re.compile(f"[{_NEVER_SHOWN}\u200c\u200d\ufe0e\ufe0f]")
_HIDDEN = re.compile(
    f"[{_NEVER_SHOWN}]"
    rf"|(?<![{_EMOJI}])(?<![#*0-9](?=\ufe0f\u20e3))[\ufe0e\ufe0f]"
    rf"|(?!(?<=[{_EMOJI}])\u200d(?=[{_EMOJI}])"
    rf"|(?<=[{_EMOJI}]\ufe0f)\u200d(?=[{_EMOJI}])"
    rf"|(?<=[{_JOINING_SCRIPTS}]).(?=[{_JOINING_SCRIPTS}]))[\u200c\u200d]"
)
_LINE_SEPARATOR = re.compile("[\u2028\u2029]")
_SURROGATE = re.compile("[\ud800-\udfff]")


def one_kind_of_line_end(text: str) -> str:
    r"""``text`` with every ``\r\n`` and ``\r`` as ``\n``."""
    return _LINE_END.sub("\n", text) if "\r" in text else text


def without_hidden(text: str) -> str:
    r"""``text`` as a terminal or an editor may show it: nothing in it acts, nothing in it is unseen.

    Line ends become ``\n`` and their number stays the same; U+2028 and U+2029 become spaces, and a lone
    surrogate, which could not be sent, the replacement character. Code and Markdown are left as they are.
    """
    text = one_kind_of_line_end(text)
    ascii_only = text.isascii()
    if "\x1b" in text or not ascii_only:
        text = _ESCAPE_SEQUENCE.sub("", text)
    text = _CONTROL.sub("", text)
    if ascii_only:
        return text
    if _SUSPECT.search(text):
        text = _HIDDEN.sub("", text)
    return _SURROGATE.sub("\ufffd", _LINE_SEPARATOR.sub(" ", text))


def hidden_shown(text: str) -> str:
    r"""``text`` with what :func:`without_hidden` would drop or change as escapes, for who must see all of it.

    Joiners and variation selectors are shown so everywhere. ``\n`` stays, as do a text's own backslashes.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_shown, text))


def _shown(char: str) -> str:
    if char == "\n" or (char.isprintable() and without_hidden(char) == char):
        return char
    return char.encode("unicode_escape").decode()
