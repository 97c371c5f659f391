// Tells the server what the protocol has no request for: the selection, and what checkers say.

import * as vscode from "vscode";
import { type Context, asDiagnostic, asRange } from "./context.ts";

const WAIT_MS = 300;
const OURS = /^claude/i;

export function registerTelling(context: Context): void {
  let timer: NodeJS.Timeout | undefined;
  const soon = (): void => {
    timer ??= setTimeout(() => {
      timer = undefined;
      tell(context);
    }, WAIT_MS);
  };
  context.extension.subscriptions.push(
    vscode.window.onDidChangeActiveTextEditor(soon),
    vscode.window.onDidChangeTextEditorSelection(soon),
    vscode.languages.onDidChangeDiagnostics(soon),
    context.server.onHealth(soon),
    {
      dispose: () => {
        clearTimeout(timer);
      },
    },
  );
}

function tell(context: Context): void {
  const editor = vscode.window.activeTextEditor;
  if (!context.server.running || editor?.document.uri.scheme !== "file") {
    return;
  }
  const open = vscode.workspace.textDocuments.filter((document) => document.uri.scheme === "file");
  context.server.tell({
    activeUri: editor.document.uri.toString(),
    selection: asRange(editor.selection),
    diagnostics: open.map(({ uri }) => ({
      uri: uri.toString(),
      diagnostics: vscode.languages
        .getDiagnostics(uri)
        .filter((found) => !OURS.test(found.source ?? ""))
        .map(asDiagnostic),
    })),
  });
}
