// Waiting for what has to come about, with a deadline: a fixed sleep is too short on a busy machine
// and too long on any other.

import { setTimeout as pause } from 'node:timers/promises';

/** Long enough for a busy machine; nothing waits this long when all is well. */
export const PATIENCE = 60_000;
const POLL = 50;

/**
 * Looks again and again until there is something to be seen. What a look throws counts as "not yet"
 * and is told when time is up.
 * @template T
 * @param {string} what
 * @param {() => T | undefined | false | Promise<T | undefined | false>} look
 * @returns {Promise<T>}
 */
export async function eventually(what, look, patience = PATIENCE) {
  const deadline = Date.now() + patience;
  for (;;) {
    let why;
    try {
      const seen = await look();
      if (seen) return seen;
    } catch (error) {
      why = error;
    }
    if (Date.now() >= deadline) {
      throw new Error(`not within ${patience} ms: ${what}`, { cause: why });
    }
    await pause(POLL);
  }
}
