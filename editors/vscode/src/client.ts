// The connection to the server: found, started, started again when it dies, and asked.

import * as fs from "node:fs";
import * as os from "node:os";
import * as path from "node:path";
import * as vscode from "vscode";
import {
  CloseAction,
  ErrorAction,
  LanguageClient,
  type LanguageClientOptions,
  type Middleware,
  type ServerOptions,
  State,
  type StaticFeature,
  TransportKind,
} from "vscode-languageclient/node";
import { type Places, commandLine, locate } from "./locate.ts";
import {
  CHANGED,
  type ChangedNotification,
  type CommandName,
  type Commands,
  EDITOR,
  type EditorNotification,
  TURN,
  type TurnNotification,
} from "./protocol.ts";
import { settings } from "./settings.ts";

/** How it stands with the server. */
export type Health =
  | { readonly kind: "stopped" }
  | { readonly kind: "starting" }
  | { readonly kind: "running"; readonly program: string; readonly version: string }
  | { readonly kind: "failed"; readonly reason: string };

const RESTARTS = 4;
const RESTART_WINDOW_MS = 180_000;

/** Tells the server what this editor does by itself. */
const capabilities: StaticFeature = {
  fillClientCapabilities(known) {
    known.experimental = {
      ...asObject(known.experimental),
      channelcoder: { input: true, turns: true, changes: true, diagnosticsOnHover: true },
    };
  },
  initialize() {
    // nothing to set up: the notifications are listened to below
  },
  getState() {
    return { kind: "static" };
  },
  clear() {
    // nothing is kept
  },
};

function asObject(value: unknown): object {
  return typeof value === "object" && value !== null ? value : {};
}

/**
 * The server of this window.
 *
 * @param own the program in the environment that "Install Server" makes
 */
export class Server implements vscode.Disposable {
  private client: LanguageClient | undefined;
  /** It is started with the extension: what is asked until then waits. */
  private health: Health = { kind: "starting" };
  private readonly deaths: number[] = [];
  private readonly turn = new vscode.EventEmitter<TurnNotification>();
  private readonly changed = new vscode.EventEmitter<ChangedNotification>();
  private readonly healthChanged = new vscode.EventEmitter<Health>();
  readonly onTurn = this.turn.event;
  readonly onChanged = this.changed.event;
  readonly onHealth = this.healthChanged.event;

  constructor(
    private readonly own: string,
    private readonly log: vscode.LogOutputChannel,
    private readonly middleware: Middleware,
  ) {}

  get state(): Health {
    return this.health;
  }

  get running(): boolean {
    return this.health.kind === "running";
  }

  /** Start it, unless it runs. What goes wrong is in {@link state}. */
  async start(): Promise<void> {
    if (this.client !== undefined) {
      return;
    }
    const found = locate(this.places());
    if (!found.found) {
      this.become({ kind: "failed", reason: found.reason });
      return;
    }
    this.become({ kind: "starting" });
    this.log.info(`starting ${found.path} (from ${found.from})`);
    const client = this.create(found.path);
    this.client = client;
    try {
      await client.start();
    } catch (problem) {
      this.log.error(`${found.path} could not be started: ${String(problem)}`);
      this.become({ kind: "failed", reason: `${found.path} could not be started as a language server.` });
    }
  }

  /**
   * The command line that was installed together with the server.
   *
   * @throws Error with a sentence for the user, when there is no server, or none beside it
   */
  commandLine(): string {
    const places = this.places();
    const found = locate(places);
    if (!found.found) {
      throw new Error(`${found.reason} Run "ChannelCoder: Install Server".`);
    }
    const beside = commandLine(places, found.path);
    if (beside === undefined) {
      throw new Error(
        `Beside ${found.path} there is no channelcoder command. Run "claude auth login" yourself.`,
      );
    }
    return beside;
  }

  async stop(): Promise<void> {
    const client = this.client;
    this.client = undefined;
    if (client !== undefined) {
      await client.dispose().catch((problem: unknown) => {
        this.log.warn(`the server did not end well: ${String(problem)}`);
      });
    }
    this.become({ kind: "stopped" });
  }

  async restart(): Promise<void> {
    this.deaths.length = 0;
    await this.stop();
    await this.start();
  }

