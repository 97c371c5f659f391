"""``channelcoder doctor``: what is wrong with the installation, and what helps."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from channelcoder_lsp.cli import findings, storage_findings
from channelcoder_lsp.cli.failing import FAILED, verbose
from channelcoder_lsp.cli.findings import Finding
from channelcoder_lsp.cli.output import json_option, say, say_json
from channelcoder_lsp.cli.report import write_report
from channelcoder_lsp.settings import load_settings


@click.command()
@json_option
@click.option("--report", "report", is_flag=True, help="Put it into an archive for a bug report, with the last logs.")
@click.pass_context
@verbose
def doctor(ctx: click.Context, *, as_json: bool, report: bool) -> None:
    """Say what is wrong with the installation, and what helps; it ends with 1 if something is broken.

    The archive of --report is written into the current folder. It holds what is found, versions, the settings that
    were changed and the servers' last logs, without prompts, keys, names of users and machines, and the home folder's
    path; names of projects and sessions stand in the logs. Read it before you send it.
    """
    settings, problems = load_settings()
    found = [
        *(Finding("settings", "broken", problem.message, "Correct it.") for problem in problems),
        *findings.claude(settings),
        *storage_findings.storage(settings),
        *findings.state(),
        findings.logs(),
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
    if report:
        path = write_report(Path.cwd(), found, settings)
        click.echo(f"Written: {path}. Read it before you send it.", err=as_json)
    ctx.exit(FAILED if any(finding.state == "broken" for finding in found) else 0)
