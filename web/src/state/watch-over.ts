// Finds out whether the service that a watch listens to is still there: a connection that was cut
// without a word looks like a customer to whom nothing happens.
import { faultOf } from "../grpc/faults";
import { DEADLINE } from "../grpc/queries";
import type { Service } from "../grpc/services";
import { sentOrders } from "./visible";

/** How often a watch is checked by a query to the same service. */
const CHECK = 15_000;
/** How long that query may take just after something was sent: somebody waits to see it. */
const EAGER = 2_000;

/** Checks until it is ended, and calls `dead` when nobody answers. */
export function watchOver(service: Service, customerId: string, dead: () => void) {
  const ending = new AbortController();
  const check = async (timeoutMs: number) => {
    try {
      const request = { customerId, pageSize: 1 };
      await service.client.getCustomerOrders(request, { signal: ending.signal, timeoutMs });
    } catch (error) {
      // An error that the service gives is a sign of life.
      if (!ending.signal.aborted && faultOf(error).unanswered) dead();
    }
  };
  const timer = setInterval(() => void check(DEADLINE), CHECK);
  const known = sentOrders.peek();
  const unsubscribe = sentOrders.subscribe((sent) => {
    if (sent !== known && sent.at(-1)?.customerId === customerId) void check(EAGER);
  });
  return {
    heard: () => {},
    end: () => {
      clearInterval(timer);
      unsubscribe();
      ending.abort();
    },
  };
}
