// How it stands, in one page to read or to hand on.

import * as vscode from "vscode";
import type { Context } from "./context.ts";
import { counted, sessionFacts } from "./rendering.ts";

export function registerDoctor(context: Context): void {
  context.command("doctor", async () => {
    const document = await vscode.workspace.openTextDocument({
      language: "markdown",
      content: await report(context),
    });
    await vscode.window.showTextDocument(document);
  });
}

function versionOf(packageJson: unknown): string {
  return String((packageJson as { version: unknown }).version);
}

async function report(context: Context): Promise<string> {
  const { server } = context;
  const health = server.state;
  const lines = [
    "# ChannelCoder",
    "",
    `- Extension ${versionOf(context.extension.extension.packageJSON)}, VS Code ${vscode.version}, ${process.platform}`,
    `- Server: ${health.kind}`,
  ];
  if (health.kind === "failed") {
    lines.push(`- ${health.reason}`);
  }
  if (health.kind === "running") {
    lines.push(`- Program: \`${health.program}\`, version ${health.version}`);
  }
  lines.push(`- Workspace: ${vscode.workspace.isTrusted ? "trusted" : "Restricted Mode"}`);
  for (const folder of vscode.workspace.workspaceFolders ?? []) {
    lines.push("", `## ${folder.name}`, "");
    if (server.running) {
      const status = await server.execute("channelcoder.status", { folder: folder.uri.toString() });
      lines.push(`- Folder: \`${status.folder}\`, ${status.trusted ? "trusted" : "not trusted"}`);
      lines.push(...sessionFacts(status).map((fact) => `- ${fact}`));
      lines.push(`- Waiting: ${counted(status.waiting, "question")}`);
      lines.push(`- Asks: ${status.offline ? "the offline model" : "Claude"}`);
    }
  }
  return `${lines.join("\n")}\n`;
}
