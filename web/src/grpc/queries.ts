// Asks a query, and asks the next query service when one doesn't answer.
import type { CallOptions, Client } from "@connectrpc/connect";
import type { QueryService, Served } from "../gen/tandem/v1/query_pb";
import { noteServed } from "../state/served";
import { backoff, wait } from "./backoff";
import { faultOf } from "./faults";
import { dropRefused, receiptsFor, type Reading } from "./receipts";
import { queryServices, type Service, type Turns } from "./services";

/** How long one try may take; a service that hangs is left after it. */
export const DEADLINE = 5_000;
/** After this long no new try is begun: a person waits for it. */
const PATIENCE = 10_000;

export type QueryCall<T> = (
  client: Client<typeof QueryService>,
  freshness: { receipts: string[] },
  options: CallOptions,
) => Promise<T>;

/** Asks; throws a `Fault` when no service answers, or the one that does says that it is wrong. */
export async function ask<T extends { served?: Served | undefined }>(
  reading: Reading,
  call: QueryCall<T>,
  signal: AbortSignal,
  services: Turns<Service> = queryServices(),
): Promise<T> {
  const began = performance.now();
  const tries = Math.max(3, 2 * services.all.length);
  let receiptsDropped = false;
  for (let attempt = 0; ; attempt++) {
    const service = services.current;
    const receipts = receiptsFor(reading);
    try {
      const answer = await call(service.client, { receipts }, { signal, timeoutMs: DEADLINE });
      noteServed(answer.served, service.name);
      return answer;
    } catch (error) {
      const fault = faultOf(error);
      if (signal.aborted) throw fault;
      if (!receiptsDropped && dropRefused(receipts, fault.fields.keys())) {
        receiptsDropped = true;
        continue;
      }
      const enough = attempt + 1 >= tries || performance.now() - began > PATIENCE;
      if (!fault.mayDoElsewhere || enough) throw fault;
      services.leave(service);
      // Each service is tried once at once; then there is something to wait for.
      const round = Math.floor((attempt + 1) / services.all.length);
      if (round > 0) await wait(backoff(round), signal);
      if (signal.aborted) throw fault;
    }
  }
}
