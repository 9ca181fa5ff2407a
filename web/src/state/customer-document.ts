// Watches one customer's document and tells what changed in it while somebody looked.
import { useEffect, useState } from "preact/hooks";
import type { WatchCustomerOrdersResponse } from "../gen/tandem/v1/query_pb";
import type { Order } from "../gen/tandem/v1/model_pb";
import { wait } from "../grpc/backoff";
import { follow, type FollowState } from "../grpc/follow";
import { dropRefused, receiptsFor } from "../grpc/receipts";
import { queryServices, type Service } from "../grpc/services";
import { noteServed } from "./served";
import { onTabHidden, tabHidden } from "./tab";
import { watchOver } from "./watch-over";

export interface WatchedDocument {
  document: WatchCustomerOrdersResponse | undefined;
  /** The orders that came or changed while the page watched, by id. */
  live: ReadonlySet<string>;
  state: FollowState<Service>;
  /** Where the watch was lost and where it went on, for a while after it did. */
  wentOn: { lost: string; now: string } | undefined;
}

/** How long the page says that a watch went on elsewhere. */
const WENT_ON = 15_000;

/** What is shown of an order; its time isn't, for it stays that of the first placing. */
export function orderContent(order: Order): string {
  return JSON.stringify([order.orderId, order.orderItemName, order.orderPlace]);
}

/** The ids of orders that are in `now` and were not, or were otherwise, in `before`. */
export function changedOrders(before: readonly Order[], now: readonly Order[]): string[] {
  const known = new Set(before.map(orderContent));
  return now.filter((order) => !known.has(orderContent(order))).map(({ orderId }) => orderId);
}

export function useCustomerDocument(customerId: string) {
  const services = queryServices();
  const fresh = (): WatchedDocument => ({
    document: undefined,
    live: new Set(),
    state: { name: "connecting", service: services.current },
    wentOn: undefined,
  });
  const [watched, set] = useState(fresh);
  // Counts up to watch anew after the watch has stopped.
  const [round, setRound] = useState(0);

  useEffect(() => {
    const ending = new AbortController();
    const reading = { kinds: ["customer", "order"] as const, customerId };
    const change = (part: Partial<WatchedDocument>) => set((old) => ({ ...old, ...part }));
    let dismissal: ReturnType<typeof setTimeout> | undefined;
    let shown: string[] = [];
    set(fresh());
    void follow<Service, WatchCustomerOrdersResponse>(
      {
        services,
        open: (service, resumeToken, signal, onHeader) => {
          shown = receiptsFor(reading);
          const request = { customerId, resumeToken, freshness: { receipts: shown } };
          return service.client.watchCustomerOrders(request, { signal, onHeader });
        },
        tokenOf: ({ resumeToken }) => resumeToken,
        onMessage: (document, service) => {
          noteServed(document.served, service.name);
          set((old) => {
            const changed = old.document
              ? changedOrders(old.document.orders, document.orders)
              : [];
            return { ...old, document, live: new Set([...old.live, ...changed]) };
          });
        },
        onState: (state) => change({ state }),
        onWentOn: (lost, now) => {
          clearTimeout(dismissal);
          dismissal = setTimeout(() => change({ wentOn: undefined }), WENT_ON);
          change({ wentOn: { lost: lost.name, now: now.name } });
        },
        mend: (fault) => dropRefused(shown, fault.fields.keys()),
        guard: (service, dead) => watchOver(service, customerId, dead),
        hidden: tabHidden,
        onHidden: onTabHidden,
        pause: wait,
      },
      ending.signal,
    );
    return () => {
      ending.abort();
      clearTimeout(dismissal);
    };
  }, [customerId, round]);

  return {
    watched,
    dismiss: () => set((old) => ({ ...old, wentOn: undefined })),
    again: () => setRound((count) => count + 1),
  };
}
