// How it stands, in one page to read or to hand on.

import * as vscode from "vscode";
import type { Context } from "./context.ts";

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
    `- extension ${versionOf(context.extension.extension.packageJSON)}, VS Code ${vscode.version}, ${process.platform}`,
    `- server: ${health.kind}`,
  ];
  if (health.kind === "failed") {
    lines.push(`- ${health.reason}`);
  }
  if (health.kind === "running") {
    lines.push(`- program: \`${health.program}\`, version ${health.version}`);
  }
  lines.push(`- workspace: ${vscode.workspace.isTrusted ? "trusted" : "Restricted Mode"}`);
  for (const folder of vscode.workspace.workspaceFolders ?? []) {
    lines.push("", `## ${folder.name}`, "");
    if (server.running) {
      const status = await server.execute("channelcoder.status", { folder: folder.uri.toString() });
      lines.push(...Object.entries(status).map(([key, value]) => `- ${key}: ${String(value)}`));
    }
  }
  return `${lines.join("\n")}\n`;
}
