// The session in a tab of its own: it follows what is asked and answered.

import { randomBytes } from "node:crypto";
import * as vscode from "vscode";
import type { Context } from "./context.ts";
import { body } from "./transcript.ts";

const STREAM_MS = 250;

/** Shows sessions, one tab each. */
export class SessionViews {
  private readonly open = new Map<string, SessionView>();

  constructor(private readonly context: Context) {}

  /**
   * Show a session.
   *
   * @param name its name; without one, the one that is active in the folder
   */
  async show(name: string | null, folder: string | null): Promise<void> {
    const session = await this.context.server.execute("channelcoder.session.read", { name, folder });
    let view = this.open.get(session.session);
    if (view === undefined) {
      view = new SessionView(this.context, session.session, folder, () => this.open.delete(session.session));
      this.open.set(session.session, view);
    }
    view.reveal();
    await view.refresh();
  }
}

class SessionView {
  private readonly panel: vscode.WebviewPanel;
  private readonly disposables: { dispose(): unknown }[];
  private timer: NodeJS.Timeout | undefined;
  private shown = "";

  constructor(
    private readonly context: Context,
    private readonly name: string,
    private readonly folder: string | null,
    gone: () => void,
  ) {
    this.panel = vscode.window.createWebviewPanel(
      "channelcoder.session",
      `Claude: ${name}`,
      { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true },
      { enableScripts: true, localResourceRoots: [], enableFindWidget: true },
    );
    this.panel.iconPath = vscode.Uri.joinPath(context.extension.extensionUri, "media", "claude.svg");
    this.panel.webview.html = page();
    const { server, threads } = context;
    this.disposables = [
      server.onTurn(({ session }) => {
        if (session === name) {
          this.refreshSoon();
        }
      }),
      server.onChanged(() => {
        this.refreshSoon();
      }),
      this.panel.webview.onDidReceiveMessage(async (told: { ready?: true; thread?: string }) => {
        if (told.ready === true) {
          this.shown = "";
          await this.refresh();
        } else if (told.thread !== undefined && !(await threads.reveal(told.thread))) {
          context.fail(new Error("The code of this question can't be found any more."));
        }
      }),
    ];
    this.panel.onDidDispose(() => {
      clearTimeout(this.timer);
      for (const disposable of this.disposables) {
        disposable.dispose();
      }
      gone();
    });
  }

  reveal(): void {
    this.panel.reveal(undefined, true);
  }

  async refresh(): Promise<void> {
    const { server, log } = this.context;
    try {
      const session = await server.execute("channelcoder.session.read", {
        name: this.name,
        folder: this.folder,
      });
      const html = await body(session, {
        render: async (markdown) =>
          String(await vscode.commands.executeCommand("markdown.api.render", markdown)),
        named: (uri) => vscode.workspace.asRelativePath(vscode.Uri.parse(uri)),
        now: Date.now(),
      });
      if (html !== this.shown) {
        this.shown = html;
        await this.panel.webview.postMessage({ html });
      }
    } catch (problem) {
      log.warn(`the session ${this.name} could not be read: ${String(problem)}`);
    }
  }

  private refreshSoon(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      void this.refresh();
    }, STREAM_MS);
  }
}

