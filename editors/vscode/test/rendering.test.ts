import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Status, ThreadContent, TurnContent } from "../src/protocol.ts";
import {
  age,
  amount,
  codeBlocks,
  comments,
  heading,
  plain,
  rowFacts,
  sessionFacts,
} from "../src/rendering.ts";

const turn = (more: Partial<TurnContent> = {}): TurnContent => ({
  turnId: "t1",
  question: "Why?",
  answer: "Because.",
  state: "done",
  error: null,
  notes: [],
  model: "sonnet",
  author: null,
  costUsd: 0.0123,
  asked: "2026-01-01T00:00:00Z",
  finished: "2026-01-01T00:00:09Z",
  ...more,
});

const thread = (more: Partial<ThreadContent> = {}): ThreadContent => ({
  threadId: "h1",
  uri: "file:///shop.py",
  range: { start: { line: 0, character: 0 }, end: { line: 1, character: 0 } },
  state: "exact",
  status: "open",
  finding: null,
  turns: [turn()],
  proposalIds: [],
  ...more,
});

describe("a thread's comments", () => {
  it("are its questions and answers in turn, with keys that stay", () => {
    const shown = comments(
      thread({ turns: [turn(), turn({ turnId: "t2", state: "running", answer: "Be" })] }),
    );
    assert.deepEqual(
      shown.map((one) => [one.key, one.who, one.text]),
      [
        ["t1?", "user", "Why?"],
        ["t1", "claude", "Because\\."].map((text) => text.replace("\\", "")),
        ["t2?", "user", "Why?"],
        ["t2", "claude", "Be"],
      ],
    );
  });

  it("say how an answer stands, and offer what can be done with it", () => {
    const of = (more: Partial<TurnContent>): [string | undefined, string] => {
      const shown = comments(thread({ turns: [turn(more)] }))[1];
      return [shown?.label, shown?.traits.join(" ") ?? ""];
    };
    assert.deepEqual(of({}), ["sonnet · $0.0123", "answer"]);
    assert.deepEqual(of({ state: "running" }), ["answering…", "answer unfinished"]);
    assert.deepEqual(of({ state: "failed", error: "no" }), ["failed", "answer retry"]);
    assert.deepEqual(of({ answer: "```\nx\n```" }), ["sonnet · $0.0123", "answer code"]);
  });

  it("offer a proposed edit at the newest answer only", () => {
    const shown = comments(thread({ turns: [turn(), turn({ turnId: "t2" })], proposalIds: ["p"] }));
    assert.deepEqual(
      shown.map((one) => one.traits.includes("proposal")),
      [false, false, false, true],
    );
  });

  it("show a question as it was typed, whatever it holds", () => {
    assert.equal(plain("[x](command:y) <b>"), "\\[x\\]\\(command:y\\) \\<b\\>");
  });
});

describe("a thread's heading", () => {
  it("says how severe a finding is, which the comment does not say again", () => {
    const found = thread({ finding: { severity: "error", code: "speed", message: "Slow." }, turns: [] });
    assert.equal(heading(found), "Claude: error");
    assert.deepEqual(
      comments(found).map(({ text, label }) => [text, label]),
      [["Slow.", "speed"]],
    );
  });

  it("says how it stands while there is no answer", () => {
    assert.equal(heading(thread({ turns: [turn({ state: "running" })] })), "Claude · answering…");
    assert.equal(heading(thread({ turns: [turn({ state: "failed" })] })), "Claude · failed");
  });

  it("counts answers and says what became of the code", () => {
    assert.equal(heading(thread()), "Claude · 1 answer");
    assert.equal(
      heading(thread({ state: "edited", status: "resolved", turns: [turn(), turn()] })),
      "Claude · 2 answers · the code changed since · resolved",
    );
  });
});

describe("code blocks", () => {
  it("are fenced, and end at a fence as long", () => {
    assert.deepEqual(codeBlocks("a\n```py\nx = 1\n```\nb\n~~~~\n```\ny\n~~~~\n"), ["x = 1", "```\ny"]);
  });

  it("that never end are none", () => {
    assert.deepEqual(codeBlocks("```py\nx"), []);
  });
});

describe("an age", () => {
  it("is in the largest unit that fits", () => {
    const now = Date.parse("2026-01-02T00:00:00Z");
    assert.equal(age("2026-01-01T23:59:40Z", now), "just now");
    assert.equal(age("2026-01-01T23:30:00Z", now), "30 min ago");
    assert.equal(age("2025-12-30T00:00:00Z", now), "3 d ago");
  });
});

describe("the tooltip of the status bar", () => {
  const status: Status = {
    folder: "/shop",
    session: "shop",
    model: null,
    messages: 2,
    costUsd: 0.5,
    waiting: 0,
    trusted: true,
    offline: false,
  };

  it("says what was said and spent, and nothing that is not known", () => {
    assert.deepEqual(sessionFacts(status), ["Session: shop", "2 messages · $0.50", "Model: the default"]);
  });

  it("says that nothing was spent without places after the point", () => {
    assert.equal(sessionFacts({ ...status, messages: 0, costUsd: 0 })[1], "0 messages · $0");
  });

  it("says that what is said waits while the place for sessions is away", () => {
    assert.equal(
      sessionFacts({ ...status, away: "No way to db." }).at(-1),
      "Sessions wait on this machine: No way to db.",
    );
  });

  it("has the limit beside the cost, and how full the context is", () => {
    const full = { contextTokens: 50_000, contextWindow: 200_000, contextShare: 0.25, spendingLimitUsd: 2 };
    assert.deepEqual(sessionFacts({ ...status, ...full }).slice(1), [
      "2 messages · $0.50 of $2.00",
      "Model: the default",
      "Context: 50,000 of 200,000 tokens (25%)",
    ]);
    assert.equal(sessionFacts({ ...status, contextTokens: 7 }).at(-1), "Context: 7 tokens");
    const little = { contextTokens: 7, contextWindow: 1000, contextShare: 0.007 };
    assert.equal(sessionFacts({ ...status, ...little }).at(-1), "Context: 7 of 1,000 tokens (under 1%)");
  });
});

describe("an amount of money", () => {
  it("may have a dollar sign and a comma; nothing typed is no limit", () => {
    assert.deepEqual(["2.50", "$3", " 0,5 ", " "].map(amount), [2.5, 3, 0.5, null]);
  });

  it("is above zero, and nothing else is one", () => {
    assert.deepEqual(["0", "-1", "1e9", "two", "Infinity"].map(amount), Array(5).fill(undefined));
  });
});

describe("a session in a list", () => {
  const row = {
    name: "shop-1",
    path: "/sessions/shop-1.json",
    created: "2026-01-01T00:00:00Z",
    lastActive: "2026-01-01T00:00:00Z",
    messageCount: 1,
    costUsd: 0,
    firstQuestion: "Why?",
    checkout: "/home/ada/shop",
  };
  const hour = Date.parse("2026-01-01T01:00:00Z");

  it("has its age and its messages", () => {
    assert.equal(rowFacts(row, hour), "1 h ago · 1 message");
  });

  it("has what it cost, once it cost anything", () => {
    assert.equal(rowFacts({ ...row, messageCount: 4, costUsd: 0.25 }, hour), "1 h ago · 4 messages · $0.25");
  });
});
