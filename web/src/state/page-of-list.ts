// Loads a page of a list, and loads it again by itself while that fails or is not complete.
import { useEffect, useState } from "preact/hooks";
import { faultOf, type Fault } from "../grpc/faults";

export interface PageOfList<T> {
  answer: T | undefined;
  fault: Fault | undefined;
  loading: boolean;
  again(): void;
}

/** When to try again after that many failures in a row. */
export function retryDelay(failures: number, retryAfter: number | undefined): number {
  return Math.max(retryAfter ?? 0, Math.min(1000 * 2 ** (failures - 1), 8000));
}

/** How often a list that lacks shards is asked again. */
const PARTIAL = 3000;

export function usePageOfList<T extends { unreachableShards: number[] }>(
  /** What the page depends on; when it changes, another page is loaded. */
  key: string,
  load: (signal: AbortSignal) => Promise<T>,
): PageOfList<T> {
  const [page, set] = useState<{ answer?: T; fault?: Fault; loading: boolean }>({ loading: true });
  const [round, setRound] = useState(0);

  useEffect(() => {
    const ending = new AbortController();
    let timer: ReturnType<typeof setTimeout>;
    let failures = 0;
    const attempt = async () => {
      try {
        const answer = await load(ending.signal);
        if (ending.signal.aborted) return;
        failures = 0;
        set({ answer, loading: false });
        if (answer.unreachableShards.length) timer = setTimeout(attempt, PARTIAL);
      } catch (error) {
        if (ending.signal.aborted) return;
        const fault = faultOf(error);
        // Rows that can't be told to be of this page are worse than none.
        set({ fault, loading: false });
        if (fault.mayDoLater) timer = setTimeout(attempt, retryDelay(++failures, fault.retryAfter));
      }
    };
    set((old) => ({ ...old, loading: true }));
    void attempt();
    return () => {
      ending.abort();
      clearTimeout(timer);
    };
  }, [key, round]);

  return {
    answer: page.answer,
    fault: page.fault,
    loading: page.loading,
    again: () => setRound((count) => count + 1),
  };
}
