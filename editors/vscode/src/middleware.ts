// What the editor does by itself of what the server would do for any client.

import * as vscode from "vscode";
import type { Middleware } from "vscode-languageclient/node";
import type {
  AskArguments,
  ProposalApplyArguments,
  ProposalArguments,
  ReplyArguments,
  ThreadArguments,
} from "./protocol.ts";
import { settings } from "./settings.ts";

/** What the middleware hands over; set once the parts are there. */
export interface Handlers {
  /** Ask, with the question typed where it is missing. */
  ask(given: AskArguments): Promise<unknown>;
  /** Reply in a thread, with the question typed where it is missing. */
  reply(given: ThreadArguments & Partial<ReplyArguments>): Promise<unknown>;
  /** Apply a proposed edit. */
  apply(given: ProposalApplyArguments): Promise<void>;
  /** Show a proposed edit as a diff. */
  preview(proposalId: string): Promise<void>;
  /** Open a thread beside the code; whether that could be done. */
  reveal(threadId: string): Promise<boolean>;
  /** The threads at a place, the innermost first, and whether each is open beside the code. */
  at(uri: vscode.Uri, position: vscode.Position): readonly { threadId: string; open: boolean }[];
  fail(problem: unknown): void;
}

/** What a thread beside the code offers by itself. */
const BESIDE = new Set(["channelcoder.thread.reply", "channelcoder.thread.resolve"]);
const REVEAL = "channelcoder.ui.thread.reveal";

/** A link to a thread. It alone may run a command, and no other: what Claude wrote stays in texts that may run none. */
function link(threadId: string): vscode.MarkdownString {
  const shown = new vscode.MarkdownString();
  shown.isTrusted = { enabledCommands: [REVEAL] };
  shown.appendMarkdown(`[Show Thread](command:${REVEAL}?${encodeURIComponent(JSON.stringify([threadId]))})`);
  return shown;
}

/** Sends lenses and code actions of the server to the editor's own ways of asking and showing. */
export function middleware(handlers: () => Handlers | undefined): Middleware {
  return {
    executeCommand: async (command, given, next) => {
      const own = handlers();
      try {
        switch (own === undefined ? "" : command) {
          case "channelcoder.ask":
            return await own?.ask(given[0] as AskArguments);
          case "channelcoder.thread.reply":
            return await own?.reply(given[0] as ReplyArguments);
          case "channelcoder.proposal.apply":
            return await own?.apply(given[0] as ProposalApplyArguments);
          case "channelcoder.proposal.preview":
            return await own?.preview((given[0] as ProposalArguments).proposalId);
          case "channelcoder.thread.show":
            if ((await own?.reveal((given[0] as ThreadArguments).threadId)) === true) {
              return undefined;
            }
        }
        return await (next(command, given) as Promise<unknown>);
      } catch (problem) {
        own?.fail(problem);
        return undefined;
      }
    },
    provideHover: async (document, position, token, next) => {
      const here = handlers()?.at(document.uri, position) ?? [];
      if (here.length > 0 && here.every(({ open }) => open) && !settings.hoverOpenThreads()) {
        return undefined;
      }
      const hover = await next(document, position, token);
      const first = here[0];
      return hover && first
        ? new vscode.Hover([...hover.contents, link(first.threadId)], hover.range)
        : hover;
    },
    provideCodeLenses: async (document, token, next) => {
      const lenses = await next(document, token);
      return settings.comments() && !settings.lensActions()
        ? lenses?.filter(({ command }) => !BESIDE.has(command?.command ?? ""))
        : lenses;
    },
    workspace: {
      // What nobody set is left out: else the defaults here would win over the environment and the user's file.
      configuration: (params) =>
        params.items.map((item) => {
          const scope = item.scopeUri === undefined ? undefined : vscode.Uri.parse(item.scopeUri);
          return whatIsSet(item.section ?? "", scope);
        }),
    },
    window: {
      showDocument: async (params, token, next) => {
        if (isOurs(params.uri)) {
          await vscode.commands.executeCommand("markdown.showPreviewToSide", vscode.Uri.parse(params.uri));
          return { success: true };
        }
        return next(params, token);
      },
    },
  };
}

/** The settings of a section that the user or the workspace has set. */
function whatIsSet(section: string, scope: vscode.Uri | undefined): Record<string, unknown> {
  const configuration = vscode.workspace.getConfiguration(section, scope);
  const found: Record<string, unknown> = {};
  for (const name of Object.keys(configuration)) {
    const known = configuration.inspect(name);
    const set = [known?.globalValue, known?.workspaceValue, known?.workspaceFolderValue];
    if (set.some((value) => value !== undefined)) {
      found[name] = configuration.get(name);
    }
  }
  return found;
}

/** Whether it is a Markdown document that the server made to be read. */
function isOurs(uri: string): boolean {
  return uri.startsWith("channelcoder:") || /\/claude-[0-9a-f]{16}\.md$/.test(uri);
}
