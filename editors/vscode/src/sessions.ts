// Commands about sessions.

import * as vscode from "vscode";
import type { Context } from "./context.ts";
import type { SessionRow, TurnNotification } from "./protocol.ts";
import { typedText } from "./question.ts";
import { age, amount, counted, dollars, rowFacts } from "./rendering.ts";
import { SessionViews } from "./sessionview.ts";

interface Item extends vscode.QuickPickItem {
  readonly row: SessionRow;
}

/** What a command is given by the Sessions view or by another command; nothing when it comes from the palette. */
interface Chosen {
  readonly row?: SessionRow;
  readonly folder?: string | null;
}

export function registerSessions(context: Context): void {
  context.command("session.new", () => create(context));
  context.command("session.switch", () => switchTo(context));
  context.command("session.open", (chosen?: Chosen) => switchTo(context, chosen));
  context.command("session.rename", (chosen?: Chosen) => rename(context, chosen?.row));
  context.command("session.remove", (chosen?: Chosen) => remove(context, chosen?.row));
  context.command("session.clear", () => clear(context));
  context.command("session.fork", (chosen?: Chosen) => fork(context, chosen));
  context.command("session.search", () => search(context, views));
  context.command("session.export", (chosen?: Chosen) => exported(context, chosen?.row));
  const views = new SessionViews(context);
  context.command("session.show", (chosen?: Chosen) => show(context, views, chosen));
  context.command("session.compact", () => compact(context));
  context.command("session.limit", () => limit(context));
  context.command("model", () => chooseModel(context));
  context.extension.subscriptions.push(
    context.server.onTurn((told) => {
      tellLeft(context, told).catch((problem: unknown) => {
        context.fail(problem);
      });
    }),
  );
}

async function create(context: Context): Promise<void> {
  const folder = (await context.folder()) ?? null;
  const name = await typedText({
    title: "New Session",
    prompt: "Its name; empty: one is made from the folder's.",
  });
  if (name === undefined) {
    return;
  }
  const { session } = await context.server.execute("channelcoder.session.new", {
    name: name.trim() || null,
    folder,
  });
  vscode.window.setStatusBarMessage(`The session is ${session} now`, 5_000);
}

async function switchTo(context: Context, chosen?: Chosen): Promise<void> {
  const folder = chosen?.folder ?? (await context.folder()) ?? null;
  const row = chosen?.row ?? (await pick(context, "Switch Session"));
  if (row !== undefined) {
    await goTo(context, row.name, folder);
  }
}

async function goTo(context: Context, name: string, folder: string | null): Promise<void> {
  await context.server.execute("channelcoder.session.switch", { name, folder });
  await context.threads.refresh();
}

/** Say that there is an answer in a session that the user has left: nothing else on the screen does. */
async function tellLeft(context: Context, { session, state, leftIn }: TurnNotification): Promise<void> {
  if (state === "done" && leftIn != null) {
    const said = `Claude answered in the session ${session}.`;
    if ((await vscode.window.showInformationMessage(said, "Switch to It")) !== undefined) {
      await goTo(context, session, leftIn);
    }
  }
}

async function rename(context: Context, chosen?: SessionRow): Promise<void> {
  const row = chosen ?? (await pick(context, "Rename Session"));
  if (row === undefined) {
    return;
  }
  const newName = await typedText({ title: `Rename ${row.name}`, value: row.name });
  if (newName !== undefined && newName.trim() !== "" && newName !== row.name) {
    await context.server.execute("channelcoder.session.rename", { name: row.name, newName: newName.trim() });
  }
}

async function remove(context: Context, chosen?: SessionRow): Promise<void> {
  const row = chosen ?? (await pick(context, "Remove Session"));
  if (row === undefined) {
    return;
  }
  const question = `Remove the session ${row.name} with ${counted(row.messageCount, "message")}?`;
  const detail = "Its threads go with it. This can't be undone.";
  const sure = await vscode.window.showWarningMessage(question, { modal: true, detail }, "Remove");
  if (sure === "Remove") {
    await context.server.execute("channelcoder.session.remove", { name: row.name });
    await context.threads.refresh();
  }
}

async function fork(context: Context, chosen?: Chosen): Promise<void> {
  const folder = chosen?.folder ?? (await context.folder()) ?? null;
  const name = chosen?.row?.name ?? null;
  const newName = await typedText({
    title: name === null ? "Fork Session" : `Fork ${name}`,
    prompt: "The name of the copy, in which you go on.",
  });
  if (newName !== undefined && newName.trim() !== "") {
    await context.server.execute("channelcoder.session.fork", {
      newName: newName.trim(),
      folder,
      name,
    });
    await context.threads.refresh();
  }
}