  /**
   * Run one of the server's commands.
   *
   * @throws Error with a sentence for the user, when the server does not run or refuses
   */
  async execute<K extends CommandName>(
    name: K,
    given: Commands[K]["arguments"],
  ): Promise<Commands[K]["result"]> {
    await this.settled();
    if (this.client === undefined || !this.running) {
      throw new Error('The ChannelCoder server is not running. Run "ChannelCoder: Restart Server".');
    }
    return this.client.sendRequest<Commands[K]["result"]>("workspace/executeCommand", {
      command: name,
      arguments: [given],
    });
  }

  /** Tell it what it can't ask for. */
  tell(known: EditorNotification): void {
    void this.client?.sendNotification(EDITOR, known).catch((problem: unknown) => {
      this.log.warn(`the server could not be told of the editor: ${String(problem)}`);
    });
  }

  dispose(): void {
    void this.stop();
    this.turn.dispose();
    this.changed.dispose();
    this.healthChanged.dispose();
  }

  /** Resolves when it runs, or doesn't. */
  private async settled(): Promise<void> {
    if (this.health.kind !== "starting") {
      return;
    }
    await new Promise<void>((resolve) => {
      const listening = this.onHealth(({ kind }) => {
        if (kind !== "starting") {
          listening.dispose();
          resolve();
        }
      });
    });
  }

  private places(): Places {
    return {
      configured: settings.serverPath(),
      searched: process.env["PATH"] ?? "",
      own: this.own,
      folders: (vscode.workspace.workspaceFolders ?? []).map(
        (folder) => real(folder.uri.fsPath) ?? folder.uri.fsPath,
      ),
      windows: process.platform === "win32",
      program,
    };
  }

  private create(server: string): LanguageClient {
    const run: ServerOptions = {
      command: server,
      args: [...settings.serverArguments()],
      transport: TransportKind.stdio,
      // Not the folder that is open: a program may look for files where it was started.
      options: { cwd: os.homedir() },
    };
    const options: LanguageClientOptions = {
      documentSelector: [{ scheme: "file" }, { scheme: "untitled" }, { scheme: "vscode-notebook-cell" }],
      outputChannel: this.log,
      middleware: this.middleware,
      errorHandler: {
        error: () => ({ action: ErrorAction.Continue }),
        closed: () => this.died(),
      },
      initializationFailedHandler: () => false,
    };
    const client = new LanguageClient("channelcoder", "ChannelCoder", run, options);
    client.registerFeature(capabilities);
    client.onNotification(TURN, (told: TurnNotification) => {
      this.turn.fire(told);
    });
    client.onNotification(CHANGED, (told: ChangedNotification) => {
      this.changed.fire(told);
    });
    client.onDidChangeState(({ newState }) => {
      if (client === this.client && newState === State.Running) {
        const version = client.initializeResult?.serverInfo?.version ?? "";
        this.become({ kind: "running", program: server, version });
      }
    });
    return client;
  }

  /** Start it again, and say so; give up when it dies again and again. */
  private died(): { action: CloseAction; handled: boolean } {
    const now = Date.now();
    this.deaths.push(now);
    while ((this.deaths[0] ?? now) < now - RESTART_WINDOW_MS) {
      this.deaths.shift();
    }
    if (this.deaths.length > RESTARTS) {
      this.client = undefined;
      this.become({
        kind: "failed",
        reason: `The ChannelCoder server ended ${this.deaths.length} times in a row.`,
      });
      return { action: CloseAction.DoNotRestart, handled: true };
    }
    this.become({ kind: "starting" });
    void vscode.window
      .showWarningMessage("The ChannelCoder server ended unexpectedly and was started again.", "Show Output")
      .then((chosen) => {
        if (chosen !== undefined) {
          this.log.show();
        }
      });
    return { action: CloseAction.Restart, handled: true };
  }

  private become(health: Health): void {
    this.health = health;
    this.healthChanged.fire(health);
  }
}

function real(candidate: string): string | undefined {
  try {
    return fs.realpathSync(candidate);
  } catch {
    return undefined; // it isn't there
  }
}

function program(candidate: string): string | undefined {
  const found = real(candidate);
  if (found === undefined || !path.isAbsolute(found)) {
    return undefined;
  }
  try {
    fs.accessSync(found, fs.constants.X_OK);
  } catch {
    return undefined; // not one that can be run
  }
  return fs.statSync(found).isFile() ? found : undefined;
}
