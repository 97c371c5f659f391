// Commands about threads and their turns.

import * as vscode from "vscode";
import type { Context } from "./context.ts";
import type { ThreadRow } from "./protocol.ts";
import { codeBlocks } from "./rendering.ts";
import { TurnComment } from "./threads.ts";

/** What a command is given: a thread beside the code, a row of the Threads view, or nothing. */
type Given = vscode.CommentThread | { readonly row: ThreadRow } | undefined;

export function registerReviewing(context: Context): void {
  context.command("thread.resolve", (given?: Given) =>
    onThread(context, given, "channelcoder.thread.resolve"),
  );
  context.command("thread.reopen", (given?: Given) => onThread(context, given, "channelcoder.thread.reopen"));
  context.command("thread.remove", (given?: Given) => removeThread(context, given));
  context.command("thread.next", () => step(context, 1));
  context.command("thread.previous", () => step(context, -1));
  context.command("thread.reveal", (threadId: string) => reveal(context, threadId));
  context.command("threads.refresh", () => context.threads.refresh());
  context.command("turn.show", (comment: TurnComment) =>
    context.server.execute("channelcoder.turn.show", { turnId: comment.turnId }),
  );
  context.command("turn.retry", (comment: TurnComment) =>
    context.server.execute("channelcoder.retry", { turnId: comment.turnId }),
  );
  context.command("turn.cancel", (comment: TurnComment) =>
    context.server.execute("channelcoder.cancel", { turnId: comment.turnId }),
  );
  context.command("retry", async () => {
    const turn = await newestTurn(context);
    await context.server.execute("channelcoder.retry", { turnId: turn.turnId });
  });
  context.command("answer.insert", (comment?: TurnComment) =>
    takeCode(context, comment, "channelcoder.answer.insert"),
  );
  context.command("answer.replace", (comment?: TurnComment) =>
    takeCode(context, comment, "channelcoder.answer.replace"),
  );
  context.command("answer.copy", (comment?: TurnComment) => copyCode(context, comment));
}

async function onThread(
  context: Context,
  given: Given,
  command: "channelcoder.thread.resolve" | "channelcoder.thread.reopen",
): Promise<void> {
  await context.server.execute(command, { threadId: await threadOf(context, given) });
  await context.threads.refresh();
}

async function removeThread(context: Context, given: Given): Promise<void> {
  const threadId = await threadOf(context, given);
  const detail = "What was said stays in the transcript.";
  const sure = await vscode.window.showWarningMessage(
    "Remove this thread?",
    { modal: true, detail },
    "Remove",
  );
  if (sure === "Remove") {
    await context.server.execute("channelcoder.thread.remove", { threadId });
    await context.threads.refresh();
  }
}

/** The thread that a command is about: the one it was given, else the innermost at the cursor. */
async function threadOf(context: Context, given: Given): Promise<string> {
  if (given !== undefined && "row" in given) {
    return given.row.threadId;
  }
  const beside = given !== undefined && "comments" in given ? context.threads.idOf(given) : undefined;
  return beside ?? (await atCursor(context)).threadId;
}

async function atCursor(context: Context): Promise<ThreadRow> {
  await context.threads.settled();
  const editor = vscode.window.activeTextEditor;
  const found = editor === undefined ? [] : context.threads.at(editor.document.uri, editor.selection);
  const [row] = found;
  if (row === undefined) {
    throw new Error("There is no thread at the cursor. Put it into code that was asked about.");
  }
  return row;
}

async function reveal(context: Context, threadId: string): Promise<void> {
  if (!(await context.threads.reveal(threadId))) {
    await context.server.execute("channelcoder.thread.show", { threadId });
  }
}

/** Go to the next or the previous thread, from file to file, round and round. */
async function step(context: Context, way: 1 | -1): Promise<void> {
  await context.threads.settled();
  const rows = context.threads.rows
    .filter((row) => row.state !== "orphaned" && row.status === "open")
    .sort(byPlace);
  const editor = vscode.window.activeTextEditor;
  const uri = editor?.document.uri.toString() ?? "";
  const line = editor?.selection.active.line ?? 0;
  const later = (row: ThreadRow): boolean =>
    row.uri > uri || (row.uri === uri && row.range.start.line > line);
  const before = (row: ThreadRow): boolean =>
    row.uri < uri || (row.uri === uri && row.range.start.line < line);
  const next = way === 1 ? (rows.find(later) ?? rows[0]) : (rows.findLast(before) ?? rows.at(-1));
  if (next === undefined) {
    throw new Error("There is no open thread.");
  }
  await context.threads.reveal(next.threadId);
}

export function byPlace(one: ThreadRow, other: ThreadRow): number {
  return one.uri === other.uri ? one.range.start.line - other.range.start.line : one.uri < other.uri ? -1 : 1;
}

async function newestTurn(context: Context): Promise<{ turnId: string; answer: string }> {
  const { threadId } = await atCursor(context);
  const { turns } = await context.server.execute("channelcoder.thread.read", { threadId });
  const turn = turns.at(-1);
  if (turn === undefined) {
    throw new Error("Nothing was asked in this thread yet.");
  }
  return turn;
}

async function blocksOf(
  context: Context,
  comment?: TurnComment,
): Promise<{ turnId: string; blocks: string[] }> {
  if (comment === undefined) {
    const turn = await newestTurn(context);
    return { turnId: turn.turnId, blocks: codeBlocks(turn.answer) };
  }
  const { turns } = await context.server.execute("channelcoder.thread.read", { threadId: comment.threadId });
  const turn = turns.find((one) => one.turnId === comment.turnId);
  return { turnId: comment.turnId, blocks: codeBlocks(turn?.answer ?? "") };
}

/** The number of the block that is meant: the only one, or the one that is chosen. */
async function chooseBlock(blocks: readonly string[]): Promise<number | undefined> {
  if (blocks.length === 0) {
    throw new Error("There is no code in this answer.");
  }
  if (blocks.length === 1) {
    return 0;
  }
  const items = blocks.map((code, index) => ({
    label: `Block ${index + 1}`,
    detail: code.split("\n").slice(0, 2).join(" ⏎ "),
    index,
  }));
  return (await vscode.window.showQuickPick(items, { title: "Which code?" }))?.index;
}

async function takeCode(
  context: Context,
  comment: TurnComment | undefined,
  command: "channelcoder.answer.insert" | "channelcoder.answer.replace",
): Promise<void> {
  const { turnId, blocks } = await blocksOf(context, comment);
  const block = await chooseBlock(blocks);
  if (block !== undefined) {
    refused(await context.server.execute(command, { turnId, block }));
  }
}

async function copyCode(context: Context, comment?: TurnComment): Promise<void> {
  const { blocks } = await blocksOf(context, comment);
  const block = await chooseBlock(blocks);
  if (block !== undefined) {
    await vscode.env.clipboard.writeText(blocks[block] ?? "");
    vscode.window.setStatusBarMessage("Copied the code from the answer", 3_000);
  }
}

function refused(result: { readonly applied: boolean; readonly reason?: string | null }): void {
  if (!result.applied) {
    throw new Error(`The edit was not applied: ${result.reason ?? "the editor refused it."}`);
  }
}
