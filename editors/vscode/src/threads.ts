// Threads beside the code, through the Comments API. Where they are and what they hold, the server says.

import * as vscode from "vscode";
import type { Server } from "./client.ts";
import { ofRange } from "./context.ts";
import type { ThreadContent, ThreadRow } from "./protocol.ts";
import { comments, heading, type Shown, traits } from "./rendering.ts";
import { settings } from "./settings.ts";
import { Soon } from "./soon.ts";

const STREAM_MS = 150;
const EDIT_MS = 200;

/** A comment, and which turn it is of. */
export class TurnComment implements vscode.Comment {
  body = new vscode.MarkdownString();
  readonly mode = vscode.CommentMode.Preview;
  readonly author: vscode.CommentAuthorInformation;
  contextValue = "";
  label?: string;
  readonly timestamp?: Date;

  constructor(
    readonly threadId: string,
    readonly turnId: string,
    shown: Shown,
    icon: vscode.Uri,
  ) {
    this.author = { name: shown.author, iconPath: icon };
    if (shown.when !== "") {
      this.timestamp = new Date(shown.when);
    }
    this.show(shown);
  }

  /** Take over what it says now. */
  show(shown: Shown): void {
    // Neither HTML nor links that run commands: what Claude wrote is shown, nothing more.
    this.body = new vscode.MarkdownString(shown.text);
    this.contextValue = shown.traits.join(" ");
    if (shown.label === undefined || shown.label === "") {
      delete this.label;
    } else {
      this.label = shown.label;
    }
  }
}

interface Beside {
  readonly thread: vscode.CommentThread;
  readonly comments: ReadonlyMap<string, TurnComment>;
  /** The number of the read whose result is shown. */
  readonly read: number;
}

/** The threads of the open folders. */
export class Threads implements vscode.Disposable {
  private readonly controller: vscode.CommentController;
  private readonly disposables: { dispose(): unknown }[] = [];
  private readonly beside = new Map<string, Beside>();
  private readonly ids = new WeakMap<vscode.CommentThread, string>();
  private readonly reading = new Soon(STREAM_MS, (threadId) => void this.read(threadId));
  private readonly changed = new vscode.EventEmitter<void>();
  private listed = new Map<string, ThreadRow>();
  private edited: NodeJS.Timeout | undefined;
  private refreshing: Promise<void> | undefined;
  private again = false;
  private reads = 0;
  /** Something about the list of threads changed. */
  readonly onChanged = this.changed.event;

  constructor(
    private readonly server: Server,
    private readonly media: vscode.Uri,
    private readonly log: vscode.LogOutputChannel,
  ) {
    this.controller = vscode.comments.createCommentController("channelcoder", "Claude");
    this.controller.options = { prompt: "Ask Claude", placeHolder: "Ask Claude about this code" };
    this.controller.commentingRangeProvider = {
      provideCommentingRanges: (document) =>
        settings.askInMargin() && this.server.running && ["file", "untitled"].includes(document.uri.scheme)
          ? [new vscode.Range(0, 0, Math.max(0, document.lineCount - 1), 0)]
          : [],
    };
    this.disposables.push(
      this.controller,
      this.changed,
      vscode.workspace.onDidOpenTextDocument(() => void this.refresh()),
      vscode.workspace.onDidCloseTextDocument((document) => {
        this.closed(document.uri.toString());
      }),
      vscode.workspace.onDidChangeTextDocument((event) => {
        if (event.contentChanges.length > 0 && this.has(event.document.uri)) {
          this.refreshSoon();
        }
      }),
      vscode.workspace.onDidChangeConfiguration((event) => {
        if (event.affectsConfiguration("channelcoder.comments")) {
          void this.refresh();
        }
      }),
      this.server.onChanged(() => void this.refresh()),
      this.server.onHealth((health) => {
        if (health.kind === "running") {
          void this.refresh();
        } else if (health.kind !== "starting") {
          this.forget();
        }
      }),
      this.server.onTurn((told) => {
        if (told.threadId !== null && this.beside.has(told.threadId)) {
          this.reading.call(told.threadId);
        }
      }),
    );
  }

