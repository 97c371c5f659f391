// What the parts of the extension share: one object owns it all, and lets go of it when the extension ends.

import * as vscode from "vscode";
import type { Server } from "./client.ts";
import type { History } from "./history.ts";
import type { ClientContext, ClientDiagnostic, ClientRange } from "./protocol.ts";
import type { Threads } from "./threads.ts";

/** The extension, running. */
export class Context {
  /** What goes along with the next question. */
  readonly added: ClientContext[] = [];

  constructor(
    readonly extension: vscode.ExtensionContext,
    readonly log: vscode.LogOutputChannel,
    readonly server: Server,
    readonly threads: Threads,
    readonly history: History,
  ) {}

  /** Register a command of the extension; what goes wrong in it is said to the user. */
  command(name: string, run: (...given: never[]) => unknown): void {
    const registered = vscode.commands.registerCommand(
      `channelcoder.ui.${name}`,
      async (...given: never[]) => {
        try {
          return await run(...given);
        } catch (problem) {
          this.fail(problem);
          return undefined;
        }
      },
    );
    this.extension.subscriptions.push(registered);
  }

  /** Say what went wrong; what the user left, went as the user wanted. */
  fail(problem: unknown): void {
    if (problem instanceof vscode.CancellationError) {
      return;
    }
    const message = problem instanceof Error ? problem.message : String(problem);
    this.log.error(message);
    void vscode.window.showErrorMessage(message);
  }

  /** The folder that a command is about: the active editor's, the only one, or the one that is chosen. */
  async folder(): Promise<string | undefined> {
    const folders = vscode.workspace.workspaceFolders ?? [];
    const editor = vscode.window.activeTextEditor;
    const active = editor && vscode.workspace.getWorkspaceFolder(editor.document.uri);
    if (active !== undefined || folders.length < 2) {
      return (active ?? folders[0])?.uri.toString();
    }
    const chosen = await vscode.window.showWorkspaceFolderPick({
      placeHolder: "The session of which folder?",
    });
    if (chosen === undefined) {
      throw new vscode.CancellationError();
    }
    return chosen.uri.toString();
  }
}

/** A range as the protocol has it: VS Code counts in UTF-16, as agreed. */
export function asRange(range: vscode.Range): ClientRange {
  const { start, end } = range;
  return {
    start: { line: start.line, character: start.character },
    end: { line: end.line, character: end.character },
  };
}

/** A range as VS Code has it. */
export function ofRange(range: ClientRange): vscode.Range {
  return new vscode.Range(range.start.line, range.start.character, range.end.line, range.end.character);
}

/** A diagnostic as the protocol has it. */
export function asDiagnostic(found: vscode.Diagnostic): ClientDiagnostic {
  const code = typeof found.code === "object" ? found.code.value : found.code;
  return {
    range: asRange(found.range),
    message: found.message,
    severity: found.severity + 1,
    source: found.source ?? null,
    code: code ?? null,
  };
}

/** The editor with the code that is asked about. */
export function activeEditor(): vscode.TextEditor {
  const editor = vscode.window.activeTextEditor;
  if (editor === undefined) {
    throw new Error("No file is open to ask about. Open one and select code.");
  }
  return editor;
}
