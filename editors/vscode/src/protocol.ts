// What ChannelCoder adds to the Language Server Protocol: see docs/protocol.md.
// Made from channelcoder_lsp/protocol/ by docs/generate.py. Don't edit it.

/**
 * What to ask, and about which code.
 *
 * Either `question` or `prompt` is needed. An empty range means the line it lies on.
 */
export interface AskArguments {
  readonly uri: string;
  readonly range: ClientRange;
  readonly question?: string | null;
  /** The name of a prompt: `explain`, `review`, `fix`, `tests`, `document`, `refactor`. */
  readonly prompt?: string | null;
  /** The thread to go on with. */
  readonly threadId?: string | null;
  /** What checkers say about the code; those on the range are sent along (a setting). */
  readonly diagnostics?: readonly ClientDiagnostic[];
  /** What else to send along, by choice: other files, further selections, a text. */
  readonly context?: readonly ClientContext[];
  /** The line of the comment that asks; it is taken away once the question was recorded (a setting). */
  readonly commentLine?: number | null;
}

/** LSP's Range. */
export interface ClientRange {
  readonly start: ClientPosition;
  readonly end: ClientPosition;
}

/** LSP's Position: `character` counts in the encoding that was negotiated. */
export interface ClientPosition {
  readonly line: number;
  readonly character: number;
}

/** LSP's Diagnostic, as far as Claude is told of it. */
export interface ClientDiagnostic {
  readonly range: ClientRange;
  readonly message: string;
  readonly severity?: number | null;
  readonly source?: string | null;
  readonly code?: string | number | null;
}

/**
 * Something more to send along with a question: a file, a part of it, a text, or what is not committed.
 *
 * Give `uri` for a file (open or on disk), with `range` for a part of it or `symbol` for the definition of
 * that name in it; or `text` with a `label` for anything else: a checker's output, a log; or `changes` for a
 * diff of the folder against its last commit, with what is not saved.
 */
export interface ClientContext {
  readonly uri?: string | null;
  readonly range?: ClientRange | null;
  readonly symbol?: string | null;
  readonly text?: string | null;
  readonly label?: string | null;
  readonly changes?: boolean;
}

/** The ids of what was recorded; the answer comes later. */
export interface Asked {
  readonly turnId: string;
  readonly threadId: string | null;
  readonly session: string;
}

/** A further question in the session of a folder, about no code in particular. */
export interface ContinueArguments {
  readonly question: string;
  /** A document of the folder. */
  readonly uri?: string | null;
  /** The folder itself, as a URI or a path. Without both: the only open folder. */
  readonly folder?: string | null;
  /** What to send along, by choice: files, parts of them, a text. */
  readonly context?: readonly ClientContext[];
}

/** Which turn to end; without an id all that wait or are being answered. */
export interface CancelArguments {
  readonly turnId?: string | null;
}

/** The turns that were ended. */
export interface Cancelled {
  readonly turnIds: readonly string[];
}

/** A turn. */
export interface TurnArguments {
  readonly turnId: string;
}

/** Whether Claude's instructions and settings in a folder may be used. */
export interface TrustArguments {
  readonly folder?: string | null;
  readonly trusted?: boolean;
}

/** The folder, and whether it is trusted now. */
export interface Trusted {
  readonly folder: string;
  readonly trusted: boolean;
}

/** The model for a folder's session; without one the default. */
export interface ModelArguments {
  readonly model?: string | null;
  readonly folder?: string | null;
}

/** The model that the next question goes to; null is the CLI's default. */
export interface ModelInUse {
  readonly session: string;
  readonly model: string | null;
}

/** A session by name; without a name the active one of the folder. */
export interface SessionArguments {
  readonly name?: string | null;
  readonly folder?: string | null;
}

/** The session that is active now. */
export interface SessionNamed {
  readonly session: string;
  readonly folder: string;
}

/** A folder, as a URI or a path; without one the only open one. */
export interface FolderArguments {
  readonly folder?: string | null;
}

/** The sessions, this folder's first. */
export interface SessionRows {
  readonly sessions: readonly SessionRow[];
}

/** A session, as the list shows it. */
export interface SessionRow {
  readonly name: string;
  readonly path: string;
  readonly created: string;
  readonly lastActive: string;
  readonly messageCount: number;
  readonly costUsd: number;
  readonly firstQuestion: string | null;
  readonly checkout: string | null;
  readonly active?: boolean;
}

/** A session by name. */
export interface NamedSessionArguments {
  readonly name: string;
  readonly folder?: string | null;
}