  /** All threads, as the server lists them. */
  get rows(): readonly ThreadRow[] {
    return [...this.listed.values()];
  }

  row(threadId: string): ThreadRow | undefined {
    return this.listed.get(threadId);
  }

  /** The id of a thread that is shown beside the code; undefined for one that the user began. */
  idOf(thread: vscode.CommentThread): string | undefined {
    return this.ids.get(thread);
  }

  /** The threads at a place that can be found, the innermost first. */
  at(uri: vscode.Uri, where: vscode.Range): ThreadRow[] {
    const size = (row: ThreadRow): number => row.range.end.line - row.range.start.line;
    return this.rows
      .filter((row) => row.state !== "orphaned" && row.uri === uri.toString())
      .filter((row) => ofRange(row.range).intersection(where) !== undefined)
      .sort((one, other) => size(one) - size(other));
  }

  /** Whether a thread is open beside the code, as the user left it. */
  isOpen(threadId: string): boolean {
    return (
      this.beside.get(threadId)?.thread.collapsibleState === vscode.CommentThreadCollapsibleState.Expanded
    );
  }

  /** Ask the server how it stands. Several calls at once are one. */
  async refresh(): Promise<void> {
    clearTimeout(this.edited);
    this.edited = undefined;
    this.again = true;
    this.refreshing ??= this.refreshAll().finally(() => {
      this.refreshing = undefined;
    });
    await this.refreshing;
  }

  /** Wait until the threads are listed where they are now: the text may have changed just before. */
  async settled(): Promise<void> {
    if (this.edited !== undefined || this.refreshing !== undefined) {
      await this.refresh();
    }
  }

