// The side bar: threads by file or by state, and sessions.

import { realpath } from "node:fs/promises";
import * as vscode from "vscode";
import type { Context } from "./context.ts";
import type { SessionRow, ThreadRow } from "./protocol.ts";
import { counted, facts as threadFacts, rowFacts } from "./rendering.ts";
import { byPlace } from "./reviewing.ts";

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
  tooltip.appendText(`${row.question}\n${item.description}`);
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

/** A path as the server has it: without links. */
async function real(path: string): Promise<string> {
  return realpath(path).catch(() => path);
}

/** A workspace's folder, where there are several, or a session of one. */
type SessionNode =
  { readonly of: vscode.WorkspaceFolder } | { readonly row: SessionRow; readonly folder: string | null };

class SessionTree implements vscode.TreeDataProvider<SessionNode> {
  private readonly changed = new vscode.EventEmitter<undefined>();
  readonly onDidChangeTreeData = this.changed.event;

  constructor(private readonly context: Context) {}

  refresh(): void {
    this.changed.fire(undefined);
  }

  async getChildren(node?: SessionNode): Promise<SessionNode[]> {
    if (!this.context.server.running || (node !== undefined && "row" in node)) {
      return [];
    }
    const folders = vscode.workspace.workspaceFolders ?? [];
    if (node === undefined && folders.length > 1) {
      return folders.map((folder) => ({ of: folder }));
    }
    const folder = (node?.of ?? folders[0])?.uri;
    const sessions = await this.list(folder?.toString() ?? null);
    if (node === undefined) {
      return sessions;
    }
    const own = await real(node.of.uri.fsPath);
    return sessions.filter(({ row }) => row.active === true || row.checkout === own);
  }

  getTreeItem(node: SessionNode): vscode.TreeItem {
    if ("of" in node) {
      const item = new vscode.TreeItem(node.of.name, vscode.TreeItemCollapsibleState.Expanded);
      item.resourceUri = node.of.uri;
      item.iconPath = vscode.ThemeIcon.Folder;
      return item;
    }
    const { row, folder } = node;
    const item = new vscode.TreeItem(row.name);
    item.id = `${folder ?? ""}#${row.name}`;
    const facts = rowFacts(row, Date.now());
    item.description = facts;
    item.iconPath = new vscode.ThemeIcon(row.active === true ? "folder-active" : "history");
    item.contextValue = row.active === true ? "session-active" : "session";
    const told = [row.name, facts, row.firstQuestion ?? "Nothing asked yet"];
    item.tooltip = told.join("\n"); // the row itself may be too narrow for it
    item.accessibilityInformation = { label: told.join(", ") };
    item.command = { command: "channelcoder.ui.session.show", title: "Show Transcript", arguments: [node] };
    return item;
  }

  private async list(folder: string | null): Promise<{ row: SessionRow; folder: string | null }[]> {
    const { sessions } = await this.context.server.execute("channelcoder.session.list", { folder });
    return sessions.map((row) => ({ row, folder }));
  }
}