/** A session's name, and the one it is to have. */
export interface RenameArguments {
  readonly name: string;
  readonly newName: string;
}

/** It was done. */
export interface Done {
  readonly session: string;
}

/** Where the session is at rest. */
export interface SessionSaved {
  readonly session: string;
  readonly path: string;
}

/** The name of a copy of a session, without `name` of the folder's active one; it becomes the active one. */
export interface ForkArguments {
  readonly newName: string;
  readonly folder?: string | null;
  readonly name?: string | null;
}

/** What the folder's active session may cost altogether, in US dollars; null takes the limit away. */
export interface LimitArguments {
  readonly usd: number | null;
  readonly folder?: string | null;
}

/** The session's limit, null without one, and what it has cost so far. */
export interface SpendingLimit {
  readonly session: string;
  readonly usd: number | null;
  readonly spentUsd: number;
}

/** What to look for in all messages of all sessions, whatever the case. */
export interface SearchArguments {
  readonly text: string;
  readonly limit?: number;
}

/** Where it was found, the newest session first. */
export interface SearchHits {
  readonly hits: readonly SearchHit[];
}

/** A message in which it was found; `excerpt` is the text around it, in one line. */
export interface SearchHit {
  readonly session: string;
  readonly role: string;
  readonly at: string;
  readonly turnId: string | null;
  readonly excerpt: string;
}

/** A session and a form: `markdown`, `json` (everything) or `guide` (the guide's keys alone). */
export interface ExportArguments {
  readonly name?: string | null;
  readonly folder?: string | null;
  readonly form?: "markdown" | "json" | "guide";
}

/** The session as a text. */
export interface Exported {
  readonly session: string;
  readonly text: string;
}

/** A Markdown document: where it was written, its text, and whether the client was asked to show it. */
export interface Shown {
  readonly uri: string;
  readonly markdown: string;
  readonly shown: boolean;
}

/** A session whole, as its editor shows it, oldest turn first. */
export interface SessionContent {
  readonly session: string;
  readonly active: boolean;
  readonly costUsd: number;
  readonly turns: readonly SessionTurnContent[];
}

