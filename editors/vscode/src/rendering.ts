// A thread's turns as comments, as plain values: what is shown, without the editor's types.

import type { SessionRow, Status, ThreadContent, ThreadRow, TurnContent } from "./protocol.ts";

/** One comment of a thread. */
export interface Shown {
  /** The same for the same comment later on. */
  readonly key: string;
  readonly who: "user" | "claude";
  readonly author: string;
  /** Markdown. What Claude wrote in it was made safe by the server. */
  readonly text: string;
  readonly label: string | undefined;
  readonly when: string;
  /** What can be done with it, for the menus. */
  readonly traits: readonly string[];
}

const UNFINISHED = new Set(["queued", "running"]);
const FAILED = new Set(["failed", "cancelled"]);

/** The comments of a thread, oldest first. */
export function comments(thread: ThreadContent): Shown[] {
  const shown = thread.turns.flatMap((turn, index) => [
    question(turn),
    answer(turn, index === thread.turns.length - 1 ? thread.proposalIds : []),
  ]);
  return thread.finding === null ? shown : [finding(thread), ...shown];
}

/** What stands at the top of a thread. */
export function heading(thread: ThreadContent): string {
  const answers = thread.turns.filter((turn) => turn.state === "done").length;
  const parts = [thread.finding === null ? "Claude" : `Claude: ${thread.finding.severity}`];
  const last = thread.turns.at(-1);
  if (answers === 0 && last !== undefined) {
    parts.push(UNFINISHED.has(last.state) ? "answering…" : last.state);
  } else if (answers > 0) {
    parts.push(counted(answers, "answer"));
  }
  if (thread.state === "edited") {
    parts.push("the code changed since");
  }
  if (thread.status === "resolved") {
    parts.push("resolved");
  }
  return parts.join(" · ");
}

/** What the menus know a thread by. */
export function traits(thread: Pick<ThreadContent, "status" | "state">): string {
  return ["claude", thread.status, thread.state].join(" ");
}

/** A line of facts on a session in a list: age, messages, cost. */
export function rowFacts(row: SessionRow, now: number): string {
  const parts = [age(row.lastActive, now), counted(row.messageCount, "message")];
  if (row.costUsd > 0) {
    parts.push(dollars(row.costUsd));
  }
  return parts.join(" · ");
}

/** A line of facts on a thread in a list. */
export function facts(row: ThreadRow): string {
  const parts = [row.state === "orphaned" ? "not found any more" : `line ${row.range.start.line + 1}`];
  if (row.waiting) {
    parts.push("answering…");
  } else if (row.turns > 0) {
    parts.push(counted(row.answers ?? 0, "answer"));
  }
  if (row.state === "edited") {
    parts.push("code changed");
  }
  if ((row.proposalIds ?? []).length > 0) {
    parts.push("edit proposed");
  }
  return parts.join(" · ");
}

export function counted(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? "" : "s"}`;
}

export function dollars(amount: number): string {
  if (amount === 0) {
    return "$0";
  }
  return amount >= 0.1 ? `$${amount.toFixed(2)}` : `$${amount.toFixed(4)}`;
}

/** How long ago, in the largest unit that fits. */
export function age(iso: string, now: number): string {
  const seconds = Math.max(0, Math.floor((now - Date.parse(iso)) / 1000));
  for (const [size, unit] of [
    [86_400, "d"],
    [3_600, "h"],
    [60, "min"],
  ] as const) {
    if (seconds >= size) {
      return `${Math.floor(seconds / size)} ${unit} ago`;
    }
  }
  return "just now";
}

/** The code blocks of an answer, as the server counts them: fenced ones, in order. */
export function codeBlocks(markdown: string): string[] {
  const blocks: string[] = [];
  let fence: string | undefined;
  let lines: string[] = [];
  for (const line of markdown.split("\n")) {
    const mark = /^ {0,3}(`{3,}|~{3,})(.*)$/.exec(line);
    if (fence === undefined) {
      if (mark?.[1] !== undefined) {
        fence = mark[1];
        lines = [];
      }
    } else if (mark?.[1]?.startsWith(fence) === true && mark[2]?.trim() === "") {
      blocks.push(lines.join("\n"));
      fence = undefined;
    } else {
      lines.push(line);
    }
  }
  return blocks;
}

