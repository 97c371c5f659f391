import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { SessionContent, SessionTurnContent } from "../src/protocol.ts";
import { body, chart, type Page } from "../src/transcript.ts";

const page: Page = {
  render: (markdown) => Promise.resolve(`<p>${markdown}</p>`),
  named: (uri) => uri.replace("file:///", ""),
  now: Date.parse("2026-01-01T01:00:00Z"),
};

const asked = (question: string, more: Partial<SessionTurnContent> = {}): SessionTurnContent => ({
  turn: {
    turnId: "t",
    question,
    answer: "Because.",
    state: "done",
    error: null,
    notes: [],
    model: "sonnet",
    author: null,
    costUsd: 0.5,
    asked: "2026-01-01T00:00:00Z",
    finished: null,
  },
  threadId: null,
  uri: null,
  line: null,
  inputTokens: 12_345,
  outputTokens: 67,
  ...more,
});

const session = (...turns: SessionTurnContent[]): SessionContent => ({
  session: "shop",
  active: true,
  costUsd: 1,
  turns,
});

describe("a session's page", () => {
  it("has each question with its answer and what it took", async () => {
    const html = await body(session(asked("Why?")), page);
    assert.match(html, /<p>Why\?<\/p>/);
    assert.match(html, /<p>Because\.<\/p>/);
    assert.match(html, /1 h ago · sonnet · \$0\.50 · 12k tokens in, 67 out/);
  });

  it("says of a question that has no whole answer how it stands with it", async () => {
    const failed = asked("Why?");
    const html = await body(session({ ...failed, turn: { ...failed.turn, state: "failed" } }), page);
    assert.match(html, /67 out · <span class="state failed">failed<\/span>/);
  });

  it("leads to the code, and says where that is gone", async () => {
    const there = await body(session(asked("Why?", { threadId: "h", uri: "file:///a.py", line: 4 })), page);
    assert.match(there, /data-thread="h">a\.py:5</);
    const gone = await body(session(asked("Why?", { threadId: "h", uri: "file:///a.py" })), page);
    assert.match(gone, /a\.py, not found any more/);
  });

  it("takes nothing that was typed for HTML", async () => {
    const html = await body(session(asked("<img src=x onerror=alert(1)>")), page);
    assert.ok(!html.includes("<img"));
  });
});

describe("the chart", () => {
  it("has two bars for each question, the highest as high as there is room", () => {
    const html = chart(session(asked("a"), asked("b", { inputTokens: 0, outputTokens: 0 })));
    assert.equal(html.match(/<a href/g)?.length, 2);
    assert.equal(html.match(/height="56" class="(cost|tokens)"/g)?.length, 3);
  });

  it("is not there for a single question", () => {
    assert.equal(chart(session(asked("a"))), "");
  });
});
