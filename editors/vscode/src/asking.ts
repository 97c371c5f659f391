// Commands that ask.

import * as vscode from "vscode";
import { type Context, activeEditor, asDiagnostic, asRange } from "./context.ts";
import type { AskArguments, ClientContext, ReplyArguments, ThreadArguments } from "./protocol.ts";
import { about as aboutPrompt } from "./prompts.ts";
import { typedQuestion } from "./question.ts";
import { counted } from "./rendering.ts";
import { parted } from "./words.ts";

const PROMPTS = ["explain", "review", "fix", "tests", "document", "refactor"];

export function registerAsking(context: Context): void {
  context.command("ask", () => askAboutSelection(context));
  context.command("prompt", () => askWithPrompt(context));
  for (const name of PROMPTS) {
    context.command(`prompt.${name}`, () => ask(context, { ...selection(), prompt: name }));
  }
  context.command("continue", () => continueSession(context));
  context.command("thread.submit", (reply: vscode.CommentReply) => submit(context, reply));
  context.command("cancel", () => context.server.execute("channelcoder.cancel", {}));
  context.command("review.file", () => review(context, "file"));
  context.command("review.changes", () => review(context, "changes"));
  context.command("context.file", () => {
    addContext(context, false);
  });
  context.command("context.selection", () => {
    addContext(context, true);
  });
  context.command("context.clear", () => {
    context.added.length = 0;
    showAdded(context);
  });
}

/** Ask with the arguments that a lens or a code action had; where the question is missing, the user types it. */
export async function askFor(context: Context, given: AskArguments): Promise<unknown> {
  if (given.question != null || given.prompt != null) {
    return ask(context, given);
  }
  const wanted = await typedQuestion(given.threadId == null ? "Ask Claude" : "Continue", context.history);
  return wanted === undefined ? undefined : ask(context, { ...given, ...wanted });
}

/** Reply in a thread, with the question typed where it is missing, and open it. */
export async function replyIn(
  context: Context,
  given: ThreadArguments & Partial<ReplyArguments>,
): Promise<void> {
  const { threadId } = given;
  const wanted = given.question == null ? await typedQuestion("Reply to Claude", context.history) : undefined;
  const typed =
    given.question ?? (wanted !== undefined && "question" in wanted ? wanted.question : undefined);
  if (typed !== undefined) {
    const { question, along } = withWords(typed);
    const added = [...along, ...context.added.splice(0)];
    await context.server.execute("channelcoder.thread.reply", { threadId, question, context: added });
    showAdded(context);
    await context.threads.open(threadId);
  }
}

/** Ask, and open the thread in which the answer comes. */
export async function ask(context: Context, given: AskArguments): Promise<void> {
  const { question, along } = withWords(given.question ?? "");
  const added = [...along, ...context.added.splice(0)];
  showAdded(context);
  const asked = await context.server.execute("channelcoder.ask", {
    ...given,
    ...(given.question == null ? {} : { question }),
    context: [...(given.context ?? []), ...added],
  });
  if (asked.threadId !== null) {
    await context.threads.open(asked.threadId);
  }
}

/** The question without the words before it, and what those send along. */
function withWords(typed: string): { question: string; along: ClientContext[] } {
  const { words, question } = parted(typed);
  return { question, along: words.map((word) => (word === "changes" ? { changes: true } : diagnostics())) };
}

/** All that checkers say about the active file; what Claude found itself is not told to it. */
function diagnostics(): ClientContext {
  const { uri } = activeEditor().document;
  const name = vscode.workspace.asRelativePath(uri);
  const found = vscode.languages.getDiagnostics(uri).filter(({ source }) => source !== "channelcoder");
  if (found.length === 0) {
    throw new Error(`Checkers say nothing about ${name}. Ask without @diagnostics.`);
  }
  const lines = found.map(({ range: { start }, severity, message }) => {
    const kind = vscode.DiagnosticSeverity[severity].toLowerCase();
    return `${name}:${start.line + 1}:${start.character + 1}: ${kind}: ${message.replace(/\s+/g, " ")}`;
  });
  return { text: lines.join("\n"), label: `diagnostics of ${name}` };
}

