// The item in the status bar: idle, thinking and for how long, offline, error; actions on click.

import * as vscode from "vscode";
import type { Context } from "./context.ts";
import type { Status } from "./protocol.ts";
import { sessionFacts } from "./rendering.ts";

const SECOND_MS = 1_000;

export function registerStatus(context: Context): void {
  const shown = new StatusItem(context);
  context.extension.subscriptions.push(shown);
  context.command("menu", () => menu(context));
}

class StatusItem implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem(
    "channelcoder.status",
    vscode.StatusBarAlignment.Right,
    90,
  );
  private readonly disposables: { dispose(): unknown }[];
  private readonly busy = new Map<string, number>();
  private status: Status | undefined;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly context: Context) {
    this.item.name = "ChannelCoder";
    this.item.command = "channelcoder.ui.menu";
    const { server, threads } = context;
    this.disposables = [
      this.item,
      server.onHealth(() => {
        this.busy.clear();
        void this.ask();
      }),
      server.onTurn(({ turnId, state }) => {
        this.turn(turnId, state);
      }),
      threads.onChanged(() => void this.ask()),
      vscode.window.onDidChangeActiveTextEditor(() => void this.ask()),
      vscode.workspace.onDidGrantWorkspaceTrust(() => void this.ask()),
    ];
    this.draw();
    this.item.show();
  }

  dispose(): void {
    clearInterval(this.timer);
    for (const disposable of this.disposables) {
      disposable.dispose();
    }
  }

  private turn(turnId: string, state: string): void {
    if (state !== "queued" && state !== "running") {
      this.busy.delete(turnId);
    } else if (!this.busy.has(turnId)) {
      this.busy.set(turnId, Date.now());
    }
    const waiting = this.busy.size > 0;
    void vscode.commands.executeCommand("setContext", "channelcoder.waiting", waiting);
    if (!waiting) {
      clearInterval(this.timer);
      this.timer = undefined;
      void this.ask();
    } else {
      this.timer ??= setInterval(() => {
        this.draw();
      }, SECOND_MS);
    }
    this.draw();
  }

  private async ask(): Promise<void> {
    const editor = vscode.window.activeTextEditor;
    const active = editor && vscode.workspace.getWorkspaceFolder(editor.document.uri);
    const folder = active ?? vscode.workspace.workspaceFolders?.[0];
    try {
      this.status =
        this.context.server.running && folder !== undefined
          ? await this.context.server.execute("channelcoder.status", { folder: folder.uri.toString() })
          : undefined;
    } catch (problem) {
      this.context.log.warn(`the status could not be had: ${String(problem)}`);
    }
    const said = (this.status?.messages ?? 0) > 0;
    void vscode.commands.executeCommand("setContext", "channelcoder.session", said);
    this.draw();
  }

  private draw(): void {
    const health = this.context.server.state;
    this.item.backgroundColor = undefined;
    if (health.kind === "failed") {
      this.item.text = "$(error) Claude";
      this.item.tooltip = health.reason;
      this.item.backgroundColor = new vscode.ThemeColor("statusBarItem.errorBackground");
      return;
    }
    if (health.kind !== "running") {
      this.item.text = health.kind === "starting" ? "$(loading~spin) Claude" : "$(circle-slash) Claude";
      this.item.tooltip = `The ChannelCoder server is ${health.kind}.`;
      return;
    }
    const begun = Math.min(...this.busy.values());
    const marks = [
      ...(this.status?.offline === true ? ["offline"] : []),
      ...(this.status?.away == null ? [] : ["storage away"]),
      ...(vscode.workspace.isTrusted ? [] : ["restricted"]),
    ];
    const name = marks.length > 0 ? `Claude (${marks.join(", ")})` : "Claude";
    this.item.text = Number.isFinite(begun)
      ? `$(loading~spin) ${name} ${Math.floor((Date.now() - begun) / SECOND_MS)} s`
      : `$(comment-discussion) ${name}`;
    this.item.tooltip = tooltip(this.status);
  }
}

function tooltip(status: Status | undefined): string {
  const lines = ["No folder is open."];
  if (status !== undefined) {
    lines.splice(0, 1, ...sessionFacts(status));
    if (status.offline) {
      lines.push("The offline model answers: no account, no network.");
    }
  }
  if (!vscode.workspace.isTrusted) {
    lines.push(
      "Restricted Mode: CLAUDE.md, Claude's project settings, project prompts and MCP servers are off.",
      "Asking about code works.",
    );
  }
  return lines.join("\n");
}

interface Action extends vscode.QuickPickItem {
  readonly run: string;
}

async function menu(context: Context): Promise<void> {
  const on: Action[] = [
    { label: "$(comment-discussion) Ask About Selection…", run: "ask" },
    { label: "$(arrow-right) Continue Session…", run: "continue" },
    { label: "$(list-unordered) Switch Session…", run: "session.switch" },
    { label: "$(add) New Session", run: "session.new" },
    { label: "$(output) Show Transcript", run: "session.show" },
    { label: "$(sparkle) Select Model…", run: "model" },
    { label: "$(fold) Compact Session", run: "session.compact" },
    { label: "$(credit-card) Set Spending Limit…", run: "session.limit" },
    { label: "$(stop-circle) Cancel Questions", run: "cancel" },
  ];
  const always: Action[] = [
    ...(vscode.workspace.isTrusted
      ? []
      : [{ label: "$(workspace-trusted) Trust This Folder", run: "trust" }]),
    { label: "$(account) Sign In…", run: "login" },
    { label: "$(refresh) Restart Server", run: "restart" },
    { label: "$(pulse) Doctor", run: "doctor" },
    { label: "$(output) Show Output", run: "output" },
  ];
  const off: Action[] = [{ label: "$(cloud-download) Install Server", run: "install" }];
  const items = [...(context.server.running ? on : off), ...always];
  const health = context.server.state;
  const title = health.kind === "failed" ? health.reason : "ChannelCoder";
  const chosen = await vscode.window.showQuickPick(items, { title });
  if (chosen !== undefined) {
    await vscode.commands.executeCommand(`channelcoder.ui.${chosen.run}`);
  }
}
