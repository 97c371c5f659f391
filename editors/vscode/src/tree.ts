// The side bar: threads by file or by state, and sessions.

import * as vscode from "vscode";
import type { Context } from "./context.ts";
import type { SessionRow, ThreadRow } from "./protocol.ts";
import { counted, facts as threadFacts } from "./rendering.ts";
import { byPlace } from "./reviewing.ts";
import { facts as sessionFacts } from "./sessions.ts";

type Grouping = "file" | "state";

interface Group {
  readonly label: string;
  readonly uri: vscode.Uri | undefined;
  readonly rows: readonly ThreadRow[];
}

type Node = Group | { readonly row: ThreadRow };

const STATES = ["Answering", "Open", "Not found any more", "Resolved"] as const;

export function registerViews(context: Context): void {
  const threads = new ThreadTree(context);
  const sessions = new SessionTree(context);
  const view = vscode.window.createTreeView("channelcoder.threads", {
    treeDataProvider: threads,
    showCollapseAll: true,
  });
  const badge = (): void => {
    const open = context.threads.rows.filter((row) => row.status === "open").length;
    view.badge = open > 0 ? { value: open, tooltip: counted(open, "open thread") } : undefined;
  };
  context.extension.subscriptions.push(
    view,
    vscode.window.registerTreeDataProvider("channelcoder.sessions", sessions),
    context.threads.onChanged(() => {
      badge();
      threads.refresh();
      sessions.refresh();
    }),
  );
  context.command("threads.byFile", () => {
    threads.group("file");
  });
  context.command("threads.byState", () => {
    threads.group("state");
  });
  threads.group("file");
}

class ThreadTree implements vscode.TreeDataProvider<Node> {
  private readonly changed = new vscode.EventEmitter<undefined>();
  readonly onDidChangeTreeData = this.changed.event;
  private grouping: Grouping = "file";

  constructor(private readonly context: Context) {}

  refresh(): void {
    this.changed.fire(undefined);
  }

  group(by: Grouping): void {
    this.grouping = by;
    void vscode.commands.executeCommand("setContext", "channelcoder.grouping", by);
    this.refresh();
  }

  getChildren(node?: Node): Node[] {
    if (node === undefined) {
      return this.grouping === "file" ? this.byFile() : this.byState();
    }
    return "rows" in node ? node.rows.map((row) => ({ row })) : [];
  }

  getTreeItem(node: Node): vscode.TreeItem {
    return "rows" in node ? groupItem(node) : threadItem(node.row, this.grouping === "state");
  }

  private byFile(): Group[] {
    const groups = groupBy([...this.context.threads.rows].sort(byPlace), (row) => row.uri);
    return [...groups].map(([uri, rows]) => {
      const file = vscode.Uri.parse(uri);
      return { label: vscode.workspace.asRelativePath(file), uri: file, rows };
    });
  }

  private byState(): Group[] {
    const groups = groupBy([...this.context.threads.rows].sort(byPlace), stateOf);
    return STATES.flatMap((label) => {
      const rows = groups.get(label);
      return rows === undefined ? [] : [{ label, uri: undefined, rows }];
    });
  }
}

/** The values by key, in order. */
function groupBy<K, V>(values: readonly V[], key: (value: V) => K): Map<K, V[]> {
  const groups = new Map<K, V[]>();
  for (const value of values) {
    const group = groups.get(key(value)) ?? [];
    group.push(value);
    groups.set(key(value), group);
  }
  return groups;
}

function stateOf(row: ThreadRow): (typeof STATES)[number] {
  if (row.status === "resolved") {
    return "Resolved";
  }
  if (row.state === "orphaned") {
    return "Not found any more";
  }
  return row.waiting === true ? "Answering" : "Open";
}

function groupItem(group: Group): vscode.TreeItem {
  const item = new vscode.TreeItem(group.label, vscode.TreeItemCollapsibleState.Expanded);
  if (group.uri !== undefined) {
    item.resourceUri = group.uri;
    item.iconPath = vscode.ThemeIcon.File;
  }
  item.description = String(group.rows.length);
  return item;
}

function threadItem(row: ThreadRow, withFile: boolean): vscode.TreeItem {
  const item = new vscode.TreeItem(row.question);
  const file = withFile ? `${vscode.workspace.asRelativePath(vscode.Uri.parse(row.uri))} · ` : "";
  item.id = row.threadId;
  item.description = `${file}${threadFacts(row)}`;
  item.iconPath = new vscode.ThemeIcon(iconOf(row));
  item.contextValue = `thread-${row.status}`;
  const tooltip = new vscode.MarkdownString();
  tooltip.appendText(row.question);
  tooltip.appendCodeblock(row.code);
  item.tooltip = tooltip;
  item.command = {
    command: "channelcoder.ui.thread.reveal",
    title: "Show Thread",
    arguments: [row.threadId],
  };
  return item;
}

function iconOf(row: ThreadRow): string {
  if (row.status === "resolved") {
    return "pass";
  }
  if (row.state === "orphaned") {
    return "question";
  }
  if (row.waiting === true) {
    return "loading~spin";
  }
  return row.severity === "error" || row.severity === "warning" ? row.severity : "comment-discussion";
}

class SessionTree implements vscode.TreeDataProvider<{ readonly row: SessionRow }> {
  private readonly changed = new vscode.EventEmitter<undefined>();
  readonly onDidChangeTreeData = this.changed.event;

  constructor(private readonly context: Context) {}

  refresh(): void {
    this.changed.fire(undefined);
  }

  async getChildren(): Promise<{ readonly row: SessionRow }[]> {
    if (!this.context.server.running) {
      return [];
    }
    const folder = vscode.workspace.workspaceFolders?.[0]?.uri.toString() ?? null;
    const { sessions } = await this.context.server.execute("channelcoder.session.list", { folder });
    return sessions.map((row) => ({ row }));
  }

  getTreeItem({ row }: { readonly row: SessionRow }): vscode.TreeItem {
    const item = new vscode.TreeItem(row.name);
    item.id = row.name;
    item.description = sessionFacts(row, Date.now());
    item.iconPath = new vscode.ThemeIcon(row.active === true ? "folder-active" : "history");
    item.contextValue = row.active === true ? "session-active" : "session";
    item.tooltip = row.firstQuestion ?? "Nothing asked yet";
    return item;
  }
}
