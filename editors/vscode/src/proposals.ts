// Proposed edits as a diff: the code now on the left, with the edit on the right.

import * as vscode from "vscode";
import type { Context } from "./context.ts";
import type { ProposalApplyArguments, ProposedFileContent } from "./protocol.ts";

const SCHEME = "channelcoder-proposal";

/** Shows proposals, and applies what is shown. */
export class Proposals implements vscode.TextDocumentContentProvider {
  private readonly texts = new Map<string, string>();
  private readonly changed = new vscode.EventEmitter<vscode.Uri>();
  readonly onDidChange = this.changed.event;

  constructor(private readonly context: Context) {
    context.extension.subscriptions.push(
      this.changed,
      vscode.workspace.registerTextDocumentContentProvider(SCHEME, this),
      vscode.workspace.onDidCloseTextDocument((document) => {
        this.texts.delete(document.uri.toString());
      }),
    );
    context.command("proposal.apply", (given: unknown) => this.apply(given));
    context.command("proposal.discard", (given: unknown) => this.discard(given));
    context.command("proposal.preview", (given: unknown) => this.previewOf(given));
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    return this.texts.get(uri.toString()) ?? "";
  }

  /** Apply a proposal, or a part of it; what is to be confirmed and wasn't looked at yet is shown as a diff first. */
  async applied(given: ProposalApplyArguments): Promise<void> {
    const { server, threads } = this.context;
    const looked = given.looked === true || this.diffs(given.proposalId).length > 0;
    if (given.done !== true && !looked && given.uri == null) {
      const { confirm } = await server.execute("channelcoder.proposal.read", {
        proposalId: given.proposalId,
      });
      if (confirm === true) {
        await this.preview(given.proposalId);
        return;
      }
    }
    await this.take({ ...given, looked });
    await threads.refresh();
    await this.closeDiffs(given.proposalId);
  }

  private async take(given: ProposalApplyArguments): Promise<void> {
    const { server } = this.context;
    const { applied, reason } = await server.execute("channelcoder.proposal.apply", given);
    if (!applied) {
      throw new Error(`The edit was not applied: ${reason ?? "the editor refused it."}`);
    }
    if (given.done !== true) {
      // The server may hear of the changed text only after its edit was answered.
      await server.execute("channelcoder.proposal.apply", { ...given, done: true });
    }
  }

  /** Show what a proposal comes to, one diff for each file. */
  async preview(proposalId: string): Promise<void> {
    const { files } = await this.context.server.execute("channelcoder.proposal.read", { proposalId });
    if (files.length === 0) {
      throw new Error("Nothing of this edit is left to be applied.");
    }
    for (const file of files) {
      await this.diff(proposalId, file);
    }
  }

  private async diff(proposalId: string, file: ProposedFileContent): Promise<void> {
    const target = vscode.Uri.parse(file.uri);
    const name = vscode.workspace.asRelativePath(target);
    // A text of its own on both sides: threads of the file would tear a gap into the diff.
    const before = this.document(proposalId, "before", target, file.before ?? "");
    const after = this.document(proposalId, "after", target, file.after ?? "");
    const title = `${name}: Claude's edit${file.reason === null ? "" : ` (${file.reason})`}`;
    await vscode.commands.executeCommand("vscode.diff", before, after, title, { preview: false });
  }

  private document(proposalId: string, side: string, target: vscode.Uri, text: string): vscode.Uri {
    const uri = target.with({ scheme: SCHEME, authority: "", query: `${side}:${proposalId}` });
    this.texts.set(uri.toString(), text);
    this.changed.fire(uri);
    return uri;
  }

  private async previewOf(given: unknown): Promise<void> {
    await this.preview(await this.proposalOf(given));
  }

  private async apply(given: unknown): Promise<void> {
    const looked = given instanceof vscode.Uri && given.scheme === SCHEME;
    await this.applied({ proposalId: await this.proposalOf(given), looked });
  }

  private async discard(given: unknown): Promise<void> {
    const proposalId = await this.proposalOf(given);
    await this.context.server.execute("channelcoder.proposal.discard", { proposalId });
    await this.context.threads.refresh();
    await this.closeDiffs(proposalId);
  }

  /** The proposal that a command is about: a diff's, or the newest of a comment's thread. */
  private async proposalOf(given: unknown): Promise<string> {
    if (given instanceof vscode.Uri && given.scheme === SCHEME) {
      return proposalIn(given);
    }
    const { threadId } = given as { readonly threadId: string };
    const { proposalIds } = await this.context.server.execute("channelcoder.thread.read", { threadId });
    const proposalId = proposalIds.at(-1);
    if (proposalId === undefined) {
      throw new Error("There is no proposed edit here any more.");
    }
    return proposalId;
  }

  private async closeDiffs(proposalId: string): Promise<void> {
    await vscode.window.tabGroups.close(this.diffs(proposalId));
  }

  /** The tabs in which a proposal is shown. */
  private diffs(proposalId: string): vscode.Tab[] {
    const tabs = vscode.window.tabGroups.all.flatMap((group) => group.tabs);
    return tabs.filter(
      ({ input }) =>
        input instanceof vscode.TabInputTextDiff &&
        input.modified.scheme === SCHEME &&
        proposalIn(input.modified) === proposalId,
    );
  }
}

function proposalIn(uri: vscode.Uri): string {
  return uri.query.slice(uri.query.indexOf(":") + 1);
}
