"""Text that looks like a password or a key.

The shapes are those by which the issuers of keys have them found (their prefixes, as gitleaks and GitHub's secret
scanning list them), and values given to a name such as ``password``. What looks like a placeholder is none.
"""

from __future__ import annotations

import math
import re
from collections import Counter

_SHAPES = {
    "a private key": r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----",
    "an Anthropic API key": r"\bsk-ant-[A-Za-z0-9_-]{20,}",
    "an OpenAI API key": r"\bsk-(?:proj-|svcacct-|admin-)?[A-Za-z0-9_-]{32,}",
    "an AWS access key": r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}\b",
    "a Google API key": r"\bAIza[A-Za-z0-9_-]{35}",
    "a GitHub token": r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{60,})",
    "a GitLab token": r"\bgl(?:pat|ptt|dt|rt|cbt)-[A-Za-z0-9_-]{20,}",
    "a Slack token": r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}",
    "a Stripe key": r"\b[rs]k_(?:live|test|prod)_[A-Za-z0-9]{16,}",
    "an npm token": r"\bnpm_[A-Za-z0-9]{36}\b",
    "a PyPI token": r"\bpypi-AgE[A-Za-z0-9_-]{50,}",
    "a Hugging Face token": r"\bhf_[A-Za-z]{34}\b",
    "a JSON Web Token": r"\beyJ[A-Za-z0-9_-]{16,}\.eyJ[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",
    "a URL with a password": r"\b[a-z][a-z0-9+.-]{1,20}://[^\s:/@'\"<>]{0,64}:(?P<password>[^\s/@'\"<>]{3,128})@",
}
_SHAPE = re.compile("|".join(f"(?P<k{number}>{shape})" for number, shape in enumerate(_SHAPES.values())))
_KINDS = list(_SHAPES)
_MARKS = (
    *("PRIVATE KEY", "sk-", "AKIA", "ASIA", "ABIA", "ACCA", "AIza", "ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
    *("github_pat_", "glpat-", "glptt-", "gldt-", "glrt-", "glcbt-", "xox", "k_live_", "k_test_", "k_prod_"),
    *("npm_", "pypi-AgE", "hf_", "eyJ"),
)
"""One of these stands in whatever has one of the shapes, but for an address, which has ``://`` and ``@``."""
_NAMED = re.compile(
    r"""(?:password|passwd|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credential)s?
    [A-Za-z0-9_-]{0,20} ["'`]? \s* (?:=>|:=|[:=]) \s* ["'`] (?P<value>[^\s"'`]{12,200}) ["'`]""",
    re.IGNORECASE | re.VERBOSE,
)
_NAMES = ("key", "passw", "secret", "token", "credential", "passphrase")
"""One of these stands in whatever is a value given to such a name. Looking for them first is what makes it quick."""
_PLACEHOLDER = re.compile(
    r"^[$%]|[{(<\[]|\*{3}|x{4}|\.{3}|example|placeholder|change[_-]?me|dummy|your[_-]|(?:test|fake)[_-]?(?:key|token)",
    re.IGNORECASE,
)
_RANDOM_BITS = 3.0
"""Bits for each character, from which on a value looks like no word."""
_LINE_CHARS = 20_000
"""Characters of a line that are looked at: nobody types a longer one, and keys stand at its beginning or nowhere."""


def without_credentials(text: str) -> str:
    """The text with ``***`` in the place of what seems to be secret."""

    def hidden(found: re.Match[str]) -> str:
        group = next((name for name in ("password", "value") if found.groupdict().get(name)), 0)
        start, end = (edge - found.start() for edge in found.span(group))
        return f"{found[0][:start]}***{found[0][end:]}"

    return _NAMED.sub(hidden, _SHAPE.sub(hidden, text))


def likely_credential(line: str) -> str | None:
    """What the line seems to hold, in words: ``an AWS access key``; None: nothing that looks like a secret."""
    line = line[:_LINE_CHARS]
    for found in _SHAPE.finditer(line) if _may_have_a_shape(line) else ():
        if not _PLACEHOLDER.search(found["password"] or found[0]):
            return next(kind for number, kind in enumerate(_KINDS) if found[f"k{number}"] is not None)
    for found in _NAMED.finditer(line) if _may_be_named(line) else ():
        value = found["value"]
        if not _PLACEHOLDER.search(value) and _bits(value) >= _RANDOM_BITS and re.search(r"\d", value):
            return "a password or key"
    return None


def _may_have_a_shape(line: str) -> bool:
    if "://" in line and "@" in line:
        return True
    for mark in _MARKS:  # noqa: SIM110 - this is for speed, and a generator takes twice as long
        if mark in line:
            return True
    return False


def _may_be_named(line: str) -> bool:
    if '"' not in line and "'" not in line and "`" not in line:
        return False
    folded = line.casefold()
    for name in _NAMES:  # noqa: SIM110 - as above
        if name in folded:
            return True
    return False


def _bits(value: str) -> float:
    """Shannon's entropy of a character of the value."""
    counts = Counter(value).values()
    return -sum(count / len(value) * math.log2(count / len(value)) for count in counts)
