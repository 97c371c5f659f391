// Wires the parts together; nothing is decided here.

import * as vscode from "vscode";
import { registerAccount } from "./account.ts";
import { askFor, registerAsking, replyIn } from "./asking.ts";
import { Server } from "./client.ts";
import { Context } from "./context.ts";
import { registerDoctor } from "./doctor.ts";
import { History } from "./history.ts";
import { ownProgram, registerInstall } from "./install.ts";
import { type Handlers, middleware } from "./middleware.ts";
import { Proposals } from "./proposals.ts";
import { registerReviewing } from "./reviewing.ts";
import { registerSessions } from "./sessions.ts";
import { registerStatus } from "./status.ts";
import { registerTelling } from "./telling.ts";
import { Threads } from "./threads.ts";
import { registerTrust } from "./trust.ts";
import { registerViews } from "./tree.ts";

export function activate(extension: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel("ChannelCoder", { log: true });
  const wired: { handlers?: Handlers } = {};
  const server = new Server(
    ownProgram(extension.globalStorageUri.fsPath),
    log,
    middleware(() => wired.handlers),
  );
  const threads = new Threads(server, vscode.Uri.joinPath(extension.extensionUri, "media"), log);
  const context = new Context(extension, log, server, threads, new History(extension.workspaceState));
  extension.subscriptions.push(log, server, threads);
  const proposals = new Proposals(context);
  wired.handlers = {
    ask: (given) => askFor(context, given),
    reply: (given) => replyIn(context, given),
    apply: (given) => proposals.applied(given),
    preview: (proposalId) => proposals.preview(proposalId),
    reveal: (threadId) => threads.reveal(threadId),
    at: (uri, position) =>
      threads
        .at(uri, new vscode.Range(position, position))
        .map(({ threadId }) => ({ threadId, open: threads.isOpen(threadId) })),
    fail: (problem) => {
      context.fail(problem);
    },
  };
  registerAsking(context);
  registerSessions(context);
  registerReviewing(context);
  registerTelling(context);
  registerTrust(context);
  registerInstall(context);
  registerAccount(context);
  registerDoctor(context);
  registerViews(context);
  registerStatus(context);
  registerServer(context);
  // After activation: starting a process takes longer than all of the above.
  setImmediate(() => void server.start());
}

/** Commands about the server itself, and what depends on how it stands. */
function registerServer(context: Context): void {
  const { server, log } = context;
  context.command("restart", () => server.restart());
  context.command("output", () => {
    log.show();
  });
  context.extension.subscriptions.push(
    server.onHealth((health) => {
      // For the walkthrough. Commands are there until it is known that they can't work: the first one starts it all.
      void vscode.commands.executeCommand("setContext", "channelcoder.running", health.kind === "running");
      const stopped = health.kind === "failed" || health.kind === "stopped";
      void vscode.commands.executeCommand("setContext", "channelcoder.stopped", stopped);
      if (health.kind === "failed") {
        void complain(health.reason);
      }
    }),
    context.threads.onChanged(() => {
      void vscode.commands.executeCommand(
        "setContext",
        "channelcoder.threads",
        context.threads.rows.length > 0,
      );
    }),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration("channelcoder.server")) {
        void server.restart();
      }
    }),
  );
}

/** Say why there is no server, with what can be done about it. */
async function complain(reason: string): Promise<void> {
  const choices = {
    "Install Server": "install",
    "Restart Server": "restart",
    "Show Output": "output",
  } as const;
  const chosen = await vscode.window.showErrorMessage(
    reason,
    ...(Object.keys(choices) as (keyof typeof choices)[]),
  );
  if (chosen !== undefined) {
    await vscode.commands.executeCommand(`channelcoder.ui.${choices[chosen]}`);
  }
}