async function askAboutSelection(context: Context): Promise<void> {
  const about = selection();
  const { prompts } = await context.server.execute("channelcoder.prompts", {});
  const wanted = await typedQuestion(`Ask Claude about ${named(about)}`, context.history, prompts);
  if (wanted !== undefined) {
    await ask(context, { ...about, ...wanted });
  }
}

async function askWithPrompt(context: Context): Promise<void> {
  const about = selection();
  const { prompts } = await context.server.execute("channelcoder.prompts", {});
  const items = prompts.map((prompt) => ({
    label: prompt.title,
    description: aboutPrompt(prompt),
    prompt: prompt.name,
  }));
  const chosen = await vscode.window.showQuickPick(items, { title: `Ask Claude about ${named(about)}` });
  if (chosen !== undefined) {
    await ask(context, { ...about, prompt: chosen.prompt });
  }
}

async function continueSession(context: Context): Promise<void> {
  const folder = await context.folder();
  const wanted = await typedQuestion("Continue the session of this folder", context.history);
  if (wanted !== undefined && "question" in wanted) {
    const { question, along } = withWords(wanted.question);
    const added = [...along, ...context.added.splice(0)];
    await context.server.execute("channelcoder.continue", {
      question,
      folder: folder ?? null,
      context: added,
    });
    showAdded(context);
    await vscode.commands.executeCommand("channelcoder.ui.session.show", { folder });
  }
}

/** What was typed into a thread's box: a reply, or the first question of a thread that the user began. */
async function submit(context: Context, reply: vscode.CommentReply): Promise<void> {
  const threadId = context.threads.idOf(reply.thread);
  await context.history.add(reply.text);
  if (threadId !== undefined) {
    await replyIn(context, { threadId, question: reply.text });
    return;
  }
  const range = reply.thread.range;
  const { uri } = reply.thread;
  reply.thread.dispose();
  await ask(context, { uri: uri.toString(), range: asRange(wholeLines(range)), question: reply.text });
}

/** VS Code gives the lines of a thread that begins in the margin without their ends. */
function wholeLines(range: vscode.Range): vscode.Range {
  return range.isSingleLine
    ? new vscode.Range(range.start.line, 0, range.start.line, 0)
    : new vscode.Range(range.start.line, 0, range.end.line, Number.MAX_SAFE_INTEGER);
}

async function review(context: Context, scope: "file" | "changes"): Promise<void> {
  const reviewing =
    scope === "file"
      ? await context.server.execute("channelcoder.review", {
          scope,
          uri: activeEditor().document.uri.toString(),
        })
      : await context.server.execute("channelcoder.review", {
          scope,
          folder: (await context.folder()) ?? null,
        });
  vscode.window.setStatusBarMessage(`Claude reviews ${counted(reviewing.files.length, "file")}`, 5_000);
}

function addContext(context: Context, part: boolean): void {
  const editor = activeEditor();
  const uri = editor.document.uri.toString();
  context.added.push(part ? { uri, range: asRange(editor.selection) } : { uri });
  showAdded(context);
}

function showAdded(context: Context): void {
  const number = context.added.length;
  void vscode.commands.executeCommand("setContext", "channelcoder.context", number > 0);
  if (number > 0) {
    const goes = number === 1 ? "goes" : "go";
    vscode.window.setStatusBarMessage(
      `${counted(number, "thing")} ${goes} along with the next question`,
      5_000,
    );
  }
}

function selection(): AskArguments {
  const editor = activeEditor();
  const uri = editor.document.uri;
  const found = vscode.languages
    .getDiagnostics(uri)
    .filter((diagnostic) => diagnostic.range.intersection(editor.selection) !== undefined);
  return { uri: uri.toString(), range: asRange(editor.selection), diagnostics: found.map(asDiagnostic) };
}

function named(about: AskArguments): string {
  const { start, end } = about.range;
  const last = end.character === 0 && end.line > start.line ? end.line : end.line + 1;
  return last === start.line + 1 ? `line ${last}` : `lines ${start.line + 1} to ${last}`;
}