/** The page without the session: nothing but its own style and script may run or be loaded. */
function page(): string {
  const nonce = randomBytes(16).toString("base64");
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}';">
<style nonce="${nonce}">${STYLE}</style>
</head>
<body><main></main><script nonce="${nonce}">${SCRIPT}</script></body>
</html>`;
}

const SCRIPT = `
const vscode = acquireVsCodeApi();
const main = document.querySelector("main");
window.addEventListener("message", ({ data }) => {
  const atEnd = window.innerHeight + window.scrollY >= document.body.scrollHeight - 40;
  main.innerHTML = data.html;
  if (atEnd) window.scrollTo(0, document.body.scrollHeight);
});
main.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-thread]");
  if (link) {
    event.preventDefault();
    vscode.postMessage({ thread: link.dataset.thread });
  }
});
vscode.postMessage({ ready: true });
`;

const STYLE = `
:root { --claude: #c15f3c; }
body { font-family: var(--vscode-font-family); font-size: var(--vscode-font-size); color: var(--vscode-foreground);
  line-height: 1.55; padding: 0 20px 32px; }
main { max-width: 780px; margin: 0 auto; }
header { display: grid; grid-template: auto 1fr / 1fr auto; column-gap: 24px; border-bottom: 1px solid var(--vscode-widget-border, #8884);
  margin-bottom: 18px; padding: 16px 0 12px; }
h1 { font-size: 1.35em; font-weight: 600; margin: 0; overflow-wrap: anywhere; }
header .facts { grid-column: 1; margin: 2px 0 0; }
figure { grid-column: 2; grid-row: 1 / span 2; margin: 0; max-width: 320px; overflow-x: auto; text-align: right; }
figcaption { font-size: 0.85em; color: var(--vscode-descriptionForeground); white-space: nowrap; }
@media (max-width: 420px) { header { grid-template: none / 1fr; } figure { grid-column: 1; grid-row: auto; margin-top: 8px; text-align: left; } }
.key { display: inline-block; width: 9px; height: 9px; border-radius: 2px; margin-left: 6px; }
.ground { fill: transparent; }
svg a:hover .ground { fill: var(--vscode-list-hoverBackground); }
.cost { fill: var(--claude); background: var(--claude); }
.tokens { fill: var(--vscode-charts-blue); background: var(--vscode-charts-blue); }
article { margin: 0 0 26px; }
.question { display: flex; gap: 16px; justify-content: space-between; align-items: baseline; padding: 8px 12px;
  border-radius: 6px; background: var(--vscode-textBlockQuote-background); border-left: 3px solid var(--claude); }
.question p { margin: 0; font-weight: 600; white-space: pre-wrap; overflow-wrap: anywhere; }
.place { flex: none; font-family: var(--vscode-editor-font-family); font-size: 0.9em; }
.answer { padding: 2px 12px 0; overflow-wrap: anywhere; }
.answer pre { padding: 10px 12px; border-radius: 6px; overflow-x: auto; background: var(--vscode-textCodeBlock-background); }
code { font-family: var(--vscode-editor-font-family); font-size: var(--vscode-editor-font-size); }
pre code { padding: 0; background: none; }
blockquote { margin: 0; padding: 0 12px; border-left: 3px solid var(--vscode-textBlockQuote-border); background: none; }
.facts { color: var(--vscode-descriptionForeground); font-size: 0.9em; margin: 4px 12px 0; }
header .facts { margin-left: 0; }
.note { font-style: italic; color: var(--vscode-descriptionForeground); }
.error, .state.failed { color: var(--vscode-errorForeground); }
a { color: var(--vscode-textLink-foreground); text-decoration: none; }
a:hover { text-decoration: underline; }
table { border-collapse: collapse; } td, th { border: 1px solid var(--vscode-widget-border, #8884); padding: 3px 8px; }
.hljs-keyword, .hljs-literal, .hljs-built_in, .hljs-selector-tag { color: var(--vscode-textLink-foreground); }
.hljs-string, .hljs-regexp, .hljs-number { color: var(--vscode-debugTokenExpression-string); }
.hljs-title, .hljs-section { color: var(--vscode-debugTokenExpression-name); }
.hljs-comment, .hljs-quote { color: var(--vscode-descriptionForeground); font-style: italic; }
.hljs-addition { color: var(--vscode-gitDecoration-addedResourceForeground); }
.hljs-deletion { color: var(--vscode-gitDecoration-deletedResourceForeground); }
.vscode-high-contrast .question, .vscode-high-contrast .answer pre, .vscode-high-contrast-light .question,
.vscode-high-contrast-light .answer pre { border: 1px solid var(--vscode-contrastBorder); }
.vscode-high-contrast svg a:focus .ground, .vscode-high-contrast-light svg a:focus .ground { stroke: var(--vscode-contrastActiveBorder); }
`;
