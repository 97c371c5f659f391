"""``channelcoder doctor``: what is wrong with the installation, and what helps."""

from __future__ import annotations

from dataclasses import asdict

import click

from channelcoder_lsp.cli import findings, storage_findings
from channelcoder_lsp.cli.failing import FAILED, verbose
from channelcoder_lsp.cli.findings import Finding
from channelcoder_lsp.cli.output import json_option, say, say_json
from channelcoder_lsp.settings import load_settings


@click.command()
@json_option
@click.pass_context
@verbose
def doctor(ctx: click.Context, *, as_json: bool) -> None:
    """Say what is wrong with the installation, and what helps; it ends with 1 if something is broken."""
    settings, problems = load_settings()
    found = [
        *(Finding("settings", "broken", problem.message, "Correct it.") for problem in problems),
        *findings.claude(settings),
        *storage_findings.storage(settings),
        *findings.state(),
        *findings.left_behind(),
        findings.transcripts(),
        *findings.programs(),
        *findings.editors(),
    ]
    if as_json:
        say_json([asdict(finding) for finding in found])
    else:
        for finding in found:
            say(f"{finding.state:<6}  {finding.what}: {finding.detail}" + (f" {finding.fix}" if finding.fix else ""))
    ctx.exit(FAILED if any(finding.state == "broken" for finding in found) else 0)