/** Look for words in all sessions; what is chosen is shown on its session's page. */
async function search(context: Context, views: SessionViews): Promise<void> {
  const text = await typedText({ title: "Search Sessions", prompt: "Words that were said" });
  if (text === undefined || text.trim() === "") {
    return;
  }
  const { hits } = await context.server.execute("channelcoder.session.search", { text });
  if (hits.length === 0) {
    throw new Error(`No session has "${text}".`);
  }
  const items = hits.map((hit) => ({
    label: hit.excerpt,
    description: `${hit.session} · ${hit.role} · ${age(hit.at, Date.now())}`,
    session: hit.session,
  }));
  const chosen = await vscode.window.showQuickPick(items, { title: counted(hits.length, "message") });
  if (chosen !== undefined) {
    await views.show(chosen.session, (await context.folder()) ?? null);
  }
}

async function exported(context: Context, chosen?: SessionRow): Promise<void> {
  const folder = (await context.folder()) ?? null;
  const { text } = await context.server.execute("channelcoder.session.export", {
    name: chosen?.name ?? null,
    folder,
  });
  const document = await vscode.workspace.openTextDocument({ language: "markdown", content: text });
  await vscode.window.showTextDocument(document);
}

async function clear(context: Context): Promise<void> {
  const folder = (await context.folder()) ?? null;
  const question = "Clear the session of this folder?";
  const detail = "Its history and its threads go. This can't be undone.";
  const sure = await vscode.window.showWarningMessage(question, { modal: true, detail }, "Clear");
  if (sure === "Clear") {
    await context.server.execute("channelcoder.session.clear", { folder });
    await context.threads.refresh();
  }
}

async function show(context: Context, views: SessionViews, chosen?: Chosen): Promise<void> {
  const folder = chosen?.folder ?? (await context.folder()) ?? null;
  await views.show(chosen?.row?.name ?? null, folder);
}

/** Have the session summarised; the status bar shows that it goes on, and how full the context is then. */
async function compact(context: Context): Promise<void> {
  const folder = (await context.folder()) ?? null;
  await context.server.execute("channelcoder.session.compact", { folder });
}

async function limit(context: Context): Promise<void> {
  const folder = (await context.folder()) ?? null;
  const { costUsd, spendingLimitUsd } = await context.server.execute("channelcoder.status", { folder });
  const typed = await typedText({
    title: "Set Spending Limit",
    prompt: `What this session may cost altogether, in US dollars; it has cost ${dollars(costUsd)}. Empty: no limit.`,
    value: spendingLimitUsd == null ? "" : String(spendingLimitUsd),
    validateInput: (text) => (amount(text) === undefined ? "An amount above zero, such as 2.50" : undefined),
  });
  const usd = typed === undefined ? undefined : amount(typed);
  if (usd === undefined) {
    return;
  }
  await context.server.execute("channelcoder.session.limit", { usd, folder });
  await context.threads.refresh();
  const said = usd === null ? "The session has no spending limit" : `The session may cost ${dollars(usd)}`;
  vscode.window.setStatusBarMessage(said, 5_000);
}

async function chooseModel(context: Context): Promise<void> {
  const folder = (await context.folder()) ?? null;
  const { model } = await context.server.execute("channelcoder.status", { folder });
  const known = ["sonnet", "opus", "haiku"].map((name) => ({ label: name, model: name }));
  const items = [
    { label: "Default", description: "what the Claude CLI has", model: null },
    ...known,
    { label: "Other…", model: undefined },
  ];
  const chosen = await vscode.window.showQuickPick(items, { title: `Model (now ${model ?? "the default"})` });
  if (chosen === undefined) {
    return;
  }
  const named = chosen.model === undefined ? await typedText({ title: "The model's name" }) : chosen.model;
  if (named !== undefined) {
    await context.server.execute("channelcoder.model", { model: named, folder });
    await context.threads.refresh();
  }
}

async function pick(context: Context, title: string): Promise<SessionRow | undefined> {
  const folder = (await context.folder()) ?? null;
  const { sessions } = await context.server.execute("channelcoder.session.list", { folder });
  if (sessions.length === 0) {
    throw new Error("There is no session yet. Ask something, and there is one.");
  }
  const chosen = await vscode.window.showQuickPick<Item>(
    sessions.map((row) => ({
      row,
      label: row.active === true ? `$(check) ${row.name}` : row.name,
      description: rowFacts(row, Date.now()),
      detail: row.firstQuestion ?? "nothing asked yet",
    })),
    { title, matchOnDescription: true, matchOnDetail: true },
  );
  return chosen?.row;
}
