import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { Soon } from "../src/soon.ts";

const WAIT = 100;

/** What is done soon, by a clock that the test winds. */
function begun(test: TestContext): { soon: Soon; done: string[] } {
  test.mock.timers.enable({ apis: ["setTimeout"] });
  const done: string[] = [];
  return { soon: new Soon(WAIT, (key) => done.push(key)), done };
}

describe("what is to be done soon", () => {
  it("is done once for all calls until then", (test) => {
    const { soon, done } = begun(test);
    soon.call("one");
    test.mock.timers.tick(WAIT - 1);
    soon.call("one");
    soon.call("two");
    assert.deepEqual(done, []);
    test.mock.timers.tick(1);
    assert.deepEqual(done, ["one"]);
    test.mock.timers.tick(WAIT);
    assert.deepEqual(done, ["one", "two"]);
  });

  it("is done again when it is called for again", (test) => {
    const { soon, done } = begun(test);
    soon.call("one");
    test.mock.timers.tick(WAIT);
    soon.call("one");
    test.mock.timers.tick(WAIT);
    assert.deepEqual(done, ["one", "one"]);
  });

  it("is not done for what was dropped, until that is called for again", (test) => {
    const { soon, done } = begun(test);
    soon.call("gone");
    soon.call("there");
    soon.drop("gone");
    soon.drop("never called for");
    test.mock.timers.tick(WAIT);
    assert.deepEqual(done, ["there"]);
    soon.call("gone");
    test.mock.timers.tick(WAIT);
    assert.deepEqual(done, ["there", "gone"]);
  });
});
