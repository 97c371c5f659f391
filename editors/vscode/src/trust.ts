// What a folder may decide follows the editor's workspace trust.

import * as vscode from "vscode";
import type { Context } from "./context.ts";

export function registerTrust(context: Context): void {
  const tell = (): void => {
    void tellTrust(context);
  };
  context.extension.subscriptions.push(
    vscode.workspace.onDidGrantWorkspaceTrust(tell),
    vscode.workspace.onDidChangeWorkspaceFolders(tell),
    context.server.onHealth((health) => {
      if (health.kind === "running") {
        tell();
      }
    }),
  );
  context.command("trust", () => vscode.commands.executeCommand("workbench.trust.manage"));
}

/** Tell the server of each folder whether it is trusted. */
async function tellTrust(context: Context): Promise<void> {
  for (const folder of vscode.workspace.workspaceFolders ?? []) {
    try {
      await context.server.execute("channelcoder.trust", {
        folder: folder.uri.toString(),
        trusted: vscode.workspace.isTrusted,
      });
    } catch (problem) {
      context.log.warn(`the trust of ${folder.name} could not be told: ${String(problem)}`);
    }
  }
}
