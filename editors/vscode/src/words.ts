// Words before a question that send more along with it: `@changes`, `@diagnostics`.

const WORD = /^@(changes|diagnostics)(?:\s+|$)/;

/** A word that stands for something to send along. */
export type Word = "changes" | "diagnostics";

/** Part a question from the words before it; an `@` anywhere else is the question's own. */
export function parted(typed: string): { readonly words: readonly Word[]; readonly question: string } {
  const words = new Set<Word>();
  let question = typed.trim();
  for (let found = WORD.exec(question); found !== null; found = WORD.exec(question)) {
    words.add(found[1] as Word);
    question = question.slice(found[0].length);
  }
  return { words: [...words], question };
}
