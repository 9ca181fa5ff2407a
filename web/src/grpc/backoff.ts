// Decides how long to wait before trying again, so that many pages don't call in step.

/** 100 ms doubled with each try, at most 3 s; half of it is chance. */
export function backoff(attempt: number, random: () => number = Math.random): number {
  const whole = Math.min(100 * 2 ** attempt, 3000);
  return whole / 2 + (random() * whole) / 2;
}

/** Resolves after `ms`, or at once when aborted: the caller looks at its signal anyway. */
export function wait(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const ended = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", ended);
      resolve();
    };
    const timer = setTimeout(ended, ms);
    signal?.addEventListener("abort", ended);
  });
}
