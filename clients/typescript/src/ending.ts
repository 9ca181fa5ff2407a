// What ends calls, pauses and watches before their time.

/** What is aborted once, such as a caller's `AbortSignal`. */
export interface Ending {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/**
 * The closing of a client, which everything under way in it listens to. It is no `AbortSignal`, as
 * Node takes more than ten listeners of one for a leak, and warns.
 */
export class Closing implements Ending {
  readonly #listeners = new Set<() => void>();
  readonly #reason: unknown;
  aborted = false;

  constructor(reason: unknown) {
    this.#reason = reason;
  }

  get reason(): unknown {
    return this.aborted ? this.#reason : undefined;
  }

  addEventListener(_: "abort", listener: () => void): void {
    this.#listeners.add(listener);
  }

  removeEventListener(_: "abort", listener: () => void): void {
    this.#listeners.delete(listener);
  }

  abort(): void {
    this.aborted = true;
    for (const listener of this.#listeners) listener();
  }
}
