// Sends a command until it is known to be written, or until that takes too long.
import type { CallOptions } from "@connectrpc/connect";
import { backoff, wait } from "./backoff";
import { faultOf, type Fault } from "./faults";

const TRIES = 5;
const PATIENCE = 10_000;

/**
 * Calls, and calls again when that is safe. The caller's command has to carry the same
 * `request_id` each time: a try that got no answer may have been written all the same.
 */
export async function send<T>(
  call: (options: CallOptions) => Promise<T>,
  again: (fault: Fault, attempt: number) => void,
  pause: (ms: number) => Promise<void> = wait,
  clock: () => number = () => performance.now(),
): Promise<T> {
  const began = clock();
  for (let attempt = 1; ; attempt++) {
    const left = began + PATIENCE - clock();
    try {
      return await call({ timeoutMs: Math.max(1_000, Math.min(5_000, left)) });
    } catch (error) {
      const fault = faultOf(error);
      const delay = Math.max(fault.retryAfter ?? 0, backoff(attempt));
      if (!fault.mayDoLater || attempt >= TRIES || clock() + delay > began + PATIENCE) throw fault;
      again(fault, attempt);
      await pause(delay);
    }
  }
}
