"""What looks like a secret is noticed, and ordinary code is left in peace."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import channelcoder_lsp
from channelcoder_lsp.domain import credentials
from channelcoder_lsp.domain.credentials import likely_credential

LETTERS = "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hJ6lM9nP2rS5uV8xA1cD4fG7iK0kL3oR6tU9wY2"


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("-----BEGIN OPENSSH " + "PRIVATE KEY-----", "a private key"),
        ("  12| -----BEGIN " + "PRIVATE KEY-----", "a private key"),
        (f"key = 'sk-ant-api03-{LETTERS}'", "an Anthropic API key"),
        (f"OPENAI=sk-proj-{LETTERS}", "an OpenAI API key"),
        ("aws_access_key_id = AKIA" + "QW3RTY4UIOP5ASDF", "an AWS access key"),
        (f'"AIza{LETTERS[:35]}"', "a Google API key"),
        (f"git clone https://ghp_{LETTERS[:36]}@github", "a GitHub token"),
        (f"github_pat_{LETTERS[:70]}", "a GitHub token"),
        (f"glpat-{LETTERS[:20]}", "a GitLab token"),
        ("xoxb-" + "1234567890-abcdef", "a Slack token"),
        (f"sk_live_{LETTERS[:24]}", "a Stripe key"),
        (f"//registry/:_authToken=npm_{LETTERS[:36]}", "an npm token"),
        (f"pypi-AgE{LETTERS}", "a PyPI token"),
        (f"Bearer eyJ{LETTERS[:20]}.eyJ{LETTERS[:30]}.{LETTERS[:43]}", "a JSON Web Token"),
        ("DATABASE = 'postgresql://shop:hunter2@db.internal/shop'", "a URL with a password"),
        ("redis://:hunter2@cache:6379/0", "a URL with a password"),
        ('password = "correct7horse9Battery"', "a password or key"),
        ("'api_key': 'f3b1c4a29d7e4f0b8c6a5d2e1f0a9b8c'", "a password or key"),
        ("const CLIENT_SECRET_DEV = `k8Jq2LmZx04Vt7Rw`", "a password or key"),
    ],
)
def test_secrets_are_named(line, kind):
    assert likely_credential(line) == kind


@pytest.mark.parametrize(
    "line",
    [
        "password = getpass.getpass()",
        "password = os.environ['DATABASE_PASSWORD']",
        'password = "<your password here 1>"',
        'token = "${GITHUB_TOKEN_1}"',
        'api_key = "your_api_key_goes_here1"',
        'API_KEY = "xxxxxxxxxxxxxxxxxxxx1"',
        'help="the secret that opens 7 doors"',
        "postgresql://user:$PASSWORD@host/database",
        "postgresql://user:{password}@host",
        "https://example.com:8080/path@v1",
        'token_type = "authorization_code"',
        "def test_access_key_rotation_in_us_east_1():",
        "sk-learn and sk-image",
        "sha256 = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'",
        "",
    ],
)
def test_what_is_no_secret_is_none(line):
    assert likely_credential(line) is None


def test_our_own_source_has_none():
    """Thirty thousand lines of ordinary code, in which passwords and tokens are spoken of often."""
    sources = Path(channelcoder_lsp.__file__).parent.rglob("*.py")
    lines = [line for source in sources for line in source.read_text(encoding="utf-8").splitlines()]
    assert [line for line in lines if likely_credential(line)] == []


@given(st.from_regex(credentials._SHAPE) | st.from_regex(credentials._NAMED))
def test_nothing_is_passed_over_by_what_makes_it_quick(line):
    """Before either regular expression is tried, a part of what it would find is looked for."""
    assert credentials._SHAPE.search(line) is None or credentials._may_have_a_shape(line)
    assert credentials._NAMED.search(line) is None or credentials._may_be_named(line)


@given(st.text())
def test_any_text_can_be_looked_at(text):
    assert likely_credential(text) is None or text
