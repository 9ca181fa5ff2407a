// Remembers which instance answered last, for the corner of the page that says it and for the
// picture of the cluster that marks it.
import { signal } from "@preact/signals";
import type { Served } from "../gen/tandem/v1/query_pb";
import { millis } from "../words";

export interface LastAnswer {
  instance: string;
  forwarded: boolean;
  /** The most that the answer may lag behind; absent if it isn't known. */
  staleness: number | undefined;
  /** The query service that was called, as host and port. */
  by: string;
}

export const lastAnswer = signal<LastAnswer | undefined>(undefined);

export function noteServed(served: Served | undefined, by: string): void {
  if (!served) return;
  lastAnswer.value = {
    instance: served.instanceId,
    forwarded: served.forwarded,
    staleness: served.staleness && millis(served.staleness),
    by,
  };
}
