// Keeps a stream going: resumes it after any end, on the next query service if the current one
// failed, and rests while nobody looks. Nothing here knows what is streamed, or of a browser.
import { Code } from "@connectrpc/connect";
import { backoff } from "./backoff";
import { faultOf, type Fault } from "./faults";
import type { Turns } from "./services";

export type FollowState<S> =
  | { name: "connecting"; service: S }
  | { name: "live"; service: S }
  | { name: "reconnecting"; lost: S; service: S; fault: Fault | undefined }
  | { name: "paused" }
  | { name: "stopped"; fault: Fault };

export interface Following<S, M> {
  services: Turns<S>;
  /** Opens the stream. `opened` is to be called once the service has taken the call, since a
   * resumed watch may have nothing to say for long. */
  open(service: S, token: string, signal: AbortSignal, opened: () => void): AsyncIterable<M>;
  /** Where to go on after this message. */
  tokenOf(message: M): string;
  onMessage(message: M, service: S): void;
  onState(state: FollowState<S>): void;
  /** The stream went on at another service than the one that was lost. */
  onWentOn?(lost: S, now: S): void;
  /** Mends what the service refused, if that can be done, and says whether it was. */
  mend?(fault: Fault): boolean;
  /** Watches over an open stream and calls `dead` when it finds that nobody is there. Returns how
   * to end the watching. */
  guard?(service: S, dead: () => void): { heard(): void; end(): void };
  /** Whether nobody looks just now. */
  hidden(): boolean;
  /** Calls back when that changes; returns how to end it. */
  onHidden(changed: () => void): () => void;
  pause(ms: number, signal: AbortSignal): Promise<void>;
}

/** How long a service may take to take the call. One that hangs accepts connections all the same. */
export const OPENING = 5_000;

/** Why a connection ended. */
type End = { why: "hidden" } | { why: "ended" } | { why: "failed"; fault: Fault | undefined };

/** Follows until `signal` is aborted. */
export async function follow<S, M>(of: Following<S, M>, signal: AbortSignal): Promise<void> {
  let token = "";
  let attempt = 0;
  // The service that the stream was lost at, until it goes on somewhere.
  let lost: S | undefined;
  let fault: Fault | undefined;

  while (!signal.aborted) {
    if (of.hidden()) {
      of.onState({ name: "paused" });
      await shown(of, signal);
      attempt = 0;
      continue;
    }
    const service = of.services.current;
    of.onState(
      lost === undefined
        ? { name: "connecting", service }
        : { name: "reconnecting", lost, service, fault },
    );
    const end = await connection(of, service, token, signal, {
      opened: () => {
        of.onState({ name: "live", service });
        if (lost !== undefined && lost !== service) of.onWentOn?.(lost, service);
        lost = undefined;
      },
      message: (message) => {
        token = of.tokenOf(message);
        attempt = 0;
        of.onMessage(message, service);
      },
    });
    if (signal.aborted) return;
    if (end.why === "hidden") {
      lost = undefined;
      continue;
    }
    lost ??= service;
    fault = end.why === "failed" ? end.fault : undefined;
    if (fault?.code === Code.InvalidArgument) {
      // A token of another log, or one that this version doesn't read: begin anew, once.
      if (token !== "" && fault.fields.has("resume_token")) token = "";
      else if (!of.mend?.(fault)) return of.onState({ name: "stopped", fault });
    } else if (end.why === "failed" && (!fault || fault.mayDoElsewhere)) {
      of.services.leave(service);
    }
    of.onState({ name: "reconnecting", lost, service: of.services.current, fault });
    await of.pause(backoff(attempt++), signal);
  }
}

/** One connection, from opening it to its end. */
async function connection<S, M>(
  of: Following<S, M>,
  service: S,
  token: string,
  signal: AbortSignal,
  on: { opened(): void; message(message: M): void },
): Promise<End> {
  // A stream ends for good only by its signal: its iterator can't be told to return.
  const ending = new AbortController();
  let ended: End | undefined;
  const cut = (end: End) => {
    ended ??= end;
    ending.abort();
  };
  const stop = () => cut({ why: "ended" });
  signal.addEventListener("abort", stop);
  const unhide = of.onHidden(() => of.hidden() && cut({ why: "hidden" }));
  const dead = () => cut({ why: "failed", fault: undefined });
  const guard = of.guard?.(service, dead);
  const overdue = setTimeout(dead, OPENING);
  let open = false;
  const opened = () => {
    if (open || ended) return;
    open = true;
    clearTimeout(overdue);
    on.opened();
  };
  try {
    for await (const message of of.open(service, token, ending.signal, opened)) {
      if (ended) break;
      guard?.heard();
      opened();
      on.message(message);
    }
    return ended ?? { why: "ended" };
  } catch (error) {
    return ended ?? { why: "failed", fault: faultOf(error) };
  } finally {
    ending.abort();
    clearTimeout(overdue);
    guard?.end();
    unhide();
    signal.removeEventListener("abort", stop);
  }
}

/** Resolves once somebody looks, or at the end. */
function shown<S, M>(of: Following<S, M>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      if (of.hidden() && !signal.aborted) return;
      unhide();
      signal.removeEventListener("abort", done);
      resolve();
    };
    const unhide = of.onHidden(done);
    signal.addEventListener("abort", done);
  });
}
