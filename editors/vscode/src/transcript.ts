// A session as a page: questions and answers, what each took, and links to the code.

import type { SessionContent, SessionTurnContent } from "./protocol.ts";
import { age, counted, dollars } from "./rendering.ts";

/** What the page needs of the editor. */
export interface Page {
  /** HTML of Markdown that the server made safe. */
  readonly render: (markdown: string) => Promise<string>;
  /** How a file is named in a link. */
  readonly named: (uri: string) => string;
  readonly now: number;
}

const BAR = 14;
const GAP = 4;
const HEIGHT = 56;

/** The page's body. */
export async function body(session: SessionContent, page: Page): Promise<string> {
  const turns = await Promise.all(session.turns.map((turn, index) => article(turn, index, page)));
  const tokens = session.turns.reduce((sum, turn) => sum + turn.inputTokens + turn.outputTokens, 0);
  const facts = [
    counted(session.turns.length, "question"),
    dollars(session.costUsd),
    `${thousands(tokens)} tokens`,
  ];
  return [
    `<header><h1>${escape(session.session)}</h1><p class="facts">${facts.join(" · ")}</p>${chart(session)}</header>`,
    turns.length > 0 ? turns.join("\n") : "<p>Nothing was asked yet.</p>",
  ].join("\n");
}

/** Cost and tokens of each turn, as bars that lead to it. */
export function chart(session: SessionContent): string {
  const { turns } = session;
  if (turns.length < 2) {
    return "";
  }
  const costs = turns.map((turn) => turn.turn.costUsd);
  const tokens = turns.map((turn) => turn.inputTokens + turn.outputTokens);
  const bars = turns.map((turn, index) => {
    const cost = tall(costs, index);
    const size = tall(tokens, index);
    const at = index * (2 * BAR + GAP);
    const title = `${turn.turn.question}\n${dollars(costs[index] ?? 0)}, ${thousands(tokens[index] ?? 0)} tokens`;
    return (
      `<a href="#turn-${index}"><title>${escape(title)}</title>` +
      `<rect x="${at}" y="0" width="${2 * BAR}" height="${HEIGHT}" class="ground"/>` +
      `<rect x="${at + 2}" y="${HEIGHT - cost}" width="${BAR - 3}" height="${cost}" class="cost"/>` +
      `<rect x="${at + BAR + 1}" y="${HEIGHT - size}" width="${BAR - 3}" height="${size}" class="tokens"/></a>`
    );
  });
  const width = turns.length * (2 * BAR + GAP);
  return (
    `<figure><svg width="${width}" height="${HEIGHT}" viewBox="0 0 ${width} ${HEIGHT}" role="img" ` +
    `aria-label="Cost and tokens of each question">${bars.join("")}</svg>` +
    '<figcaption><span class="key cost"></span> cost <span class="key tokens"></span> tokens, by question</figcaption></figure>'
  );
}

function tall(values: readonly number[], index: number): number {
  const most = Math.max(...values);
  return most > 0 ? Math.max(2, Math.round(((values[index] ?? 0) / most) * HEIGHT)) : 0;
}

async function article(shown: SessionTurnContent, index: number, page: Page): Promise<string> {
  const { turn } = shown;
  const parts = [age(turn.asked, page.now), ...(turn.model === null ? [] : [turn.model])];
  if (turn.costUsd > 0) {
    parts.push(dollars(turn.costUsd));
  }
  if (shown.outputTokens > 0) {
    parts.push(`${thousands(shown.inputTokens)} tokens in, ${thousands(shown.outputTokens)} out`);
  }
  const state =
    turn.state === "done" ? "" : ` · <span class="state ${escape(turn.state)}">${stateOf(turn.state)}</span>`;
  const answer = turn.answer === "" ? "" : await page.render(turn.answer);
  const failed = turn.error === null ? "" : `<p class="error">${escape(turn.error)}</p>`;
  const notes = turn.notes.map((note) => `<p class="note">${escape(note)}</p>`).join("");
  return (
    `<article id="turn-${index}"><div class="question"><p>${escape(turn.question)}</p>${place(shown, page)}</div>` +
    `<div class="answer">${answer}${notes}${failed}</div>` +
    `<p class="facts">${escape(parts.join(" · "))}${state}</p></article>`
  );
}

function place(shown: SessionTurnContent, page: Page): string {
  if (shown.threadId === null || shown.uri === null) {
    return "";
  }
  const name = escape(page.named(shown.uri));
  return shown.line === null
    ? `<span class="place">${name}, not found any more</span>`
    : `<a class="place" href="#" data-thread="${escape(shown.threadId)}">${name}:${shown.line + 1}</a>`;
}

function stateOf(state: string): string {
  return state === "running" ? "answering…" : state === "queued" ? "waiting" : escape(state);
}

function thousands(number: number): string {
  return number < 1000 ? String(number) : `${(number / 1000).toFixed(number < 10_000 ? 1 : 0)}k`;
}

/** Text that is HTML for itself. */
export function escape(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}
