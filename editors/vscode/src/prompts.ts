// A prompt, as lists show it.

import type { PromptRow } from "./protocol.ts";

const WHOSE = { "built-in": [], user: ["your own"], project: ["the project's"] };

/** What a prompt is good for, and whose it is. */
export function about(prompt: PromptRow): string {
  const good = prompt.description == null ? [] : [prompt.description];
  return [...good, ...WHOSE[prompt.origin ?? "built-in"]].join(" · ");
}
