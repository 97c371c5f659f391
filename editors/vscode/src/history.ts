// The questions that were typed, newest first.

/** Where the history is kept: an extension's global or workspace state. */
export interface Kept {
  get(key: string, otherwise: readonly string[]): readonly string[];
  update(key: string, value: readonly string[]): PromiseLike<void>;
}

const KEY = "questions";
const LONGEST = 50;

/** What was asked before, to be asked again. */
export class History {
  constructor(private readonly kept: Kept) {}

  /** The questions, newest first, none twice. */
  get questions(): readonly string[] {
    return this.kept.get(KEY, []);
  }

  async add(question: string): Promise<void> {
    const others = this.questions.filter((known) => known !== question);
    await this.kept.update(KEY, [question, ...others].slice(0, LONGEST));
  }
}
