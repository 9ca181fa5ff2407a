// Keeps a session's receipts, and few of them: many are replaced by one that covers them all.
import { type Pacing, within } from "./pacing.js";

/** The most that a query takes. */
export const SHOWN = 32;
/** The most that are kept before a command. */
export const KEPT = 1024;

/** How a call is bounded. */
export interface CallOptions {
  /** Ends the call with a `CanceledError` when it is aborted. */
  signal?: AbortSignal;
  /** How long the call may take with all its tries, in milliseconds, instead of the client's. */
  timeoutMs?: number;
}

/** Asks for anything that is as fresh as these receipts; gives the position of the answer. */
export type Ask = (receipts: readonly string[], bounds: CallOptions) => Promise<string>;

/** The receipts of one session, the oldest first. */
export class Receipts {
  readonly #kept: string[];
  #settling: Promise<void> | undefined;

  constructor(
    receipts: Iterable<string>,
    private readonly ask: Ask,
    private readonly pacing: Pacing,
  ) {
    this.#kept = [...receipts];
  }

  get size(): number {
    return this.#kept.length;
  }

  /** What is kept; not to be changed. */
  get all(): readonly string[] {
    return this.#kept;
  }

  add(receipt: string): void {
    this.#kept.push(receipt);
  }

  /**
   * Puts positions in the place of the oldest receipts until there are `most` at most. Returns what
   * is left of the bounds. One question at a time is enough for all callers: others wait for it, and
   * ask themselves if it fails, since it may have had less time than they have.
   */
  async settle(most: number, bounds: CallOptions, usualMs: number): Promise<CallOptions> {
    const deadline = this.pacing.now() + (bounds.timeoutMs ?? usualMs);
    const left = () => ({ ...bounds, timeoutMs: deadline - this.pacing.now() });
    while (this.#kept.length > most) {
      const { timeoutMs } = left();
      if (this.#settling && timeoutMs > 0 && !bounds.signal?.aborted) {
        await within(this.#settling, timeoutMs, bounds.signal);
        continue;
      }
      const settling = this.#settleOldest(left());
      this.#settling ??= settling;
      try {
        await settling;
      } finally {
        if (this.#settling === settling) this.#settling = undefined;
      }
    }
    return left();
  }

  async #settleOldest(bounds: CallOptions): Promise<void> {
    const oldest = this.#kept.slice(0, SHOWN);
    const position = await this.ask(oldest, bounds);
    this.#kept.splice(0, oldest.length, position);
  }
}
