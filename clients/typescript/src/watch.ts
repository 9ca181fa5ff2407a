// Keeps a stream of documents going: when it is interrupted, it goes on where it was.
import { Code } from "@connectrpc/connect";
import type { Ending } from "./ending.js";
import { TandemError, tandemError } from "./errors.js";
import type { Pacing } from "./pacing.js";
import { backoff, pauses } from "./policy.js";

/** This many interruptions in a row, without a document between them, end a watch. */
const INTERRUPTIONS = 8;

/** What can't get better by itself. */
const FINAL: ReadonlySet<Code> = new Set([
  Code.InvalidArgument,
  Code.NotFound,
  Code.PermissionDenied,
  Code.Unauthenticated,
  Code.Unimplemented,
  Code.FailedPrecondition,
]);

/** Opens a stream that goes on after `last`; it ends when `signal` is aborted. */
export type Open<T> = (last: T | undefined, signal: AbortSignal) => Promise<AsyncIterable<T>>;

/**
 * The documents of a watch, to be iterated over once. It ends when its signal is aborted, when the
 * iteration is left (`break`, or `return()` from anywhere, also while a document is waited for), or
 * when the client is closed; nothing is thrown then.
 */
export class Watch<T> implements AsyncIterableIterator<T, void, undefined> {
  readonly #ending = new AbortController();
  readonly #documents: AsyncGenerator<T, void, undefined>;

  /** @internal */
  constructor(open: Open<T>, pacing: Pacing, ...ends: (Ending | undefined)[]) {
    this.#documents = documents(open, pacing, this.#ending, ends);
  }

  /** The next document. Throws a `TandemError` when the watch can't go on. */
  next(): Promise<IteratorResult<T, void>> {
    return this.#documents.next();
  }

  /** Ends the watch. */
  return(): Promise<IteratorResult<T, void>> {
    this.#ending.abort();
    return this.#documents.return();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

async function* documents<T>(
  open: Open<T>,
  pacing: Pacing,
  ending: AbortController,
  ends: (Ending | undefined)[],
): AsyncGenerator<T, void, undefined> {
  const { signal } = ending;
  const end = () => ending.abort();
  for (const one of ends) one?.addEventListener("abort", end);
  if (ends.some((one) => one?.aborted)) end();
  let last: T | undefined;
  let interruptions = 0;
  try {
    while (!signal.aborted) {
      let fault: TandemError;
      try {
        for await (const document of await open(last, signal)) {
          if (signal.aborted) return;
          interruptions = 0;
          last = document;
          yield document;
        }
        fault = tandemError(Code.Unavailable, "the service ended the watch");
      } catch (error) {
        if (!(error instanceof TandemError)) throw error;
        fault = error;
      }
      if (signal.aborted) return;
      interruptions++;
      if (FINAL.has(fault.code) || interruptions >= INTERRUPTIONS) throw fault;
      const pauseMs = backoff(pauses, interruptions, pacing.random);
      await pacing.pause(Math.max(pauseMs, fault.retryDelayMs ?? 0), signal);
    }
  } finally {
    ending.abort();
    for (const one of ends) one?.removeEventListener("abort", end);
  }
}
