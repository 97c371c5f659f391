import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { about } from "../src/prompts.ts";
import { parted } from "../src/words.ts";

describe("words before a question", () => {
  it("are taken off it, each once", () => {
    assert.deepEqual(parted(" @changes @diagnostics @changes  Why? "), {
      words: ["changes", "diagnostics"],
      question: "Why?",
    });
  });

  it("are those that stand for something, and stand before it", () => {
    for (const question of ["Mail me@home?", "@property: why?", "Why @changes?", "@changesets?"]) {
      assert.deepEqual(parted(question), { words: [], question });
    }
  });

  it("may be all there is", () => {
    assert.deepEqual(parted("@changes"), { words: ["changes"], question: "" });
  });
});

describe("a prompt", () => {
  it("says what it is good for, and whose it is", () => {
    const prompt = { name: "x", title: "X", kind: "claude" };
    assert.equal(about({ ...prompt, description: "Mends", origin: "built-in" }), "Mends");
    assert.equal(about({ ...prompt, description: "Mends", origin: "user" }), "Mends · your own");
    assert.equal(about({ ...prompt, description: null, origin: "project" }), "the project's");
  });
});
