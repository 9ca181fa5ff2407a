// Everything that takes time goes through here, so that tests need not wait.
import type { Ending } from "./ending.js";

/** A clock and how to wait by it. */
export interface Pacing {
  /** Milliseconds since some moment. */
  now(): number;
  /** Resolves after `ms`, or once one of the signals is aborted. Never rejects. */
  pause(ms: number, ...signals: (Ending | undefined)[]): Promise<void>;
  /** A number from 0 to 1, 1 excluded. */
  random(): number;
}

export const realPacing: Pacing = {
  now: () => performance.now(),
  pause: (ms, ...signals) => within(new Promise(() => {}), ms, ...signals),
  random: () => Math.random(),
};

/**
 * Resolves once `event` has ended in whichever way, `ms` have passed, or one of the signals is
 * aborted. Never rejects: the caller looks at what has come about.
 */
export function within(
  event: Promise<unknown>,
  ms: number,
  ...signals: (Ending | undefined)[]
): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      for (const signal of signals) signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, Math.min(ms, LONGEST_TIMER));
    for (const signal of signals) signal?.addEventListener("abort", done);
    if (signals.some((signal) => signal?.aborted)) done();
    event.then(done, done);
  });
}

/** Timers of more than 31 bits fire at once. */
export const LONGEST_TIMER = 0x7fff_ffff;
