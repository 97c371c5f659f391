import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { History, type Kept } from "../src/history.ts";

/** What an editor keeps, in memory. */
function kept(...questions: string[]): Kept {
  let value: readonly string[] | undefined = questions.length > 0 ? questions : undefined;
  return {
    get: (_key: string, otherwise: readonly string[]) => value ?? otherwise,
    update: (_key: string, changed: readonly string[]) => {
      value = changed;
      return Promise.resolve();
    },
  };
}

describe("the questions that were typed", () => {
  it("are none at first", () => {
    assert.deepEqual(new History(kept()).questions, []);
  });

  it("come newest first, and none twice", async () => {
    const history = new History(kept("Why?", "How?"));
    await history.add("When?");
    await history.add("How?");
    assert.deepEqual(history.questions, ["How?", "When?", "Why?"]);
  });

  it("are the latest fifty", async () => {
    const history = new History(kept());
    for (let number = 0; number < 60; number += 1) {
      await history.add(`Question ${number}?`);
    }
    assert.equal(history.questions.length, 50);
    assert.equal(history.questions[0], "Question 59?");
    assert.equal(history.questions[49], "Question 10?");
  });
});