function finding(thread: ThreadContent): Shown {
  const found = thread.finding;
  return {
    key: "finding",
    who: "claude",
    author: "Claude",
    text: found?.message ?? "",
    label: found?.code ?? undefined, // how severe it is stands at the top
    when: thread.turns[0]?.asked ?? "",
    traits: ["finding", ...(thread.turns.length === 0 && thread.proposalIds.length > 0 ? ["proposal"] : [])],
  };
}

function question(turn: TurnContent): Shown {
  return {
    key: `${turn.turnId}?`,
    who: "user",
    author: turn.author ?? "You",
    text: plain(turn.question),
    label: undefined,
    when: turn.asked,
    traits: ["question"],
  };
}

function answer(turn: TurnContent, proposals: readonly string[]): Shown {
  const notes = turn.notes.map((note) => `*${plain(note)}*`);
  const failure = turn.state === "failed" ? [`**Failed:** ${plain(turn.error ?? "")}`] : [];
  const text = [turn.answer, ...notes, ...failure].filter((part) => part !== "").join("\n\n");
  const does = [
    "answer",
    ...(codeBlocks(turn.answer).length > 0 && turn.state === "done" ? ["code"] : []),
    ...(UNFINISHED.has(turn.state) ? ["unfinished"] : []),
    ...(FAILED.has(turn.state) ? ["retry"] : []),
    ...(proposals.length > 0 ? ["proposal"] : []),
  ];
  return {
    key: turn.turnId,
    who: "claude",
    author: "Claude",
    text: text === "" ? "…" : text,
    label: label(turn),
    when: turn.finished ?? turn.asked,
    traits: does,
  };
}

function label(turn: TurnContent): string {
  switch (turn.state) {
    case "queued":
      return "waiting";
    case "running":
      return "answering…";
    case "failed":
    case "cancelled":
      return turn.state;
    default:
      return [turn.model, turn.costUsd > 0 ? dollars(turn.costUsd) : null]
        .filter((part) => part !== null)
        .join(" · ");
  }
}

/** Text in which nothing is Markdown. */
export function plain(text: string): string {
  return text.replace(/[\\`*_{}[\]<>()#+\-.!|~&]/g, "\\$&").replace(/\n/g, "  \n");
}

/** A session in some lines: what was said and spent, which model, how full Claude's context is. */
export function sessionFacts(status: Status): string[] {
  const limit = status.spendingLimitUsd;
  const cost = limit == null ? dollars(status.costUsd) : `${dollars(status.costUsd)} of ${dollars(limit)}`;
  const lines = [
    `Session: ${status.session ?? "none yet"}`,
    `${counted(status.messages, "message")} · ${cost}`,
    `Model: ${status.model ?? "the default"}`,
  ];
  if (status.away != null) {
    lines.push(`Sessions wait on this machine: ${status.away}`);
  }
  if (status.contextTokens != null) {
    const share = status.contextShare == null ? "" : ` (${percent(status.contextShare)})`;
    const of = status.contextWindow == null ? "" : ` of ${status.contextWindow.toLocaleString("en-US")}`;
    lines.push(`Context: ${status.contextTokens.toLocaleString("en-US")}${of} tokens${share}`);
  }
  return lines;
}

/** A share of one; what is there is never said to be nothing. */
function percent(share: number): string {
  return share > 0 && share < 0.01 ? "under 1%" : `${Math.round(share * 100)}%`;
}

/** An amount of money that was typed: null where nothing was, undefined where it is none. */
export function amount(text: string): number | null | undefined {
  const typed = text.trim().replace(/^\$/, "");
  if (typed === "") {
    return null;
  }
  const value = /^\d+([.,]\d+)?$/.test(typed) ? Number(typed.replace(",", ".")) : 0;
  return value > 0 ? value : undefined;
}
