// Signing in to Claude: Claude Code's own way, in a terminal.

import * as os from "node:os";
import * as vscode from "vscode";
import type { Context } from "./context.ts";
import { settings } from "./settings.ts";

export function registerAccount(context: Context): void {
  context.command("login", () => {
    const cli = settings.cliPath();
    const terminal = vscode.window.createTerminal({
      name: "Sign In to Claude",
      iconPath: new vscode.ThemeIcon("account"),
      shellPath: context.server.commandLine(),
      shellArgs: ["login"],
      // Not the folder that is open: a program may look for files where it was started.
      cwd: os.homedir(),
      env: cli === null ? {} : { CHANNELCODER_CLI_PATH: cli },
      isTransient: true,
    });
    terminal.show();
  });
}
