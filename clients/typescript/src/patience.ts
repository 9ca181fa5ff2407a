// Ends a try that takes too long while there is somebody else to be asked.
import { Code, ConnectError } from "@connectrpc/connect";
import type { Ending } from "./ending.js";

/** What ends a try: whoever may end it, or that it took too long. */
export class Patience {
  readonly #controller = new AbortController();
  readonly #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #enders: readonly (Ending | undefined)[];
  readonly #follow = () => {
    this.end();
    this.#controller.abort(this.#enders.find((one) => one?.aborted)?.reason);
  };
  /** How long it lasted, once it has run out. */
  ranOutMs: number | undefined;

  /** Without `ms` it may take as long as it likes. */
  constructor(ms: number | undefined, ...enders: (Ending | undefined)[]) {
    this.#enders = enders;
    for (const one of enders) one?.addEventListener("abort", this.#follow);
    if (ms === undefined) return;
    this.#timer = setTimeout(() => {
      this.ranOutMs = Math.round(ms);
      this.#controller.abort(new ConnectError("no answer", Code.Unavailable));
    }, ms);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** An answer has begun: it may take its time now. */
  enough(): void {
    clearTimeout(this.#timer);
  }

  /** To be called in the end, else those who may end it remember this as long as they live. */
  end(): void {
    clearTimeout(this.#timer);
    for (const one of this.#enders) one?.removeEventListener("abort", this.#follow);
  }
}