/** A turn in its session: what it took, and where the code is that it is about. */
export interface SessionTurnContent {
  readonly turn: TurnContent;
  readonly threadId: string | null;
  readonly uri: string | null;
  /** The code's first line, from 0; null where it can't be found any more. */
  readonly line: number | null;
  /** All that went in, what came from the cache included. */
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/**
 * A question and its answer, for editors that show threads by themselves.
 *
 * `answer` is Markdown that is safe to show: no HTML, no remote images, no links that run commands.
 */
export interface TurnContent {
  readonly turnId: string;
  readonly question: string;
  readonly answer: string;
  readonly state: string;
  readonly error: string | null;
  readonly notes: readonly string[];
  readonly model: string | null;
  readonly author: string | null;
  readonly costUsd: number;
  readonly asked: string;
  readonly finished: string | null;
}

/** The prompts, in the order of the menu. */
export interface PromptRows {
  readonly prompts: readonly PromptRow[];
}

/** A prompt that code can be asked about with. */
export interface PromptRow {
  readonly name: string;
  readonly title: string;
  readonly kind: string;
  /** What it is good for, in one line; null: its file doesn't say. */
  readonly description?: string | null;
  /** Where it comes from: the package, the user's folder of prompts, the project's. */
  readonly origin?: "built-in" | "user" | "project";
}

/** How it stands with a folder: its session, what that cost, what is being asked. */
export interface Status {
  readonly folder: string;
  readonly session: string | null;
  readonly model: string | null;
  readonly messages: number;
  readonly costUsd: number;
  /** Questions that wait or are being answered. */
  readonly waiting: number;
  readonly trusted: boolean;
  readonly offline: boolean;
  /** What the next question is sent along with, as of the last answer; null: not known, or nothing yet. */
  readonly contextTokens?: number | null;
  /** How much the model can take in. */
  readonly contextWindow?: number | null;
  /** The one by the other: from 0 to 1. */
  readonly contextShare?: number | null;
  /** What the session may cost altogether; null: there is no limit. */
  readonly spendingLimitUsd?: number | null;
  /** Why the place where sessions are kept can't be reached; what is said waits on this machine until it can. */
  readonly away?: string | null;
}

/** A thread. */
export interface ThreadArguments {
  readonly threadId: string;
}

/** A thread whole, as its editor shows it; `proposal_ids` are those that still wait, oldest first. */
export interface ThreadContent {
  readonly threadId: string;
  readonly uri: string;
  readonly range: ClientRange;
  readonly state: string;
  readonly status: string;
  readonly finding: FindingContent | null;
  readonly turns: readonly TurnContent[];
  readonly proposalIds: readonly string[];
}

/** The remark of a review that opened a thread; `message` is safe Markdown. */
export interface FindingContent {
  readonly severity: string;
  readonly code: string | null;
  readonly message: string;
}

/** Which threads to list: those of a folder's active session, or of one document of it. */
export interface ThreadListArguments {
  readonly folder?: string | null;
  readonly uri?: string | null;
  /** Whether to show the list of the folder's threads as a document, too. */
  readonly show?: boolean;
}

/** The threads, oldest first, and the same as a Markdown document. */
export interface ThreadRows {
  readonly threads: readonly ThreadRow[];
  readonly markdown: string;
  /** The document that was made, if it was to be shown. */
  readonly uri?: string;
  /** Whether the editor was asked to show it. */
  readonly shown?: boolean;
}

/**
 * A thread, as the list shows it.
 *
 * `state` is the anchor's (`exact`, `moved`, `edited`, `orphaned`), `status` the thread's (`open`,
 * `resolved`). `range` is where the code is, or for an orphaned thread where it last was.
 */
export interface ThreadRow {
  readonly threadId: string;
  readonly uri: string;
  readonly path: string | null;
  readonly range: ClientRange;
  readonly state: string;
  readonly status: string;
  readonly question: string;
  readonly turns: number;
  /** The code when it was first asked about, cut. */
  readonly code: string;
  readonly answers?: number;
  /** Whether something is being asked in it. */
  readonly waiting?: boolean;
  /** A finding's: `error`, `warning`, `information`, `hint`. */
  readonly severity?: string | null;
  /** The proposals that wait to be applied, oldest first. */
  readonly proposalIds?: readonly string[];
  /** The definition that the code was in when it was first asked about: `Cart.total`. */
  readonly symbol?: string | null;
}

/** A further question in a thread; it goes with the thread's code as it is now. */
export interface ReplyArguments {
  readonly threadId: string;
  readonly question: string;
  /** What to send along, by choice: files, parts of them, a text. */
  readonly context?: readonly ClientContext[];
}

/** The thread, and its status now. */
export interface ThreadState {
  readonly threadId: string;
  readonly status: string;
}

/**
 * What to review: `scope` is `selection`, `file`, `changes` (uncommitted) or `branch` (against its base).
 *
 * `resume` goes on with the folder's latest review that was not finished, or with the one of `reviewId`.
 */
export interface ReviewArguments {
  readonly scope?: string;
  /** The document; for `changes` and `branch` it may be left out. */
  readonly uri?: string | null;
  readonly range?: ClientRange | null;
  readonly folder?: string | null;
  /** For `branch`: what to compare with; without it the remote's default branch, `main` or `master`. */
  readonly base?: string | null;
  readonly resume?: boolean;
  readonly reviewId?: string | null;
}

/** A review under way: each file is asked about in a turn of its own, and each finding becomes a thread. */
export interface Reviewing {
  readonly reviewId: string;
  readonly session: string;
  /** Documents that are looked at, one after the other. */
  readonly files: readonly string[];
  /** The turns that are asked so far; the others follow as each file's turn comes. */
  readonly turnIds: readonly string[];
  /** What was left out, and why. */
  readonly notes?: readonly string[];
}

/**
 * What to apply of a proposal.
 *
 * `done`: the editor has applied the edit of a code action already; the server only takes note. `looked`: the
 * person has looked at it in the editor's own preview, and need not be asked to confirm it once more.
 */
export interface ProposalApplyArguments {
  readonly proposalId: string;
  readonly uri?: string | null;
  readonly hunk?: number | null;
  readonly done?: boolean;
  readonly looked?: boolean;
}

/** Whether the editor took the edit, and if not, why. */
export interface Applied {
  readonly applied: boolean;
  readonly reason?: string | null;
}

/** A proposal; with `uri` only what it does to that file, with `hunk` (from 0) only that change of it. */
export interface ProposalArguments {
  readonly proposalId: string;
  readonly uri?: string | null;
  readonly hunk?: number | null;
}

/** A proposal whole, as its editor shows it: the files that were not discarded. */
export interface ProposalContent {
  readonly proposalId: string;
  readonly threadId: string | null;
  readonly status: string;
  readonly question: string;
  readonly files: readonly ProposedFileContent[];
  /** Whether a person is to look at an edit before it is applied (a setting). */
  readonly confirm?: boolean;
}

/**
 * What a proposal comes to in a file, with its text for an editor's own diff; line feeds part its lines.
 *
 * `kind` is `edit`, `create` or `delete`; `state` is `open`, `applied` or `stale`.
 */
export interface ProposedFileContent {
  readonly uri: string;
  readonly path: string | null;
  readonly kind: string;
  readonly state: string;
  /** Why it, or a part of it, can't be applied. */
  readonly reason: string | null;
  /** The text now, unsaved changes included; null where there is no file. */
  readonly before: string | null;
  /** The text with all that can be applied; null for a deletion. */
  readonly after: string | null;
}

/** The proposal, and its status now: `open`, `applied`, `discarded`. */
export interface ProposalState {
  readonly proposalId: string;
  readonly status: string;
}

/** A code block of a turn's answer, counted from 0. */
export interface AnswerArguments {
  readonly turnId: string;
  readonly block?: number;
}

/**
 * `channelcoder/editor`: what the language server protocol has no request for, told as it changes.
 *
 * Claude may ask for it while it answers. What is left out stays as it was told before.
 */
export interface EditorNotification {
  /** The document that has the cursor. */
  readonly activeUri?: string | null;
  /** What is selected in it; empty for a cursor. */
  readonly selection?: ClientRange | null;
  readonly diagnostics?: readonly DocumentDiagnostics[] | null;
}

/** All that checkers say about an open document. */
export interface DocumentDiagnostics {
  readonly uri: string;
  readonly diagnostics: readonly ClientDiagnostic[];
}

/**
 * `channelcoder/turn`: what happens to a turn, for clients that ask for it.
 *
 * `state` is the turn's; `text` is further text of the answer, or with `replace` all of it so far.
 */
export interface TurnNotification {
  readonly session: string;
  readonly turnId: string;
  readonly threadId: string | null;
  readonly uri: string | null;
  readonly state: string;
  readonly text?: string | null;
  readonly replace?: boolean;
  readonly message?: string | null;
  /** The folder in which another session is the active one by now: nobody may be looking at this one. */
  readonly leftIn?: string | null;
}

/** `channelcoder/changed`: threads, turns or the session of a folder changed; ask for what is shown of them. */
export interface ChangedNotification {
  readonly folders: readonly string[];
}

/** What each command takes and returns. */
export interface Commands {
  /** Ask about code. Returns at once; the answer arrives later. */
  "channelcoder.ask": { arguments: AskArguments; result: Asked };
  /** Go on with a folder's session. Returns at once. */
  "channelcoder.continue": { arguments: ContinueArguments; result: Asked };
  /** End what waits or is being answered. */
  "channelcoder.cancel": { arguments: CancelArguments; result: Cancelled };
  /** Ask a turn's question again, word for word. */
  "channelcoder.retry": { arguments: TurnArguments; result: Asked };
  /** Trust a folder's Claude settings, or no more. */
  "channelcoder.trust": { arguments: TrustArguments; result: Trusted };
  /** Choose the model from the next question on. */
  "channelcoder.model": { arguments: ModelArguments; result: ModelInUse };
  /** Start a new session in the folder. */
  "channelcoder.session.new": { arguments: SessionArguments; result: SessionNamed };
  /** List all sessions. */
  "channelcoder.session.list": { arguments: FolderArguments; result: SessionRows };
  /** Make a session the folder's active one. */
  "channelcoder.session.switch": { arguments: NamedSessionArguments; result: SessionNamed };
  /** Give a session another name. */
  "channelcoder.session.rename": { arguments: RenameArguments; result: Done };
  /** Remove a session and all that belongs to it. */
  "channelcoder.session.remove": { arguments: NamedSessionArguments; result: Done };
  /** Drop history and threads of the active session. */
  "channelcoder.session.clear": { arguments: FolderArguments; result: Done };
  /** Put the active session at rest in the guide's format; with a name, under that name from now on. */
  "channelcoder.session.save": { arguments: SessionArguments; result: SessionSaved };
  /** Go on in a copy of a session, under a name. */
  "channelcoder.session.fork": { arguments: ForkArguments; result: SessionNamed };
  /** Have the active session summarised; Claude goes on from the summary. Returns at once; cancel ends it. */
  "channelcoder.session.compact": { arguments: FolderArguments; result: Asked };
  /** Say what the active session may cost altogether; questions beyond it are refused. */
  "channelcoder.session.limit": { arguments: LimitArguments; result: SpendingLimit };
  /** Search all sessions. */
  "channelcoder.session.search": { arguments: SearchArguments; result: SearchHits };
  /** A session as a text. */
  "channelcoder.session.export": { arguments: ExportArguments; result: Exported };
  /** Show a session's transcript as Markdown. */
  "channelcoder.session.show": { arguments: SessionArguments; result: Shown };
  /** A session with its turns, for editors that show it. */
  "channelcoder.session.read": { arguments: SessionArguments; result: SessionContent };
  /** Show a turn: the exact prompt, the whole answer, tools, usage and cost. */
  "channelcoder.turn.show": { arguments: TurnArguments; result: Shown };
  /** List the prompts. */
  "channelcoder.prompts": { arguments: FolderArguments; result: PromptRows };
  /** How it stands with a folder's session. */
  "channelcoder.status": { arguments: FolderArguments; result: Status };
  /** A thread with its turns, for editors that show it. */
  "channelcoder.thread.read": { arguments: ThreadArguments; result: ThreadContent };
  /** Show a thread with all its answers as Markdown. */
  "channelcoder.thread.show": { arguments: ThreadArguments; result: Shown };
  /** List threads, orphaned ones too. */
  "channelcoder.thread.list": { arguments: ThreadListArguments; result: ThreadRows };
  /** Go on with a thread. Returns at once. */
  "channelcoder.thread.reply": { arguments: ReplyArguments; result: Asked };
  /** Resolve a thread: the editor is quiet about it. */
  "channelcoder.thread.resolve": { arguments: ThreadArguments; result: ThreadState };
  /** Open a resolved thread again. */
  "channelcoder.thread.reopen": { arguments: ThreadArguments; result: ThreadState };
  /** Remove a thread; what was said stays in the transcript. */
  "channelcoder.thread.remove": { arguments: ThreadArguments; result: Done };
  /** Review code; each finding becomes a thread. Returns at once. */
  "channelcoder.review": { arguments: ReviewArguments; result: Reviewing };
  /** Apply a proposed edit, whole or in part. */
  "channelcoder.proposal.apply": { arguments: ProposalApplyArguments; result: Applied };
  /** Show a proposed edit as a diff against the code now. */
  "channelcoder.proposal.preview": { arguments: ProposalArguments; result: Shown };
  /** A proposed edit with the texts that it would make, for editors that show it. */
  "channelcoder.proposal.read": { arguments: ProposalArguments; result: ProposalContent };
  /** Discard a proposed edit; it is offered no more. */
  "channelcoder.proposal.discard": { arguments: ProposalArguments; result: ProposalState };
  /** Insert a code block of an answer below the code. */
  "channelcoder.answer.insert": { arguments: AnswerArguments; result: Applied };
  /** Replace the code with a code block of an answer. */
  "channelcoder.answer.replace": { arguments: AnswerArguments; result: Applied };
}

export type CommandName = keyof Commands;

export const COMMANDS: readonly CommandName[] = [
  "channelcoder.ask",
  "channelcoder.continue",
  "channelcoder.cancel",
  "channelcoder.retry",
  "channelcoder.trust",
  "channelcoder.model",
  "channelcoder.session.new",
  "channelcoder.session.list",
  "channelcoder.session.switch",
  "channelcoder.session.rename",
  "channelcoder.session.remove",
  "channelcoder.session.clear",
  "channelcoder.session.save",
  "channelcoder.session.fork",
  "channelcoder.session.compact",
  "channelcoder.session.limit",
  "channelcoder.session.search",
  "channelcoder.session.export",
  "channelcoder.session.show",
  "channelcoder.session.read",
  "channelcoder.turn.show",
  "channelcoder.prompts",
  "channelcoder.status",
  "channelcoder.thread.read",
  "channelcoder.thread.show",
  "channelcoder.thread.list",
  "channelcoder.thread.reply",
  "channelcoder.thread.resolve",
  "channelcoder.thread.reopen",
  "channelcoder.thread.remove",
  "channelcoder.review",
  "channelcoder.proposal.apply",
  "channelcoder.proposal.preview",
  "channelcoder.proposal.read",
  "channelcoder.proposal.discard",
  "channelcoder.answer.insert",
  "channelcoder.answer.replace",
];

/** Carries a {@link EditorNotification}. */
export const EDITOR = "channelcoder/editor";

/** Carries a {@link TurnNotification}. */
export const TURN = "channelcoder/turn";

/** Carries a {@link ChangedNotification}. */
export const CHANGED = "channelcoder/changed";
