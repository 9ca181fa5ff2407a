// Ends a try that takes too long while there is somebody else to be asked.
import { Code, ConnectError } from "@connectrpc/connect";

/** A caller's signal that is also aborted after a while. */
export class Patience {
  readonly #controller = new AbortController();
  readonly #timer: ReturnType<typeof setTimeout>;
  readonly #caller: AbortSignal | undefined;
  readonly #follow = () => this.#controller.abort(this.#caller?.reason);
  /** How long it lasted, once it has run out. */
  ranOutMs: number | undefined;

  constructor(ms: number, caller: AbortSignal | undefined) {
    this.#caller = caller;
    caller?.addEventListener("abort", this.#follow);
    this.#timer = setTimeout(() => {
      this.ranOutMs = Math.round(ms);
      this.#controller.abort(new ConnectError("no answer", Code.Unavailable));
    }, ms);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** An answer has begun: only the caller may end it now. */
  enough(): void {
    clearTimeout(this.#timer);
  }

  /** To be called in the end, else the caller's signal remembers this as long as it lives. */
  end(): void {
    clearTimeout(this.#timer);
    this.#caller?.removeEventListener("abort", this.#follow);
  }
}
