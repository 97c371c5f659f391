// The boxes in which something is typed: they stay when something else takes the keys, for what is typed is not to be lost.

import * as vscode from "vscode";
import type { History } from "./history.ts";
import { about } from "./prompts.ts";
import type { PromptRow } from "./protocol.ts";

/** What the user wants to ask. */
export type Wanted = { readonly question: string } | { readonly prompt: string };

interface Item extends vscode.QuickPickItem {
  readonly wanted?: Wanted;
}

const SHOWN = 8;

/** Ask the user for a name or the like; undefined when the box was left. */
export async function typedText(options: vscode.InputBoxOptions): Promise<string | undefined> {
  return vscode.window.showInputBox({ ...options, ignoreFocusOut: true });
}

/** Ask the user for a question, with the prompts and what was asked before below it; undefined when it was left. */
export async function typedQuestion(
  title: string,
  history: History,
  prompts: readonly PromptRow[] = [],
): Promise<Wanted | undefined> {
  const pick = vscode.window.createQuickPick<Item>();
  pick.title = title;
  pick.placeholder = "Type a question";
  pick.matchOnDescription = true;
  pick.ignoreFocusOut = true;
  const offer = (): void => {
    pick.items = items(pick.value.trim(), history.questions, prompts);
  };
  pick.onDidChangeValue(offer);
  offer();
  try {
    return await new Promise<Wanted | undefined>((resolve) => {
      pick.onDidAccept(() => {
        const typed = pick.value.trim();
        const chosen = pick.activeItems[0]?.wanted;
        if (chosen !== undefined) {
          resolve(chosen);
        } else if (typed !== "") {
          resolve({ question: typed });
        }
      });
      pick.onDidHide(() => {
        resolve(undefined);
      });
      pick.show();
    }).then(async (wanted) => {
      if (wanted !== undefined && "question" in wanted) {
        await history.add(wanted.question);
      }
      return wanted;
    });
  } finally {
    pick.dispose();
  }
}

/** The typed question first, so that Enter asks it; it has no `wanted`, for the box may hold more by then. */
function items(typed: string, earlier: readonly string[], prompts: readonly PromptRow[]): Item[] {
  const found: Item[] = [];
  if (typed !== "") {
    found.push({
      label: typed,
      description: "ask this",
      iconPath: new vscode.ThemeIcon("send"),
      alwaysShow: true,
    });
  }
  if (prompts.length > 0) {
    found.push({ label: "Prompts", kind: vscode.QuickPickItemKind.Separator });
    found.push(
      ...prompts.map((prompt) => ({
        label: prompt.title,
        description: about(prompt),
        iconPath: new vscode.ThemeIcon("sparkle"),
        wanted: { prompt: prompt.name },
      })),
    );
  }
  const others = earlier.filter((question) => question !== typed).slice(0, SHOWN);
  if (others.length > 0) {
    found.push({ label: "Asked before", kind: vscode.QuickPickItemKind.Separator });
    found.push(
      ...others.map((question) => ({
        label: question,
        iconPath: new vscode.ThemeIcon("history"),
        wanted: { question },
      })),
    );
  }
  return found;
}