  /** Go to a thread and open it. */
  async reveal(threadId: string): Promise<boolean> {
    await this.settled();
    if (!this.listed.has(threadId)) {
      await this.refresh();
    }
    const row = this.listed.get(threadId);
    if (row === undefined || row.state === "orphaned") {
      return false;
    }
    const range = ofRange(row.range);
    const document = await vscode.workspace.openTextDocument(vscode.Uri.parse(row.uri));
    const editor = await vscode.window.showTextDocument(document);
    editor.revealRange(range, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
    editor.selection = new vscode.Selection(range.start, range.start);
    await this.open(threadId);
    return true;
  }

  /** Open a thread beside the code, as far as it is shown there. */
  async open(threadId: string): Promise<void> {
    if (!this.beside.has(threadId)) {
      await this.refresh();
    }
    const beside = this.beside.get(threadId);
    if (beside !== undefined) {
      beside.thread.collapsibleState = vscode.CommentThreadCollapsibleState.Expanded;
    }
  }

  dispose(): void {
    this.forget();
    for (const disposable of this.disposables) {
      disposable.dispose();
    }
  }

  private has(uri: vscode.Uri): boolean {
    return this.rows.some((row) => row.uri === uri.toString());
  }

  private refreshSoon(): void {
    clearTimeout(this.edited);
    this.edited = setTimeout(() => void this.refresh(), EDIT_MS);
  }

  private async refreshAll(): Promise<void> {
    while (this.again && this.server.running) {
      this.again = false;
      try {
        this.listed = await this.list();
      } catch (problem) {
        this.log.warn(`the threads could not be listed: ${String(problem)}`);
        return;
      }
      await this.place();
      this.changed.fire();
    }
  }

  private async list(): Promise<Map<string, ThreadRow>> {
    const folders = vscode.workspace.workspaceFolders ?? [];
    const loose = vscode.workspace.textDocuments
      .filter((document) => ["file", "untitled"].includes(document.uri.scheme))
      .filter((document) => vscode.workspace.getWorkspaceFolder(document.uri) === undefined);
    const answers = await Promise.all([
      ...folders.map((folder) =>
        this.server.execute("channelcoder.thread.list", { folder: folder.uri.toString() }),
      ),
      ...loose.map((document) =>
        this.server.execute("channelcoder.thread.list", { uri: document.uri.toString() }),
      ),
    ]);
    return new Map(answers.flatMap((answer) => answer.threads).map((row) => [row.threadId, row]));
  }

  /** Show what is in open documents beside the code, and nothing else. */
  private async place(): Promise<void> {
    const open = new Set(vscode.workspace.textDocuments.map((document) => document.uri.toString()));
    const shown = this.rows.filter(
      (row) => settings.comments() && row.state !== "orphaned" && open.has(row.uri),
    );
    const ids = new Set(shown.map((row) => row.threadId));
    for (const [id, beside] of this.beside) {
      if (!ids.has(id)) {
        this.remove(id, beside);
      }
    }
    await Promise.all(shown.map((row) => this.read(row.threadId)));
  }

  private async read(threadId: string): Promise<void> {
    const number = ++this.reads;
    try {
      const content = await this.server.execute("channelcoder.thread.read", { threadId });
      // It may have been removed meanwhile, or a later answer may have come first.
      if (this.listed.has(threadId) && number > (this.beside.get(threadId)?.read ?? 0)) {
        this.show(content, number);
      }
    } catch (problem) {
      if (this.listed.has(threadId)) {
        this.log.warn(`the thread ${threadId} could not be read: ${String(problem)}`);
      }
    }
  }

  private show(content: ThreadContent, read: number): void {
    const range = ofRange(content.range);
    const before = this.beside.get(content.threadId);
    const comments = this.commentsOf(content, before?.comments);
    const shown = [...comments.values()];
    const thread = before?.thread ?? this.begin(content, range, shown);
    this.beside.set(content.threadId, { thread, comments, read });
    if (!thread.range.isEqual(range)) {
      thread.range = range;
    }
    thread.label = heading(content);
    thread.contextValue = traits(content);
    thread.canReply = true;
    thread.state =
      content.status === "resolved"
        ? vscode.CommentThreadState.Resolved
        : vscode.CommentThreadState.Unresolved;
    thread.comments = shown;
  }

  /** With its comments from the start: the editor takes a thread without any for one that the user begins. */
  private begin(
    content: ThreadContent,
    range: vscode.Range,
    shown: readonly TurnComment[],
  ): vscode.CommentThread {
    const thread = this.controller.createCommentThread(vscode.Uri.parse(content.uri), range, shown);
    thread.collapsibleState = vscode.CommentThreadCollapsibleState.Collapsed;
    this.ids.set(thread, content.threadId);
    return thread;
  }

  /** The comments that are there stay the same objects: the editor draws anew only those that changed. */
  private commentsOf(
    content: ThreadContent,
    known?: ReadonlyMap<string, TurnComment>,
  ): Map<string, TurnComment> {
    const found = comments(content).map((one): [string, TurnComment] => {
      const comment = known?.get(one.key);
      comment?.show(one);
      const icon = vscode.Uri.joinPath(this.media, one.who === "claude" ? "claude.svg" : "you.svg");
      return [one.key, comment ?? new TurnComment(content.threadId, one.key.replace(/\?$/, ""), one, icon)];
    });
    return new Map(found);
  }

  private closed(uri: string): void {
    for (const [id, beside] of this.beside) {
      if (beside.thread.uri.toString() === uri) {
        this.remove(id, beside);
      }
    }
  }

  /** Show a thread no more; what its session's answer still brings is not asked for. */
  private remove(id: string, beside: Beside): void {
    beside.thread.dispose();
    this.beside.delete(id);
    this.reading.drop(id);
  }

  private forget(): void {
    for (const [id, beside] of this.beside) {
      this.remove(id, beside);
    }
    clearTimeout(this.edited);
    this.listed = new Map();
    this.changed.fire();
  }
}
