// The server in an environment of its own, in the extension's folder.

import { execFile } from "node:child_process";
import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import { promisify } from "node:util";
import * as vscode from "vscode";
import type { Context } from "./context.ts";
import { settings } from "./settings.ts";

const run = promisify(execFile);
const OLDEST = "import sys; sys.exit(sys.version_info < (3, 10))";

/** Where "Install Server" puts the program. */
export function ownProgram(storage: string): string {
  return process.platform === "win32"
    ? path.join(storage, "server", "Scripts", "channelcoder-lsp.exe")
    : path.join(storage, "server", "bin", "channelcoder-lsp");
}

export function registerInstall(context: Context): void {
  context.command("install", async () => {
    await context.server.stop();
    await vscode.window.withProgress(
      { location: vscode.ProgressLocation.Notification, title: "Installing the ChannelCoder server" },
      () => install(context),
    );
    await context.server.start();
  });
}

async function install(context: Context): Promise<void> {
  const storage = context.extension.globalStorageUri.fsPath;
  const environment = path.join(storage, "server");
  const python = await findPython();
  fs.mkdirSync(storage, { recursive: true });
  // Not in the folder that is open: python would import what lies there.
  const options = { cwd: os.homedir() };
  await run(python, ["-m", "venv", "--clear", environment], options);
  const own = path.join(
    path.dirname(ownProgram(storage)),
    process.platform === "win32" ? "python.exe" : "python",
  );
  const requirement = settings.serverRequirement();
  context.log.info(`installing ${requirement} into ${environment}`);
  try {
    await run(own, ["-m", "pip", "install", "--disable-pip-version-check", requirement], options);
  } catch (problem) {
    context.log.error(String(problem));
    throw new Error(`pip could not install ${requirement}. The output says why.`, { cause: problem });
  }
}

async function findPython(): Promise<string> {
  for (const name of process.platform === "win32" ? ["py", "python"] : ["python3", "python"]) {
    try {
      await run(name, ["-I", "-c", OLDEST], { cwd: os.homedir() });
      return name;
    } catch {
      continue; // not there, or too old
    }
  }
  throw new Error("There is no Python 3.10 or newer on the PATH. Install one, and then the server.");
}
