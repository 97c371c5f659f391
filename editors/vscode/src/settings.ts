// The extension's own settings. The server asks for its own by itself.

import * as vscode from "vscode";

export const SECTION = "channelcoder";

function get<T>(name: string, otherwise: T): T {
  return vscode.workspace.getConfiguration(SECTION).get<T>(name) ?? otherwise;
}

/** What the settings say now. */
export const settings = {
  serverPath: (): string => get("server.path", ""),
  serverArguments: (): readonly string[] => get("server.arguments", []),
  serverRequirement: (): string => get("server.requirement", "channelcoder-lsp"),
  cliPath: (): string | null => get<string | null>("cliPath", null),
  comments: (): boolean => get("comments", true),
  hoverOpenThreads: (): boolean => get("hoverOpenThreads", false),
  lensActions: (): boolean => get("lensActions", false),
  askInMargin: (): boolean => get("askInMargin", true),
};
