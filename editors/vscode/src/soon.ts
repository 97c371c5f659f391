// What is to be done soon, once for all calls until then.

/** Does something for each of several keys a moment after it was called for, unless the key was dropped meanwhile. */
export class Soon {
  private readonly waiting = new Map<string, NodeJS.Timeout>();

  constructor(
    private readonly milliseconds: number,
    private readonly run: (key: string) => void,
  ) {}

  /** Run for a key; what is called for again before it ran is one run. */
  call(key: string): void {
    if (!this.waiting.has(key)) {
      const timer = setTimeout(() => {
        this.waiting.delete(key);
        this.run(key);
      }, this.milliseconds);
      this.waiting.set(key, timer);
    }
  }

  /** Don't run for a key any more, until it is called for again. */
  drop(key: string): void {
    clearTimeout(this.waiting.get(key));
    this.waiting.delete(key);
  }
}
